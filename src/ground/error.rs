//! The errors users see.

use std::any::Any;
use std::fmt;
use std::io;

use crate::ground::id::Id;
use crate::ground::unwind::Payload;

/// Why a pool could not be built.
///
/// Every thread that had been started is joined before this is returned.
///
/// ```
/// use filch::{BuildError, Pool};
///
/// let refused = Pool::builder().workers(1).name("a\0b").build();
/// match refused.unwrap_err() {
///     BuildError::Name(name) => assert_eq!(name, "a\0b"),
///     other => unreachable!("{other}"),
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The system (or the [spawn handler](crate::PoolBuilder::spawn_handler)) refused a thread.
    Thread {
        /// The index of the worker that could not be started.
        index: usize,
        /// What the system said.
        source: io::Error,
    },
    /// A thread name holds a NUL byte, which no system accepts.
    Name(String),
    /// The global pool exists already: it is built once, by the first use or the first `build_global`.
    GlobalExists,
    /// [`use_current_thread`](crate::PoolBuilder::use_current_thread) on a thread that is inside of a pool: one of a
    /// pool's own, of whatever kind, or one that runs something in a pool (by `install`, `block_on` …).
    CurrentThreadTaken,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Thread { index, source } => write!(f, "worker {index} could not be started: {source}"),
            BuildError::Name(name) => write!(f, "the thread name {name:?} holds a NUL byte"),
            BuildError::GlobalExists => {
                f.write_str("the global pool exists already; call build_global before the first use of it")
            }
            BuildError::CurrentThreadTaken => f.write_str("the current thread is inside of a pool already"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            BuildError::Thread { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// The current thread is inside of no pool and has entered none: see
/// [`Handle::try_current`](crate::Handle::try_current).
#[derive(Debug)]
pub struct TryCurrentError(());

impl TryCurrentError {
    pub(crate) fn new() -> Self {
        TryCurrentError(())
    }
}

impl fmt::Display for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("filch: the current thread is inside of no pool and has entered none")
    }
}

impl std::error::Error for TryCurrentError {}

/// The pool has been shut down; the work that was offered is given back untouched.
///
/// ```
/// # fn main() -> Result<(), filch::BuildError> {
/// let pool = filch::Pool::builder().workers(1).build()?;
/// pool.shutdown();
/// let refused = filch::block_on(pool.spawn_cpu_when_room(|| 6 * 7)).unwrap_err();
/// // Nothing is lost: run it here, or elsewhere.
/// assert_eq!((refused.0)(), 42);
/// # Ok(()) }
/// ```
pub struct ShutDown<W>(
    /// The closure or future that was not accepted.
    pub W,
);

impl<W> fmt::Debug for ShutDown<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShutDown(..)")
    }
}

impl<W> fmt::Display for ShutDown<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHUT_DOWN)
    }
}

impl<W> std::error::Error for ShutDown<W> {}

/// Work was not accepted, and is given back untouched: see [`Handle::try_spawn`](crate::Handle::try_spawn).
///
/// ```
/// use filch::TrySpawnError;
///
/// # fn main() -> Result<(), filch::BuildError> {
/// let pool = filch::Pool::builder().workers(1).build()?;
/// pool.shutdown();
/// match pool.try_spawn_cpu(|| 6 * 7) {
///     Ok(_) => unreachable!("the pool has been shut down"),
///     Err(TrySpawnError::Full(_)) => unreachable!("it has no bound"),
///     Err(refused) => assert_eq!((refused.into_inner())(), 42),
/// }
/// # Ok(()) }
/// ```
#[non_exhaustive]
pub enum TrySpawnError<W> {
    /// There is no room, by a bound that the pool was built with: try again later, wait for room, or do without.
    Full(W),
    /// The pool has been shut down, and never takes work again.
    ShutDown(W),
}

impl<W> TrySpawnError<W> {
    /// The work that was offered.
    pub fn into_inner(self) -> W {
        match self {
            TrySpawnError::Full(work) | TrySpawnError::ShutDown(work) => work,
        }
    }

    /// The same error about the work that `f` makes of this.
    pub(crate) fn map<V>(self, f: impl FnOnce(W) -> V) -> TrySpawnError<V> {
        match self {
            TrySpawnError::Full(work) => TrySpawnError::Full(f(work)),
            TrySpawnError::ShutDown(work) => TrySpawnError::ShutDown(f(work)),
        }
    }

