//! The end of a scope: jobs that spawn jobs, an opener that parks, and a frame that goes.

use super::{explore, parker};
use crate::core::count_latch::CountLatch;
use crate::core::latch::Waiter;
use loom::cell::UnsafeCell;
use std::ptr::NonNull;
use std::sync::Arc;

struct Frame {
    jobs: CountLatch,
    results: [UnsafeCell<u32>; 2],
}

#[derive(Clone, Copy)]
struct FramePointer(*const Frame);
// SAFETY: each job is counted by the frame's latch, which its owner waits for.
unsafe impl Send for FramePointer {}

/// A job: writes its result, then is done.
fn job(frame: FramePointer, index: usize) {
    // SAFETY: the frame counts this job.
    unsafe { (&(*frame.0).results)[index].with_mut(|result| *result += 1) };
    // SAFETY: as above, and the last access.
    unsafe { CountLatch::done(&raw const (*frame.0).jobs) };
}

#[test]
fn the_frame_outlives_every_job() {
    explore(|| {
        let bed = parker();
        let frame = Box::new(Frame {
            jobs: CountLatch::new(Waiter::Slot(NonNull::from(&*bed))),
            results: [UnsafeCell::new(0), UnsafeCell::new(0)],
        });
        let pointer = FramePointer(&raw const *frame);
        frame.jobs.add();
        let kept = Arc::clone(&bed);
        let outer = loom::thread::spawn(move || {
            let pointer = pointer;
            // A job that spawns a job.
            // SAFETY: the frame counts this job.
            unsafe { (*pointer.0).jobs.add() };
            let inner = loom::thread::spawn(move || {
                let pointer = pointer;
                job(pointer, 1);
            });
            job(pointer, 0);
            inner.join().unwrap();
            drop(kept);
        });
        // SAFETY: the opener.
        unsafe { CountLatch::done(&raw const frame.jobs) };
        while frame.jobs.latch().announce_sleep() {
            bed.park();
        }
        for result in &frame.results {
            // SAFETY: handed over by the latch.
            assert_eq!(result.with(|result| unsafe { *result }), 1);
        }
        drop(frame);
        outer.join().unwrap();
    });
}
