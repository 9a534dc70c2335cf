//! Which tasks of a [`JoinSet`](crate::task::JoinSet) have ended, in the order in which they did.
//!
//! Every task's handle is polled with a bell of its own. The task's end rings it, which puts the bell into the set's
//! queue. So the set looks at handles that have something to say, and at no others.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use crate::ground::sync::{AtomicBool, Mutex, Ordering};

#[derive(Default)]
pub(crate) struct Ready {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    rung: VecDeque<Arc<Bell>>,
    /// Who waits for the next bell. Only while the queue is empty.
    waker: Option<Waker>,
}

/// The waker of one handle.
pub(crate) struct Bell {
    /// Where the set keeps the handle.
    pub(crate) key: u32,
    /// Whether a ring changes nothing: the bell is in the queue already, or nobody asks any more.
    muted: AtomicBool,
    /// Weak: the queue holds bells.
    set: Weak<Ready>,
}

impl Bell {
    pub(crate) fn new(key: u32, set: &Arc<Ready>) -> Arc<Bell> {
        Arc::new(Bell { key, muted: AtomicBool::new(false), set: Arc::downgrade(set) })
    }

    /// Before its handle is polled: whatever happens from then on rings again.
    fn unmute(&self) {
        // Acquire pairs with the Release in `wake_by_ref`: a ring that came too early to count is one whose cause the
        // poll sees.
        self.muted.swap(false, Ordering::Acquire);
    }

    /// The handle has left the set.
    pub(crate) fn mute(&self) {
        // Relaxed: a ring that comes too early to see this finds no handle under its key, or not its own.
        self.muted.store(true, Ordering::Relaxed);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release pairs with the Acquire in `unmute`.
        if self.muted.swap(true, Ordering::Release) {
            return;
        }
        let Some(set) = self.set.upgrade() else { return };
        let mut queue = set.queue.lock();
        queue.rung.push_back(self.clone());
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Ready {
    /// The bell that has been rung first.
    pub(crate) fn pop(&self) -> Option<Arc<Bell>> {
        let bell = self.queue.lock().rung.pop_front()?;
        bell.unmute();
        Some(bell)
    }

    /// How many bells have been rung.
    pub(crate) fn len(&self) -> usize {
        self.queue.lock().rung.len()
    }

    /// The bell that has been rung first; if there is none, the next one wakes.
    pub(crate) fn pop_or_wait(&self, waker: &Waker) -> Option<Arc<Bell>> {
        let mut queue = self.queue.lock();
        if queue.rung.is_empty() && queue.waker.as_ref().is_some_and(|left| left.will_wake(waker)) {
            return None;
        }
        drop(queue);
        // Wakers are code of users: cloned and dropped outside of the lock.
        let waker = waker.clone();
        queue = self.queue.lock();
        let bell = queue.rung.pop_front();
        let displaced = match bell {
            Some(_) => Some(waker),
            None => queue.waker.replace(waker),
        };
        drop(queue);
        drop(displaced);
        if let Some(bell) = &bell {
            bell.unmute();
        }
        bell
    }

    /// Forgets all bells, and who waits.
    pub(crate) fn clear(&self) {
        let queue = std::mem::take(&mut *self.queue.lock());
        drop(queue);
    }
}
