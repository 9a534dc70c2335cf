//! Sections that may block: others work in the thread's place, the seat comes back whatever happens inside, and all of
//! the pool may be used there.

mod support;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use filch::prelude::*;
use filch::{Pool, blocking};
use support::{Event, Rng, catch, fib, lock, note, plan, pool, spin, with_deadline, within};

/// On pools of 1, 2 and 4 workers; afterwards as many threads run at once as there are workers, no more and no fewer.
fn each_size(secs: u64, body: impl Fn(&Pool) + Send + 'static) {
    with_deadline(secs, move || {
        for workers in [1, 2, 4] {
            note(format!("{workers} workers"));
            let pool = pool(workers);
            body(&pool);
            assert_seats(&pool);
        }
    });
}

/// Whether the count of seats is right: each closure waits until all seats are taken, and some time longer.
fn assert_seats(pool: &Pool) {
    // A thread that has come back from a section may still be one too many: it goes when it has ended its work.
    assert!(within(Duration::from_secs(10), || pool.stats().idle_threads >= 1), "{:?}", pool.stats());
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let workers = pool.num_workers();
    pool.in_place_scope(|s| {
        for _ in 0..2 * workers {
            s.spawn(|_| {
                most.fetch_max(1 + running.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                within(Duration::from_secs(10), || most.load(Ordering::SeqCst) >= workers);
                thread::sleep(Duration::from_millis(2));
                running.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    assert_eq!(most.into_inner(), workers, "threads that have run at once");
}

/// Spawns a task, a closure and a detached closure from here, and waits in a section until others have run them all.
fn served_by_others() {
    let (sender, receiver) = mpsc::channel();
    let (a, b, c) = (sender.clone(), sender.clone(), sender);
    filch::spawn(async move { a.send(1).unwrap() }).detach();
    filch::spawn_cpu(move || b.send(2).unwrap()).detach();
    filch::spawn_detached(move || c.send(3).unwrap());
    let mut all: Vec<u32> = blocking(|| receiver.iter().collect());
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3]);
}

#[test]
fn elsewhere_it_just_calls() {
    with_deadline(30, || {
        // What it is given need not be `Send`, and it stays on the thread.
        let (value, here) = (Rc::new(Cell::new(0)), thread::current().id());
        assert!(blocking(|| value.replace(7) == 0 && thread::current().id() == here));
        assert_eq!(filch::task::block_in_place(|| value.get()), 7);
        assert_eq!(catch(|| blocking(|| plan(3))), Err(3));
        assert_eq!(filch::spawn_blocking(|| blocking(|| fib(10))).join().unwrap(), 55);
    });
}

#[test]
fn it_stays_on_its_thread_and_keeps_its_index() {
    each_size(60, |pool| {
        let look = || (thread::current().id(), filch::current_thread_index(), filch::current_num_threads());
        pool.install_on_worker(|| {
            let before = look();
            assert!(before.1.is_some());
            blocking(|| {
                assert_eq!(look(), before);
                // Also when it goes back for a join, and in a section of that.
                filch::join(|| assert_eq!(look(), before), || ());
                filch::join(|| blocking(|| assert_eq!(look(), before)), || ());
                assert_eq!(pool.current_thread_index(), before.1);
                assert_eq!(filch::yield_now(), None);
            });
            assert_eq!(look(), before);
        });
    });
}

#[test]
fn others_run_what_the_thread_holds() {
    each_size(100, |pool| {
        for _ in 0..20 {
            pool.install(served_by_others);
            pool.install_on_worker(served_by_others);
            pool.spawn_cpu(served_by_others).join().unwrap();
            pool.spawn(async { served_by_others() }).join().unwrap();
            pool.block_on(async { served_by_others() });
            pool.spawn_blocking(served_by_others).join().unwrap();
            pool.join(served_by_others, served_by_others);
            // No more of them at once than leave a thread that serves them.
            let most = 3 * pool.num_workers() - 1;
            pool.install(|| (0..most).into_par_iter().for_each(|_| served_by_others()));
            pool.scope(|s| (0..most).for_each(|_| s.spawn(|_| served_by_others())));
            pool.broadcast(|_| served_by_others());
        }
    });
}

#[test]
fn the_second_arms_of_joins_around_it_are_run_by_others() {
    each_size(60, |pool| {
        for _ in 0..50 {
            // Each first arm waits for its second: outer ones too, which were private when the section began.
            let (outer, inner) = (Event::default(), Event::default());
            pool.join(|| filch::join(|| blocking(|| (outer.wait(), inner.wait())), || inner.set()), || outer.set());
            // And jobs of a scope, which lie in the thread's queue. (Items of a loop may be run together, one after the
            // other: none may wait for the next.)
            let seen = AtomicUsize::new(0);
            pool.scope(|s| {
                (0..8).for_each(|_| s.spawn(|_| add(&seen)));
                blocking(|| assert!(within(Duration::from_secs(20), || seen.load(Ordering::Relaxed) == 8)));
            });
        }
    });
}

#[test]
fn a_task_that_was_just_woken_is_polled_by_another() {
    each_size(60, |pool| {
        for _ in 0..50 {
            let (sender, receiver) = async_channel();
            let (done, ended) = mpsc::channel();
            let waiting = pool.spawn(async move {
                receiver.await;
                done.send(()).unwrap();
            });
            let waker = pool.spawn(async move {
                // Goes to this thread's next slot.
                sender.set();
                blocking(|| ended.recv().unwrap());
            });
            waker.join().unwrap();
            waiting.join().unwrap();
        }
    });
}

/// An event that a future waits for.
fn async_channel() -> (Bell, impl Future<Output = ()> + Send + 'static) {
    let bell = Bell::default();
    let waits = bell.clone();
    let future = std::future::poll_fn(move |context| {
        let mut state = lock(&waits.0);
        if state.0 {
            return std::task::Poll::Ready(());
        }
        state.1 = Some(context.waker().clone());
        std::task::Poll::Pending
    });
    (bell, future)
}

#[derive(Clone, Default)]
struct Bell(Arc<Mutex<(bool, Option<std::task::Waker>)>>);

impl Bell {
    fn set(&self) {
        let waker = {
            let mut state = lock(&self.0);
            state.0 = true;
            state.1.take()
        };
        waker.into_iter().for_each(std::task::Waker::wake);
    }
}

#[test]
fn a_panic_brings_the_seat_back() {
    each_size(60, |pool| {
        for round in 0..50 {
            assert_eq!(catch(|| pool.install(|| blocking(|| plan(round)))), Err(round));
            assert_eq!(catch(|| pool.install_on_worker(|| blocking(|| blocking(|| plan(round))))), Err(round));
            // Out of a join in a section, out of a section in a join, beside a sibling in another.
            let both = |f: &(dyn Fn() + Sync)| catch(|| pool.install(|| filch::join(f, || blocking(|| fib(5)))).1);
            assert_eq!(both(&|| blocking(|| plan(round))), Err(round));
            assert_eq!(both(&|| blocking(|| filch::join(|| (), || plan(round)).1)), Err(round));
            let items = || {
                (0..100).into_par_iter().for_each(|i| {
                    blocking(|| {
                        if i == 50 {
                            plan(round)
                        }
                    })
                })
            };
            assert_eq!(catch(|| pool.install(items)), Err(round));
            assert_eq!(catch(|| pool.install(|| blocking(items))), Err(round));
            let failed = pool.spawn(async move { blocking(|| plan(round)) }).join().unwrap_err();
            assert_eq!(support::planned(failed.into_panic()), round);
            // The thread works on as before.
            assert_eq!(pool.install(|| (catch(|| blocking(|| plan(9))), fib(10))), (Err(9), 55));
        }
    });
}

#[test]
fn everything_works_inside() {
    each_size(100, |pool| {
        let workers = pool.num_workers();
        let all = move || {
            assert_eq!(filch::join(|| fib(8), || fib(7)), (21, 13));
            assert_eq!((0..1000_u64).into_par_iter().sum::<u64>(), 499_500);
            let count = AtomicUsize::new(0);
            filch::scope(|s| (0..5).for_each(|_| s.spawn(|_| add(&count))));
            filch::in_place_scope(|s| (0..5).for_each(|_| s.spawn(|_| add(&count))));
            assert_eq!(count.into_inner(), 10);
            // Also on this very worker, which is in the section.
            assert_eq!(filch::broadcast(|c| c.index()), (0..workers).collect::<Vec<_>>());
            assert_eq!(filch::block_on(async { filch::spawn(async { 5 }).await.unwrap() }), 5);
            assert_eq!(filch::spawn_cpu(|| fib(9)).join().unwrap(), 34);
            assert_eq!(filch::spawn_blocking(|| 3).join().unwrap(), 3);
            assert_eq!(filch::with_worker(|w| w.join(|_| 1, |_| 2)), (1, 2));
            assert_eq!(blocking(|| filch::join(|| blocking(|| 1), || blocking(|| 2))), (1, 2));
            let mut numbers: Vec<u32> = (0..5000).rev().collect();
            numbers.par_sort();
            assert!(numbers.is_sorted());
        };
        for _ in 0..20 {
            pool.install(|| blocking(all));
            pool.install_on_worker(|| blocking(all));
            pool.spawn(async move { blocking(all) }).join().unwrap();
            pool.join(|| blocking(all), || blocking(all));
        }
    });
}

fn add(count: &AtomicUsize) {
    count.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn a_worker_may_be_taken_along() {
    fn down(w: &filch::Worker, depth: u32) -> u64 {
        if depth == 0 {
            return 1;
        }
        let (a, b) =
            blocking(|| w.join(|w| down(w, depth - 1), |w| (spin(Duration::from_micros(20)), down(w, depth - 1)).1));
        a + b
    }
    each_size(60, |pool| {
        for _ in 0..10 {
            assert_eq!(pool.with_worker(|w| down(w, 6)), 64);
            // A second arm that has been stolen, and is awaited out of the slot.
            let begun = AtomicBool::new(false);
            let wait = || within(Duration::from_millis(5), || begun.load(Ordering::SeqCst));
            let arms = |w: &filch::Worker| w.join(|_| wait(), |_| (begun.store(true, Ordering::SeqCst), fib(12)).1).1;
            assert_eq!(pool.with_worker(|w| blocking(|| arms(w))), 144);
            assert_eq!(catch(|| pool.with_worker(|w| blocking(|| w.join(|_| plan(4), |_| fib(12)).1))), Err(4));
        }
    });
}

#[test]
fn a_scope_may_be_taken_along() {
    each_size(60, |pool| {
        for _ in 0..50 {
            let count = AtomicUsize::new(0);
            pool.scope(|s| {
                blocking(|| {
                    (0..10).for_each(|_| s.spawn(|s| blocking(|| s.spawn(|_| add(&count)))));
                    // They borrow from outside of the section, so they may end after it.
                    s.spawn_future(async { blocking(|| add(&count)) }).detach();
                });
            });
            assert_eq!(count.into_inner(), 11);
        }
    });
}

#[test]
fn a_lock_that_is_held_by_another_task() {
    // The holder waits for a task that has been spawned behind those who want the lock.
    each_size(60, |pool| {
        for _ in 0..20 {
            let mutex = Arc::new(Mutex::new(0));
            let (locked, unlock) = (Event::default(), Event::default());
            let holder = {
                let (mutex, locked, unlock) = (mutex.clone(), locked.clone(), unlock.clone());
                pool.spawn_cpu(move || {
                    let mut value = lock(&mutex);
                    locked.set();
                    blocking(|| unlock.wait());
                    *value += 1;
                })
            };
            locked.wait();
            let mutex2 = mutex.clone();
            let wants = pool.spawn(async move { *blocking(|| lock(&mutex2)) += 10 });
            let helper = pool.spawn(async move { unlock.set() });
            helper.join().unwrap();
            holder.join().unwrap();
            wants.join().unwrap();
            assert_eq!(*lock(&mutex), 11);
        }
    });
}

#[test]
fn a_guest_gives_its_seat_as_well() {
    each_size(60, |pool| {
        for _ in 0..20 {
            // As many guests as there are seats are in sections; another guest, and the workers, go on.
            let (begun, go) = (AtomicUsize::new(0), Event::default());
            thread::scope(|threads| {
                for _ in 0..pool.num_workers() {
                    threads.spawn(|| {
                        pool.install(|| {
                            blocking(|| {
                                add(&begun);
                                go.wait();
                            });
                        });
                    });
                }
                assert!(within(Duration::from_secs(20), || begun.load(Ordering::Relaxed) == pool.num_workers()));
                assert_eq!(pool.install(|| fib(10)), 55);
                assert_eq!(pool.spawn_cpu(|| fib(10)).join().unwrap(), 55);
                go.set();
            });
        }
    });
}

#[test]
fn items_of_loops_from_outside() {
    // Short loops of the global pool are run by brief guests, who have no seat.
    with_deadline(60, || {
        for round in 0..200_u64 {
            let sum: u64 = (0..round % 20).into_par_iter().map(|i| blocking(|| i + 1)).sum();
            assert_eq!(sum, (0..=round % 20).sum::<u64>());
            let nested: u64 = (0..4_u64)
                .into_par_iter()
                .map(|i| blocking(|| (0..4_u64).into_par_iter().map(|j| blocking(|| i * j)).sum::<u64>()))
                .sum();
            assert_eq!(nested, 36);
        }
    });
}

#[test]
fn timers_fire_while_every_thread_is_in_a_section() {
    each_size(60, |pool| {
        let fired = Event::default();
        let sleeper = {
            let fired = fired.clone();
            pool.spawn(async move {
                filch::time::sleep(Duration::from_millis(30)).await;
                fired.set();
            })
        };
        // The timer has been noted, and the workers are all here.
        thread::sleep(Duration::from_millis(5));
        let waits = || blocking(|| assert!(fired.wait_for(Duration::from_secs(20))));
        pool.scope(|s| (0..pool.num_workers()).for_each(|_| s.spawn(|_| waits())));
        sleeper.join().unwrap();
    });
}

#[test]
fn a_stopped_clock_stands_while_a_section_runs() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let pool = Pool::builder().workers(workers).start_paused(true).build().unwrap();
            let woken = Event::default();
            // Begun in the section, lest the clock go on before it.
            let sleep = || {
                let woken = woken.clone();
                filch::spawn(async move {
                    filch::time::sleep(Duration::from_secs(3600)).await;
                    woken.set();
                })
            };
            let nested = || blocking(|| (sleep(), blocking(|| !woken.wait_for(Duration::from_millis(50)))));
            let (sleeper, stood) = pool.install_on_worker(nested);
            assert!(stood, "the clock has gone on beside a section");
            sleeper.join().unwrap();
            assert!(woken.is_set());
            // The same on a thread that runs a blocking call, and is a guest for its join: two counts, both right.
            let inside = pool.spawn_blocking(|| {
                filch::join(|| blocking(|| filch::spawn(filch::time::sleep(Duration::from_secs(3600)))), || ()).0
            });
            inside.join().unwrap().join().unwrap();
            let inside = pool.spawn_blocking(|| {
                let section = || {
                    let sleeper = filch::spawn(filch::time::sleep(Duration::from_secs(3600)));
                    thread::sleep(Duration::from_millis(30));
                    (!sleeper.is_finished(), sleeper)
                };
                let (stood, sleeper) = filch::join(|| blocking(section), || ()).0;
                let began = Instant::now();
                // Parks: neither the call nor the section counts any more.
                sleeper.join().unwrap();
                stood && began.elapsed() < Duration::from_secs(30)
            });
            assert!(inside.join().unwrap(), "the clock has gone on beside a section of a blocking call");
            // A section that parks in the pool's own waits is at rest, and the clock goes on.
            let began = Instant::now();
            pool.install_on_worker(|| blocking(|| filch::block_on(filch::time::sleep(Duration::from_secs(7200)))));
            assert!(began.elapsed() < Duration::from_secs(30));
        }
    });
}

#[test]
fn when_spares_are_out_work_waits_for_a_section_to_end() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            let most = 3 * workers;
            let (begun, go) = (Arc::new(AtomicUsize::new(0)), Event::default());
            let sections: Vec<_> = (0..most)
                .map(|_| {
                    let (begun, go) = (begun.clone(), go.clone());
                    pool.spawn_cpu(move || {
                        blocking(|| {
                            add(&begun);
                            go.wait();
                        });
                    })
                })
                .collect();
            assert!(within(Duration::from_secs(30), || begun.load(Ordering::Relaxed) == most));
            assert_eq!(pool.stats().spares, 2 * workers);
            let late = pool.spawn_cpu(|| 5);
            thread::sleep(Duration::from_millis(20));
            assert!(!late.is_finished(), "there is no thread left for it");
            // A thread from outside takes the seat itself.
            assert_eq!(pool.install(|| fib(10)), 55);
            go.set();
            assert_eq!(late.join().unwrap(), 5);
            sections.into_iter().for_each(|section| section.join().unwrap());
        }
    });
}

