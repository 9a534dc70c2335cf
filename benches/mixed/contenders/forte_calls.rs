//! forte, as far as this release can be in these tables: it runs what a thread outside spawns or wakes on that very
//! thread, so its tasks are entered by a thread that becomes a worker, and closures are spawned inside.
//!
//! The release is 1.0.0-alpha.4, and not a beta: 1.0.0-beta.2 declares that it needs Rust 1.96.

use std::future::Future;
use std::thread;

use super::{Call, Closures, Mix};
use crate::support::tasks::{ForteTasks, Spawn, TaskLibrary};

/// A pool of forte.
#[derive(Clone, Copy)]
pub struct ForteCalls(&'static ForteTasks);

impl Closures for ForteCalls {
    const NAME: &'static str = "forte";

    fn start(workers: usize) -> Self {
        let pool = ForteTasks::start(workers);
        pool.wake();
        ForteCalls(Box::leak(Box::new(pool)))
    }

    fn closure(self, body: impl FnOnce() + Send + 'static) {
        self.0.spawner().detach(async move { body() });
    }
}

impl Mix for ForteCalls {
    fn task(self, task: impl Future<Output = ()> + Send + 'static) {
        thread::spawn(move || self.0.run(task));
    }

    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static {
        self.0.spawner().yield_now()
    }
}

impl Call for ForteCalls {
    fn call<T: Send + 'static>(
        self,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        self.0.spawner().spawn(async move { body() })
    }
}
