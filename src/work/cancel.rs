//! The cancellation token: one bit that many may ask for, wait for, and set; a tree of such; and deadlines.

use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::pin;
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::core::task_context::poll_until;
use crate::pool::timers;
use crate::work::cancel_guard::{DropGuard, DropGuardRef};
use crate::work::cancel_tree::Node;
use crate::work::cancel_wait::{WaitForCancellationFuture, WaitForCancellationFutureOwned};

/// Asks work to end, and tells work that it has been asked to.
///
/// All clones are the same token. A [child](Self::child_token) is cancelled with its parent, but not the other way
/// round. A token may have a deadline: it counts as cancelled from that moment on, and so do its descendants.
///
/// Cancelling is cooperative. Async code races its work against [`cancelled`](Self::cancelled), or wraps it in
/// [`run_until_cancelled`](Self::run_until_cancelled). Closures and loops ask [`is_cancelled`](Self::is_cancelled) or
/// [`check`](Self::check) now and then. To stop one task, whether it cooperates or not,
/// [`JoinHandle::abort`](crate::JoinHandle::abort) is simpler.
///
/// The names and meaning are those of tokio-util's token; deadlines and `check` are filch's.
///
/// # Cost
/// Asking is one load, and a look at the clock if there is a deadline. A token is one allocation. Making and dropping a
/// child lock its parent for a moment. A parent remembers living children only: millions of short-lived ones leave
/// nothing behind. When the last handle of a token goes, its children move up to its parent, one by one.
///
/// ```
/// use filch::CancellationToken;
///
/// let token = CancellationToken::new();
/// let handle = filch::spawn_cpu({
///     let token = token.child_token();
///     move || {
///         let mut rounds = 0u64;
///         while !token.is_cancelled() {
///             rounds += 1;
///         }
///         rounds
///     }
/// });
/// token.cancel();
/// let _rounds = handle.join().unwrap();
/// ```
pub struct CancellationToken {
    node: Arc<Node>,
}

/// A [token](CancellationToken) was cancelled, or its deadline has passed: see [`CancellationToken::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cancelled(());

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the work has been cancelled")
    }
}

impl std::error::Error for Cancelled {}

impl CancellationToken {
    /// Makes a token that is nobody's child and has no deadline.
    pub fn new() -> Self {
        CancellationToken { node: Node::root(None) }
    }

    /// Makes a token that counts as cancelled from `deadline` on.
    ///
    /// Whoever asks looks at the clock, so closures and loops learn of it also while every worker is busy; for those
    /// who await the token there is a timer. By the clock of the current pool, which may be
    /// [stopped](crate::time::pause).
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let deadline = Instant::now() + Duration::from_secs(60);
    /// let token = filch::CancellationToken::with_deadline(deadline);
    /// assert!(!token.is_cancelled());
    /// assert_eq!(token.deadline(), Some(deadline));
    /// ```
    pub fn with_deadline(deadline: impl Into<Instant>) -> Self {
        CancellationToken { node: Node::root(Some(deadline.into())) }
    }

    /// Makes a token that counts as cancelled when `timeout` has passed from now on. A timeout beyond what the clock
    /// can tell is none.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let token = filch::CancellationToken::with_timeout(Duration::from_millis(5));
    /// assert!(token.deadline().is_some());
    /// std::thread::sleep(Duration::from_millis(5));
    /// assert!(token.is_cancelled());
    /// ```
    pub fn with_timeout(timeout: Duration) -> Self {
        CancellationToken { node: Node::root(timers::now().checked_add(timeout)) }
    }

    /// Makes a token that is cancelled with this one. Cancelling the child leaves the parent alone.
    ///
    /// The child of a cancelled token is cancelled from the start. It stays connected to all tokens further up also
    /// when every handle of this one has gone.
    ///
    /// ```
    /// let parent = filch::CancellationToken::new();
    /// let (first, second) = (parent.child_token(), parent.child_token());
    /// first.cancel();
    /// assert!(!parent.is_cancelled() && !second.is_cancelled());
    /// parent.cancel();
    /// assert!(second.is_cancelled());
    /// ```
    pub fn child_token(&self) -> Self {
        CancellationToken { node: self.node.child(None) }
    }

