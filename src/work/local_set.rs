//! Futures that must stay on one thread.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::mem;
use std::pin::{Pin, pin};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use crate::core::task::{self, Header, Task, Why};
use crate::core::task_cell::{Cell, Scheduler};
use crate::core::task_list::TaskList;
use crate::core::{task_context, task_notes};
use crate::ground::sync::{AtomicBool, AtomicUsize, Mutex, Ordering};
use crate::ground::unwind::{self, Payload};
use crate::pool::tasks::report_here;
use crate::work::block_on::block_on;
use crate::work::task::JoinHandle;

/// Tasks that are polled, between two looks at the awaited future.
const TURN: usize = 61;

/// Wakers that a set keeps.
const MOST_WAKERS: usize = 16;

thread_local! {
    static LOCAL: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// Which set the current thread is inside of, and on which layer of its stack: work on top of that is not inside.
#[derive(Clone)]
struct Place {
    set: Arc<Shared>,
    layer: u32,
}

/// What the set and its tasks share. Only the set's thread takes tasks out.
struct Shared {
    queue: Mutex<Queue>,
    tasks: TaskList,
    /// Tasks whose futures have not been dropped.
    live: AtomicUsize,
    /// The set has been dropped, and nobody polls its tasks any more. Known to the set's thread.
    gone: AtomicBool,
}

#[derive(Default)]
struct Queue {
    runnable: VecDeque<Task>,
    /// Of all who poll the set: any of them may be gone, or have been woken for something else.
    wakers: Vec<Waker>,
}

struct LocalTask(Arc<Shared>);

impl Scheduler for LocalTask {
    fn schedule(&self, task: Task, _: Why) {
        // Kept: the task may be run, and be gone with this scheduler and the set, as soon as the lock is let go.
        let shared = self.0.clone();
        let mut queue = shared.queue.lock();
        let wakers = mem::take(&mut queue.wakers);
        queue.runnable.push_back(task);
        drop(queue);
        wake_all(wakers);
    }

    fn list(&self, task: NonNull<Header>) -> Option<usize> {
        // SAFETY: the caller has the right to run, and takes it out before it completes.
        unsafe { self.0.tasks.insert(task, 0) }
    }

    fn unlist(&self, task: &Header, shard: usize) {
        // SAFETY: the caller has the right to run, and has put it in.
        unsafe { self.0.tasks.remove(task, shard) }
    }

    type Last = ();

    fn last(&self, _: &Header) {
        // Relaxed: only the set's thread reads it, and it is the one that ends tasks.
        self.0.live.fetch_sub(1, Ordering::Relaxed);
    }

    /// Also from inside a section, a blocking call, or on a thread that is of no pool.
    fn report(&self, _: &Header, payload: Payload) {
        report_here(payload);
    }
}

fn wake_all(wakers: Vec<Waker>) {
    for waker in wakers {
        // Foreign code.
        if let Err(payload) = unwind::catch(|| waker.wake()) {
            report_here(payload);
        }
    }
}

/// A set of tasks that stay on one thread, so that their futures need not be `Send`.
///
/// The set runs its tasks while it is awaited, or while [`run_until`](Self::run_until) or [`block_on`](Self::block_on)
/// waits for something; in between they rest. It can be used on any thread, a worker's included, but stays there. A
/// future that is aborted, or left when the set is dropped, is dropped on that thread as well, wherever the abort comes
/// from. Its tasks may spawn onto the pool and await what comes of it. The names and meaning are tokio's.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
///
/// let count = Rc::new(Cell::new(0));
/// let set = filch::task::LocalSet::new();
/// set.block_on(async {
///     let shared = count.clone();
///     let task = filch::task::spawn_local(async move { shared.set(shared.get() + 1) });
///     task.await.unwrap();
/// });
/// assert_eq!(count.get(), 1);
/// ```
pub struct LocalSet {
    shared: Arc<Shared>,
    // The set stays on its thread.
    _not_send: PhantomData<Rc<()>>,
}

impl LocalSet {
    /// An empty set, of the current thread.
    pub fn new() -> Self {
        let shared = Shared {
            queue: Mutex::default(),
            tasks: TaskList::new(1),
            live: AtomicUsize::new(0),
            gone: AtomicBool::new(false),
        };
        LocalSet { shared: Arc::new(shared), _not_send: PhantomData }
    }

    /// Spawns a future onto the set.
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.shared.spawn(future, None)
    }

    pub(crate) fn spawn_named<F>(&self, future: F, name: Option<Arc<str>>) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.shared.spawn(future, name)
    }

    /// Until what this returns is dropped, [`spawn_local`] on this thread spawns onto this set.
    ///
    /// For code that spawns without having the set at hand. The tasks run when the set is awaited. Guards are dropped
    /// in the reverse of the order in which they were made; do not hold one across an `.await`.
    ///
    /// ```
    /// use filch::task::{LocalSet, spawn_local};
    ///
    /// let set = LocalSet::new();
    /// let task = {
    ///     let _inside = set.enter();
    ///     spawn_local(async { std::rc::Rc::new(5) })
    /// };
    /// assert_eq!(*set.block_on(task).unwrap(), 5);
    /// ```
    pub fn enter(&self) -> LocalEnterGuard {
        self.shared.enter(0)
    }

    /// Polls the set's tasks until `future` is ready. Others than the tasks that it awaits may be left.
    ///
    /// ```
    /// use filch::task::{LocalSet, spawn_local};
    /// use std::rc::Rc;
    ///
    /// filch::block_on(async {
    ///     let (set, word) = (LocalSet::new(), Rc::new("steal"));
    ///     let length = set.run_until(async { spawn_local(async move { word.len() }).await });
    ///     assert_eq!(length.await.unwrap(), 5);
    /// });
    /// ```
    pub async fn run_until<F: Future>(&self, future: F) -> F::Output {
        // Whoever else polls the set goes on with what this one leaves.
        let _leaving = Leaving(&self.shared);
        let mut future = pin!(future);
        poll_fn(|context| {
            let output = self.shared.inside(0, || future.as_mut().poll(context));
            if output.is_pending() {
                self.turn(context);
            }
            output
        })
        .await
    }

    /// [`run_until`](Self::run_until), blocking the thread; see [`filch::block_on`](crate::block_on()).
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        block_on(self.run_until(future))
    }

    /// Polls tasks that are due. The context is woken when there are more. True: none is left.
    fn turn(&self, context: &Context<'_>) -> bool {
        // Cloned before the lock: that is foreign code.
        let waker = context.waker().clone();
        let mut queue = self.shared.queue.lock();
        let known = queue.wakers.iter().any(|other| other.will_wake(&waker));
        // Waits that have ended leave their wakers: with too many of them, those that still wait come again.
        let old = if known || queue.wakers.len() < MOST_WAKERS { Vec::new() } else { mem::take(&mut queue.wakers) };
        let spare = if known {
            Some(waker)
        } else {
            queue.wakers.push(waker);
            None
        };
        drop(queue);
        drop(spare);
        wake_all(old);
        for _ in 0..TURN {
            let Some(task) = self.shared.pop() else {
                return self.shared.live.load(Ordering::Relaxed) == 0;
            };
            self.shared.inside(1, || task.run(false));
        }
        context.waker().wake_by_ref();
        false
    }
}

