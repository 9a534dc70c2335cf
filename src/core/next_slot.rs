//! A place for one task, to be polled before all others of its thread: the one that a running task has just woken.
//!
//! The owner puts in and takes out; thieves take out, but only what has lain there while the owner did not come back.
//! How that is noticed, and by whom, is in `sleep.md`.

use std::ptr;

use crate::core::task::Task;
use crate::ground::sync::{AtomicPtr, AtomicU32, Ordering};

/// See the module.
#[derive(Debug)]
pub(crate) struct NextSlot {
    /// A raw [`Task`], or null. Only the owner stores anything but null.
    task: AtomicPtr<()>,
    /// The owner's count of ticks at which somebody else last saw a task here.
    seen: AtomicU32,
}

impl NextSlot {
    pub(crate) fn new() -> Self {
        NextSlot { task: AtomicPtr::new(ptr::null_mut()), seen: AtomicU32::new(0) }
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        !self.task.load(Ordering::Relaxed).is_null()
    }

    /// The owner puts a task in, and gets back the one that was there.
    pub(crate) fn put(&self, task: Task) -> Option<Task> {
        let task = task.into_raw().cast_mut();
        if !self.is_full() {
            // Nobody else puts anything in, so it is still empty. Release pairs with whoever takes it out.
            self.task.store(task, Ordering::Release);
            return None;
        }
        #[cfg(not(mutant = "next_put_by_store"))]
        let displaced = self.task.swap(task, Ordering::AcqRel);
        #[cfg(mutant = "next_put_by_store")]
        let displaced = {
            let displaced = self.task.load(Ordering::Acquire);
            self.task.store(task, Ordering::Release);
            displaced
        };
        // SAFETY: taken out by the swap, so ours; put in by `into_raw`.
        (!displaced.is_null()).then(|| unsafe { Task::from_raw(displaced) })
    }

    /// Takes the task out: the owner, or a thief.
    pub(crate) fn take(&self) -> Option<Task> {
        if !self.is_full() {
            return None;
        }
        // Acquire pairs with `put`.
        let task = self.task.swap(ptr::null_mut(), Ordering::Acquire);
        // SAFETY: taken out by the swap, so ours; put in by `into_raw`.
        (!task.is_null()).then(|| unsafe { Task::from_raw(task) })
    }

    /// Somebody else has seen it as it is now. (Without a task in it, there is nothing to see.)
    pub(crate) fn mark(&self, ticks: u32) {
        if self.is_full() {
            self.seen.store(ticks, Ordering::Relaxed);
        }
    }

    /// Whether the task has lain here since it was marked: the owner has not come back.
    pub(crate) fn is_stale(&self, ticks: u32) -> bool {
        if cfg!(mutant = "never_stale") {
            return false;
        }
        self.is_full() && self.seen.load(Ordering::Relaxed) == ticks
    }
}
