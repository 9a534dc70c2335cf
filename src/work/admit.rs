//! Spawning that may be refused: at once, or after a wait for room.
//!
//! The waiting futures hold the work, as they hold what they will do with it: so it comes back when the pool ends, and
//! nothing of it has to be kept by a permit. (A permit, as tokio's channels give it out by `reserve`, would serve who
//! wants to wait before there is any work; it would have to be kept in mind, and would block the pool when forgotten.)

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::core::room::{Closed, Ticket};
use crate::core::task_context::{poll_budget, spend};
use crate::ground::error::{ShutDown, TrySpawnError};
use crate::pool::admission::{Kind, Leave};
use crate::pool::current;
use crate::pool::handle::Handle;
use crate::pool::priority::Priority;
use crate::pool::shared::Shared;
use crate::work::broadcast::BroadcastContext;
use crate::work::spawn_task::Once;
use crate::work::task::JoinHandle;
use crate::work::task_api::Builder;

impl Shared {
    /// Spawns by `spawn` if there is room.
    fn admit<W, R>(
        &self,
        kind: Kind,
        work: W,
        spawn: impl FnOnce(W) -> Result<R, ShutDown<W>>,
    ) -> Result<R, TrySpawnError<W>> {
        if !self.admission.try_take(kind) {
            // Of a pool that is both full and shut down, the latter is worth knowing.
            let takes_work = self.gate.is_open() || (current::is_inside(self) && !self.gate.is_closed());
            return Err(if takes_work { TrySpawnError::Full(work) } else { TrySpawnError::ShutDown(work) });
        }
        Ok(spawn(work)?)
    }

    pub(crate) fn try_spawn<F>(
        &self,
        future: F,
        name: Option<Arc<str>>,
    ) -> Result<JoinHandle<F::Output>, TrySpawnError<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.admit(Kind::Tasks, future, |future| self.spawn(future, name, Leave::Given))
    }

    pub(crate) fn try_spawn_cpu<F, T>(
        &self,
        f: F,
        name: Option<Arc<str>>,
        priority: Priority,
    ) -> Result<JoinHandle<T>, TrySpawnError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.try_spawn_cpu_once(Once::new(f), name, priority).map_err(|error| error.map(Once::into_inner))
    }

    /// The same for what is ready after one poll.
    pub(crate) fn try_spawn_cpu_once<W>(
        &self,
        once: W,
        name: Option<Arc<str>>,
        priority: Priority,
    ) -> Result<JoinHandle<W::Output>, TrySpawnError<W>>
    where
        W: Future + Send + 'static,
        W::Output: Send + 'static,
    {
        self.admit(Kind::Closures, once, |once| self.spawn_cpu_once(once, name, Leave::Given, priority))
    }
}

