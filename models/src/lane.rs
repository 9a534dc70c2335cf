//! The express lane: no task is left alone. See `lane.md`.

use super::{explore, parker};
use crate::core::lane::{Called, Engaged, Lane, Rest};
use crate::core::wheel::NEVER;
use crate::ground::barrier;
use crate::ground::sync::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::Arc;

/// One worker, one task, one timer.
struct Pool {
    lane: Lane,
    engaged: Engaged,
    task: AtomicBool,
    timer: AtomicU64,
}

impl Pool {
    fn new() -> Arc<Pool> {
        Arc::new(Pool {
            lane: Lane::new(2),
            engaged: Engaged::new(false),
            task: AtomicBool::new(false),
            timer: AtomicU64::new(NEVER),
        })
    }

    fn has_task(&self) -> bool {
        self.task.load(Ordering::Acquire)
    }

    fn take(&self) -> bool {
        self.has_task() && self.task.swap(false, Ordering::AcqRel)
    }

    /// The producer's steps, when nobody searches and no seat is free. Says whether a thread must be started.
    fn produce(&self) -> Called {
        self.task.store(true, Ordering::Release);
        fence(Ordering::SeqCst);
        if self.lane.is_up() {
            Called::Heard
        } else if self.engaged.get() {
            self.lane.call()
        } else if !self.lane.is_watched() {
            self.lane.call_patrol()
        } else {
            Called::Heard
        }
    }
}

/// A lane of which a new thread has gone on duty: the number of that.
fn on_duty(pool: &Pool) -> u64 {
    match pool.lane.call() {
        Called::Start(_) => pool.lane.duty(),
        Called::Heard => unreachable!("nobody sleeps"),
    }
}

#[test]
fn a_task_beside_the_end_of_the_duty() {
    explore(|| {
        let pool = Pool::new();
        pool.engaged.set(true);
        let _ = on_duty(&pool);
        let producer = {
            let pool = pool.clone();
            loom::thread::spawn(move || assert_eq!(pool.produce(), Called::Heard))
        };
        let bed = parker();
        loop {
            if pool.take() {
                break;
            }
            pool.lane.end_duty(&bed, true);
            if !(pool.has_task() && pool.lane.take_duty(&bed)) {
                // It sleeps until it is called. (No look of the patrol: the task must be found without one.)
                while pool.lane.rest(&bed) != Rest::Called {
                    bed.park();
                }
            }
        }
        producer.join().unwrap();
    });
}

#[test]
fn a_task_beside_the_end_of_the_patrol() {
    // The worker polls, so the lane does not come at once; but it must not stop to look.
    explore(|| {
        let pool = Pool::new();
        let _ = on_duty(&pool);
        let bed = parker();
        pool.lane.end_duty(&bed, true);
        let worker = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                // A worker's own task: no fence.
                pool.task.store(true, Ordering::Release);
                barrier::light();
                if !pool.lane.is_watched() {
                    assert_eq!(pool.lane.call_patrol(), Called::Heard);
                }
            })
        };
        pool.lane.end_patrol(&bed, || pool.has_task());
        worker.join().unwrap();
        assert!(pool.lane.is_watched(), "nobody will ever look");
    });
}

#[test]
fn a_push_beside_the_end_of_a_duty_without_patrol() {
    // Everybody was in a closure when the duty ended, so no patrol begins. The worker, which polls by now and pushes
    // without a fence, may still see the lane on duty: then the look that is owed must find the task.
    explore(|| {
        let pool = Pool::new();
        let _ = on_duty(&pool);
        let worker = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                pool.task.store(true, Ordering::Release);
                barrier::light();
                if !pool.lane.is_watched() {
                    assert_eq!(pool.lane.call_patrol(), Called::Heard);
                }
            })
        };
        let bed = parker();
        pool.lane.end_duty(&bed, false);
        if pool.has_task() {
            pool.lane.begin_patrol(&bed);
        } else {
            pool.lane.end_patrol(&bed, || pool.has_task());
        }
        worker.join().unwrap();
        assert!(pool.lane.is_watched(), "nobody will ever look");
    });
}

#[test]
fn two_callers_one_thread() {
    explore(|| {
        let pool = Pool::new();
        pool.engaged.set(true);
        let other = {
            let pool = pool.clone();
            loom::thread::spawn(move || matches!(pool.produce(), Called::Start(_)))
        };
        let mine = matches!(pool.produce(), Called::Start(_));
        assert!(other.join().unwrap() != mine, "exactly one of them starts the thread");
    });
}

