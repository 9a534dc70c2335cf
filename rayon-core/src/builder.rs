//! How a pool is asked for.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::error::ThreadPoolBuildError;
use crate::panics::PanicHandler;
use crate::start::{self, Hook};
use crate::thread_builder::{CustomSpawn, DefaultSpawn, ThreadBuilder, ThreadSpawn};
use crate::thread_pool::ThreadPool;

/// Builds a [`ThreadPool`], or the global one.
///
/// ```
/// # fn main() -> Result<(), rayon_core::ThreadPoolBuildError> {
/// let pool = rayon_core::ThreadPoolBuilder::new().num_threads(3).build()?;
/// assert_eq!(pool.install(rayon_core::current_num_threads), 3);
/// # Ok(()) }
/// ```
pub struct ThreadPoolBuilder<S = DefaultSpawn> {
    pub(crate) num_threads: usize,
    pub(crate) use_current_thread: bool,
    pub(crate) panic_handler: Option<Box<PanicHandler>>,
    pub(crate) thread_name: Option<Box<dyn FnMut(usize) -> String>>,
    pub(crate) stack_size: Option<usize>,
    pub(crate) start_handler: Option<Box<Hook>>,
    pub(crate) exit_handler: Option<Box<Hook>>,
    pub(crate) spawn: S,
    pub(crate) breadth_first: bool,
}

impl Default for ThreadPoolBuilder {
    fn default() -> Self {
        ThreadPoolBuilder {
            num_threads: 0,
            use_current_thread: false,
            panic_handler: None,
            thread_name: None,
            stack_size: None,
            start_handler: None,
            exit_handler: None,
            spawn: DefaultSpawn,
            breadth_first: false,
        }
    }
}

impl ThreadPoolBuilder {
    /// A builder with every option at its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Builds a pool for the time of `with_pool`, whose threads may borrow from the caller's frame: each is a scoped
    /// thread in which `wrapper` calls [`ThreadBuilder::run`].
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_scoped<W, F, R>(self, wrapper: W, with_pool: F) -> Result<R, ThreadPoolBuildError>
    where
        W: Fn(ThreadBuilder) + Sync,
        F: FnOnce(&ThreadPool) -> R,
    {
        thread::scope(|scope| {
            let wrapper = &wrapper;
            let spawn = |thread: ThreadBuilder| thread.settings().spawn_scoped(scope, || wrapper(thread)).map(drop);
            // Dropped before the threads are waited for.
            let pool = self.spawn_handler(spawn).build()?;
            Ok(with_pool(&pool))
        })
    }
}

#[allow(private_bounds)]
impl<S: ThreadSpawn> ThreadPoolBuilder<S> {
    /// Builds the pool and starts its threads.
    ///
    /// # Errors
    /// If a thread could not be started; those that had been are ended. If [`use_current_thread`](Self::use_current_thread)
    /// was asked for on a thread that is in a pool already.
    pub fn build(self) -> Result<ThreadPool, ThreadPoolBuildError> {
        start::start(self, false).map(|(pool, _)| ThreadPool::new_of(pool))
    }

    /// Builds the global pool, which is filch's global pool too, and waits until all its threads have begun.
    ///
    /// A [spawn handler](Self::spawn_handler) must not keep a thread for after this call. One that it drops is not waited
    /// for.
    ///
    /// # Errors
    /// If there is a global pool already, be it that filch has made it, and as [`build`](Self::build).
    pub fn build_global(self) -> Result<(), ThreadPoolBuildError> {
        // Of two that build at once, one is late, and starts no threads for nothing.
        static BUILDING: Mutex<()> = Mutex::new(());
        let building = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
        if filch::drop_in::global_exists() {
            return Err(ThreadPoolBuildError::global_exists());
        }
        let (pool, beginning) = start::start(self, true)?;
        filch::drop_in::set_global(pool).map_err(|_| ThreadPoolBuildError::global_exists())?;
        drop(building);
        beginning.wait();
        Ok(())
    }
}

impl<S> ThreadPoolBuilder<S> {
    /// Starts threads by the caller's own means: `spawn` must have [`ThreadBuilder::run`] called on a thread of its own.
    pub fn spawn_handler<F>(self, spawn: F) -> ThreadPoolBuilder<CustomSpawn<F>>
    where
        F: FnMut(ThreadBuilder) -> io::Result<()>,
    {
        ThreadPoolBuilder {
            spawn: CustomSpawn(spawn),
            num_threads: self.num_threads,
            use_current_thread: self.use_current_thread,
            panic_handler: self.panic_handler,
            thread_name: self.thread_name,
            stack_size: self.stack_size,
            start_handler: self.start_handler,
            exit_handler: self.exit_handler,
            breadth_first: self.breadth_first,
        }
    }

    /// The number of threads. 0, the default, means: by `RAYON_NUM_THREADS`, else as filch has it, by
    /// `FILCH_NUM_THREADS` (which comes first) or the cores that the process may use.
    pub fn num_threads(mut self, num_threads: usize) -> Self {
        self.num_threads = num_threads;
        self
    }

    pub(crate) fn threads(&self) -> usize {
        match self.num_threads {
            0 => filch::drop_in::default_workers(),
            threads => threads.min(crate::max_num_threads()),
        }
    }

    /// Names each thread by its index.
    pub fn thread_name<F>(mut self, closure: F) -> Self
    where
        F: FnMut(usize) -> String + 'static,
    {
        self.thread_name = Some(Box::new(closure));
        self
    }

    pub(crate) fn name_of(&mut self, index: usize) -> Option<String> {
        self.thread_name.as_mut().map(|name| name(index))
    }

    /// Makes the calling thread the pool's thread 0, until it ends.
    pub fn use_current_thread(mut self) -> Self {
        self.use_current_thread = true;
        self
    }

    /// Called with what a spawned closure panicked with. Without a handler such a panic ends the process, and so does
    /// one of the handler.
    pub fn panic_handler<H>(mut self, panic_handler: H) -> Self
    where
        H: Fn(Box<dyn Any + Send>) + Send + Sync + 'static,
    {
        self.panic_handler = Some(Box::new(panic_handler));
        self
    }

    /// The stack size of the threads, in bytes.
    pub fn stack_size(mut self, stack_size: usize) -> Self {
        self.stack_size = Some(stack_size);
        self
    }

    /// Called on each thread when it starts, with its index.
    pub fn start_handler<H>(mut self, start_handler: H) -> Self
    where
        H: Fn(usize) + Send + Sync + 'static,
    {
        self.start_handler = Some(Box::new(start_handler));
        self
    }

    /// Called on each thread before it ends, with its index.
    pub fn exit_handler<H>(mut self, exit_handler: H) -> Self
    where
        H: Fn(usize) + Send + Sync + 'static,
    {
        self.exit_handler = Some(Box::new(exit_handler));
        self
    }

    /// Each thread runs the oldest of its spawned closures first.
    #[deprecated(note = "use `scope_fifo` and `spawn_fifo` for similar effect")]
    pub fn breadth_first(mut self) -> Self {
        self.breadth_first = true;
        self
    }
}

impl<S> fmt::Debug for ThreadPoolBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPoolBuilder")
            .field("num_threads", &self.num_threads)
            .field("use_current_thread", &self.use_current_thread)
            .field("thread_name", &self.thread_name.is_some())
            .field("panic_handler", &self.panic_handler.is_some())
            .field("stack_size", &self.stack_size)
            .field("start_handler", &self.start_handler.is_some())
            .field("exit_handler", &self.exit_handler.is_some())
            .field("breadth_first", &self.breadth_first)
            .finish_non_exhaustive()
    }
}
