//! A latch between a waiter that parks and a setter, in a frame that goes as soon as the waiter has seen it set.

use super::{explore, parker};
use crate::core::latch::{Latch, Waiter};
use loom::cell::UnsafeCell;
use std::ptr::NonNull;
use std::sync::Arc;

/// The frame: a latch, and a result that the latch hands over.
struct Frame {
    latch: Latch,
    result: UnsafeCell<u32>,
}

struct FramePointer(*const Frame);
// SAFETY: the setter's accesses end with the latch's swap, which the owner waits for.
unsafe impl Send for FramePointer {}

#[test]
fn set_wakes_a_sleeper_and_hands_over() {
    explore(|| {
        let bed = parker();
        let frame =
            Box::new(Frame { latch: Latch::new(Waiter::Slot(NonNull::from(&*bed))), result: UnsafeCell::new(0) });
        let pointer = FramePointer(&raw const *frame);
        // The pool's shared state keeps parkers alive beyond the frame.
        let kept = Arc::clone(&bed);
        let setter = loom::thread::spawn(move || {
            let pointer = pointer;
            // SAFETY: the frame is alive until the latch is set.
            unsafe { (*pointer.0).result.with_mut(|result| *result = 42) };
            // SAFETY: as above; set once.
            unsafe { Latch::set(&raw const (*pointer.0).latch) };
            drop(kept);
        });
        while frame.latch.announce_sleep() {
            bed.park();
        }
        // SAFETY: handed over by the latch.
        assert_eq!(frame.result.with(|result| unsafe { *result }), 42);
        // loom reports any access of the setter to the latch after this.
        drop(frame);
        setter.join().unwrap();
    });
}

#[test]
fn a_probe_that_sees_the_latch_set_sees_the_result() {
    explore(|| {
        let frame = Arc::new((Latch::new(Waiter::Outside(parker())), UnsafeCell::new(0)));
        let setter = {
            let frame = frame.clone();
            loom::thread::spawn(move || {
                // SAFETY: nobody reads before the latch is set.
                frame.1.with_mut(|result| unsafe { *result = 42 });
                // SAFETY: alive by the Arc; set once.
                unsafe { Latch::set(&frame.0) };
            })
        };
        if frame.0.probe() {
            // SAFETY: handed over by the latch.
            assert_eq!(frame.1.with(|result| unsafe { *result }), 42);
        }
        setter.join().unwrap();
    });
}
