//! Task libraries as contenders: filch's own tasks, tokio, and async-executor on threads of our own. A workload for
//! them is a future that spawns futures.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};

use super::libraries::filch_pool;

/// How code that runs inside the library spawns a task and gets at its result.
pub trait Spawn: Copy + Send + Sync + 'static {
    fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static;
}

/// A task library with a runtime of its own size.
pub trait TaskLibrary: 'static {
    const NAME: &'static str;
    type Spawner: Spawn;

    fn start(workers: usize) -> Self;

    fn spawner(&self) -> Self::Spawner;

    /// Runs a future as a task on the runtime's threads and waits for it from outside.
    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T;
}

/// filch's tasks.
pub struct FilchTasks(filch::Pool);

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
}

/// tokio's multi-thread runtime.
pub struct Tokio(tokio::runtime::Runtime);

#[derive(Clone, Copy)]
pub struct TokioSpawner;

impl Spawn for TokioSpawner {
    fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let handle = tokio::spawn(task);
        async move { handle.await.expect("a task failed") }
    }
}

impl TaskLibrary for Tokio {
    const NAME: &'static str = "tokio";
    type Spawner = TokioSpawner;

    fn start(workers: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).build();
        Tokio(runtime.expect("a tokio runtime"))
    }

    fn spawner(&self) -> TokioSpawner {
        TokioSpawner
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        block_on(self.0.spawn(root)).expect("the root task failed")
    }
}

type Executor = async_executor::Executor<'static>;

/// async-executor, which brings no threads: as many of ours as there are workers run it.
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

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls a future on this thread and parks in between: the same waiting for all three libraries.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
