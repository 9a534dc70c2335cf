//! Futures that wait for one event: each leaves its waker under a lock, and takes it back when it is dropped.
//!
//! Wakers are code of users. They are cloned, called and dropped outside of the lock only.

use std::task::{Poll, Waker};
use std::thread;

use crate::core::slab::Slab;
use crate::ground::sync::Mutex;
use crate::ground::unwind::{self, Payload};

#[derive(Default)]
pub(crate) struct Waiters {
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    wakers: Slab<Waker>,
    /// How often the wakers have been taken: a key is good for one round.
    round: u64,
}

/// Where a waiter's waker lies.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    round: u64,
    index: u32,
}

impl List {
    fn at(&mut self, key: Option<Key>) -> Option<&mut Waker> {
        let key = key.filter(|key| key.round == self.round)?;
        self.wakers.get_mut(key.index)
    }

    /// Leaves a waker; gives the one back that it displaces.
    fn put(&mut self, key: &mut Option<Key>, waker: Waker) -> Option<Waker> {
        if let Some(place) = self.at(*key) {
            return Some(std::mem::replace(place, waker));
        }
        *key = Some(Key { round: self.round, index: self.wakers.insert(waker) });
        None
    }
}

impl Waiters {
    /// Ready if it has happened; else leaves the waker for [`take`](Self::take), and Pending.
    ///
    /// No wake is lost: who makes `happened` true calls `take` after that. If our section under the lock comes first,
    /// the waker is found there; else `happened`, asked under the lock, sees what was written before.
    pub(crate) fn poll(&self, key: &mut Option<Key>, waker: &Waker, happened: impl Fn() -> bool) -> Poll<()> {
        if happened() {
            return Poll::Ready(());
        }
        if self.list.lock().at(*key).is_some_and(|left| left.will_wake(waker)) {
            return Poll::Pending;
        }
        let waker = waker.clone();
        let mut list = self.list.lock();
        if happened() {
            drop(list);
            return Poll::Ready(());
        }
        let displaced = list.put(key, waker);
        drop(list);
        drop(displaced);
        Poll::Pending
    }

    /// Takes a waker back.
    pub(crate) fn leave(&self, key: Option<Key>) {
        let Some(key) = key else { return };
        let mut list = self.list.lock();
        let waker = if key.round == list.round { list.wakers.remove(key.index) } else { None };
        drop(list);
        drop(waker);
    }

    /// Takes all wakers, for [`wake`].
    pub(crate) fn take(&self) -> Slab<Waker> {
        let mut list = self.list.lock();
        list.round += 1;
        std::mem::take(&mut list.wakers)
    }
}

/// Wakes all, also if one of them panics; returns what the first such panicked with.
pub(crate) fn wake(wakers: impl IntoIterator<Item = Waker>) -> Option<Payload> {
    let mut first = None;
    for waker in wakers {
        if let Err(payload) = unwind::catch(|| waker.wake()) {
            if first.is_none() {
                first = Some(payload);
            } else {
                unwind::drop_quietly(payload);
            }
        }
    }
    first
}

/// Raises a waker's panic again. Not on a thread that unwinds already, in a destructor: that would end the process,
/// and the panic hook has reported it.
pub(crate) fn resume(panic: Option<Payload>) {
    if let Some(payload) = panic {
        if thread::panicking() {
            unwind::drop_quietly(payload);
        } else {
            unwind::resume(payload);
        }
    }
}

#[cfg(all(test, not(filch_loom)))]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counted() -> (Arc<Wakes>, Waker) {
        let wakes = Arc::<Wakes>::default();
        (wakes.clone(), wakes.into())
    }

    #[test]
    fn what_happens_while_the_waker_is_cloned_is_seen() {
        let (waiters, (wakes, waker)) = (Waiters::default(), counted());
        let (asked, mut key) = (Cell::new(0), None);
        let happened = || asked.replace(asked.get() + 1) > 0;
        assert!(waiters.poll(&mut key, &waker, happened).is_ready());
        assert!(key.is_none() && waiters.take().is_empty());
        drop(waker);
        assert_eq!(Arc::strong_count(&wakes), 1);
    }

    #[test]
    fn an_old_key_is_nobody_elses() {
        let (waiters, (old, old_waker), (new, new_waker)) = (Waiters::default(), counted(), counted());
        let (mut old_key, mut new_key) = (None, None);
        assert!(waiters.poll(&mut old_key, &old_waker, || false).is_pending());
        assert!(wake(waiters.take().into_values()).is_none());
        assert!(waiters.poll(&mut new_key, &new_waker, || false).is_pending());
        // Neither taking back by it, nor waiting again.
        waiters.leave(old_key);
        assert!(waiters.poll(&mut old_key, &old_waker, || false).is_pending());
        assert!(wake(waiters.take().into_values()).is_none());
        assert_eq!((old.0.load(Ordering::Relaxed), new.0.load(Ordering::Relaxed)), (2, 1));
    }
}
