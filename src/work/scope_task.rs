//! Futures in a scope: tasks that borrow from the enclosing frame.
//!
//! Sound because the frame's thread blocks until each of them has ended, like `std::thread::scope`. A scope that is
//! itself a future, and waits for its tasks in its destructor, could be forgotten half-way by safe code, and its tasks
//! would go on with references to a frame that is gone; so there is none. In async code, put the scope into
//! [`spawn_cpu`](crate::spawn_cpu), or call it: a worker that waits for a scope gives its seat to another.
//!
//! A future that spawns into its own scope needs a reference to it, which must not be had when the scope has ended.
//! Rayon's signature, which [`scope`](crate::scope) keeps, lets the caller choose `'scope`: it may be longer than the
//! scope, so neither a `&'scope Scope` nor a handle of that lifetime could be given out; it might lie in some variable
//! of the frame afterwards. (`std::thread::scope` chooses itself, by `for<'scope>`; then closures of rayon's programs
//! would not fit.) So the reference has a lifetime of its own, of which `spawn_future_with` tells nothing: what is made
//! for *any* lifetime can leave the reference nowhere but in itself. Such a future is of no single type, hence the box.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::task::{Context, Poll};

use crate::core::task::{Header, Task, Why};
use crate::core::task_cell::{Cell, Scheduler};
use crate::ground::error::JoinError;
use crate::ground::unwind::Payload;
use crate::pool::admission::{Kind, Leave};
use crate::pool::current;
use crate::pool::tasks::{PoolTask, TaskEnds};
use crate::work::scope::{Scope, ScopeBase};
use crate::work::scope_fifo::ScopeFifo;
use crate::work::task::{AbortHandle, JoinHandle};

