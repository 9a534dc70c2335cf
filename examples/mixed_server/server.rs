//! What the two servers have in common.

use super::loops::Reason;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// How long connections have to end in when the server stops.
pub const GRACE: Duration = Duration::from_secs(5);

/// How long a server waits when it cannot take a connection, as when too many files are open.
pub const PAUSE: Duration = Duration::from_millis(10);

/// What to serve, and with how much.
#[derive(Clone)]
pub struct Plan {
    /// 0 leaves the choice to the pool.
    pub workers: usize,
    /// So many requests may compute, or wait to, at the same time; 0 for [`at_once`].
    pub at_once: usize,
    pub pictures: Arc<Vec<Vec<u8>>>,
}

/// A server that runs.
pub trait Server {
    fn name(&self) -> &'static str;
    fn address(&self) -> SocketAddr;
    /// Of threads that compute.
    fn workers(&self) -> usize;
    /// Of requests that compute or wait to.
    fn at_once(&self) -> usize;
    /// Ends it: takes no more connections, answers what has been asked, and ends its threads.
    fn stop(self: Box<Self>);
}

/// How many requests are let in if nobody says: enough to keep the workers busy, and for no long queue.
pub fn at_once(workers: usize) -> usize {
    (8 * workers).clamp(16, 256)
}

/// Listens there, or says why not.
pub fn listen(address: SocketAddr) -> Result<TcpListener, Reason> {
    TcpListener::bind(address).map_err(|error| format!("{address}: {error}").into())
}
