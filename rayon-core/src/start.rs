//! From a builder to a pool whose threads run.
//!
//! Rayon calls the name function and the spawn handler on the thread that builds, one thread after the other, and
//! neither need be `Send`; filch's handlers are called on any thread. So filch is given a handler that lays the new
//! threads aside, and they are started from here.

use std::convert::Infallible;
use std::io;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};

use crate::builder::ThreadPoolBuilder;
use crate::error::ThreadPoolBuildError;
use crate::panics;
use crate::thread_builder::{DefaultSpawn, ThreadBuilder, ThreadSpawn};

/// The threads that have been laid aside; None when the pool has all its workers.
type Aside = Arc<Mutex<Option<Vec<filch::ThreadBuilder>>>>;

/// Called on a thread of the pool with its index.
pub(crate) type Hook = dyn Fn(usize) + Send + Sync;

/// The threads of a pool that are about to begin.
pub(crate) struct Beginning(Receiver<Infallible>);

impl Beginning {
    /// Blocks until each has begun, or has turned out not to: its builder has been dropped.
    pub(crate) fn wait(self) {
        if let Ok(never) = self.0.recv() {
            match never {}
        }
    }
}

/// Builds the pool, with an express lane for async tasks or without.
pub(crate) fn start<S: ThreadSpawn>(
    mut builder: ThreadPoolBuilder<S>,
    lane: bool,
) -> Result<(filch::Pool, Beginning), ThreadPoolBuildError> {
    let threads = builder.threads();
    let aside = Aside::new(Mutex::new(Some(Vec::new())));
    let pool = settings(&mut builder, threads, lane).spawn_handler(lay_aside(aside.clone())).build()?;
    // From here on, whichever way we leave, dropping the pool ends the threads that run.
    filch::drop_in::end_alone(&pool);
    let waiting = lock(&aside).take().unwrap_or_default();
    if builder.use_current_thread {
        let _ = builder.name_of(0);
    }
    let (to_begin, beginning) = mpsc::channel();
    for thread in waiting {
        let name = builder.name_of(thread.index());
        let thread = ThreadBuilder::new(thread, name, Some(to_begin.clone()));
        builder.spawn.spawn(thread).map_err(ThreadPoolBuildError::thread)?;
    }
    Ok((pool, Beginning(beginning)))
}

fn settings<S>(builder: &mut ThreadPoolBuilder<S>, threads: usize, lane: bool) -> filch::PoolBuilder {
    let mut settings = filch::Pool::builder()
        .workers(threads)
        .wait_policy(filch::WaitPolicy::RunAnything)
        .express_lane(lane)
        .stack_size(builder.stack_size.unwrap_or(0));
    if let Some(handler) = builder.panic_handler.take() {
        settings = settings.panic_handler(panics::handle(handler));
    }
    if builder.breadth_first {
        settings = filch::drop_in::breadth_first(settings);
    }
    if let Some(hook) = builder.start_handler.take() {
        settings = settings.start_handler(for_workers(threads, "the start handler", hook));
    }
    if let Some(hook) = builder.exit_handler.take() {
        settings = settings.exit_handler(for_workers(threads, "the exit handler", hook));
    }
    if builder.use_current_thread { settings.use_current_thread() } else { settings }
}

/// The hook, but for threads of which rayon knows nothing. Its panic is treated as a spawned closure's.
fn for_workers(threads: usize, what: &'static str, hook: Box<Hook>) -> impl Fn(usize) + Send + Sync + 'static {
    move |index| {
        if index < threads {
            panics::guarded_as(what, || hook(index));
        }
    }
}

/// What filch calls for each thread: workers while the pool is built, others later.
fn lay_aside(aside: Aside) -> impl Fn(filch::ThreadBuilder) -> io::Result<()> + Send + Sync + 'static {
    move |thread| {
        if let Some(waiting) = &mut *lock(&aside) {
            waiting.push(thread);
            return Ok(());
        }
        DefaultSpawn.spawn(ThreadBuilder::new(thread, None, None))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing under it panics but for want of memory.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
