//! What a task may ask and do about itself, and spawning one with a name.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use crate::core::{task_context, task_notes};
use crate::ground::id::Id;
use crate::pool::admission::Leave;
use crate::pool::handle::{Handle, on_current};
use crate::pool::priority::Priority;
use crate::pool::shared::Shared;
use crate::work::local_set::{LocalSet, spawn_local_named};
use crate::work::refused::{refused, refused_detached, refused_once};
use crate::work::task::JoinHandle;

/// Lets other tasks go first: the task goes to the end of its thread's queue, and goes on from here when its turn
/// comes.
///
/// For tasks that compute for long between two awaits, every 10 to 100 µs or so. If there is much to compute,
/// [`spawn_cpu`](crate::spawn_cpu) is better: then other threads can take part. For closures there is
/// [`filch::yield_now`](crate::yield_now). Costs some 20 ns.
///
/// Outside of filch's tasks it wakes its own waker and is ready at the next poll.
///
/// ```
/// # filch::block_on(filch::spawn(async {
/// for _ in 0..10 {
///     // Some part of the work, then:
///     filch::task::yield_now().await;
/// }
/// # })).unwrap();
/// ```
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        task_context::give_way(context.waker());
        Poll::Pending
    })
    .await;
}

/// Uses up a unit of the task's budget, and lets other tasks go first if none is left.
///
/// Every poll of a task has a budget of 128 units. filch's own futures (join handles, timers, tokens) use one up
/// whenever they are ready, so a loop over things that are always ready gives way now and then by itself. Futures of
/// other crates do not know of it: a loop over those calls this. Costs a few nanoseconds while there is budget left;
/// outside of tasks there always is.
///
/// A budget that is used up stays so until the poll is over, for all futures that the task polls side by side. If one
/// of them is always ready, and always polled first, the others are put off each time: spawn them, or join them by what
/// begins with another each time, as `tokio::join!`.
///
/// ```
/// # filch::block_on(filch::spawn(async {
/// # let channel = [1, 2, 3];
/// for item in channel {
///     // Work with the item, then:
///     filch::task::consume_budget().await;
/// }
/// # })).unwrap();
/// ```
pub async fn consume_budget() {
    poll_fn(|context| task_context::spend(context)).await;
}

/// Whether the current task has budget left. If not, what it awaits of this crate is pending until this poll is over,
/// and others have had their turn. Always true outside of tasks.
///
/// A combinator of your own that polls a future, and then something that ends it, asks before and after: if the future
/// has used up what there was, the end is polled [`unconstrained`](crate::task::coop::unconstrained), as
/// [`timeout`](crate::time::timeout) does. Else it might never be ready.
///
/// ```
/// use filch::task;
///
/// let used = filch::spawn(async {
///     let mut used = 0;
///     while task::has_budget_remaining() {
///         task::consume_budget().await;
///         used += 1;
///     }
///     used
/// });
/// assert_eq!(used.join().unwrap(), 128);
/// ```
pub fn has_budget_remaining() -> bool {
    task_context::has_budget()
}

/// The id of the task, or of the closure with a handle, that the current thread is running.
///
/// # Panics
/// Outside of any; [`try_id`] does not.
///
/// ```
/// use filch::task;
///
/// let task = filch::spawn(async { task::id() });
/// let id = task.id();
/// assert_eq!(task.join().unwrap(), id);
/// ```
pub fn id() -> Id {
    try_id().expect("filch: task::id was called outside of a task; try_id gives None there")
}

/// The id of the task, or of the closure with a handle, that the current thread is running; None outside of any.
///
/// ```
/// use filch::task;
///
/// assert_eq!(task::try_id(), None);
/// assert!(filch::spawn_cpu(|| task::try_id().is_some()).join().unwrap());
/// ```
pub fn try_id() -> Option<Id> {
    task_context::with_current(|task| Id(task_notes::id(task)))
}

/// The name of the task that the current thread is running, if it is running one that [has a name](Builder::name).
///
/// ```
/// use filch::task;
///
/// fn log(text: &str) -> String {
///     format!("[{}] {text}", task::name().as_deref().unwrap_or("-"))
/// }
/// let task = task::Builder::new().name("mail").spawn(async { log("sent") });
/// assert_eq!(task.join().unwrap(), "[mail] sent");
/// assert_eq!(log("done"), "[-] done");
/// ```
pub fn name() -> Option<Arc<str>> {
    task_context::with_current(task_notes::name).flatten()
}

/// Spawns tasks and closures with a name, for logs and panic messages, and closures with a
/// [priority](crate::Priority).
///
/// ```
/// let task = filch::task::Builder::new().name("greeter").spawn(async { filch::task::name() });
/// assert_eq!(task.name().as_deref(), Some("greeter"));
/// assert_eq!(filch::block_on(task).unwrap().as_deref(), Some("greeter"));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder spawns nothing by itself"]
pub struct Builder<'p> {
    pub(crate) name: Option<Arc<str>>,
    pool: Option<&'p Handle>,
    pub(crate) priority: Priority,
}

