//! A task that ends with its handle.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::ground::error::JoinError;
use crate::work::task::AbortHandle;
use crate::work::task::JoinHandle;

/// A [`JoinHandle`] that aborts its task when it is dropped.
///
/// For a task that is a part of what spawned it: if the future that awaits it is dropped, the task goes too. The drop
/// does not wait until the task is gone; to do so, [`abort`](Self::abort) and await. For many tasks use a
/// [`JoinSet`](crate::task::JoinSet).
///
/// The idea is that of tokio-util's `AbortOnDropHandle`.
///
/// # Panics
/// Awaiting again after it was ready.
///
/// ```
/// let handle = filch::spawn(std::future::pending::<()>()).abort_on_drop();
/// let abort = handle.abort_handle();
/// drop(handle);
/// while !abort.is_finished() {
///     std::thread::yield_now();
/// }
/// ```
#[must_use = "a dropped AbortOnDrop aborts its task at once"]
pub struct AbortOnDrop<T> {
    /// None only when detached.
    handle: Option<JoinHandle<T>>,
}

impl<T> AbortOnDrop<T> {
    /// Wraps a handle. The same as [`JoinHandle::abort_on_drop`].
    ///
    /// ```
    /// use filch::task::AbortOnDrop;
    ///
    /// let part = AbortOnDrop::new(filch::spawn(async { 6 * 7 }));
    /// assert_eq!(filch::block_on(part).unwrap(), 42);
    /// ```
    pub fn new(handle: JoinHandle<T>) -> Self {
        AbortOnDrop { handle: Some(handle) }
    }

    fn handle(&self) -> &JoinHandle<T> {
        self.handle.as_ref().expect("it is taken out only where the wrapper is consumed")
    }

    /// Aborts the task now: see [`JoinHandle::abort`].
    ///
    /// ```
    /// # filch::block_on(async {
    /// let part = filch::spawn(std::future::pending::<()>()).abort_on_drop();
    /// part.abort();
    /// // When it has been awaited, the task is gone, and not only asked to go.
    /// assert!(part.await.unwrap_err().is_cancelled());
    /// # });
    /// ```
    pub fn abort(&self) {
        self.handle().abort();
    }

    /// A handle that aborts the task from elsewhere. Dropping that does nothing.
    ///
    /// # Panics
    /// If the value has been taken.
    pub fn abort_handle(&self) -> AbortHandle {
        self.handle().abort_handle()
    }

    /// Whether the task has ended: see [`JoinHandle::is_finished`].
    pub fn is_finished(&self) -> bool {
        self.handle().is_finished()
    }

    /// Gives the plain handle back, which does not abort when it is dropped.
    ///
    /// ```
    /// let handle = filch::spawn(async { 5 }).abort_on_drop();
    /// assert_eq!(handle.detach().join().unwrap(), 5);
    /// ```
    pub fn detach(mut self) -> JoinHandle<T> {
        self.handle.take().expect("it is detached once, because that consumes it")
    }
}

impl<T> JoinHandle<T> {
    /// Makes the task end with its handle: it is aborted when what this returns is dropped.
    ///
    /// ```
    /// let whole = filch::spawn(async {
    ///     // If this task is aborted, the part goes with it.
    ///     let part = filch::spawn(async { 6 * 7 }).abort_on_drop();
    ///     part.await.unwrap()
    /// });
    /// assert_eq!(whole.join().unwrap(), 42);
    /// ```
    pub fn abort_on_drop(self) -> AbortOnDrop<T> {
        AbortOnDrop::new(self)
    }
}

impl<T> From<JoinHandle<T>> for AbortOnDrop<T> {
    fn from(handle: JoinHandle<T>) -> Self {
        AbortOnDrop::new(handle)
    }
}

impl<T> AsRef<JoinHandle<T>> for AbortOnDrop<T> {
    fn as_ref(&self) -> &JoinHandle<T> {
        self.handle()
    }
}

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let handle = self.handle.as_mut().expect("it is taken out only where the wrapper is consumed");
        Pin::new(handle).poll(context)
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.abort();
        }
    }
}

impl<T> fmt::Debug for AbortOnDrop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortOnDrop").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}
