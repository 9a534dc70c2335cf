//! A set of tasks, joined in the order in which they end.

use std::fmt;
use std::future::Future;
use std::panic;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use crate::core::slab::Slab;
use crate::core::task_context::{spend, unlimited};
use crate::ground::error::JoinError;
use crate::ground::id::Id;
use crate::work::join_set_ready::{Bell, Ready};
use crate::work::task::AbortHandle;
use crate::work::task::JoinHandle;

/// A set of tasks and closures, awaited in the order in which they end.
///
/// All of them give the same type. Dropping the set aborts all that are in it; [`detach_all`](Self::detach_all) lets
/// them go on. The names and meaning are tokio's.
///
/// For a fixed handful of tasks, awaiting their handles one after the other is as good. For closures that borrow, and
/// for results in the order of their input, use [`scope`](crate::scope) or [`join`](crate::join). When only the end of
/// many tasks matters and not their values, a [`TaskTracker`](crate::task::TaskTracker) holds no values back.
///
/// # Cost
/// A small allocation for each task. Each join costs the same, however many tasks there are: the set looks only at
/// those that have ended.
///
/// ```
/// use filch::task::JoinSet;
///
/// let mut squares: Vec<u64> = filch::block_on(async {
///     let mut set = JoinSet::new();
///     for i in 0..10u64 {
///         set.spawn(async move { i * i });
///     }
///     set.spawn_cpu(|| 100);
///     let mut squares = Vec::new();
///     while let Some(result) = set.join_next().await {
///         squares.push(result.unwrap());
///     }
///     squares
/// });
/// squares.sort();
/// assert_eq!(squares, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100]);
/// ```
#[must_use = "a dropped set aborts its tasks"]
pub struct JoinSet<T> {
    members: Slab<Member<T>>,
    ready: Arc<Ready>,
}

struct Member<T> {
    id: Id,
    handle: JoinHandle<T>,
    /// Of a task that had ended when it was put in.
    result: Option<Result<T, JoinError>>,
    bell: Arc<Bell>,
}

impl<T> Member<T> {
    /// Without a limit: a poll that is put off would ring the bell again, and lose the task's place in the order. The
    /// budget is spent where a result is handed out.
    fn poll(&mut self) -> Poll<Result<T, JoinError>> {
        let waker = Waker::from(self.bell.clone());
        unlimited(|| Pin::new(&mut self.handle).poll(&mut Context::from_waker(&waker)))
    }
}

impl<T> JoinSet<T> {
    /// Makes an empty set.
    pub fn new() -> Self {
        JoinSet { members: Slab::new(), ready: Arc::default() }
    }

    /// How many tasks are in the set: those that have not been joined, ended or not.
    ///
    /// ```
    /// use filch::task::JoinSet;
    ///
    /// let mut set: JoinSet<u32> = (0..3).map(|n| async move { n }).collect();
    /// assert_eq!(set.len(), 3);
    /// filch::block_on(set.join_next());
    /// assert_eq!(set.len(), 2);
    /// ```
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether no task is in the set.
    ///
    /// ```
    /// use filch::task::JoinSet;
    ///
    /// let mut set: JoinSet<u32> = (0..3).map(|n| async move { n }).collect();
    /// while !set.is_empty() {
    ///     filch::block_on(set.join_next()).unwrap().unwrap();
    /// }
    /// ```
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Puts a task into the set that has been spawned elsewhere: by a [`Builder`](crate::task::Builder) with a name
    /// (for which tokio has `build_task`), when there was room, or by a tracker that counts it too.
    ///
    /// ```
    /// use filch::task::{Builder, JoinSet};
    ///
    /// let mut set = JoinSet::new();
    /// let abort = set.insert(Builder::new().name("answer").spawn_cpu(|| 6 * 7));
    /// assert_eq!(abort.name().as_deref(), Some("answer"));
    /// assert_eq!(filch::block_on(set.join_next()).unwrap().unwrap(), 42);
    /// ```
    ///
    /// # Panics
    /// If the handle has been awaited to its end before.
    pub fn insert(&mut self, handle: JoinHandle<T>) -> AbortHandle {
        let (id, abort, ready) = (handle.id(), handle.abort_handle(), &self.ready);
        let key = self.members.insert_with(|key| Member { id, handle, result: None, bell: Bell::new(key, ready) });
        let member = self.members.get_mut(key).expect("put in right above");
        if let Poll::Ready(result) = member.poll() {
            member.result = Some(result);
            Waker::from(member.bell.clone()).wake();
        }
        abort
    }

    // ----- joining -------------------------------------------------------------------------------------------------