/// A wait for something of the set ends.
struct Leaving<'s>(&'s Arc<Shared>);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.queue.lock();
        if queue.runnable.is_empty() {
            return;
        }
        let wakers = mem::take(&mut queue.wakers);
        drop(queue);
        wake_all(wakers);
    }
}

/// While it lives, [`spawn_local`] on this thread spawns onto a set: see [`LocalSet::enter`].
#[must_use = "the set is left when the guard is dropped"]
pub struct LocalEnterGuard {
    outer: Option<Place>,
    _not_send: PhantomData<Rc<()>>,
}

impl Drop for LocalEnterGuard {
    fn drop(&mut self) {
        let outer = self.outer.take();
        // Let go of outside of the borrow. On a thread that is ending there may be no place any more.
        drop(LOCAL.try_with(|local| local.replace(outer)));
    }
}

impl fmt::Debug for LocalEnterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalEnterGuard").finish_non_exhaustive()
    }
}

impl Shared {
    fn pop(&self) -> Option<Task> {
        self.queue.lock().runnable.pop_front()
    }

    /// Runs `f`, which does its work `above` layers up, so that `spawn_local` finds this set.
    fn inside<R>(self: &Arc<Self>, above: u32, f: impl FnOnce() -> R) -> R {
        let _inside = self.enter(above);
        f()
    }

