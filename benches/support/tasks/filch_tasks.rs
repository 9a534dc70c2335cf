//! filch's tasks.

use std::future::Future;
use std::time::Duration;

use super::{Spawn, TaskLibrary, block_on};
use crate::support::libraries::filch_pool;

/// A yield of a filch task.
fn filch_yield() -> impl Future<Output = ()> + Send + 'static {
    filch::task::yield_now()
}

/// A timer for a filch task.
pub fn filch_sleep(time: Duration) -> impl Future + Send + 'static {
    filch::time::sleep(time)
}

/// filch's pool, as one for tasks.
pub struct FilchTasks(filch::Pool);

/// The same without an express lane.
pub struct FilchWithoutLane(FilchTasks);

#[derive(Clone, Copy)]
pub struct FilchSpawner;

impl Spawn for FilchSpawner {
    fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let handle = filch::spawn(task);
        async move { handle.await.unwrap_or_else(|_| panic!("a task failed")) }
    }

    fn detach(self, task: impl Future<Output = ()> + Send + 'static) {
        drop(filch::spawn(task));
    }

    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static {
        filch_yield()
    }
}

impl TaskLibrary for FilchTasks {
    const NAME: &'static str = "filch tasks";
    type Spawner = FilchSpawner;

    fn start(workers: usize) -> Self {
        FilchTasks(filch_pool(workers))
    }

    fn spawner(&self) -> FilchSpawner {
        FilchSpawner
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        let result = block_on(self.0.spawn(root));
        result.unwrap_or_else(|_| panic!("the root task failed"))
    }

    fn detach(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.0.spawn(task));
    }
}

impl TaskLibrary for FilchWithoutLane {
    const NAME: &'static str = "filch, no lane";
    type Spawner = FilchSpawner;

    fn start(workers: usize) -> Self {
        let pool = filch::Pool::builder().workers(workers).express_lane(false).build();
        FilchWithoutLane(FilchTasks(pool.expect("threads for a pool")))
    }

    fn spawner(&self) -> FilchSpawner {
        FilchSpawner
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        self.0.run(root)
    }

    fn detach(&self, task: impl Future<Output = ()> + Send + 'static) {
        TaskLibrary::detach(&self.0, task);
    }
}
