//! filch: one pool for both. Closures are detached, or those of `spawn_cpu`, which have a handle, or come from outside.

use std::future::Future;

use filch::prelude::*;

use super::{Call, Closures, Loop, Mix, Sort, Step, feeder};
use crate::support::libraries::filch_pool;

/// Closures by `spawn_detached`, from inside of closures.
#[derive(Clone, Copy)]
pub struct Filch(&'static filch::Pool);

impl Filch {
    pub fn pool(self) -> &'static filch::Pool {
        self.0
    }
}

impl Closures for Filch {
    const NAME: &'static str = "filch";

    fn start(workers: usize) -> Self {
        Filch(Box::leak(Box::new(filch_pool(workers))))
    }

    fn closure(self, body: impl FnOnce() + Send + 'static) {
        self.0.spawn_detached(body);
    }
}

impl Mix for Filch {
    fn task(self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.0.spawn(task));
    }

    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static {
        filch::task::yield_now()
    }
}

impl Call for Filch {
    fn call<T: Send + 'static>(
        self,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let handle = self.0.spawn_cpu(body);
        async move { handle.await.unwrap_or_else(|_| panic!("a closure failed")) }
    }
}

impl Loop for Filch {
    fn repeat(self, body: impl Fn() -> bool + Send + Sync) {
        let ended = (0..u32::MAX).into_par_iter().any(|_| !body());
        assert!(ended, "the loop lasts longer than any turn");
    }
}

impl Sort for Filch {
    fn sort(numbers: &mut [u64]) {
        numbers.par_sort_unstable();
    }
}

/// Closures by `spawn_cpu`, whose handles are dropped.
#[derive(Clone, Copy)]
pub struct FilchCpu(Filch);

impl Closures for FilchCpu {
    const NAME: &'static str = "filch spawn_cpu";

    fn start(workers: usize) -> Self {
        FilchCpu(Filch::start(workers))
    }

    fn closure(self, body: impl FnOnce() + Send + 'static) {
        self.0.0.spawn_cpu(body).detach();
    }
}

impl Mix for FilchCpu {
    fn task(self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.task(task);
    }

    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static {
        self.0.yield_now()
    }
}

/// Closures that a thread outside hands in.
#[derive(Clone, Copy)]
pub struct FilchOutside(Filch);

impl Closures for FilchOutside {
    const NAME: &'static str = "filch";

    fn start(workers: usize) -> Self {
        FilchOutside(Filch::start(workers))
    }

    fn closure(self, body: impl FnOnce() + Send + 'static) {
        self.0.closure(body);
    }

    fn saturate(self, chains: Vec<Step>) {
        feeder::feed(self, chains);
    }
}

impl Mix for FilchOutside {
    fn task(self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.task(task);
    }

    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static {
        self.0.yield_now()
    }
}