    fn enter(self: &Arc<Self>, above: u32) -> LocalEnterGuard {
        let place = Place { set: self.clone(), layer: task_context::layer() + above };
        let outer = LOCAL.try_with(|local| local.replace(Some(place))).unwrap_or_default();
        LocalEnterGuard { outer, _not_send: PhantomData }
    }

    /// Drops the futures of all tasks that are due.
    fn cancel_queued(self: &Arc<Self>) {
        while let Some(task) = self.pop() {
            self.inside(1, || task.run(true));
        }
    }

    fn spawn<F>(self: &Arc<Self>, future: F, name: Option<Arc<str>>) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.live.fetch_add(1, Ordering::Relaxed);
        // SAFETY: only the set's thread, which is this one, takes the task out of the queue, so the future is polled
        // and dropped here. The output goes where the handle goes, which is as Send as the output is.
        let (task, handle) = unsafe { Cell::allocate(future, LocalTask(self.clone()), 0) };
        if let Some(name) = name {
            task_notes::set_name(task.header(), name);
        }
        task::schedule(task, Why::Spawned);
        // Relaxed: written by this thread.
        if self.gone.load(Ordering::Relaxed) {
            self.cancel_queued();
        }
        // SAFETY: the handle's reference of a task with this output.
        unsafe { JoinHandle::new(handle) }
    }
}

impl Default for LocalSet {
    fn default() -> Self {
        Self::new()
    }
}

/// Ready when no task is left.
impl Future for LocalSet {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.turn(context) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for LocalSet {
    fn drop(&mut self) {
        self.shared.tasks.close();
        // What destructors spawn is cancelled as well.
        while self.shared.live.load(Ordering::Relaxed) > 0 {
            match self.shared.pop() {
                Some(task) => self.shared.inside(1, || task.run(true)),
                // Another thread has just woken the last one, and is about to queue it.
                None => thread::yield_now(),
            }
        }
        // Relaxed: read by this thread. By a destructor of a waker, for one: a guard may outlive its set.
        self.shared.gone.store(true, Ordering::Relaxed);
        let wakers = mem::take(&mut self.shared.queue.lock().wakers);
        drop(wakers);
    }
}

impl fmt::Debug for LocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSet").field("live", &self.shared.live.load(Ordering::Relaxed)).finish_non_exhaustive()
    }
}

/// Spawns a future onto the [`LocalSet`] whose task, or whose `run_until`, the current thread is running, or that it
/// has [entered](LocalSet::enter).
///
/// ```
/// use filch::task::{LocalSet, spawn_local};
/// use std::rc::Rc;
///
/// let set = LocalSet::new();
/// let length = set.block_on(async {
///     let word = Rc::new("steal");
///     spawn_local(async move { word.len() }).await
/// });
/// assert_eq!(length.unwrap(), 5);
/// ```
///
/// # Panics
/// Outside of any set.
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_local_named(future, None)
}

pub(crate) fn spawn_local_named<F>(future: F, name: Option<Arc<str>>) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let place = LOCAL.try_with(|local| local.borrow().clone()).ok().flatten();
    let place = place.filter(|place| place.layer == task_context::layer());
    place.expect("filch: spawn_local was called outside of a LocalSet; use LocalSet::run_until").set.spawn(future, name)
}
