//! tokio alone: closures are tasks too, which yield between one computation and the next.

use std::future::Future;

use tokio::runtime::{Builder, Runtime};

use super::{Closures, Mix, Step};

/// A runtime.
#[derive(Clone, Copy)]
pub struct TokioAlone(&'static Runtime);

impl TokioAlone {
    pub fn runtime(self) -> &'static Runtime {
        self.0
    }
}

/// A runtime with its timers and its I/O, as `#[tokio::main]` makes it.
pub fn leaked(builder: &mut Builder) -> &'static Runtime {
    Box::leak(Box::new(builder.enable_all().build().expect("a tokio runtime")))
}

impl Closures for TokioAlone {
    const NAME: &'static str = "tokio";

    fn start(workers: usize) -> Self {
        let mut builder = Builder::new_multi_thread();
        if workers > 0 {
            builder.worker_threads(workers);
        }
        TokioAlone(leaked(&mut builder))
    }

    fn closure(self, body: impl FnOnce() + Send + 'static) {
        drop(self.0.spawn(async move { body() }));
    }

    fn saturate(self, chains: Vec<Step>) {
        for mut chain in chains {
            drop(self.0.spawn(async move {
                while chain() {
                    tokio::task::yield_now().await;
                }
            }));
        }
    }
}

impl Mix for TokioAlone {
    fn task(self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.0.spawn(task));
    }

    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static {
        tokio::task::yield_now()
    }
}
