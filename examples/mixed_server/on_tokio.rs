//! The same server as it is written today: tokio's runtime for the connections, rayon's pool for the computations, and
//! a oneshot channel for each way back. Twice as many threads as workers.

use super::admission::Admission;
use super::http::{self, Site};
use super::loops::{Compute, Loops, Reason};
use super::server::{GRACE, PAUSE, Plan, Server, at_once};
use hyper_util::rt::{TokioIo, TokioTimer};
use rayon::prelude::*;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use tokio::runtime::{self, Runtime};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// rayon's loops, on its pool for this server.
pub struct Rayon(Arc<rayon::ThreadPool>);

impl Loops for Rayon {
    fn join<A, B, RA, RB>(a: A, b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA + Send,
        B: FnOnce() -> RB + Send,
        RA: Send,
        RB: Send,
    {
        rayon::join(a, b)
    }

    fn each_row(bytes: &mut [u8], length: usize, fill: impl Fn(usize, &mut [u8]) + Send + Sync) {
        bytes.par_chunks_exact_mut(length).enumerate().for_each(|(row, bytes)| fill(row, bytes));
    }

    fn sort(numbers: &mut [u64]) {
        numbers.par_sort_unstable();
    }
}

impl Compute for Rayon {
    /// A handler must not wait for another pool, so also what is short goes there and back.
    async fn short<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Reason> {
        self.long(work).await
    }

    async fn long<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Reason> {
        let (sender, receiver) = oneshot::channel();
        self.0.spawn(move || {
            // Nobody may want it any more.
            let _ = sender.send(work());
        });
        receiver.await.map_err(|_| "the computation has panicked".into())
    }
}

/// A server with a runtime and a pool of its own.
pub struct OnTokio {
    runtime: Runtime,
    pool: Arc<rayon::ThreadPool>,
    address: SocketAddr,
    at_once: usize,
    stop: watch::Sender<()>,
    acceptor: JoinHandle<()>,
}

impl OnTokio {
    pub fn start(listener: TcpListener, plan: &Plan) -> Result<Self, Reason> {
        let name = |number| format!("mixed-rayon-{number}");
        // The panic hook has printed it, and the handler notices that no answer comes.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(plan.workers).thread_name(name).panic_handler(|_| {});
        let pool = Arc::new(pool.build()?);
        let workers = pool.current_num_threads();
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .thread_name("mixed-tokio")
            .enable_all()
            .build()?;
        let at_once = if plan.at_once == 0 { at_once(workers) } else { plan.at_once };
        let pictures = plan.pictures.clone();
        let site = Arc::new(Site { compute: Rayon(pool.clone()), pictures, admission: Admission::new(at_once) });
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, stopped) = watch::channel(());
        let acceptor = runtime.spawn(accept(listener, site, stopped));
        Ok(OnTokio { runtime, pool, address, at_once, stop, acceptor })
    }
}

impl Server for OnTokio {
    fn name(&self) -> &'static str {
        "tokio+rayon"
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn workers(&self) -> usize {
        self.pool.current_num_threads()
    }

    fn at_once(&self) -> usize {
        self.at_once
    }

    fn stop(self: Box<Self>) {
        drop(self.stop);
        let acceptor = self.acceptor;
        let _ = self.runtime.block_on(async { tokio::time::timeout(GRACE, acceptor).await });
        self.runtime.shutdown_timeout(GRACE);
        // The last handle of rayon's pool: its threads end a moment later.
        drop(self.pool);
    }
}

/// Takes connections until it is stopped, and is over when all of them are.
async fn accept(listener: tokio::net::TcpListener, site: Arc<Site<Rayon>>, mut stopped: watch::Receiver<()>) {
    // Each connection holds a sender; when the last one is gone, there is nothing more to receive.
    let (connected, mut connections) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (site, mut stopped, connected) = (site.clone(), stopped.clone(), connected.clone());
        tokio::spawn(async move {
            let stopped = async move { drop(stopped.changed().await) };
            http::connection(site, TokioIo::new(stream), TokioTimer::new(), stopped).await;
            drop(connected);
        });
    }
    drop((listener, connected));
    connections.recv().await;
}
