//! The handles of a task: the one that takes its output, and those that only cancel it.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::core::task::{self, TaskRef};
use crate::core::task_cell::Fault;
use crate::core::{task_context, task_notes};
use crate::ground::error::JoinError;
use crate::ground::id::Id;
use crate::ground::sync::Mutex;
use crate::ground::unwind;
use crate::pool::tasks::report_here;
use crate::work::block_on::block_on;

/// Awaits a task, or a closure run by [`spawn_cpu`](crate::spawn_cpu) or [`spawn_blocking`](crate::spawn_blocking).
///
/// Awaiting gives the task's value, or a [`JoinError`] if it panicked or was cancelled.
///
/// **Dropping the handle** of a future or a blocking call detaches it: it goes on, and its value is dropped. As in
/// tokio. Dropping the handle of a closure of [`spawn_cpu`](crate::spawn_cpu) **that has not begun cancels it**:
/// nobody wants its value any more, so the processor is not to be spent on it. What it has captured is dropped there
/// and then. One that has begun goes on. To let such a closure run in any case, [`detach`](Self::detach) the handle,
/// or use [`spawn_detached`](crate::spawn_detached).
///
/// Once the task has ended, whoever holds the handle holds the value, and it is dropped with the handle. If its
/// destructor panics then, or if the task had panicked and nobody has looked, that goes to the panic handler of the
/// pool in which the handle is dropped, or else of the global one.
///
/// # Panics
/// Awaiting again after it was ready.
///
/// ```
/// use filch::task::Builder;
///
/// let handle = Builder::new().name("answer").spawn(async { 6 * 7 });
/// assert_eq!(handle.name().as_deref(), Some("answer"));
/// assert_eq!(handle.abort_handle().id(), handle.id());
/// // A thread blocks for it; a future awaits it.
/// assert_eq!(handle.join().unwrap(), 42);
///
/// let rests = filch::spawn(std::future::pending::<()>());
/// assert!(!rests.is_finished());
/// rests.abort();
/// assert!(filch::block_on(rests).unwrap_err().is_cancelled());
/// ```
#[must_use = "a dropped handle detaches its task, or cancels a CPU closure; call `detach` to let it go on"]
pub struct JoinHandle<T> {
    /// None once the value has been taken.
    task: Option<TaskRef>,
    // Send and Sync if the value may be sent: it lies in the task, and comes out by `&mut self` only.
    _value: PhantomData<Mutex<T>>,
}

impl<T> JoinHandle<T> {
    /// # Safety
    /// `task` is the reference of a new task's handle, and the task's output is a `T`.
    pub(crate) unsafe fn new(task: TaskRef) -> Self {
        JoinHandle { task: Some(task), _value: PhantomData }
    }

    fn task(&self) -> &TaskRef {
        self.task.as_ref().expect("filch: a JoinHandle is of no use after it was ready")
    }

    /// Whether the task has ended: its value is there, or it has panicked, or it has been cancelled.
    pub fn is_finished(&self) -> bool {
        self.task.as_ref().is_none_or(|task| task.header().state.is_complete())
    }

    /// Lets the task go on alone. For futures and blocking calls the same as dropping the handle; a closure of
    /// [`spawn_cpu`](crate::spawn_cpu) runs also if it has not begun.
    ///
    /// ```
    /// let (tx, rx) = std::sync::mpsc::channel();
    /// filch::spawn_cpu(move || tx.send(5).unwrap()).detach();
    /// assert_eq!(rx.recv(), Ok(5));
    /// ```
    pub fn detach(mut self) {
        self.let_go(false);
    }

    /// Blocks until the task has ended. For threads; a future awaits the handle instead.
    ///
    /// # Errors
    /// [`JoinError`] if the task panicked or was cancelled.
    pub fn join(self) -> Result<T, JoinError> {
        block_on(self)
    }

    /// Cancels the task: it is not polled again, and its future is dropped on a thread of the pool. A closure that
    /// has not begun is dropped unrun, here and now, with all that it has captured; one that runs goes on to its end.
    /// Calling it again does nothing.
    ///
    /// Awaiting the handle then gives a [`JoinError`] that [is cancelled](JoinError::is_cancelled), when the future
    /// has been dropped; or the value, if the task was faster.
    pub fn abort(&self) {
        if let Some(task) = &self.task {
            task.cancel();
        }
    }

