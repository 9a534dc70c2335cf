//! The service on filch's one pool.

use filch::prelude::*;

use super::{INSIDE, PIECES, Request, Server, Work};
use crate::support::libraries::filch_pool;

/// The loop, on whichever thread of the pool this is.
fn parallel(work: Work) -> u64 {
    (0..PIECES).into_par_iter().map(|_| work.piece()).sum()
}

fn leaked(workers: usize) -> &'static filch::Pool {
    Box::leak(Box::new(filch_pool(workers)))
}

/// The handler runs the loop itself.
#[derive(Clone, Copy)]
pub struct FilchServer(&'static filch::Pool);

impl Server for FilchServer {
    const NAME: &'static str = "filch";

    fn start(workers: usize) -> Self {
        FilchServer(leaked(workers))
    }

    fn offer(self, request: Request) -> bool {
        drop(self.0.spawn(async move {
            let work = request.parse();
            request.respond(parallel(work));
        }));
        true
    }
}

/// The handler awaits a closure that runs the loop.
#[derive(Clone, Copy)]
pub struct FilchSpawnCpu(&'static filch::Pool);

impl Server for FilchSpawnCpu {
    const NAME: &'static str = "filch spawn_cpu";

    fn start(workers: usize) -> Self {
        FilchSpawnCpu(leaked(workers))
    }

    fn offer(self, request: Request) -> bool {
        drop(self.0.spawn(async move {
            let work = request.parse();
            let computed = filch::spawn_cpu(move || parallel(work)).await;
            request.respond(computed.unwrap_or_else(|_| panic!("a closure failed")));
        }));
        true
    }
}

/// The handler runs the loop itself, and the pool takes no more requests than it can answer in time.
#[derive(Clone, Copy)]
pub struct FilchBounded(&'static filch::Pool);

impl Server for FilchBounded {
    const NAME: &'static str = "filch max_tasks";

    fn start(workers: usize) -> Self {
        let pool = filch::Pool::builder().workers(workers).max_tasks(INSIDE).build();
        FilchBounded(Box::leak(Box::new(pool.expect("threads for a pool"))))
    }

    fn offer(self, request: Request) -> bool {
        let task = async move {
            let work = request.parse();
            request.respond(parallel(work));
        };
        // A dropped handle detaches.
        self.0.try_spawn(task).is_ok()
    }
}
