//! The thread pool of futures.

use std::future::Future;

use futures::executor::ThreadPool;
use futures::task::SpawnExt;

use super::yield_once::yield_once;
use super::{Spawn, TaskLibrary, block_on};

/// A pool. It is leaked, so that its spawner can be copied; its threads then sleep to the end of the program.
pub struct FuturesPool(&'static ThreadPool);

impl Spawn for &'static ThreadPool {
    fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        self.spawn_with_handle(task).expect("the pool takes every task")
    }

    fn detach(self, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn_ok(task);
    }

    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static {
        yield_once()
    }
}

impl TaskLibrary for FuturesPool {
    const NAME: &'static str = "futures";
    type Spawner = &'static ThreadPool;

    fn start(workers: usize) -> Self {
        let pool = ThreadPool::builder().pool_size(workers).create().expect("a pool of futures");
        FuturesPool(Box::leak(Box::new(pool)))
    }

    fn spawner(&self) -> &'static ThreadPool {
        self.0
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        block_on(Spawn::spawn(self.0, root))
    }

    fn detach(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn_ok(task);
    }
}