#[test]
fn idle_spares_end() {
    with_deadline(60, || {
        let idle = filch::IdlePolicy::default().keep_alive(Duration::from_millis(20));
        let pool = Pool::builder().workers(2).idle_policy(idle).build().unwrap();
        let event = Event::default();
        pool.scope(|s| {
            (0..4).for_each(|_| s.spawn(|_| blocking(|| event.wait())));
            let spares = within(Duration::from_secs(20), || pool.stats().spares > 0);
            event.set();
            assert!(spares, "the workers wait, and nobody has come for what is queued");
        });
        assert!(within(Duration::from_secs(20), || pool.stats().spares == 0), "{:?}", pool.stats());
    });
}

#[test]
fn pools_in_sections_of_each_other() {
    fn down(pools: &[Pool; 2], depth: usize) -> u64 {
        if depth == 0 {
            return 1;
        }
        let next = || blocking(|| down(pools, depth - 1));
        let here = &pools[depth % 2];
        1 + match depth % 5 {
            0 => here.install(next),
            1 => here.install_on_worker(next),
            2 => here.join(next, || ()).0,
            3 => here.block_on(async { next() }),
            _ => here.scope(|_| next()),
        }
    }
    with_deadline(60, || {
        for workers in [1, 2] {
            let pools = [pool(workers), pool(workers)];
            for _ in 0..10 {
                assert_eq!(down(&pools, 25), 26);
                assert_eq!(pools[0].install_on_worker(|| blocking(|| down(&pools, 25))), 26);
                // What the section of one waits for in the other is a broadcast on the thread that waits.
                let here = || pools[1].install_on_worker(|| pools[0].broadcast(|_| 1).len());
                assert_eq!(pools[0].install_on_worker(|| blocking(here)), workers);
            }
            pools.iter().for_each(assert_seats);
        }
    });
}

