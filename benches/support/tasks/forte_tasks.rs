//! forte's tasks. As with its fork-join, the thread that enters is one of those that compute.
//!
//! This release shares nothing but at a `join`: a task runs on the thread that spawns or wakes it, and what a thread
//! outside spawns runs to its first pause before the call returns.

use std::future::Future;

use forte::ThreadPool;

use super::yield_once::yield_once;
use super::{Spawn, TaskLibrary};
use crate::support::fork::Library;
use crate::support::forte_pool::Forte;

/// A pool of forte, as one for tasks.
pub struct ForteTasks(Forte);

#[derive(Clone, Copy)]
pub struct ForteSpawner(&'static ThreadPool);

impl Spawn for ForteSpawner {
    fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        self.0.spawn_future(task)
    }

    fn detach(self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn_future(task).detach();
    }

    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static {
        yield_once()
    }
}

impl TaskLibrary for ForteTasks {
    const NAME: &'static str = "forte";
    type Spawner = ForteSpawner;

    fn start(workers: usize) -> Self {
        ForteTasks(Forte::start(workers))
    }

    fn spawner(&self) -> ForteSpawner {
        ForteSpawner(self.0.pool)
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        // The root is a task of its own: a waker of `block_on` itself must not outlive the call.
        self.0.pool.with_worker(|worker| worker.block_on(worker.spawn_future(root)))
    }

    fn detach(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.pool.spawn_future(task).detach();
    }

    fn wake(&self) {
        Library::wake(&self.0);
    }

    fn rest(&self) {
        Library::rest(&self.0);
    }
}
