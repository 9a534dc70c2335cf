//! All tasks of a pool that rest, or have rested, so that a closing pool can reach those that wait for something. A
//! task that ends in its first poll is never in it.
//!
//! Sharded, because every entry and every end takes a lock. The links are in the tasks, so the list takes no memory. It
//! holds no reference: a task is taken out before it completes, so whatever is found under the lock is alive.

use std::ptr::{self, NonNull};

use crate::core::task::{self, Header, Links, Task, Why};
use crate::core::task_state::{Duty, MOST_SHARDS};
use crate::ground::sync::Mutex;

/// See the module.
#[derive(Debug)]
pub(crate) struct TaskList {
    shards: Box<[Mutex<Shard>]>,
}

#[derive(Debug)]
struct Shard {
    first: *const Header,
    closed: bool,
}

// SAFETY: the pointers are followed under the shard's lock only, where they are alive.
unsafe impl Send for Shard {}

impl TaskList {
    pub(crate) fn new(shards: usize) -> Self {
        let shard = |_| Mutex::new(Shard { first: ptr::null(), closed: false });
        TaskList { shards: (0..shards.clamp(1, MOST_SHARDS)).map(shard).collect() }
    }

    /// Puts a task in; `near` spreads the callers over the shards. Returns the shard; None once the list is closed.
    ///
    /// # Safety
    /// The caller has the right to run the task, which is not in a list, and takes it out before it completes.
    pub(crate) unsafe fn insert(&self, task: NonNull<Header>, near: usize) -> Option<usize> {
        let index = near % self.shards.len();
        let mut shard = self.shards[index].lock();
        if shard.closed {
            return None;
        }
        let after = shard.first;
        // SAFETY: the caller keeps it alive, and the links are ours under the lock.
        unsafe { (*task.as_ptr()).links.write(Links { before: ptr::null(), after }) };
        if !after.is_null() {
            // SAFETY: in the list, so alive; under the lock.
            unsafe { relink(after, |links| links.before = task.as_ptr()) };
        }
        shard.first = task.as_ptr();
        Some(index)
    }

    /// Takes a task out.
    ///
    /// # Safety
    /// The task stands in this shard, and the caller has the right to run it.
    pub(crate) unsafe fn remove(&self, task: &Header, shard: usize) {
        let mut shard = self.shards[shard].lock();
        // SAFETY: written by `insert`; the links are ours under the lock.
        let links = unsafe { task.links.read() };
        if links.before.is_null() {
            shard.first = links.after;
        } else {
            // SAFETY: in the list, so alive; under the lock.
            unsafe { relink(links.before, |before| before.after = links.after) };
        }
        if !links.after.is_null() {
            // SAFETY: as above.
            unsafe { relink(links.after, |after| after.before = links.before) };
        }
    }

    /// Takes no more tasks, and cancels all there are.
    pub(crate) fn close(&self) {
        for shard in &self.shards {
            let mut cancelled: Vec<Task> = Vec::new();
            let mut shard = shard.lock();
            shard.closed = true;
            let mut next = shard.first;
            while let Some(task) = NonNull::new(next.cast_mut()) {
                // SAFETY: in the list, so not complete, and alive: taking it out needs the lock.
                let header = unsafe { task.as_ref() };
                // SAFETY: written by `insert`, and under the lock.
                next = unsafe { header.links.read() }.after;
                if cfg!(not(mutant = "close_without_cancel")) && header.state.cancel() == Duty::Schedule {
                    // SAFETY: the right to run is ours by the duty.
                    cancelled.push(unsafe { Task::new(task) });
                }
            }
            drop(shard);
            for task in cancelled {
                task::schedule(task, Why::Woken);
            }
        }
    }
}

/// # Safety
/// `task` stands in a shard whose lock the caller holds.
unsafe fn relink(task: *const Header, change: impl FnOnce(&mut Links)) {
    // SAFETY: in the list, so alive.
    let place = unsafe { &(*task).links };
    // SAFETY: written by `insert`, and under the lock.
    let mut links = unsafe { place.read() };
    change(&mut links);
    // SAFETY: as above.
    unsafe { place.write(links) };
}
