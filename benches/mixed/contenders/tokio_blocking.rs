//! tokio with its threads for blocking calls as those for closures, at most as many as there are workers.

use std::future::Future;
use std::thread;

use tokio::runtime::{Builder, Runtime};

use super::tokio_alone::leaked;
use super::{Call, Closures, Mix};

/// A runtime whose blocking threads are limited.
#[derive(Clone, Copy)]
pub struct TokioBlocking(&'static Runtime);

impl Closures for TokioBlocking {
    const NAME: &'static str = "tokio + spawn_blocking";

    fn start(workers: usize) -> Self {
        let cores = || thread::available_parallelism().map_or(1, |n| n.get());
        let workers = if workers > 0 { workers } else { cores() };
        let mut builder = Builder::new_multi_thread();
        TokioBlocking(leaked(builder.worker_threads(workers).max_blocking_threads(workers)))
    }

    fn closure(self, body: impl FnOnce() + Send + 'static) {
        drop(self.0.spawn_blocking(body));
    }
}

impl Mix for TokioBlocking {
    fn task(self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.0.spawn(task));
    }

    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static {
        tokio::task::yield_now()
    }
}

impl Call for TokioBlocking {
    fn call<T: Send + 'static>(
        self,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let handle = self.0.spawn_blocking(body);
        async move { handle.await.expect("a closure failed") }
    }
}
