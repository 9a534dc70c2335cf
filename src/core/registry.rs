//! The wakers of all live tasks, so that a closing pool can reach those that wait for something.
//!
//! Sharded, because every spawn and every end of a task takes a lock of it. A waker is woken, and dropped, outside of
//! the locks: both may run foreign code.

use std::task::Waker;

use crate::ground::sync::{AtomicUsize, Mutex, Ordering, fence};

const SHARDS: usize = 16;

#[derive(Debug, Default)]
struct Shard {
    entries: Vec<Entry>,
    free: Option<u32>,
    closed: bool,
}

#[derive(Debug)]
enum Entry {
    Taken(Option<Waker>),
    Free(Option<u32>),
}

/// Where a task stands in the registry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    shard: u32,
    entry: u32,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Registry {
    shards: Vec<Mutex<Shard>>,
    live: AtomicUsize,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Registry { shards: (0..SHARDS).map(|_| Mutex::new(Shard::default())).collect(), live: AtomicUsize::new(0) }
    }

    /// A place for a new task; `near` spreads the callers over the shards. None once the registry is closed.
    pub(crate) fn reserve(&self, near: usize) -> Option<Ticket> {
        let index = near % SHARDS;
        let mut shard = self.shards[index].lock();
        if shard.closed {
            return None;
        }
        let taken = Entry::Taken(None);
        let entry = match shard.free {
            Some(at) => {
                let Entry::Free(next) = std::mem::replace(&mut shard.entries[at as usize], taken) else {
                    unreachable!("the free list holds free entries");
                };
                shard.free = next;
                at
            }
            None => {
                shard.entries.push(taken);
                u32::try_from(shard.entries.len() - 1).expect("fewer than 2^32 tasks in a shard")
            }
        };
        self.live.fetch_add(1, Ordering::Relaxed);
        Some(Ticket { shard: index as u32, entry })
    }

    /// Puts the waker of a reserved task in. Gives it back if the registry has been closed meanwhile, or the task has
    /// no entry any more.
    pub(crate) fn fill(&self, ticket: Ticket, waker: Waker) -> Result<(), Waker> {
        let mut shard = self.shards[ticket.shard as usize].lock();
        if shard.closed {
            return Err(waker);
        }
        match &mut shard.entries[ticket.entry as usize] {
            Entry::Taken(place) => {
                *place = Some(waker);
                Ok(())
            }
            Entry::Free(_) => Err(waker),
        }
    }

    /// The task's future is gone. True: it was the last one, so ask whether the pool is done.
    pub(crate) fn remove(&self, ticket: Ticket) -> bool {
        let mut shard = self.shards[ticket.shard as usize].lock();
        let next = shard.free;
        let old = std::mem::replace(&mut shard.entries[ticket.entry as usize], Entry::Free(next));
        shard.free = Some(ticket.entry);
        drop(shard);
        drop(old);
        // AcqRel: the last one sees all that the others' destructors did.
        let last = self.live.fetch_sub(1, Ordering::AcqRel) == 1;
        // Pairs with the fence in `Sleep::wake_all`, which comes after the gate was closed: either the caller sees it
        // closed, or the threads that are woken see that nothing is left.
        fence(Ordering::SeqCst);
        last
    }

    /// Takes no more tasks, and wakes all there are.
    pub(crate) fn close(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            shard.closed = true;
            let wakers: Vec<Waker> = shard
                .entries
                .iter_mut()
                .filter_map(|entry| match entry {
                    Entry::Taken(waker) => waker.take(),
                    Entry::Free(_) => None,
                })
                .collect();
            drop(shard);
            for waker in wakers {
                waker.wake();
            }
        }
    }

    /// Tasks whose futures have not been dropped yet.
    pub(crate) fn live(&self) -> usize {
        // Acquire pairs with `remove`.
        self.live.load(Ordering::Acquire)
    }
}
