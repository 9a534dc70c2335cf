//! One pool under mixed load, where it is easy to leave something behind: places of closures that were cancelled,
//! timers that are put forward from outside, and background work's mark on what is not its own.

mod support;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use filch::task::Builder;
use filch::{Pool, Priority, blocking};
use support::{Event, Rng, Wakes, note, occupy, pool, pool_without_lane, with_deadline, within};

const LONG: Duration = Duration::from_secs(20);

const PRIORITIES: [Priority; 3] = [Priority::High, Priority::Normal, Priority::Background];

fn bounded(workers: usize, most: usize) -> Pool {
    Pool::builder().workers(workers).max_queued_closures(most).build().unwrap()
}

#[test]
fn a_closure_that_is_cancelled_gives_its_place_back_at_once() {
    with_deadline(60, || {
        for (workers, priority) in [1, 2].into_iter().flat_map(|n| PRIORITIES.map(|priority| (n, priority))) {
            note(format!("{workers} workers, {priority:?}"));
            let pool = bounded(workers, 2);
            let go = occupy(&pool);
            let spawn = || Builder::new().pool(&pool).priority(priority).try_spawn_cpu(|| 1);
            let (first, second) = (spawn().unwrap(), spawn().unwrap());
            assert!(spawn().unwrap_err().is_full());
            first.abort();
            assert_eq!(pool.stats().queued_closures, Some(1));
            let third = spawn().unwrap();
            assert!(spawn().unwrap_err().is_full());
            drop(third);
            assert_eq!(pool.stats().queued_closures, Some(1));
            let fourth = spawn().unwrap();
            go.set();
            assert!(first.join().unwrap_err().is_cancelled());
            assert_eq!((second.join().unwrap(), fourth.join().unwrap()), (1, 1));
            assert!(within(LONG, || pool.stats().queued_closures == Some(0)));
        }
    });
}

#[test]
fn who_waits_for_room_gets_the_place_of_one_that_is_cancelled() {
    with_deadline(60, || {
        let pool = bounded(1, 1);
        let go = occupy(&pool);
        let first = pool.try_spawn_cpu(|| 1).unwrap();
        let (wakes, mut waiting) = (Wakes::default(), pool.spawn_cpu_when_room(|| 2));
        assert!(wakes.poll(Pin::new(&mut waiting)).is_pending());
        drop(first);
        assert_eq!(wakes.count(), 1);
        let Poll::Ready(Ok(second)) = wakes.poll(Pin::new(&mut waiting)) else { panic!("it has been let in") };
        assert!(pool.try_spawn_cpu(|| 3).unwrap_err().is_full());
        go.set();
        assert_eq!(second.join().unwrap(), 2);
    });
}

/// What is left of a cancelled closure takes memory until its turn comes, so that is bounded too.
#[test]
fn what_cancelled_closures_leave_in_the_queue_is_bounded() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let most = 3;
            let pool = bounded(workers, most);
            let go = occupy(&pool);
            let mut accepted = 0;
            while let Ok(handle) = pool.try_spawn_cpu(|| ()) {
                handle.abort();
                accepted += 1;
            }
            assert_eq!((accepted, pool.stats().queued_closures), (2 * most, Some(most)));
            go.set();
            assert!(within(LONG, || pool.stats().queued_closures == Some(0)));
            // All is as before.
            let go = occupy(&pool);
            let handles: Vec<_> = (0..most).map(|_| pool.try_spawn_cpu(|| ()).unwrap()).collect();
            assert!(pool.try_spawn_cpu(|| ()).unwrap_err().is_full());
            go.set();
            handles.into_iter().for_each(|handle| handle.join().unwrap());
        }
    });
}

#[test]
fn places_are_neither_lost_nor_made_by_cancelling_beside_the_start() {
    with_deadline(100, || {
        for workers in [1, 2, 4] {
            let pool = bounded(workers, 3);
            thread::scope(|threads| {
                for seed in 0..3 {
                    let pool = &pool;
                    threads.spawn(move || {
                        let mut rng = Rng(seed);
                        for _ in 0..5_000 {
                            let priority = PRIORITIES[rng.below(3) as usize];
                            let spawned = Builder::new().pool(pool).priority(priority).try_spawn_cpu(|| ());
                            let Ok(handle) = spawned else { continue };
                            match rng.below(4) {
                                0 => handle.abort(),
                                1 => handle.detach(),
                                2 => drop(handle.join()),
                                _ => drop(handle),
                            }
                        }
                    });
                }
            });
            assert!(within(LONG, || pool.stats().queued_closures == Some(0)), "{:?}", pool.stats());
            let go = occupy(&pool);
            let handles: Vec<_> = (0..3).map(|_| pool.try_spawn_cpu(|| ()).unwrap()).collect();
            assert!(pool.try_spawn_cpu(|| ()).unwrap_err().is_full());
            go.set();
            drop(handles);
        }
    });
}

#[test]
fn a_closure_that_is_cancelled_beside_the_end_of_its_pool() {
    with_deadline(60, || {
        for round in 0..200 {
            let pool = Arc::new(bounded(1 + round % 2, 8));
            let handles: Vec<_> = (0..8).filter_map(|_| pool.try_spawn_cpu(|| ()).ok()).collect();
            let ender = thread::spawn(move || if round % 2 == 0 { pool.shutdown() } else { pool.shutdown_now() });
            drop(handles);
            ender.join().unwrap();
        }
    });
}