impl Handle {
    /// [`spawn`](crate::spawn) on this pool, giving the future back if there is no room or the pool has been shut
    /// down.
    ///
    /// # Errors
    /// [`TrySpawnError`] with the future: `Full` if there are as many tasks as the pool's
    /// [bound](crate::PoolBuilder::max_tasks), or others wait for room; `ShutDown` if it takes no more work.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).max_tasks(100).build()?;
    /// match pool.try_spawn(async { "served" }) {
    ///     Ok(handle) => assert_eq!(handle.join().unwrap(), "served"),
    ///     Err(refused) if refused.is_full() => println!("too busy: come again"),
    ///     Err(_) => println!("closed"),
    /// }
    /// # Ok(()) }
    /// ```
    pub fn try_spawn<F>(&self, future: F) -> Result<JoinHandle<F::Output>, TrySpawnError<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.try_spawn(future, None)
    }

    /// [`spawn_cpu`](crate::spawn_cpu) on this pool, giving the closure back if there is no room or the pool has been
    /// shut down.
    ///
    /// # Errors
    /// [`TrySpawnError`] with the closure: `Full` if as many are queued as the pool's
    /// [bound](crate::PoolBuilder::max_queued_closures), or others wait for room; `ShutDown` if it takes no more work.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).max_queued_closures(8).build()?;
    /// // Where the pool is busy, the caller lends a hand.
    /// let answer = match pool.try_spawn_cpu(|| 6 * 7) {
    ///     Ok(handle) => handle.join().unwrap(),
    ///     Err(refused) => (refused.into_inner())(),
    /// };
    /// assert_eq!(answer, 42);
    /// # Ok(()) }
    /// ```
    pub fn try_spawn_cpu<F, T>(&self, f: F) -> Result<JoinHandle<T>, TrySpawnError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.shared.try_spawn_cpu(f, None, Priority::Normal)
    }

    /// [`spawn_detached`](crate::spawn_detached) on this pool, giving the closure back if there is no room or the pool
    /// has been shut down.
    ///
    /// # Errors
    /// As [`try_spawn_cpu`](Self::try_spawn_cpu).
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// assert!(pool.try_spawn_detached(move || sender.send(5).unwrap()).is_ok());
    /// assert_eq!(receiver.recv(), Ok(5));
    /// # Ok(()) }
    /// ```
    pub fn try_spawn_detached<F: FnOnce() + Send + 'static>(&self, f: F) -> Result<(), TrySpawnError<F>> {
        self.shared.admit(Kind::Closures, f, |f| self.shared.spawn_detached(f, Leave::Given, Priority::Normal))
    }

    /// [`spawn_fifo`](crate::spawn_fifo) on this pool, giving the closure back if there is no room or the pool has been
    /// shut down.
    ///
    /// # Errors
    /// As [`try_spawn_cpu`](Self::try_spawn_cpu).
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// for n in 0..3 {
    ///     let sender = sender.clone();
    ///     assert!(pool.try_spawn_fifo(move || sender.send(n).unwrap()).is_ok());
    /// }
    /// drop(sender);
    /// assert!(receiver.iter().eq(0..3));
    /// # Ok(()) }
    /// ```
    pub fn try_spawn_fifo<F: FnOnce() + Send + 'static>(&self, f: F) -> Result<(), TrySpawnError<F>> {
        self.shared.admit(Kind::Closures, f, |f| self.shared.spawn_fifo(f, Leave::Given))
    }

    /// [`spawn_broadcast`](crate::spawn_broadcast) on this pool, giving the closure back if the pool has been shut
    /// down.
    ///
    /// # Errors
    /// [`TrySpawnError::ShutDown`] with the closure: then none of its calls is made. It is never `Full`: broadcasts are
    /// not counted as queued closures.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(2).build()?;
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// assert!(pool.try_spawn_broadcast(move |context| sender.send(context.index()).unwrap()).is_ok());
    /// assert_eq!(receiver.iter().sum::<usize>(), 1);
    /// # Ok(()) }
    /// ```
    pub fn try_spawn_broadcast<F>(&self, op: F) -> Result<(), TrySpawnError<F>>
    where
        F: Fn(BroadcastContext<'_>) + Send + Sync + 'static,
    {
        Ok(self.shared.spawn_broadcast(op)?)
    }

    /// [`spawn_blocking`](crate::spawn_blocking) on this pool, giving the closure back if the pool has been shut down.
    ///
    /// # Errors
    /// [`TrySpawnError::ShutDown`] with the closure. It is never `Full`: the queue of such calls has no bound.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// pool.shutdown();
    /// assert!(pool.try_spawn_blocking(|| ()).unwrap_err().is_shut_down());
    /// # Ok(()) }
    /// ```
    pub fn try_spawn_blocking<F, T>(&self, f: F) -> Result<JoinHandle<T>, TrySpawnError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Ok(self.shared.spawn_blocking(f, None)?)
    }

    /// Waits until there is room for a task, and then spawns the future on this pool.
    ///
    /// Those who wait are served in the order in which they have begun to, that is, have been polled first; nobody
    /// overtakes them but work that asks for no room, as [`spawn`](Self::spawn). Without a
    /// [bound](crate::PoolBuilder::max_tasks) there is always room.
    ///
    /// Dropping the waiting future loses nothing but its place: the next one has it.
    ///
    /// A task of the same pool must not wait here for room that only itself can give, as when all tasks that the bound
    /// allows do so: they spawn by [`spawn`](Self::spawn), or [`try_spawn`](Self::try_spawn).
    ///
    /// # Errors
    /// [`ShutDown`] with the future, if the pool is shut down before there is room.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = filch::Pool::builder().workers(2).max_tasks(10).build()?;
    /// filch::block_on(async {
    ///     for request in 0..100 {
    ///         // No more than ten requests are worked on at once; the others are not even taken.
    ///         pool.spawn_when_room(async move { request * 2 }).await.unwrap().detach();
    ///     }
    /// });
    /// # Ok(()) }
    /// ```
    pub fn spawn_when_room<F>(&self, future: F) -> SpawnWhenRoom<F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        SpawnWhenRoom(Waiting::new(&self.shared, Kind::Tasks, future, None))
    }

    /// Waits until there is room in the queue of closures, and then spawns `f` on this pool, as
    /// [`spawn_cpu`](crate::spawn_cpu).
    ///
    /// Order, dropping and shutdown are as for [`spawn_when_room`](Self::spawn_when_room); the bound is
    /// [`max_queued_closures`](crate::PoolBuilder::max_queued_closures).
    ///
    /// # Errors
    /// [`ShutDown`] with the closure, if the pool is shut down before there is room.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = filch::Pool::builder().workers(2).max_queued_closures(4).build()?;
    /// let sum = filch::block_on(async {
    ///     let mut handles = Vec::new();
    ///     for n in 0..100_u64 {
    ///         handles.push(pool.spawn_cpu_when_room(move || n).await.unwrap());
    ///     }
    ///     let mut sum = 0;
    ///     for handle in handles {
    ///         sum += handle.await.unwrap();
    ///     }
    ///     sum
    /// });
    /// assert_eq!(sum, 4950);
    /// # Ok(()) }
    /// ```
    pub fn spawn_cpu_when_room<F, T>(&self, f: F) -> SpawnCpuWhenRoom<F>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        SpawnCpuWhenRoom(Waiting::new(&self.shared, Kind::Closures, f, None), Priority::Normal)
    }
}

