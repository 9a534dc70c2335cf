//! tokio's multi-thread runtime.

use std::future::Future;

use super::{Spawn, TaskLibrary, block_on};

/// A runtime of its own.
pub struct Tokio(tokio::runtime::Runtime);

#[derive(Clone, Copy)]
pub struct TokioSpawner;

impl Spawn for TokioSpawner {
    fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let handle = tokio::spawn(task);
        async move { handle.await.expect("a task failed") }
    }

    fn detach(self, task: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(task));
    }

    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static {
        tokio::task::yield_now()
    }
}

impl TaskLibrary for Tokio {
    const NAME: &'static str = "tokio";
    type Spawner = TokioSpawner;

    fn start(workers: usize) -> Self {
        // With its timers, as `#[tokio::main]` makes it.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build();
        Tokio(runtime.expect("a tokio runtime"))
    }

    fn spawner(&self) -> TokioSpawner {
        TokioSpawner
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        block_on(self.0.spawn(root)).expect("the root task failed")
    }

    fn detach(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.0.spawn(task));
    }
}
