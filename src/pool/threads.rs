//! Starting the pool's threads, and waiting until all have ended.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;

use crate::core::parker::Parker;
use crate::ground::error::panic_text;
use crate::ground::sync::Mutex;
use crate::ground::unwind;
use crate::pool::express;
use crate::pool::shared::Shared;
use crate::pool::worker;

/// The threads that a pool has started and that have not ended.
pub(crate) struct Threads {
    count: Mutex<Count>,
    handles: Mutex<Vec<thread::JoinHandle<()>>>,
}

#[derive(Default)]
struct Count {
    alive: usize,
    /// Of those who wait until none is.
    waiters: Vec<Arc<Parker>>,
}

impl Threads {
    pub(crate) fn new() -> Self {
        Threads { count: Mutex::default(), handles: Mutex::new(Vec::new()) }
    }

    /// Counts a thread that is about to be started.
    pub(crate) fn expect_one(&self) -> Alive<'_> {
        self.count.lock().alive += 1;
        Alive(self)
    }

    pub(crate) fn one_ended(&self) {
        let mut count = self.count.lock();
        count.alive -= 1;
        if count.alive == 0 {
            let waiters = std::mem::take(&mut count.waiters);
            drop(count);
            waiters.iter().for_each(|waiter| waiter.unpark());
        }
    }

    /// Whether a thread is alive. If so, the parker is rung when none is any more.
    pub(crate) fn are_alive(&self, waiter: &Arc<Parker>) -> bool {
        let mut count = self.count.lock();
        if count.alive > 0 && !count.waiters.iter().any(|other| Arc::ptr_eq(other, waiter)) {
            count.waiters.push(waiter.clone());
        }
        count.alive > 0
    }

    /// Keeps a handle to join later. Whenever there are twice as many as threads alive, those that have ended are let
    /// go: joining them could wait for the destructors of their thread-locals.
    pub(crate) fn keep(&self, handle: thread::JoinHandle<()>) {
        let alive = self.count.lock().alive;
        let mut handles = self.handles.lock();
        handles.push(handle);
        if handles.len() > 2 * alive {
            handles.retain(|handle| !handle.is_finished());
        }
    }

    /// Joins the threads, all of which have ended.
    pub(crate) fn join_all(&self) {
        join_all(std::mem::take(&mut *self.handles.lock()));
    }
}

fn join_all(handles: Vec<thread::JoinHandle<()>>) {
    for handle in handles {
        // Our threads catch every panic. One from a spawn handler's wrapper has been reported by the panic hook.
        let _ = handle.join();
    }
}

/// A thread that has been counted.
pub(crate) struct Alive<'t>(&'t Threads);

impl Alive<'_> {
    /// The thread counts itself off when it ends.
    pub(crate) fn started(self) {
        std::mem::forget(self);
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.one_ended();
    }
}

/// A thread of a pool, ready to run: given to a [spawn handler](crate::PoolBuilder::spawn_handler).
///
/// ```
/// use std::thread;
///
/// # fn main() -> Result<(), filch::BuildError> {
/// // What the pool does if there is no handler, and a line of its own.
/// let pool = filch::Pool::builder().workers(2).name("mine").stack_size(1 << 20).spawn_handler(|thread| {
///     let mut builder = thread::Builder::new();
///     if let Some(name) = thread.name() {
///         builder = builder.name(name.to_owned());
///     }
///     if let Some(bytes) = thread.stack_size() {
///         builder = builder.stack_size(bytes);
///     }
///     println!("thread {} begins", thread.index());
///     builder.spawn(|| thread.run()).map(drop)
/// });
/// let pool = pool.build()?;
/// let name = pool.install_on_worker(|| thread::current().name().map(str::to_owned));
/// assert!(name.unwrap().starts_with("mine-"));
/// # Ok(()) }
/// ```
pub struct ThreadBuilder {
    // Taken when the thread runs; if it never does, dropping this counts it off.
    shared: Option<Arc<Shared>>,
    index: usize,
    name: Option<String>,
}

impl ThreadBuilder {
    fn new(shared: Arc<Shared>, index: usize) -> Self {
        // Made first, so that it is counted off if the name function panics.
        let mut builder = ThreadBuilder { shared: Some(shared.clone()), index, name: None };
        builder.name = shared.config.thread_name(index);
        builder
    }

    /// The index of the thread in its pool.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The name that the pool's builder gives the thread.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The stack size that the pool's builder was asked for.
    pub fn stack_size(&self) -> Option<usize> {
        self.shared.as_ref().and_then(|shared| shared.config.stack_size)
    }

    /// The thread's life. Returns when the pool has ended, or when a spare is no longer needed.
    pub fn run(mut self) {
        let shared = self.shared.take().expect("run takes the builder, so it runs once");
        if self.index < shared.slot_table() {
            worker::thread_main(&shared, self.index);
        } else {
            express::thread_main(&shared, self.index);
        }
        shared.let_go_if_done();
        // The last access of this thread to the pool, but for its share in the Arc.
        shared.threads.one_ended();
    }
}

impl Drop for ThreadBuilder {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            if self.index < shared.slot_table() {
                worker::never_started(&shared, self.index);
            } else {
                express::never_started(&shared, self.index);
            }
            shared.threads.one_ended();
        }
    }
}

impl fmt::Debug for ThreadBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadBuilder").field("index", &self.index).field("name", &self.name).finish_non_exhaustive()
    }
}

impl Shared {
    /// Starts the thread of the given slot. The slot's owner is the new thread from here on, also if this fails: then
    /// the slot has been given up again.
    ///
    /// Does not unwind, though it calls the user's name function and spawn handler: it is called from places where
    /// jobs lie in frames below.
    pub(crate) fn start_thread(&self, index: usize) -> io::Result<()> {
        self.threads.expect_one().started();
        match unwind::catch(|| self.start_counted_thread(index)) {
            Ok(started) => started,
            Err(payload) => {
                let text = format!("starting the thread panicked: {}", panic_text(&payload));
                unwind::drop_quietly(payload);
                Err(io::Error::other(text))
            }
        }
    }

    fn start_counted_thread(&self, index: usize) -> io::Result<()> {
        let builder = ThreadBuilder::new(self.arc(), index);
        if let Some(spawn) = &self.config.spawn {
            return spawn(builder);
        }
        let mut thread = thread::Builder::new();
        if let Some(name) = builder.name() {
            if name.contains('\0') {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "the thread name holds a NUL byte"));
            }
            thread = thread.name(name.to_owned());
        }
        if let Some(size) = builder.stack_size() {
            thread = thread.stack_size(size);
        }
        self.threads.keep(thread.spawn(move || builder.run())?);
        Ok(())
    }
}
