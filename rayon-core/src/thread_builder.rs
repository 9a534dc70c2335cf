//! Threads of a pool that are about to start, and the ways to start them.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::sync::mpsc::Sender;
use std::thread;

/// A thread of a pool, ready to run: given to a [spawn handler](crate::ThreadPoolBuilder::spawn_handler).
pub struct ThreadBuilder {
    thread: filch::ThreadBuilder,
    name: Option<String>,
    to_begin: Option<ToBegin>,
}

/// Says by its end that a thread has begun, or never will.
pub(crate) type ToBegin = Sender<Infallible>;

impl ThreadBuilder {
    pub(crate) fn new(thread: filch::ThreadBuilder, name: Option<String>, to_begin: Option<ToBegin>) -> Self {
        ThreadBuilder { thread, name, to_begin }
    }

    /// The index of the thread in its pool.
    pub fn index(&self) -> usize {
        self.thread.index()
    }

    /// The name that the pool's builder gives the thread.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The stack size that the pool's builder was asked for.
    pub fn stack_size(&self) -> Option<usize> {
        self.thread.stack_size()
    }

    /// The thread's life. Returns when the pool has been dropped and its work is done.
    pub fn run(self) {
        drop(self.to_begin);
        self.thread.run();
    }

    /// A thread of the standard library's with this one's name and stack size.
    pub(crate) fn settings(&self) -> thread::Builder {
        let mut builder = thread::Builder::new();
        if let Some(name) = self.name() {
            builder = builder.name(name.to_owned());
        }
        if let Some(size) = self.stack_size() {
            builder = builder.stack_size(size);
        }
        builder
    }
}

impl fmt::Debug for ThreadBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadBuilder")
            .field("index", &self.index())
            .field("name", &self.name)
            .field("stack_size", &self.stack_size())
            .finish_non_exhaustive()
    }
}

mod sealed {
    pub trait Sealed {}
}

/// How a pool's threads are started. Public only because it bounds public functions.
pub trait ThreadSpawn: sealed::Sealed {
    /// Has [`ThreadBuilder::run`] called on a thread of its own.
    fn spawn(&mut self, thread: ThreadBuilder) -> io::Result<()>;
}

/// By the standard library.
#[derive(Debug, Default)]
pub struct DefaultSpawn;

impl sealed::Sealed for DefaultSpawn {}

impl ThreadSpawn for DefaultSpawn {
    fn spawn(&mut self, thread: ThreadBuilder) -> io::Result<()> {
        thread.settings().spawn(|| thread.run()).map(drop)
    }
}

/// By a function of the user's.
#[derive(Debug)]
pub struct CustomSpawn<F>(pub(crate) F);

impl<F: FnMut(ThreadBuilder) -> io::Result<()>> sealed::Sealed for CustomSpawn<F> {}

impl<F: FnMut(ThreadBuilder) -> io::Result<()>> ThreadSpawn for CustomSpawn<F> {
    fn spawn(&mut self, thread: ThreadBuilder) -> io::Result<()> {
        (self.0)(thread)
    }
}
