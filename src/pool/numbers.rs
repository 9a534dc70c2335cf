//! A number for each pool that lives, by which its tasks find it: a task at rest has no room for a pointer.
//!
//! The table is append-only; a look-up is two loads. Numbers are used again when their pools have gone, which is safe
//! because a task that has not ended keeps its pool alive, and one that has does not ask.

use std::ptr;

use crate::core::task_state::MOST_POOLS;
use crate::ground::sync::{AtomicPtr, Mutex, Ordering};
use crate::pool::shared::Shared;

const CHUNK: usize = 1024;
type Chunk = [AtomicPtr<Shared>; CHUNK];

static CHUNKS: [AtomicPtr<Chunk>; MOST_POOLS / CHUNK] = [const { AtomicPtr::new(ptr::null_mut()) }; MOST_POOLS / CHUNK];
static FREE: Mutex<Free> = Mutex::new(Free { again: Vec::new(), made: 0 });

struct Free {
    again: Vec<usize>,
    made: usize,
}

/// A pool's number, free again when it is dropped.
pub(crate) struct PoolNumber(usize);

impl PoolNumber {
    /// Gives the pool a number.
    ///
    /// # Panics
    /// If a million pools are alive: no system has threads for that.
    pub(crate) fn new(pool: *const Shared) -> Self {
        let mut free = FREE.lock();
        let number = free.again.pop().unwrap_or_else(|| {
            let number = free.made;
            assert!(number < MOST_POOLS, "filch: more than {MOST_POOLS} pools at once");
            free.made += 1;
            let chunk = &CHUNKS[number / CHUNK];
            if chunk.load(Ordering::Relaxed).is_null() {
                let empty: Box<Chunk> = Box::new([const { AtomicPtr::new(ptr::null_mut()) }; CHUNK]);
                // Release pairs with the Acquire in `get`. Never freed.
                chunk.store(Box::into_raw(empty), Ordering::Release);
            }
            number
        });
        drop(free);
        let this = PoolNumber(number);
        // Relaxed: whoever asks has a task of the pool, and got it by way of something that synchronises.
        this.place().store(pool.cast_mut(), Ordering::Relaxed);
        this
    }

    pub(crate) fn get(&self) -> usize {
        self.0
    }

    fn place(&self) -> &AtomicPtr<Shared> {
        place(self.0)
    }
}

fn place(number: usize) -> &'static AtomicPtr<Shared> {
    let chunk = CHUNKS[number / CHUNK].load(Ordering::Acquire);
    // SAFETY: `new` has made the chunk before it gave the number out, and none is ever freed.
    let chunk = unsafe { &*chunk };
    &chunk[number % CHUNK]
}

impl Drop for PoolNumber {
    fn drop(&mut self) {
        self.place().store(ptr::null_mut(), Ordering::Relaxed);
        FREE.lock().again.push(self.0);
    }
}

/// The pool with this number.
///
/// # Safety
/// The caller keeps a task of the pool from ending, or the pool alive in another way, as long as it uses the result.
pub(crate) unsafe fn pool<'p>(number: usize) -> &'p Shared {
    // SAFETY: set by `new` before the first task was made, and alive by the caller's promise.
    unsafe { &*place(number).load(Ordering::Relaxed) }
}