    /// A [child](Self::child_token) that counts as cancelled from `deadline` on, or from its parent's deadline on if
    /// that is earlier.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let request = filch::CancellationToken::new();
    /// // This part has until now, and that was it.
    /// let part = request.child_with_deadline(Instant::now());
    /// assert!(part.is_cancelled() && !request.is_cancelled());
    /// ```
    pub fn child_with_deadline(&self, deadline: impl Into<Instant>) -> Self {
        CancellationToken { node: self.node.child(Some(deadline.into())) }
    }

    /// A [child](Self::child_token) that counts as cancelled when `timeout` has passed from now on, or from its
    /// parent's deadline on if that is earlier.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let request = filch::CancellationToken::with_timeout(Duration::from_secs(1));
    /// let part = request.child_with_timeout(Duration::from_secs(60));
    /// // The parent's deadline comes first.
    /// assert_eq!(part.deadline(), request.deadline());
    /// ```
    pub fn child_with_timeout(&self, timeout: Duration) -> Self {
        CancellationToken { node: self.node.child(timers::now().checked_add(timeout)) }
    }

    /// Cancels this token and all its descendants, and wakes all who wait for any of them. Once is enough: to cancel
    /// again does nothing.
    ///
    /// Every token below is cancelled before the first waiter is woken. A second call, from another thread, may return
    /// while the first is still on its way down.
    ///
    /// # Panics
    /// If a waker panics: when all others have been woken. A panic of a second waker is swallowed; so is the first
    /// one's if the thread is unwinding already.
    ///
    /// # Cost
    /// Proportional to the number of descendants. It takes no stack for a deep tree, and no lock for long.
    pub fn cancel(&self) {
        self.node.cancel();
    }

    /// Whether this token or one further up was cancelled, or the [deadline](Self::deadline) has passed.
    ///
    /// Who sees it cancelled sees also what the cancelling thread did before. One load and, with a deadline, a look at
    /// the clock: fit for a loop.
    pub fn is_cancelled(&self) -> bool {
        self.node.is_cancelled()
    }