/// A task that a scope waits for. Otherwise as any task of the pool.
struct ScopeTask(*const ScopeBase<'static>);

/// Counts the task off, in the pool and then in the scope.
struct Part {
    ends: Option<TaskEnds>,
    scope: *const ScopeBase<'static>,
}

impl Drop for Part {
    fn drop(&mut self) {
        drop(self.ends.take());
        // SAFETY: made by `ScopeTask::last`, once for each part, and the last thing of its task.
        unsafe { ScopeBase::part_done(self.scope) }
    }
}

impl Scheduler for ScopeTask {
    fn schedule(&self, task: Task, why: Why) {
        PoolTask.schedule(task, why);
    }

    fn list(&self, task: NonNull<Header>) -> Option<usize> {
        PoolTask.list(task)
    }

    fn unlist(&self, task: &Header, shard: usize) {
        PoolTask.unlist(task, shard);
    }

    type Last = Part;

    fn last(&self, task: &Header) -> Part {
        Part { ends: Some(PoolTask.last(task)), scope: self.0 }
    }

    fn report(&self, _: &Header, payload: Payload) {
        // SAFETY: called before `Last` is dropped, so the scope counts us still.
        unsafe { &*self.0 }.keep_panic(payload);
    }
}

impl<'scope> ScopeBase<'scope> {
    fn spawn_future<F>(&self, future: F) -> ScopedJoinHandle<'scope, F::Output>
    where
        F: Future + Send + 'scope,
        F::Output: Send + 'scope,
    {
        let shared = self.shared();
        self.add_part();
        let base = ptr::from_ref(self).cast::<ScopeBase<'static>>();
        current::with(|slot| {
            let own = slot.filter(|slot| ptr::eq(slot.shared(), shared));
            // A scope is part of accepted work: the pool may have closed, but not ended.
            shared.admission.take(Kind::Tasks, Leave::NotAsked);
            shared.count_task(own);
            // SAFETY: future and output are Send. What they borrow lives for 'scope: the future is dropped, and the
            // output too if nobody wants it, before the part is counted off; the handle lives no longer than 'scope.
            let (task, handle) = unsafe { Cell::allocate(future, ScopeTask(base), shared.number.get()) };
            shared.schedules.one_more();
            match own {
                Some(slot) => slot.queue_task(task, Why::Spawned),
                None => shared.inject_task(task),
            }
            // SAFETY: the handle's reference of a task with this output.
            ScopedJoinHandle { handle: unsafe { JoinHandle::new(handle) }, _scope: PhantomData }
        })
    }
}

impl<'scope> Scope<'scope> {
    /// Spawns a future that may borrow from the enclosing frame, as a task of the scope's pool; the scope ends after
    /// it.
    ///
    /// The handle may be awaited (by another future of the scope), joined, or dropped. A panic of the future arrives at
    /// the handle; if that has been dropped before, [`scope`](crate::scope) raises it again. The scope's thread waits
    /// for the future and gives its seat to another meanwhile, so this works with one worker too. If nobody ever wakes
    /// the future, the scope never ends.
    ///
    /// ```
    /// let words = vec!["fork", "join"];
    /// let mut lengths = 0;
    /// filch::scope(|s| {
    ///     let first = s.spawn_future(async { words[0].len() });
    ///     let second = s.spawn_future(async { words[1].len() });
    ///     s.spawn_future(async { lengths = first.await.unwrap() + second.await.unwrap() }).detach();
    ///     s.spawn(|_| assert_eq!(words.len(), 2));
    /// });
    /// assert_eq!(lengths, 8);
    /// ```
    pub fn spawn_future<F>(&self, future: F) -> ScopedJoinHandle<'scope, F::Output>
    where
        F: Future + Send + 'scope,
        F::Output: Send + 'scope,
    {
        self.as_ref().spawn_future(future)
    }

    /// [`spawn_future`](Self::spawn_future), for a future that may spawn more into the scope: `make` makes it, right
    /// here, with a reference to the scope that is good as long as the future lives.
    ///
    /// The future is boxed, because its type goes by a lifetime that only the scope knows; write `Box::pin(async move {
    /// … })`. That is one allocation more than [`spawn_future`](Self::spawn_future) makes. What it spawns it cannot
    /// give its own reference to: that gets one by `spawn_future_with` again, as closures do by [`spawn`](Self::spawn).
    ///
    /// ```
    /// use filch::Scope;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// struct Tree(u64, Vec<Tree>);
    ///
    /// fn add<'t>(s: &Scope<'t>, tree: &'t Tree, sum: &'t AtomicU64) {
    ///     s.spawn_future_with(move |s| {
    ///         Box::pin(async move {
    ///             sum.fetch_add(tree.0, Ordering::Relaxed);
    ///             filch::task::yield_now().await;
    ///             tree.1.iter().for_each(|child| add(s, child, sum));
    ///         })
    ///     })
    ///     .detach();
    /// }
    ///
    /// let tree = Tree(1, vec![Tree(2, vec![]), Tree(3, vec![Tree(4, vec![])])]);
    /// let sum = AtomicU64::new(0);
    /// filch::scope(|s| add(s, &tree, &sum));
    /// assert_eq!(sum.into_inner(), 10);
    /// ```
    ///
    /// The reference can be kept in the future, and nowhere else:
    ///
    /// ```compile_fail,E0521
    /// let kept = &std::sync::Mutex::new(None);
    /// filch::scope(|s| {
    ///     s.spawn_future_with(|s| Box::pin(async move { *kept.lock().unwrap() = Some(s) })).detach();
    /// });
    /// // Here the scope is no more.
    /// ```
    ///
    /// # Panics
    /// If `make` does.
    pub fn spawn_future_with<F, T>(&self, make: F) -> ScopedJoinHandle<'scope, T>
    where
        F: for<'s> FnOnce(&'s Scope<'scope>) -> Pin<Box<dyn Future<Output = T> + Send + 's>>,
        T: Send + 'scope,
    {
        // SAFETY: for `make` and its future this is a reference of some unknown lifetime, shorter than 'scope, so
        // neither can leave it in anything that outlives the future; nor can the output hold it. The scope is alive
        // while `make` runs, since we borrow it, and until the future has been dropped, which is before its part is
        // counted off. If `make` unwinds, there is no future.
        let this: &'scope Self = unsafe { &*ptr::from_ref(self) };
        self.as_ref().spawn_future(make(this))
    }
}

impl<'scope> ScopeFifo<'scope> {
    /// Spawns a future that may borrow from the enclosing frame; see [`Scope::spawn_future`].
    ///
    /// ```
    /// let words = ["fork", "steal"];
    /// let length = filch::scope_fifo(|s| s.spawn_future(async { words[1].len() }).join().unwrap());
    /// assert_eq!(length, 5);
    /// ```
    pub fn spawn_future<F>(&self, future: F) -> ScopedJoinHandle<'scope, F::Output>
    where
        F: Future + Send + 'scope,
        F::Output: Send + 'scope,
    {
        self.as_ref().spawn_future(future)
    }

    /// Spawns a future that may spawn more into the scope; see [`Scope::spawn_future_with`].
    ///
    /// ```
    /// let numbers = [3, 4];
    /// let mut sum = 0;
    /// filch::scope_fifo(|s| {
    ///     let sum = &mut sum;
    ///     s.spawn_future_with(move |s| {
    ///         Box::pin(async move {
    ///             let first = s.spawn_future(async move { numbers[0] });
    ///             *sum = first.await.unwrap() + numbers[1];
    ///         })
    ///     })
    ///     .detach();
    /// });
    /// assert_eq!(sum, 7);
    /// ```
    pub fn spawn_future_with<F, T>(&self, make: F) -> ScopedJoinHandle<'scope, T>
    where
        F: for<'s> FnOnce(&'s ScopeFifo<'scope>) -> Pin<Box<dyn Future<Output = T> + Send + 's>>,
        T: Send + 'scope,
    {
        // SAFETY: as in `Scope::spawn_future_with`.
        let this: &'scope Self = unsafe { &*ptr::from_ref(self) };
        self.as_ref().spawn_future(make(this))
    }
}

/// Awaits a future of a scope; see [`Scope::spawn_future`]. As [`JoinHandle`], but bound to the scope's lifetime.
///
/// # Panics
/// Awaiting again after it was ready.
///
/// ```
/// let words = ["fork", "steal"];
/// filch::in_place_scope(|s| {
///     let length = s.spawn_future(async { words[1].len() });
///     let rests = s.spawn_future(std::future::pending::<()>());
///     // Without this the scope would wait for it for ever.
///     rests.abort();
///     assert!(rests.join().unwrap_err().is_cancelled());
///
///     let abort = length.abort_handle();
///     assert_eq!(length.join().unwrap(), 5);
///     assert!(abort.is_finished());
///
///     let quick = s.spawn_future(async {});
///     while !quick.is_finished() {
///         std::thread::yield_now();
///     }
///     quick.detach();
/// });
/// ```
#[must_use = "a dropped handle detaches its task; call `detach` or `let _ =` to say so"]
pub struct ScopedJoinHandle<'scope, T> {
    handle: JoinHandle<T>,
    // Invariant, as the scope is.
    _scope: PhantomData<fn(&'scope ()) -> &'scope ()>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// Lets the task go on alone; the scope still waits for it.
    pub fn detach(self) {}

    /// Cancels the task; see [`JoinHandle::abort`].
    pub fn abort(&self) {
        self.handle.abort();
    }

    /// A handle that only cancels. It may outlive the scope.
    pub fn abort_handle(&self) -> AbortHandle {
        self.handle.abort_handle()
    }

    /// Blocks until the task has ended.
    ///
    /// # Errors
    /// [`JoinError`] if the task panicked or was cancelled.
    pub fn join(self) -> Result<T, JoinError> {
        self.handle.join()
    }
}

impl<T> Future for ScopedJoinHandle<'_, T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.get_mut().handle).poll(context)
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}