    /// A handle that only cancels.
    ///
    /// # Panics
    /// If the value has been taken.
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle(self.task().clone())
    }

    /// The task's id.
    ///
    /// # Panics
    /// If the value has been taken.
    pub fn id(&self) -> Id {
        Id(task_notes::id(self.task().header()))
    }

    /// The task's name, if it was given one by [`Builder::name`](crate::task::Builder::name).
    ///
    /// # Panics
    /// If the value has been taken.
    pub fn name(&self) -> Option<Arc<str>> {
        task_notes::name(self.task().header())
    }

    /// Takes the output of the task, which is complete.
    fn take(&mut self) -> Result<T, JoinError> {
        let task = self.task.take().expect("a handle that has been polled has its task");
        // SAFETY: complete; we were its handle and have just given it up, so this is the only call.
        let output = unsafe { Self::output_of(&task) };
        output.map_err(|fault| {
            let id = Id(task_notes::id(task.header()));
            match fault {
                Fault::Cancelled => JoinError::cancelled(id),
                Fault::Panicked(payload) => JoinError::panicked(id, payload),
            }
        })
    }

    /// # Safety
    /// `task` is complete, and was the task of a handle like this one, which has not taken the output. Called once.
    unsafe fn output_of(task: &TaskRef) -> Result<T, Fault> {
        let mut output = MaybeUninit::<Result<T, Fault>>::uninit();
        // SAFETY: as promised; the type is right by the contract of `new`.
        unsafe { task.take_output(output.as_mut_ptr().cast()) };
        // SAFETY: written by `take_output`.
        unsafe { output.assume_init() }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let task = this.task();
        // SAFETY: there is one handle for each task, and this is it.
        if !unsafe { task.header().poll_complete(context.waker()) } {
            return Poll::Pending;
        }
        ready!(task_context::spend(context));
        Poll::Ready(this.take())
    }
}

// The value never lies in the handle as something pinned: the task holds it.
impl<T> Unpin for JoinHandle<T> {}

// A panic of whoever holds a handle leaves the task as it is; the task's own panic is caught.
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}
impl UnwindSafe for AbortHandle {}
impl RefUnwindSafe for AbortHandle {}

impl<T> Drop for JoinHandle<T> {
    #[inline]
    fn drop(&mut self) {
        self.let_go(true);
    }
}

impl<T> JoinHandle<T> {
    /// Gives the task up. `cancel`: if it is a CPU closure that has not begun, it is dropped unrun.
    #[inline]
    fn let_go(&mut self, cancel: bool) {
        let Some(task) = self.task.take() else { return };
        // SAFETY: we are the handle, and have not taken the output.
        if let Some(task) = unsafe { task::detach_quietly(task, cancel) } {
            Self::let_go_slowly(task, cancel);
        }
    }

    #[cold]
    #[inline(never)]
    fn let_go_slowly(task: TaskRef, cancel: bool) {
        // SAFETY: as above: both come from there alone.
        let left = unwind::catch(|| unsafe { task::detach(task, cancel) });
        let unseen = match left {
            Ok(None) => return,
            Ok(Some(complete)) => {
                // Nobody has looked at the output, and nobody will.
                // SAFETY: complete; this was its handle.
                match unsafe { Self::output_of(&complete) } {
                    Ok(value) => unwind::catch(|| drop(value)).err(),
                    Err(Fault::Panicked(payload)) => Some(payload),
                    Err(Fault::Cancelled) => None,
                }
            }
            Err(payload) => Some(payload),
        };
        if let Some(payload) = unseen {
            report_here(payload);
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}

/// Cancels a task without being able to await it. Made by [`JoinHandle::abort_handle`]; any number may exist, and
/// dropping one does nothing.
///
/// ```
/// # filch::block_on(async {
/// let handle = filch::task::Builder::new().name("rests").spawn(std::future::pending::<()>());
/// let abort = handle.abort_handle();
/// assert_eq!((abort.id(), abort.name().as_deref()), (handle.id(), Some("rests")));
/// abort.abort();
/// assert!(handle.await.unwrap_err().is_cancelled());
/// assert!(abort.is_finished());
/// # });
/// ```
#[derive(Clone)]
pub struct AbortHandle(TaskRef);

impl AbortHandle {
    /// Cancels the task; see [`JoinHandle::abort`].
    pub fn abort(&self) {
        self.0.cancel();
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        self.0.header().state.is_complete()
    }

    /// The task's id.
    pub fn id(&self) -> Id {
        Id(task_notes::id(self.0.header()))
    }

    /// The task's name, if it has one.
    pub fn name(&self) -> Option<Arc<str>> {
        task_notes::name(self.0.header())
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}