#[test]
fn a_pool_that_ends_in_a_section() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            let pool = Arc::new(pool(workers));
            let (inner, ran) = (pool.clone(), Event::default());
            let ran2 = ran.clone();
            let handle = pool.spawn_cpu(move || {
                blocking(|| {
                    // Inside of the pool: neither waits for this section. What it spawns is accepted still.
                    inner.shutdown();
                    filch::spawn_detached(move || ran2.set());
                    filch::join(|| fib(5), || fib(5))
                })
            });
            assert_eq!(handle.join().unwrap(), (5, 5));
            ran.wait();
            drop(pool);
            // Another pool, whose last owner is in a section of this one.
            let (outer, other) = (support::pool(workers), support::pool(workers));
            other.spawn_detached(|| spin(Duration::from_millis(2)));
            outer.install_on_worker(|| blocking(|| drop(other)));
        }
    });
}

/// Sections, joins, tasks and closures inside of one another, by a seed.
fn random(rng: &mut Rng, depth: u32) -> u64 {
    if depth == 0 {
        return 1;
    }
    let (mut left, mut right) = (Rng(rng.next()), Rng(rng.next()));
    match rng.below(7) {
        0 => blocking(|| random(&mut left, depth - 1)),
        1 => blocking(|| filch::join(|| random(&mut left, depth - 1), || random(&mut right, depth - 1)).0),
        2 => filch::join(|| random(&mut left, depth - 1), || blocking(|| random(&mut right, depth - 1))).1,
        3 => filch::block_on(filch::spawn_cpu(move || random(&mut left, depth - 1))).unwrap(),
        4 => filch::block_on(async move { filch::spawn(async move { random(&mut left, depth - 1) }).await.unwrap() }),
        5 => (0..3).into_par_iter().map(|i| blocking(|| random(&mut Rng(left.0 + i), depth - 1))).max().unwrap(),
        _ => {
            blocking(|| thread::sleep(Duration::from_micros(rng.below(50))));
            random(&mut left, depth - 1)
        }
    }
}

#[test]
fn random_nests() {
    each_size(100, |pool| {
        for seed in 0..100 {
            note(format!("{} workers, seed {seed}", pool.num_workers()));
            assert_eq!(pool.install(|| random(&mut Rng(seed), 6)), 1);
        }
    });
}
