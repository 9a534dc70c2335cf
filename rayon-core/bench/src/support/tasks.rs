//! The place of task libraries, of which none is here; the workloads name them.

use std::future::Future;

use super::libraries::ABSENT;

/// What code that runs inside of a task library asks of it.
pub trait Spawn: Copy + Send + Sync + 'static {
    fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static;
}

/// A task library.
pub trait TaskLibrary: 'static {
    const NAME: &'static str;
    type Spawner: Spawn;

    fn start(workers: usize) -> Self;
    fn spawner(&self) -> Self::Spawner;
    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T;
    fn wake(&self) {}
    fn rest(&self) {}
}

/// A task library that is not here.
#[derive(Clone, Copy)]
pub enum Absent {}

pub use Absent as FilchTasks;
pub use Absent as Smol;
pub use Absent as Tokio;

impl Spawn for Absent {
    fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        task
    }
}

impl TaskLibrary for Absent {
    const NAME: &'static str = ABSENT;
    type Spawner = Absent;

    fn start(_workers: usize) -> Self {
        unreachable!("contenders that are not here are taken from the lists")
    }

    fn spawner(&self) -> Absent {
        *self
    }

    fn run<T: Send + 'static>(&self, _root: impl Future<Output = T> + Send + 'static) -> T {
        match *self {}
    }
}