impl<'p> Builder<'p> {
    /// A task without a name, on the current pool or else the global one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the task. Any text will do.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Spawns on this pool.
    ///
    /// ```
    /// use filch::task::Builder;
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(3).build()?;
    /// let task = Builder::new().name("count").pool(&pool).spawn(async { filch::current_num_threads() });
    /// assert_eq!(task.join().unwrap(), 3);
    /// # Ok(()) }
    /// ```
    pub fn pool<'q>(self, pool: &'q Handle) -> Builder<'q> {
        Builder { name: self.name, pool: Some(pool), priority: self.priority }
    }

    /// How soon the closure runs, compared with others: for [`spawn_cpu`](Self::spawn_cpu) and
    /// [`spawn_detached`](Self::spawn_detached). Futures have no priority, nor have blocking calls.
    ///
    /// ```
    /// use filch::Priority;
    ///
    /// let handle = filch::task::Builder::new().priority(Priority::High).spawn_cpu(|| 6 * 7);
    /// assert_eq!(handle.join().unwrap(), 42);
    /// ```
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    pub(crate) fn on<R>(&self, f: impl FnOnce(&Shared) -> R) -> R {
        match self.pool {
            Some(pool) => f(&pool.shared),
            None => on_current(f),
        }
    }

    /// As [`filch::spawn`](crate::spawn).
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    pub fn spawn<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.on(|shared| shared.spawn(future, self.name.clone(), Leave::NotAsked))
            .unwrap_or_else(|back| refused(back, self.name))
    }

    /// As [`task::spawn_local`](crate::task::spawn_local): on the `LocalSet` that the current thread is running.
    ///
    /// # Panics
    /// Outside of any `LocalSet`.
    ///
    /// ```
    /// use filch::task::{self, Builder, LocalSet};
    /// use std::rc::Rc;
    ///
    /// let name = LocalSet::new().block_on(async {
    ///     let here = Rc::new(());
    ///     Builder::new().name("local").spawn_local(async move { (task::name(), here).0 }).await
    /// });
    /// assert_eq!(name.unwrap().as_deref(), Some("local"));
    /// ```
    pub fn spawn_local<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        spawn_local_named(future, self.name)
    }

    /// As [`LocalSet::spawn_local`].
    ///
    /// ```
    /// use filch::task::{Builder, LocalSet};
    /// use std::rc::Rc;
    ///
    /// let (set, here) = (LocalSet::new(), Rc::new(5));
    /// let task = Builder::new().name("local").spawn_local_on(async move { *here }, &set);
    /// assert_eq!(task.name().as_deref(), Some("local"));
    /// assert_eq!(set.block_on(task).unwrap(), 5);
    /// ```
    pub fn spawn_local_on<F>(self, future: F, local_set: &LocalSet) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        local_set.spawn_named(future, self.name)
    }

    /// As [`filch::spawn_cpu`](crate::spawn_cpu).
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    ///
    /// ```
    /// use filch::task::{self, Builder};
    ///
    /// let task = Builder::new().name("sum").spawn_cpu(|| ((1..=100u64).sum::<u64>(), task::name()));
    /// assert_eq!(task.join().unwrap(), (5050, Some("sum".into())));
    /// ```
    pub fn spawn_cpu<F, T>(self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let spawned = self.on(|shared| shared.spawn_cpu(f, self.name.clone(), Leave::NotAsked, self.priority));
        spawned.unwrap_or_else(|back| refused_once(back, self.name))
    }

    /// As [`filch::spawn_blocking`](crate::spawn_blocking).
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see [`filch::spawn`](crate::spawn()).
    ///
    /// ```
    /// use filch::task::Builder;
    ///
    /// let read = Builder::new().name("read").spawn_blocking(|| std::fs::read("Cargo.toml"));
    /// assert_eq!(read.name().as_deref(), Some("read"));
    /// assert!(read.join().unwrap().is_ok());
    /// ```
    pub fn spawn_blocking<F, T>(self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.on(|shared| shared.spawn_blocking(f, self.name.clone()))
            .unwrap_or_else(|back| refused_once(back, self.name))
    }

    /// As [`filch::spawn_detached`](crate::spawn_detached). There is no handle to ask for the name.
    ///
    /// # Panics
    /// If the pool has been shut down, unless the thread unwinds already: see
    /// [`filch::spawn_detached`](crate::spawn_detached).
    ///
    /// ```
    /// use filch::Priority;
    ///
    /// let (tx, rx) = std::sync::mpsc::channel();
    /// filch::task::Builder::new().priority(Priority::Background).spawn_detached(move || tx.send(5).unwrap());
    /// assert_eq!(rx.recv(), Ok(5));
    /// ```
    pub fn spawn_detached(self, f: impl FnOnce() + Send + 'static) {
        self.on(|shared| shared.spawn_detached(f, Leave::NotAsked, self.priority)).unwrap_or_else(refused_detached);
    }
}