    /// [`is_cancelled`](Self::is_cancelled) as a `Result`, for `?` in closures and loops.
    ///
    /// # Errors
    /// [`Cancelled`] if so.
    ///
    /// ```
    /// use filch::{CancellationToken, Cancelled};
    ///
    /// fn sum(numbers: &[u64], token: &CancellationToken) -> Result<u64, Cancelled> {
    ///     let mut sum = 0;
    ///     for chunk in numbers.chunks(1000) {
    ///         token.check()?;
    ///         sum += chunk.iter().sum::<u64>();
    ///     }
    ///     Ok(sum)
    /// }
    /// let token = CancellationToken::new();
    /// assert_eq!(sum(&[1, 2, 3], &token), Ok(6));
    /// token.cancel();
    /// assert!(sum(&[1, 2, 3], &token).is_err());
    /// ```
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled(())) } else { Ok(()) }
    }

    /// From when on the token counts as cancelled: the earliest of its own deadline and those of all tokens above.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let token = filch::CancellationToken::new();
    /// assert_eq!(token.deadline(), None);
    /// assert!(token.child_with_timeout(Duration::from_secs(1)).deadline().is_some());
    /// ```
    pub fn deadline(&self) -> Option<Instant> {
        self.node.deadline()
    }

    /// Waits until the token is cancelled. Ready at once if it is.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// ```
    /// let token = filch::CancellationToken::new();
    /// let waiter = filch::spawn({
    ///     let token = token.clone();
    ///     async move { token.cancelled().await }
    /// });
    /// token.cancel();
    /// waiter.join().unwrap();
    /// ```
    pub fn cancelled(&self) -> WaitForCancellationFuture<'_> {
        WaitForCancellationFuture::new(self)
    }

    /// [`cancelled`](Self::cancelled), by a future that borrows nothing.
    ///
    /// ```
    /// let token = filch::CancellationToken::new();
    /// // A task needs a future that borrows nothing.
    /// let waiter = filch::spawn(token.clone().cancelled_owned());
    /// token.cancel();
    /// waiter.join().unwrap();
    /// ```
    pub fn cancelled_owned(self) -> WaitForCancellationFutureOwned {
        WaitForCancellationFutureOwned::new(self)
    }

    /// Runs a future to its end, or until the token is cancelled: then the future is dropped, and the outcome is None.
    ///
    /// If the token is cancelled already, the future is not polled at all. If both happen at once, the future's output
    /// wins. The future is dropped where it awaits: use it for futures that may be dropped there.
    ///
    /// # Cancel safety
    /// As safe as the future is.
    ///
    /// ```
    /// let token = filch::CancellationToken::new();
    /// assert_eq!(filch::block_on(token.run_until_cancelled(async { 5 })), Some(5));
    /// token.cancel();
    /// assert_eq!(filch::block_on(token.run_until_cancelled(std::future::pending::<()>())), None);
    /// ```
    pub async fn run_until_cancelled<F: Future>(&self, future: F) -> Option<F::Output> {
        if self.is_cancelled() {
            return None;
        }
        // Locals go in reverse order: the future is dropped before the waiter.
        let mut cancelled = pin!(self.cancelled());
        let mut future = pin!(future);
        std::future::poll_fn(|context| {
            poll_until(
                context,
                |context| future.as_mut().poll(context).map(Some),
                |context| cancelled.as_mut().poll(context).map(|()| None),
            )
        })
        .await
    }

    /// [`run_until_cancelled`](Self::run_until_cancelled), by a future that keeps the token.
    ///
    /// ```
    /// let token = filch::CancellationToken::new();
    /// let task = filch::spawn(token.clone().run_until_cancelled_owned(std::future::pending::<()>()));
    /// token.cancel();
    /// assert_eq!(task.join().unwrap(), None);
    /// ```
    pub async fn run_until_cancelled_owned<F: Future>(self, future: F) -> Option<F::Output> {
        self.run_until_cancelled(future).await
    }

    /// Makes a guard that cancels the token when it is dropped.
    ///
    /// ```
    /// let token = filch::CancellationToken::new();
    /// let guard = token.clone().drop_guard();
    /// assert!(!token.is_cancelled());
    /// drop(guard);
    /// assert!(token.is_cancelled());
    /// ```
    pub fn drop_guard(self) -> DropGuard {
        DropGuard::new(self)
    }

    /// Makes a guard that borrows the token, and cancels it when it is dropped.
    ///
    /// ```
    /// let token = filch::CancellationToken::new();
    /// {
    ///     let _guard = token.drop_guard_ref();
    ///     assert!(!token.is_cancelled());
    /// }
    /// assert!(token.is_cancelled());
    /// ```
    pub fn drop_guard_ref(&self) -> DropGuardRef<'_> {
        DropGuardRef::new(self)
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }
}

impl Clone for CancellationToken {
    /// Another handle of the same token.
    fn clone(&self) -> Self {
        self.node.add_handle();
        CancellationToken { node: self.node.clone() }
    }
}

impl Drop for CancellationToken {
    fn drop(&mut self) {
        self.node.drop_handle();
    }
}

impl Default for CancellationToken {
    fn default() -> Self {
        CancellationToken::new()
    }
}

/// Handles are equal if they are of the same token.
impl PartialEq for CancellationToken {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.node, &other.node)
    }
}

impl Eq for CancellationToken {}

impl Hash for CancellationToken {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ptr::hash(Arc::as_ptr(&self.node), state);
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellationToken")
            .field("cancelled", &self.is_cancelled())
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}

// What lies under its locks is whole whenever they are free: no code of users runs there.
impl UnwindSafe for CancellationToken {}
impl RefUnwindSafe for CancellationToken {}