    /// Whether there was no room.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).max_tasks(1).build()?;
    /// let rests = pool.spawn(std::future::pending::<()>());
    /// let refused = pool.try_spawn(async {}).unwrap_err();
    /// assert!(refused.is_full() && !refused.is_shut_down());
    /// # drop(rests);
    /// # Ok(()) }
    /// ```
    pub fn is_full(&self) -> bool {
        matches!(self, TrySpawnError::Full(_))
    }

    /// Whether the pool has been shut down.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// pool.shutdown();
    /// assert!(pool.try_spawn_blocking(|| ()).unwrap_err().is_shut_down());
    /// # Ok(()) }
    /// ```
    pub fn is_shut_down(&self) -> bool {
        matches!(self, TrySpawnError::ShutDown(_))
    }
}

impl<W> From<ShutDown<W>> for TrySpawnError<W> {
    fn from(ShutDown(work): ShutDown<W>) -> Self {
        TrySpawnError::ShutDown(work)
    }
}

impl<W> fmt::Debug for TrySpawnError<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_full() { "Full(..)" } else { "ShutDown(..)" })
    }
}

impl<W> fmt::Display for TrySpawnError<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_full() { FULL } else { SHUT_DOWN })
    }
}

impl<W> std::error::Error for TrySpawnError<W> {}

const FULL: &str = "filch: the pool has as much work as its bounds allow; try later, or wait by spawn_when_room";

/// The panic message of every `spawn` on a pool that takes no more work.
pub(crate) const SHUT_DOWN: &str =
    "filch: the pool has been shut down and takes no more work; use the try_ variant to get the work back instead";

/// Why a task gave no value: it panicked, or it was cancelled.
///
/// ```
/// let handle = filch::spawn_cpu(|| -> u32 { panic!("no luck") });
/// let id = handle.id();
/// let error = handle.join().unwrap_err();
/// assert!(error.is_panic() && error.id() == id);
/// // Pass it on by `std::panic::resume_unwind`, or look what it says.
/// assert_eq!(error.into_panic().downcast_ref(), Some(&"no luck"));
///
/// let handle = filch::spawn(std::future::pending::<()>());
/// handle.abort();
/// let error = handle.join().unwrap_err();
/// assert!(error.is_cancelled());
/// assert!(error.try_into_panic().is_err());
/// ```
pub struct JoinError {
    id: Id,
    cause: Cause,
}

enum Cause {
    /// Behind a lock only to be `Sync`: a payload need not be, and errors are passed by reference everywhere.
    Panic(parking_lot::Mutex<Payload>),
    Cancelled,
}

impl JoinError {
    pub(crate) fn cancelled(id: Id) -> Self {
        JoinError { id, cause: Cause::Cancelled }
    }

    pub(crate) fn panicked(id: Id, payload: Payload) -> Self {
        JoinError { id, cause: Cause::Panic(parking_lot::Mutex::new(payload)) }
    }

    /// The task that it is about.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Whether the task was aborted, or its pool shut down before it was done.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.cause, Cause::Cancelled)
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.cause, Cause::Panic(_))
    }

    /// What the task panicked with.
    ///
    /// # Panics
    /// If the task did not panic; [`try_into_panic`](Self::try_into_panic) does not.
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        match self.try_into_panic() {
            Ok(payload) => payload,
            Err(_) => panic!("filch: into_panic on a JoinError of a cancelled task; ask is_panic first"),
        }
    }

    /// What the task panicked with, or the error back if it was cancelled.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, JoinError> {
        match self.cause {
            Cause::Panic(payload) => Ok(payload.into_inner()),
            Cause::Cancelled => Err(self),
        }
    }
}

/// The text of a panic, where it is one.
pub(crate) fn panic_text(payload: &Payload) -> &str {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "(not a string)"
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Panic(payload) => write!(f, "JoinError::Panic({:?}, {:?})", self.id, panic_text(&payload.lock())),
            Cause::Cancelled => write!(f, "JoinError::Cancelled({:?})", self.id),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Panic(payload) => write!(f, "task {} panicked: {}", self.id, panic_text(&payload.lock())),
            Cause::Cancelled => write!(f, "task {} was cancelled", self.id),
        }
    }
}

impl std::error::Error for JoinError {}

/// As [`io::ErrorKind::Other`], with the error as its source. For functions that return `io::Result` and await tasks.
///
/// ```
/// async fn read(path: &'static str) -> std::io::Result<String> {
///     filch::spawn_blocking(move || std::fs::read_to_string(path)).await?
/// }
/// assert!(filch::block_on(read("Cargo.toml")).is_ok());
/// ```
impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> io::Error {
        io::Error::other(error)
    }
}
