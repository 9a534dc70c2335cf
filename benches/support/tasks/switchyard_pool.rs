//! switchyard: one queue with priorities for all threads.

use std::future::Future;

use switchyard::Switchyard;
use switchyard::threads::ThreadAllocationOutput;

use super::yield_once::yield_once;
use super::{Spawn, TaskLibrary, block_on};

/// All tasks have the same priority.
const PRIORITY: u32 = 0;

/// A yard. It is leaked, so that a reference to it can be copied; its threads then sleep to the end of the program.
pub struct SwitchyardPool(&'static Switchyard<()>);

impl Spawn for &'static Switchyard<()> {
    fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        Switchyard::spawn(self, PRIORITY, task)
    }

    fn detach(self, task: impl Future<Output = ()> + Send + 'static) {
        // A dropped handle detaches.
        drop(Switchyard::spawn(self, PRIORITY, task));
    }

    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static {
        yield_once()
    }
}

impl TaskLibrary for SwitchyardPool {
    const NAME: &'static str = "switchyard";
    type Spawner = &'static Switchyard<()>;

    fn start(workers: usize) -> Self {
        let thread = |ident| ThreadAllocationOutput { name: None, ident, stack_size: None, affinity: None };
        let yard = Switchyard::new((0..workers).map(thread), || ()).expect("a yard");
        SwitchyardPool(Box::leak(Box::new(yard)))
    }

    fn spawner(&self) -> &'static Switchyard<()> {
        self.0
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        block_on(Spawn::spawn(self.0, root))
    }

    fn detach(&self, task: impl Future<Output = ()> + Send + 'static) {
        Spawn::detach(self.0, task);
    }
}
