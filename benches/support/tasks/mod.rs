//! Task libraries as contenders: filch's own tasks, tokio, async-executor on threads of our own, forte, the thread pool
//! of futures, and switchyard. A workload for them is a future that spawns futures.

mod block_on;
mod filch_tasks;
mod forte_tasks;
mod futures_pool;
mod smol;
mod switchyard_pool;
mod tokio_runtime;
mod yield_once;

use std::future::Future;

pub use block_on::{block_on, block_on_until};
pub use filch_tasks::{FilchTasks, FilchWithoutLane, filch_sleep};
pub use forte_tasks::ForteTasks;
pub use futures_pool::FuturesPool;
pub use smol::Smol;
pub use switchyard_pool::SwitchyardPool;
pub use tokio_runtime::Tokio;

/// What code that runs inside the library can ask of it.
pub trait Spawn: Copy + Send + Sync + 'static {
    /// Spawns a task; the returned future waits for its result.
    fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static;

    /// Spawns a task that nobody waits for.
    fn detach(self, task: impl Future<Output = ()> + Send + 'static);

    /// Lets others go first, by the library's own function where it has one.
    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static;
}

/// A task library with a runtime of its own size.
pub trait TaskLibrary: 'static {
    const NAME: &'static str;
    type Spawner: Spawn;

    fn start(workers: usize) -> Self;

    fn spawner(&self) -> Self::Spawner;

    /// Runs a future as a task on the runtime's threads and waits for it from outside.
    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T;

    /// Spawns, from a thread outside, a task that nobody waits for.
    fn detach(&self, task: impl Future<Output = ()> + Send + 'static);

    /// Called before the contender's turn, outside the measured time.
    fn wake(&self) {}

    /// Called after the contender's turn, so that it does not disturb the others.
    fn rest(&self) {}
}