#[test]
fn a_timer_beside_a_closure_that_begins() {
    // The worker polls and would look at the timers; it begins a closure while the lane makes its plan.
    explore(|| {
        let pool = Pool::new();
        pool.timer.store(5, Ordering::Relaxed);
        let _ = on_duty(&pool);
        let bed = parker();
        pool.lane.end_duty(&bed, true);
        // The plan of before, when the worker was in another closure.
        assert_eq!(pool.lane.plan_for(&bed, || 5), 5);
        let worker = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                pool.engaged.begin();
                if pool.timer.load(Ordering::Relaxed) < pool.lane.plan() {
                    assert_eq!(pool.lane.call_keeper(), Called::Heard);
                }
            })
        };
        let next = || if pool.engaged.get() { pool.timer.load(Ordering::Relaxed) } else { NEVER };
        let mut plan = pool.lane.plan_for(&bed, next);
        while plan == NEVER {
            bed.park();
            plan = pool.lane.plan_for(&bed, next);
        }
        assert_eq!(plan, 5);
        worker.join().unwrap();
    });
}

#[test]
fn a_timer_noted_beside_the_plan() {
    explore(|| {
        let pool = Pool::new();
        pool.engaged.set(true);
        let _ = on_duty(&pool);
        let bed = parker();
        pool.lane.end_duty(&bed, true);
        let maker = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                pool.timer.store(5, Ordering::Relaxed);
                fence(Ordering::SeqCst);
                if 5 < pool.lane.plan() {
                    assert_eq!(pool.lane.call_keeper(), Called::Heard);
                }
            })
        };
        let next = || pool.timer.load(Ordering::Relaxed);
        let mut plan = pool.lane.plan_for(&bed, next);
        while plan == NEVER {
            bed.park();
            plan = pool.lane.plan_for(&bed, next);
        }
        assert_eq!(plan, 5);
        maker.join().unwrap();
    });
}

#[test]
fn a_poll_that_blocks_gives_the_duty_up() {
    // The thread on duty blocks until another task has run: the second thread must be called for that.
    explore(|| {
        let pool = Pool::new();
        pool.engaged.set(true);
        let first = on_duty(&pool);
        let second = parker();
        // A second thread, asleep.
        pool.lane.leave_duty(first);
        let _ = on_duty(&pool);
        pool.lane.end_duty(&second, true);
        assert!(pool.lane.come_back(&parker(), first), "the first has the duty again");
        let other = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                while pool.lane.rest(&second) != Rest::Called {
                    second.park();
                }
                assert!(pool.take());
            })
        };
        let producer = {
            let pool = pool.clone();
            loom::thread::spawn(move || assert_eq!(pool.produce(), Called::Heard))
        };
        pool.lane.leave_duty(pool.lane.duty());
        if pool.has_task() {
            assert_eq!(pool.lane.call(), Called::Heard);
        }
        producer.join().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn a_poll_from_which_the_duty_is_taken() {
    // A producer finds the lane in a poll that has gone on for long enough, and gives the duty to the second thread,
    // which begins a poll itself. The first poll ends meanwhile: its thread must not end the other's duty, nor hide the
    // other's poll, nor may both leave the task.
    explore(|| {
        let pool = Pool::new();
        pool.engaged.set(true);
        let first = on_duty(&pool);
        let (mine, second) = (parker(), parker());
        // A second thread, asleep.
        pool.lane.leave_duty(first);
        let _ = on_duty(&pool);
        pool.lane.end_duty(&second, false);
        assert!(pool.lane.come_back(&mine, first), "the first has the duty again");
        let duty = pool.lane.duty();
        let poll = pool.lane.begin_poll(duty, 7);
        let producer = {
            let (pool, second) = (pool.clone(), second.clone());
            loom::thread::spawn(move || {
                pool.task.store(true, Ordering::Release);
                fence(Ordering::SeqCst);
                if !pool.lane.is_up() {
                    assert_eq!(pool.lane.call(), Called::Heard);
                } else if let Some(poll) = pool.lane.poll() {
                    assert_eq!(poll.since(), 7);
                    assert_eq!(pool.lane.take_over(poll, |others| others == 0), Called::Heard);
                }
                // The second thread, if it has been called.
                if pool.lane.rest(&second) == Rest::Called {
                    let poll = pool.lane.begin_poll(pool.lane.duty(), 8);
                    let _ = pool.take();
                    assert!(pool.lane.is_up(), "its duty has been ended by another");
                    assert_eq!(pool.lane.poll(), Some(poll), "its poll has been hidden");
                    assert!(pool.lane.end_poll(poll));
                    pool.lane.end_duty(&second, false);
                }
            })
        };
        let mut has_duty = pool.lane.end_poll(poll);
        loop {
            if !has_duty && !pool.lane.come_back(&mine, duty) {
                break;
            }
            let _ = pool.take();
            pool.lane.end_duty(&mine, false);
            has_duty = pool.has_task() && pool.lane.take_duty(&mine);
            if !has_duty {
                break;
            }
        }
        producer.join().unwrap();
        // Nobody is left to take it but who has been called, and sleeps in this model.
        let called = pool.lane.rest(&mine) == Rest::Called || pool.lane.rest(&second) == Rest::Called;
        assert!(!pool.has_task() || called, "a task is left alone");
        assert!(called == pool.lane.is_up());
    });
}
