//! async-executor, which brings no threads: as many of ours as there are workers run it.

use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};

use super::{Spawn, TaskLibrary, block_on};

type Executor = async_executor::Executor<'static>;

/// An executor and its threads.
pub struct Smol {
    executor: &'static Executor,
    stop: Arc<Stop>,
    threads: Vec<JoinHandle<()>>,
}

impl Spawn for &'static Executor {
    fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        Executor::spawn(self, task)
    }

    fn detach(self, task: impl Future<Output = ()> + Send + 'static) {
        Executor::spawn(self, task).detach();
    }

    fn yield_now(self) -> impl Future<Output = ()> + Send + 'static {
        futures_lite::future::yield_now()
    }
}

impl TaskLibrary for Smol {
    const NAME: &'static str = "async-executor";
    type Spawner = &'static Executor;

    fn start(workers: usize) -> Self {
        // Leaked, a few hundred bytes per row: its tasks must be able to name it for ever.
        let executor: &'static Executor = Box::leak(Box::new(Executor::new()));
        let stop = Arc::new(Stop::default());
        let work = |_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                block_on(executor.run(poll_fn(|context| stop.poll(context))));
            })
        };
        Smol { executor, threads: (0..workers).map(work).collect(), stop }
    }

    fn spawner(&self) -> &'static Executor {
        self.executor
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        block_on(self.executor.spawn(root))
    }

    fn detach(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.executor.spawn(task).detach();
    }
}

impl Drop for Smol {
    fn drop(&mut self) {
        self.stop.set();
        for thread in self.threads.drain(..) {
            thread.join().expect("an executor thread panicked");
        }
    }
}

/// Tells the executor's threads to leave.
#[derive(Default)]
struct Stop {
    set: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

impl Stop {
    fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut waiting = self.waiting.lock().unwrap();
        if self.set.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
        Poll::Pending
    }

    fn set(&self) {
        let waiting = {
            let mut waiting = self.waiting.lock().unwrap();
            // Under the lock, so that whoever has looked has also left its waker.
            self.set.store(true, Ordering::Relaxed);
            std::mem::take(&mut *waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}
