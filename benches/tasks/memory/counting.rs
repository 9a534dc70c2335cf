//! The system's allocator, and a count of the bytes that are requested and not given back. It counts only when it has
//! been told to; the rows of times pay a load and a branch per allocation, all of them alike.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};

pub struct Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
static BYTES: AtomicIsize = AtomicIsize::new(0);

/// Counts from here on.
pub fn begin() {
    COUNTS.store(true, Ordering::Relaxed);
}

/// By how much more bytes were requested than given back.
pub fn bytes() -> isize {
    BYTES.load(Ordering::Relaxed)
}

#[inline(always)]
fn count(change: isize) {
    if COUNTS.load(Ordering::Relaxed) {
        BYTES.fetch_add(change, Ordering::Relaxed);
    }
}

// SAFETY: all is handed on to the system's allocator, under the same contract.
unsafe impl GlobalAlloc for Counting {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(memory, layout, size) }
    }
}
