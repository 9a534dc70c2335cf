//! The next slot: its owner puts tasks in and takes them out, while a thief takes.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use loom::sync::Arc;
use loom::sync::atomic::Ordering;
use loom::thread;

use crate::core::next_slot::NextSlot;
use crate::core::task;
use crate::explore;
use crate::task_model::{World, end, spawn};

/// Ready at once; counts its polls and its drop.
struct Counted(Arc<World>);

impl Future for Counted {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.0.polls.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.drops.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn each_task_is_taken_once() {
    explore(|| {
        let world = World::new();
        let slot = Arc::new(NextSlot::new());
        for _ in 0..2 {
            drop(unsafe { task::detach(spawn(&world, Counted(world.clone())), true) });
        }
        let tasks = std::mem::take(&mut *world.queue.lock().unwrap());
        let thief = {
            let slot = slot.clone();
            thread::spawn(move || {
                if let Some(task) = slot.take() {
                    task.run(false);
                }
            })
        };
        for task in tasks {
            if let Some(displaced) = slot.put(task) {
                displaced.run(false);
            }
        }
        if let Some(task) = slot.take() {
            task.run(false);
        }
        thief.join().unwrap();
        assert!(slot.take().is_none());
        assert_eq!((world.count(|w| &w.polls), world.count(|w| &w.drops), world.count(|w| &w.ended)), (2, 2, 2));
        end(&world);
    });
}
