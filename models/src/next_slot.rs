//! The next slot: its owner puts tasks in and takes them out, while a thief takes.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;

use crate::core::next_slot::NextSlot;
use crate::core::parker::Parker;
use crate::core::task::{self, Task};
use crate::task_model::{World, end, spawn};
use crate::{explore, parker};

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

/// A thread, as far as others look into its next slot: `Slot::mark_next`, `Slot::has_stale_next` and the tick of
/// `Slot::tick`.
struct Thread {
    slot: NextSlot,
    tick: AtomicU32,
}

impl Thread {
    fn new() -> Arc<Self> {
        // It is at its first piece of work.
        Arc::new(Thread { slot: NextSlot::new(), tick: AtomicU32::new(1) })
    }

    /// One look of a searcher, or of the watch: takes what has lain there since it was marked.
    fn look(&self) -> Option<Task> {
        let stale = self.slot.is_stale(self.tick.load(Ordering::Relaxed));
        let task = if stale { self.slot.take() } else { None };
        self.slot.mark(self.tick.load(Ordering::Relaxed));
        task
    }

    /// The owner comes back for its next piece of work.
    fn come_back(&self) -> Option<Task> {
        self.tick.store(self.tick.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.slot.take()
    }
}

/// Tells a parker that it has been polled.
struct Rings(Arc<World>, std::sync::Arc<Parker>);

impl Future for Rings {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.0.polls.fetch_add(1, Ordering::Relaxed);
        self.1.unpark();
        Poll::Ready(())
    }
}

fn task_of<F: Future>(world: &Arc<World>, future: F) -> Task {
    drop(unsafe { task::detach(spawn(world, future), true) });
    world.queue.lock().unwrap().pop().unwrap()
}

#[test]
fn a_task_whose_thread_does_not_come_back_is_taken() {
    // The poll that has woken it waits for it. One looks twice and is the first to look; another searches meanwhile.
    explore(|| {
        let (world, thread) = (World::new(), Thread::new());
        let bed = parker();
        let next = task_of(&world, Rings(world.clone(), bed.clone()));
        assert!(thread.slot.put(next).is_none());
        let others = [2, 1].map(|looks| {
            let thread = thread.clone();
            thread::spawn(move || {
                for _ in 0..looks {
                    if let Some(task) = thread.look() {
                        task.run(false);
                    }
                }
            })
        });
        bed.park();
        for other in others {
            other.join().unwrap();
        }
        assert!(!thread.slot.is_full());
        assert_eq!((world.count(|w| &w.polls), world.count(|w| &w.ended)), (1, 1));
        end(&world);
    });
}

#[test]
fn a_task_whose_thread_comes_back_is_not_taken() {
    // The mark is older than the thread's return: it is no sign for the task that came after that.
    explore(|| {
        let (world, thread) = (World::new(), Thread::new());
        let [first, second] = [(), ()].map(|()| task_of(&world, Counted(world.clone())));
        assert!(thread.slot.put(first).is_none());
        assert!(thread.look().is_none(), "nobody has looked before");
        thread.come_back().expect("nobody has taken it").run(false);
        assert!(thread.slot.put(second).is_none());
        assert!(thread.look().is_none(), "the thread has come back");
        let thief = {
            let thread = thread.clone();
            thread::spawn(move || {
                if let Some(task) = thread.look() {
                    task.run(false);
                }
            })
        };
        if let Some(task) = thread.come_back() {
            task.run(false);
        }
        thief.join().unwrap();
        assert!(!thread.slot.is_full());
        assert_eq!((world.count(|w| &w.polls), world.count(|w| &w.drops), world.count(|w| &w.ended)), (2, 2, 2));
        end(&world);
    });
}
