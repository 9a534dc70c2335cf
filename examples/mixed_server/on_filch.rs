//! The server on filch: hyper over async-io, each connection a task, the computations on the same pool.

use super::admission::Admission;
use super::http::{self, Site};
use super::loops::{Compute, Loops, Reason};
use super::server::{GRACE, PAUSE, Plan, Server, at_once};
use async_io::Async;
use filch::prelude::*;
use filch::task::TaskTracker;
use filch::{CancellationToken, JoinHandle, Pool};
use smol_hyper::rt::FuturesIo;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// filch's loops.
pub struct Filch;

impl Loops for Filch {
    fn join<A, B, RA, RB>(a: A, b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA + Send,
        B: FnOnce() -> RB + Send,
        RA: Send,
        RB: Send,
    {
        filch::join(a, b)
    }

    fn each_row(bytes: &mut [u8], length: usize, fill: impl Fn(usize, &mut [u8]) + Send + Sync) {
        bytes.par_chunks_exact_mut(length).enumerate().for_each(|(row, bytes)| fill(row, bytes));
    }

    fn sort(numbers: &mut [u64]) {
        numbers.par_sort_unstable();
    }
}

impl Compute for Filch {
    /// Right here: a handler is on a worker already, and the others help.
    async fn short<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Reason> {
        Ok(work())
    }

    async fn long<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Reason> {
        // Should the client go before it has begun, it never does.
        Ok(filch::spawn_cpu(work).abort_on_drop().await?)
    }
}

/// A server with a pool of its own.
pub struct OnFilch {
    pool: Pool,
    address: SocketAddr,
    at_once: usize,
    stop: CancellationToken,
    acceptor: JoinHandle<()>,
}

impl OnFilch {
    pub fn start(listener: TcpListener, plan: &Plan) -> Result<Self, Reason> {
        let pool = Pool::builder().workers(plan.workers).name("mixed-filch").build()?;
        let at_once = if plan.at_once == 0 { at_once(pool.num_workers()) } else { plan.at_once };
        let pictures = plan.pictures.clone();
        let site = Arc::new(Site { compute: Filch, pictures, admission: Admission::new(at_once) });
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let acceptor = pool.spawn(accept(Async::new(listener)?, site, stop.clone()));
        Ok(OnFilch { pool, address, at_once, stop, acceptor })
    }
}

impl Server for OnFilch {
    fn name(&self) -> &'static str {
        "filch"
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn workers(&self) -> usize {
        self.pool.num_workers()
    }

    fn at_once(&self) -> usize {
        self.at_once
    }

    fn stop(self: Box<Self>) {
        self.stop.cancel();
        match self.pool.block_on(filch::time::timeout(GRACE, self.acceptor)) {
            Ok(_) => self.pool.shutdown(),
            Err(_) => self.pool.shutdown_now(),
        }
    }
}

/// Takes connections until it is stopped, and is over when all of them are.
async fn accept(listener: Async<TcpListener>, site: Arc<Site<Filch>>, stop: CancellationToken) {
    let connections = TaskTracker::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let Ok((stream, _)) = accepted else {
            filch::time::sleep(PAUSE).await;
            continue;
        };
        // Without it an answer may wait for the client's next acknowledgement.
        let _ = stream.get_ref().set_nodelay(true);
        let stopped = stop.clone().cancelled_owned();
        let connection = http::connection(site.clone(), FuturesIo::new(stream), Clock, stopped);
        filch::spawn(connections.track_future(connection)).detach();
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// filch's timers for hyper.
struct Clock;

/// hyper asks for a type of its own.
struct Sleep(filch::time::Sleep);

impl hyper::rt::Timer for Clock {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(Sleep(filch::time::sleep(duration)))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(Sleep(filch::time::sleep_until(deadline.into())))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl hyper::rt::Sleep for Sleep {}