impl Builder<'_> {
    /// As [`Handle::try_spawn`].
    ///
    /// # Errors
    /// [`TrySpawnError`] with the future.
    ///
    /// ```
    /// use filch::task::Builder;
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).max_tasks(1).build()?;
    /// let rests = Builder::new().name("rests").pool(&pool).try_spawn(std::future::pending::<()>()).unwrap();
    /// assert!(Builder::new().name("late").pool(&pool).try_spawn(async {}).unwrap_err().is_full());
    /// # drop(rests);
    /// # Ok(()) }
    /// ```
    pub fn try_spawn<F>(self, future: F) -> Result<JoinHandle<F::Output>, TrySpawnError<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.on(|shared| shared.try_spawn(future, self.name.clone()))
    }

    /// As [`Handle::try_spawn_cpu`].
    ///
    /// # Errors
    /// [`TrySpawnError`] with the closure.
    ///
    /// ```
    /// use filch::Priority;
    /// use filch::task::Builder;
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).max_queued_closures(4).build()?;
    /// let urgent = Builder::new().priority(Priority::High).pool(&pool).try_spawn_cpu(|| 6 * 7);
    /// assert_eq!(urgent.expect("nothing is queued").join().unwrap(), 42);
    /// # Ok(()) }
    /// ```
    pub fn try_spawn_cpu<F, T>(self, f: F) -> Result<JoinHandle<T>, TrySpawnError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.on(|shared| shared.try_spawn_cpu(f, self.name.clone(), self.priority))
    }

    /// As [`Handle::spawn_when_room`].
    ///
    /// ```
    /// use filch::task::Builder;
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).max_tasks(2).build()?;
    /// pool.block_on(async {
    ///     for n in 0..10 {
    ///         // At most two of them live at a time.
    ///         let request = Builder::new().name(format!("request {n}")).pool(&pool).spawn_when_room(async {});
    ///         request.await.unwrap().detach();
    ///     }
    /// });
    /// assert_eq!(pool.stats().refused, 0);
    /// # Ok(()) }
    /// ```
    pub fn spawn_when_room<F>(self, future: F) -> SpawnWhenRoom<F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.on(|shared| SpawnWhenRoom(Waiting::new(&shared.arc(), Kind::Tasks, future, self.name.clone())))
    }

    /// As [`Handle::spawn_cpu_when_room`].
    ///
    /// ```
    /// use filch::Priority;
    /// use filch::task::Builder;
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).max_queued_closures(1).build()?;
    /// let sums = pool.block_on(async {
    ///     let mut sums = Vec::new();
    ///     for n in 0..10u64 {
    ///         let sum = Builder::new().priority(Priority::Background).pool(&pool);
    ///         sums.push(sum.spawn_cpu_when_room(move || (0..=n).sum::<u64>()).await.unwrap());
    ///     }
    ///     sums
    /// });
    /// assert_eq!(sums.into_iter().map(|sum| sum.join().unwrap()).max(), Some(45));
    /// # Ok(()) }
    /// ```
    pub fn spawn_cpu_when_room<F, T>(self, f: F) -> SpawnCpuWhenRoom<F>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.on(|shared| {
            SpawnCpuWhenRoom(Waiting::new(&shared.arc(), Kind::Closures, f, self.name.clone()), self.priority)
        })
    }
}