// ----- timers --------------------------------------------------------------------------------------------------------

#[test]
#[expect(clippy::async_yields_async, reason = "the timer is reset outside")]
fn a_timer_that_is_put_forward_from_outside_fires_beside_closures() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let pool = pool(workers);
            let mut sleep = pool
                .spawn(async {
                    let mut sleep = Box::pin(filch::time::sleep(Duration::from_secs(3_600)));
                    poll_fn(|context| {
                        assert!(sleep.as_mut().poll(context).is_pending());
                        Poll::Ready(())
                    })
                    .await;
                    sleep
                })
                .join()
                .unwrap();
            let wakes = Wakes::default();
            assert!(wakes.poll(sleep.as_mut()).is_pending());
            let go = occupy(&pool);
            // The lane goes to sleep for good, as far as it knows.
            thread::sleep(Duration::from_millis(100));
            sleep.as_mut().reset(filch::time::Instant::now() + Duration::from_millis(5));
            let fired = within(Duration::from_secs(5), || wakes.count() > 0);
            go.set();
            assert!(fired, "{workers} workers: nobody has looked at the timer");
        }
    });
}

// ----- background work -----------------------------------------------------------------------------------------------

/// A scope's job lies in the queue of a thread that begins background work, because that was due. It is none.
#[test]
fn normal_work_that_is_stolen_from_a_background_thread_is_not_marked() {
    with_deadline(60, || {
        let pool = Arc::new(pool_without_lane(2));
        let (hold_first, hold_other, hold_background) = (Event::default(), Event::default(), Event::default());
        let (first_in, other_in, background_in) = (Event::default(), Event::default(), Event::default());
        let seen = AtomicUsize::new(usize::MAX);
        pool.spawn_detached({
            let (other_in, hold) = (other_in.clone(), hold_other.clone());
            move || {
                other_in.set();
                hold.wait();
            }
        });
        assert!(other_in.wait_for(LONG));
        thread::scope(|threads| {
            let (pool, seen, background_in) = (&pool, &seen, &background_in);
            let (first_in, hold_first) = (&first_in, &hold_first);
            threads.spawn(move || {
                // Handed in, lest this thread be a guest that keeps a seat.
                pool.in_place_scope(|s| {
                    s.spawn(move |s| {
                        // Into the queue of this thread, which leaves it behind.
                        s.spawn(move |_| seen.store(pool.stats().background_threads, SeqCst));
                        first_in.set();
                        hold_first.wait();
                    });
                });
            });
            assert!(first_in.wait_for(LONG));
            let background = Builder::new().pool(pool).priority(Priority::Background).spawn_cpu({
                let (inside, hold) = (background_in.clone(), hold_background.clone());
                move || {
                    inside.set();
                    hold.wait();
                }
            });
            // Until it is due.
            thread::sleep(Duration::from_millis(150));
            hold_first.set();
            assert!(background_in.wait_for(LONG));
            assert_eq!(seen.load(SeqCst), usize::MAX, "background work came first");
            hold_other.set();
            let ran = within(LONG, || seen.load(SeqCst) != usize::MAX);
            hold_background.set();
            background.join().unwrap();
            assert!(ran, "the scope's job was not stolen");
        });
        assert_eq!(seen.load(SeqCst), 1, "threads marked as background");
    });
}

/// Nobody is there to hand the seat to when the work comes that background work should give way to. It does so as
/// soon as somebody is.
#[test]
fn background_work_gives_way_when_spares_are_back() {
    with_deadline(60, || {
        let pool = Arc::new(pool_without_lane(1));
        let holds = [(); 3].map(|()| Event::default());
        let inside = Arc::new(AtomicUsize::new(0));
        // The worker and a spare block; the second spare, the last one there is, runs the background closure.
        for (n, hold) in holds[..2].iter().enumerate() {
            let (hold, blocked) = (hold.clone(), inside.clone());
            pool.spawn_detached(move || {
                blocking(|| {
                    blocked.fetch_add(1, SeqCst);
                    hold.wait();
                })
            });
            assert!(within(LONG, || inside.load(SeqCst) == n + 1));
        }
        let (over, running) = (Arc::new(AtomicBool::new(false)), Event::default());
        let background = Builder::new().pool(&pool).priority(Priority::Background).spawn_cpu({
            let (over, running) = (over.clone(), running.clone());
            move || {
                running.set();
                while !over.load(SeqCst) {
                    filch::join(|| (), || ());
                }
            }
        });
        assert!(running.wait_for(LONG));
        assert_eq!(pool.stats().spares, 2, "all spares are out");
        let normal = pool.spawn_cpu(|| ());
        thread::sleep(Duration::from_millis(50));
        assert!(!normal.is_finished());
        holds[0].set();
        let ran = within(LONG, || normal.is_finished());
        over.store(true, SeqCst);
        holds[1].set();
        background.join().unwrap();
        assert!(ran, "the request is forgotten");
    });
}