    /// Waits until one of the tasks has ended, takes it out of the set, and returns what it left. None if the set is
    /// empty.
    ///
    /// # Errors
    /// [`JoinError`] if the task panicked or was cancelled.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: a task is taken out in the same step in which its result is returned.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        std::future::poll_fn(|context| self.poll_join_next(context)).await
    }

    /// [`join_next`](Self::join_next), with the task's name beside its value. The name of a task that gave no value
    /// stands in the error.
    ///
    /// # Errors
    /// [`JoinError`] if the task panicked or was cancelled.
    ///
    /// # Cancel safety
    /// As [`join_next`](Self::join_next).
    ///
    /// ```
    /// use filch::task::JoinSet;
    /// use std::collections::HashMap;
    ///
    /// filch::block_on(async {
    ///     let (mut set, mut words) = (JoinSet::new(), HashMap::new());
    ///     for word in ["fork", "steal"] {
    ///         let task = set.spawn(async move { word.len() });
    ///         words.insert(task.id(), word);
    ///     }
    ///     while let Some(result) = set.join_next_with_id().await {
    ///         let (id, length) = result.unwrap();
    ///         assert_eq!(length, words[&id].len());
    ///     }
    /// });
    /// ```
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        std::future::poll_fn(|context| self.poll_join_next_with_id(context)).await
    }

    /// Takes one of the tasks that have ended out of the set, if there is one, and returns what it left. Does not wait:
    /// None if no task has ended.
    ///
    /// # Errors
    /// [`JoinError`] if the task panicked or was cancelled.
    ///
    /// ```
    /// use filch::task::JoinSet;
    ///
    /// let mut set = JoinSet::new();
    /// set.spawn_cpu(|| 6 * 7);
    /// let answer = loop {
    ///     match set.try_join_next() {
    ///         Some(result) => break result.unwrap(),
    ///         // Something else to do meanwhile.
    ///         None => std::thread::yield_now(),
    ///     }
    /// };
    /// assert_eq!(answer, 42);
    /// ```
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.try_next().map(|(_, result)| result)
    }

    /// [`try_join_next`](Self::try_join_next), with the task's name beside its value.
    ///
    /// # Errors
    /// [`JoinError`] if the task panicked or was cancelled.
    ///
    /// ```
    /// use filch::task::JoinSet;
    ///
    /// let mut set = JoinSet::new();
    /// let task = set.spawn_cpu(|| 6 * 7);
    /// while !task.is_finished() {
    ///     std::thread::yield_now();
    /// }
    /// let mut ended = std::iter::from_fn(|| set.try_join_next_with_id());
    /// // It may take a moment more until the set has heard of it.
    /// let answer = loop {
    ///     if let Some(result) = ended.next() {
    ///         break result.unwrap();
    ///     }
    /// };
    /// assert_eq!(answer, (task.id(), 42));
    /// ```
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        self.try_next().map(|(id, result)| result.map(|value| (id, value)))
    }

    /// [`join_next`](Self::join_next) for hand-written futures. Pending means that the context's waker is woken when a
    /// task has ended; only the waker of the newest call is.
    ///
    /// # Errors
    /// [`JoinError`] if the task panicked or was cancelled.
    ///
    /// ```
    /// use filch::task::JoinSet;
    /// use std::future::poll_fn;
    ///
    /// let mut set = JoinSet::new();
    /// set.spawn(async { 6 * 7 });
    /// let answer = filch::block_on(poll_fn(|context| set.poll_join_next(context)));
    /// assert_eq!(answer.unwrap().unwrap(), 42);
    /// ```
    pub fn poll_join_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_next(context).map(|next| next.map(|(_, result)| result))
    }

    /// [`poll_join_next`](Self::poll_join_next), with the task's name beside its value.
    ///
    /// # Errors
    /// [`JoinError`] if the task panicked or was cancelled.
    ///
    /// ```
    /// use filch::task::JoinSet;
    /// use std::future::poll_fn;
    ///
    /// let mut set = JoinSet::new();
    /// let task = set.spawn(async { 6 * 7 });
    /// let answer = filch::block_on(poll_fn(|context| set.poll_join_next_with_id(context)));
    /// assert_eq!(answer.unwrap().unwrap(), (task.id(), 42));
    /// ```
    pub fn poll_join_next_with_id(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<(Id, T), JoinError>>> {
        self.poll_next(context).map(|next| next.map(|(id, result)| result.map(|value| (id, value))))
    }

    /// Waits for all tasks, and returns their values in the order in which they ended.
    ///
    /// # Panics
    /// If a task panicked, with what it panicked with; if one was cancelled, with the error's text. The other tasks are
    /// aborted then. Use [`join_next`](Self::join_next) in a loop for anything else.
    ///
    /// ```
    /// let mut set: filch::task::JoinSet<_> = (0..3).map(|i| async move { i }).collect();
    /// set.spawn_blocking(|| 3);
    /// let mut all = filch::block_on(set.join_all());
    /// all.sort();
    /// assert_eq!(all, [0, 1, 2, 3]);
    /// ```
    pub async fn join_all(mut self) -> Vec<T> {
        let mut values = Vec::with_capacity(self.len());
        while let Some(result) = self.join_next().await {
            match result {
                Ok(value) => values.push(value),
                Err(error) => match error.try_into_panic() {
                    Ok(payload) => panic::resume_unwind(payload),
                    Err(error) => panic!("filch: join_all of a set with a cancelled task: {error}"),
                },
            }
        }
        values
    }

    // ----- ending --------------------------------------------------------------------------------------------------

    /// Aborts all tasks of the set. They stay in it: [`join_next`](Self::join_next) returns each when it is gone.
    ///
    /// ```
    /// use filch::task::JoinSet;
    ///
    /// let mut set: JoinSet<()> = (0..3).map(|_| std::future::pending()).collect();
    /// set.abort_all();
    /// filch::block_on(async {
    ///     while let Some(result) = set.join_next().await {
    ///         assert!(result.unwrap_err().is_cancelled());
    ///     }
    /// });
    /// ```
    pub fn abort_all(&mut self) {
        for member in self.members.iter() {
            member.handle.abort();
        }
    }

    /// Aborts all tasks of the set, and waits until they are gone. The set is empty then. What they leave is dropped,
    /// panics included.
    ///
    /// # Cancel safety
    /// If the future is dropped, the tasks are aborted, and those that have not been waited for are still in the set.
    ///
    /// ```
    /// use filch::task::JoinSet;
    /// use std::sync::Arc;
    ///
    /// let shared = Arc::new(());
    /// let mut set = JoinSet::new();
    /// let held = shared.clone();
    /// set.spawn(async move { (std::future::pending::<()>().await, held).0 });
    /// filch::block_on(set.shutdown());
    /// // What the tasks held is free.
    /// assert!(set.is_empty() && Arc::into_inner(shared).is_some());
    /// ```
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// Lets all tasks of the set go on alone, and empties the set.
    ///
    /// ```
    /// let mut set = filch::task::JoinSet::new();
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// set.spawn(async move { sender.send(5).unwrap() });
    /// set.detach_all();
    /// drop(set);
    /// assert_eq!(receiver.recv(), Ok(5));
    /// ```
    pub fn detach_all(&mut self) {
        self.clear(JoinHandle::detach);
    }

    /// Empties the set, giving each handle away.
    fn clear(&mut self, last: impl Fn(JoinHandle<T>)) {
        for member in self.members.iter() {
            member.bell.mute();
        }
        self.ready.clear();
        for member in std::mem::take(&mut self.members).into_values() {
            last(member.handle);
        }
    }

    // ----- how -----------------------------------------------------------------------------------------------------

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<(Id, Result<T, JoinError>)>> {
        if self.is_empty() {
            return Poll::Ready(None);
        }
        if self.ready.len() > 0 {
            ready!(spend(context));
        }
        // A bell may have been rung though its task has not ended.
        while let Some(bell) = self.ready.pop_or_wait(context.waker()) {
            let next = self.look_at(&bell);
            if next.is_some() {
                return Poll::Ready(next);
            }
        }
        Poll::Pending
    }

    fn try_next(&mut self) -> Option<(Id, Result<T, JoinError>)> {
        let ready = self.ready.clone();
        std::iter::from_fn(|| ready.pop()).find_map(|bell| self.look_at(&bell))
    }

    /// Polls the handle that has rung; takes the task out if it has ended.
    fn look_at(&mut self, bell: &Arc<Bell>) -> Option<(Id, Result<T, JoinError>)> {
        let member = self.members.get_mut(bell.key).filter(|member| Arc::ptr_eq(&member.bell, bell))?;
        let result = match member.result.take() {
            Some(result) => result,
            None => match member.poll() {
                Poll::Pending => return None,
                Poll::Ready(result) => result,
            },
        };
        bell.mute();
        let member = self.members.remove(bell.key).expect("looked at right above");
        Some((member.id, result))
    }
}

/// Aborts all tasks that are in the set, and does not wait for them.
impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.clear(|handle| handle.abort());
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        JoinSet::new()
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish_non_exhaustive()
    }
}