/// Waits for room for a task, and spawns it: see [`Handle::spawn_when_room`]. Not to be polled again after it was
/// ready.
#[must_use = "a future does nothing unless it is awaited"]
pub struct SpawnWhenRoom<F>(Waiting<F>);

/// Waits for room in the queue of closures, and spawns one: see [`Handle::spawn_cpu_when_room`]. Not to be polled again
/// after it was ready.
#[must_use = "a future does nothing unless it is awaited"]
pub struct SpawnCpuWhenRoom<F>(Waiting<F>, Priority);

// What is to be spawned is moved, and not polled, here.
impl<F> Unpin for SpawnWhenRoom<F> {}
impl<F> Unpin for SpawnCpuWhenRoom<F> {}

/// Work that has waited.
struct Served<W> {
    work: W,
    name: Option<Arc<str>>,
    /// Whether it has a place.
    place: Result<(), Closed>,
}

/// Work that waits for room.
struct Waiting<W> {
    shared: Arc<Shared>,
    kind: Kind,
    ticket: Option<Ticket>,
    work: Option<(W, Option<Arc<str>>)>,
}

impl<W> Waiting<W> {
    fn new(shared: &Arc<Shared>, kind: Kind, work: W, name: Option<Arc<str>>) -> Self {
        Waiting { shared: shared.clone(), kind, ticket: None, work: Some((work, name)) }
    }

    /// Ready with the work and, if there is room, a place for it.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Served<W>> {
        assert!(self.work.is_some(), "filch: a future that waits for room was polled after it was ready");
        // Before a place is taken that others could use.
        ready!(poll_budget(context));
        let place = match self.shared.admission.room(self.kind) {
            Some(room) => ready!(room.poll_take(&mut self.ticket, context.waker())),
            None => Ok(()),
        };
        let _ = spend(context);
        let (work, name) = self.work.take().expect("asked above");
        Poll::Ready(Served { work, name, place })
    }
}

impl<W> Drop for Waiting<W> {
    fn drop(&mut self) {
        if let (Some(ticket), Some(room)) = (self.ticket.take(), self.shared.admission.room(self.kind)) {
            self.shared.wake_admitted(room.leave(ticket));
        }
    }
}

impl<F> Future for SpawnWhenRoom<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    type Output = Result<JoinHandle<F::Output>, ShutDown<F>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let waiting = &mut self.0;
        let served = ready!(waiting.poll(context));
        Poll::Ready(match served.place {
            Ok(()) => waiting.shared.spawn(served.work, served.name, Leave::Given),
            Err(Closed) => Err(ShutDown(served.work)),
        })
    }
}

impl<F, T> Future for SpawnCpuWhenRoom<F>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    type Output = Result<JoinHandle<T>, ShutDown<F>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let priority = self.1;
        let waiting = &mut self.0;
        let served = ready!(waiting.poll(context));
        Poll::Ready(match served.place {
            Ok(()) => waiting.shared.spawn_cpu(served.work, served.name, Leave::Given, priority),
            Err(Closed) => Err(ShutDown(served.work)),
        })
    }
}

impl<F> fmt::Debug for SpawnWhenRoom<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpawnWhenRoom").field("in_line", &self.0.ticket.is_some()).finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for SpawnCpuWhenRoom<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpawnCpuWhenRoom").field("in_line", &self.0.ticket.is_some()).finish_non_exhaustive()
    }
}
