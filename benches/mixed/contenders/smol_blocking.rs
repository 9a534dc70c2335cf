//! async-executor on as many threads as there are workers, and the crate blocking for closures, which has as many: its
//! global pool is limited by an environment variable that every trial's process is started with ([`LIMIT`]).

use std::future::Future;

use super::{Call, Closures, Mix};
use crate::support::tasks::{Smol, Spawn, TaskLibrary};

/// The variable that limits the threads of the crate blocking.
pub const LIMIT: &str = "BLOCKING_MAX_THREADS";

/// An executor and the global pool of the crate blocking.
#[derive(Clone, Copy)]
pub struct SmolBlocking(&'static Smol);

impl Closures for SmolBlocking {
    const NAME: &'static str = "smol + blocking";

    fn start(workers: usize) -> Self {
        SmolBlocking(Box::leak(Box::new(Smol::start(workers))))
    }

    fn closure(self, body: impl FnOnce() + Send + 'static) {
        blocking::unblock(body).detach();
    }
}

impl Mix for SmolBlocking {
    fn task(self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.detach(task);
    }

    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static {
        self.0.spawner().yield_now()
    }
}

impl Call for SmolBlocking {
    fn call<T: Send + 'static>(
        self,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        blocking::unblock(body)
    }
}
