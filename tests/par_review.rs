//! What a second review of the parallel iterators tried to break: loops that end before they have begun, foreign code
//! in odd places, and deviations from rayon.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use filch::prelude::*;

mod support;
use support::{Drops, Event, catch, note, plan, pool, quiet_planned_panics, spin, with_deadline};

const ITEMS: usize = 2_000;

/// How many there are in a round.
fn items(slow: bool) -> usize {
    if slow { ITEMS } else { 3 }
}

/// The work of an item: long enough that the loop, once it is known, is shared out before its first item.
fn work() {
    spin(Duration::from_micros(10));
}

/// Runs `round` in a pool of two: first `round(false)` over a few items, from which the loop learns how long they take,
/// then `round(true)`, where the calling thread is slow to begin ([`slow_here`]).
fn early_ends(round: impl Fn(bool) + Send + Sync + 'static) {
    with_deadline(60, move || {
        pool(2).install(|| {
            for i in 0..10 {
                note(format!("round {i}"));
                thread::sleep(Duration::from_millis(20));
                round(false);
                thread::sleep(Duration::from_millis(20));
                round(true);
            }
        });
    });
}

/// What a piece begins with: on the thread `me` that takes a while, so that the other parts are well under way.
fn slow_here(me: thread::ThreadId, slow: bool) {
    if slow && thread::current().id() == me {
        thread::sleep(Duration::from_millis(30));
    }
}

/// `run`: the piece that gave parts away finds the loop over before its first item, and a part has the result.
#[test]
fn what_a_part_has_found_is_not_lost() {
    early_ends(|slow| {
        let me = thread::current().id();
        let limit = if slow { ITEMS * 3 / 4 } else { usize::MAX };
        let found = (0..items(slow))
            .into_par_iter()
            .map_init(|| slow_here(me, slow), |(), i| (work(), i).1)
            .find_any(|&i| i >= limit);
        assert_eq!(found.is_some(), slow, "find_any: {found:?}");
    });
}

#[test]
fn any_is_true_when_a_part_says_so() {
    early_ends(|slow| {
        let me = thread::current().id();
        let limit = if slow { ITEMS * 3 / 4 } else { usize::MAX };
        let any = (0..items(slow))
            .into_par_iter()
            .map_init(|| slow_here(me, slow), |(), i| (work(), i).1)
            .any(|i| i >= limit);
        assert_eq!(any, slow);
    });
}

#[test]
fn the_last_is_found() {
    early_ends(|slow| {
        let me = thread::current().id();
        let limit = if slow { ITEMS / 4 } else { usize::MAX };
        let found = (0..items(slow))
            .into_par_iter()
            .map_init(|| slow_here(me, slow), |(), i| (work(), i).1)
            .find_last(|&i| i >= limit);
        assert_eq!(found, slow.then_some(ITEMS - 1));
    });
}

#[test]
fn an_error_of_a_part_is_not_lost() {
    early_ends(|slow| {
        let me = thread::current().id();
        let limit = if slow { ITEMS * 3 / 4 } else { usize::MAX };
        let done = (0..items(slow)).into_par_iter().try_for_each_init(
            || slow_here(me, slow),
            |(), i| {
                work();
                if i >= limit { Err(i) } else { Ok(()) }
            },
        );
        assert_eq!(done.is_err(), slow, "try_for_each_init: {done:?}");
    });
}

#[test]
fn as_many_as_were_to_be_taken() {
    early_ends(|slow| {
        let me = thread::current().id();
        let count = if slow { 5 } else { 100 };
        let taken: Vec<usize> = (0..items(slow))
            .into_par_iter()
            .take_any(count)
            .map_init(|| slow_here(me, slow), |(), i| (work(), i).1)
            .collect();
        assert_eq!(taken.len(), count.min(items(slow)));
    });
}

#[test]
fn a_panic_of_a_part_is_not_lost() {
    quiet_planned_panics();
    early_ends(|slow| {
        let me = thread::current().id();
        let limit = if slow { ITEMS * 3 / 4 } else { usize::MAX };
        let ran = AtomicUsize::new(0);
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
            (0..items(slow)).into_par_iter().panic_fuse().for_each_init(
                || slow_here(me, slow),
                |(), i| {
                    work();
                    ran.fetch_add(1, Ordering::Relaxed);
                    if i >= limit {
                        plan(7);
                    }
                },
            );
        }));
        assert_eq!(
            outcome.is_err(),
            slow,
            "{} items of {ITEMS} were run, and nobody has heard of the panic",
            ran.into_inner()
        );
    });
}

/// Loops of the global pool that are known to be over in no time, from a thread outside; then one of them is not.
/// Before it all threads of the pool sleep, and nobody keeps watch.
fn brief_until_it_is_not(one: impl Fn(bool) + Send + 'static) {
    with_deadline(60, move || {
        for round in 0..5 {
            note(format!("round {round}"));
            for _ in 0..100 {
                one(false);
            }
            thread::sleep(Duration::from_millis(300));
            one(true);
        }
    });
}

/// `join` inside of a brief loop: the first arm waits for the second.
#[test]
fn arms_may_wait_for_each_other_inside_a_brief_loop() {
    brief_until_it_is_not(|waits| {
        let event = Event::default();
        (0..2usize).into_par_iter().for_each(|i| {
            if waits && i == 0 {
                let (came, ()) = filch::join(|| event.wait_for(Duration::from_secs(5)), || event.set());
                assert!(came, "nobody has run the second arm for five seconds");
            }
        });
    });
}

/// The same for the items of a loop with a folder for each.
#[test]
fn the_rest_of_a_brief_loop_can_be_had() {
    brief_until_it_is_not(|waits| {
        let event = Event::default();
        (0..2usize).into_par_iter().with_max_len(1).for_each(|i| {
            if waits && i == 0 {
                assert!(event.wait_for(Duration::from_secs(5)), "nobody has run the second item for five seconds");
            }
            if waits && i == 1 {
                event.set();
            }
        });
    });
}

/// What lies behind what has been found is not asked for, as in rayon.
#[test]
fn the_first_of_a_loop_inside_a_loop_ends_the_outer_one() {
    with_deadline(60, || {
        for workers in [1, 2, 4] {
            pool(workers).install(|| {
                let asked = AtomicUsize::new(0);
                let nested = (0..100_000usize).into_par_iter().flat_map(|i| {
                    asked.fetch_add(1, Ordering::Relaxed);
                    [i]
                });
                assert_eq!(nested.find_first(|_| true), Some(0));
                let asked = asked.into_inner();
                assert!(asked < 50_000, "{asked} inner loops of 100000 were begun, on {workers} workers");
            });
        }
    });
}

/// rayon does the same: for comparison.
#[test]
fn so_it_is_in_rayon() {
    use rayon::prelude::{IntoParallelIterator as In, ParallelIterator as Par};
    with_deadline(60, || {
        let asked = AtomicUsize::new(0);
        let nested = Par::flat_map(In::into_par_iter(0..100_000usize), |i| {
            asked.fetch_add(1, Ordering::Relaxed);
            [i]
        });
        assert_eq!(Par::find_first(nested, |_| true), Some(0));
        let asked = asked.into_inner();
        assert!(asked < 50_000, "{asked}");
    });
}

/// A value whose `clone` forks.
struct Forking;

impl Clone for Forking {
    fn clone(&self) -> Self {
        filch::join(|| spin(Duration::from_micros(200)), || spin(Duration::from_micros(200)));
        Forking
    }
}

/// `map_with`: while a clone waits for its second arm, another piece of the same loop must not want the value's lock.
#[test]
fn a_clone_may_fork() {
    // Not under `RunAnything`: said in docs/CONTRACT.md.
    with_deadline(20, move || {
        let pool = filch::Pool::builder().workers(4).build().unwrap();
        pool.install(|| {
            for round in 0..20 {
                note(format!("round {round}"));
                let count = (0..200usize)
                    .into_par_iter()
                    .with_max_len(1)
                    .map_with(Forking, |_, i| (spin(Duration::from_micros(50)), i).1)
                    .filter(|i| i % 2 == 0)
                    .count();
                assert_eq!(count, 100);
            }
        });
    });
}

/// Bridged loops side by side, whose iterators take a while to give an item.
fn bridged_loops(depth: u32, body: &(impl Fn() + Sync)) {
    const LEN: usize = 60;
    if depth > 0 {
        filch::join(|| bridged_loops(depth - 1, body), || bridged_loops(depth - 1, body));
        return;
    }
    let count = AtomicUsize::new(0);
    let items = (0..LEN).inspect(|_| spin(Duration::from_micros(30)));
    items.par_bridge().for_each(|_| {
        body();
        count.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(count.into_inner(), LEN, "items of a bridged loop have been lost");
}

/// `par_bridge` where a thread must not wait for the iterator: all its items are run all the same.
#[test]
fn no_item_of_a_bridged_loop_is_lost_where_anything_is_run() {
    with_deadline(60, || {
        let pool = filch::Pool::builder().workers(4).wait_policy(filch::WaitPolicy::RunAnything).build().unwrap();
        for _ in 0..20 {
            pool.install(|| bridged_loops(4, &|| spin(Duration::from_micros(20))));
        }
    });
}

#[test]
fn no_item_of_a_bridged_loop_is_lost_where_its_body_yields() {
    with_deadline(60, || {
        for _ in 0..20 {
            pool(4).install(|| {
                bridged_loops(4, &|| {
                    spin(Duration::from_micros(20));
                    filch::yield_now();
                });
            });
        }
    });
}

/// What blocks inside of a brief loop comes to its end.
#[test]
fn a_brief_loop_may_wait_in_many_ways() {
    let other = pool(2);
    type Way = Box<dyn Fn() + Send + Sync>;
    let ways: [(&str, Way); 7] = [
        ("task", Box::new(|| assert_eq!(filch::block_on(async { filch::spawn(async { 7 }).await.unwrap() }), 7))),
        ("sleep", Box::new(|| filch::block_on(filch::time::sleep(Duration::from_millis(3))))),
        ("scope", Box::new(|| filch::scope(|s| (0..3).for_each(|_| s.spawn(|_| work()))))),
        ("install", Box::new(move || assert_eq!(other.install(|| support::fib(12)), 144))),
        ("broadcast", Box::new(|| drop(filch::broadcast(|_| work())))),
        ("loop", Box::new(|| (0..ITEMS).into_par_iter().for_each(|_| work()))),
        (
            "panic",
            Box::new(|| {
                assert!(
                    catch(|| (0..9).into_par_iter().for_each(|i| if i == 5 {
                        plan(1)
                    }))
                    .is_err()
                )
            }),
        ),
    ];
    with_deadline(120, move || {
        for (name, way) in &ways {
            for round in 0..3 {
                note(format!("{name}, round {round}"));
                let one = |long: bool| {
                    (0..4usize).into_par_iter().for_each(|i| {
                        if long && i % 2 == 0 {
                            way()
                        }
                    });
                };
                (0..60).for_each(|_| one(false));
                thread::sleep(Duration::from_millis(30));
                one(true);
            }
        }
    });
}

/// Threads that come and go, each with brief loops, also when its thread-locals are dropped already.
#[test]
fn brief_loops_of_threads_that_end() {
    struct AtEnd(std::sync::Arc<AtomicUsize>);
    impl Drop for AtEnd {
        fn drop(&mut self) {
            brief(&self.0);
        }
    }
    fn brief(done: &std::sync::Arc<AtomicUsize>) {
        for _ in 0..40 {
            let sum: usize = (0..8usize).into_par_iter().map(|i| i * 2).sum();
            assert_eq!(sum, 56);
        }
        let task = done.clone();
        (0..2usize).into_par_iter().for_each(|i| {
            if i == 1 {
                let task = task.clone();
                filch::spawn_detached(move || support::ignore(task.fetch_add(1, Ordering::Relaxed)));
            }
        });
    }
    thread_local! {
        static FIRST: std::cell::RefCell<Option<AtEnd>> = const { std::cell::RefCell::new(None) };
        static LAST: std::cell::RefCell<Option<AtEnd>> = const { std::cell::RefCell::new(None) };
    }
    with_deadline(60, || {
        let done = std::sync::Arc::new(AtomicUsize::new(0));
        for round in 0..25 {
            note(format!("round {round}"));
            let threads: Vec<_> = (0..16)
                .map(|_| {
                    let done = done.clone();
                    thread::spawn(move || {
                        FIRST.with_borrow_mut(|place| *place = Some(AtEnd(done.clone())));
                        brief(&done);
                        LAST.with_borrow_mut(|place| *place = Some(AtEnd(done.clone())));
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        }
        assert!(support::within(Duration::from_secs(10), || done.load(Ordering::Relaxed) == 25 * 16 * 3), "{done:?}");
    });
}

/// Forks, loops and panics in the code that cuts a loop: the clones of an indexed `map_with`.
#[test]
fn the_code_that_cuts_a_loop_may_fork_and_panic() {
    struct Cut(Drops, #[allow(dead_code)] support::Token, bool);
    impl Clone for Cut {
        fn clone(&self) -> Self {
            static CLONES: AtomicUsize = AtomicUsize::new(0);
            let (a, ()) = filch::join(|| support::fib(3), || spin(Duration::from_micros(5)));
            assert_eq!(a, 2);
            assert_eq!((0..20usize).into_par_iter().filter(|i| i % 3 == 0).count(), 7);
            if self.2 && CLONES.fetch_add(1, Ordering::Relaxed) % 40 == 39 {
                plan(3);
            }
            Cut(self.0.clone(), self.0.token(), self.2)
        }
    }
    with_deadline(100, || {
        for workers in [2, 4] {
            for panics in [false, true] {
                let drops = Drops::default();
                let pool = pool(workers);
                for round in 0..30 {
                    note(format!("{workers} workers, panics: {panics}, round {round}"));
                    let first = Cut(drops.clone(), drops.token(), panics);
                    let made = drops.clone();
                    let outcome = catch(|| {
                        pool.install(|| {
                            let nested = (0..100usize).into_par_iter().map_with(first, move |_, i| {
                                let inner: Vec<usize> = (0..40).into_par_iter().map(|j| (work(), i * j).1).collect();
                                filch::join(|| (), work);
                                (inner.len(), made.token())
                            });
                            nested.enumerate().map(|(i, (len, token))| (i + len, token)).collect::<Vec<_>>()
                        })
                    });
                    match outcome {
                        Ok(list) => assert!(list.iter().enumerate().all(|(i, item)| item.0 == i + 40)),
                        Err(id) => assert!(panics && id == 3),
                    }
                }
                drops.assert_all_dropped("values, clones and items");
            }
        }
    });
}

/// The same as the standard library's, with odd lengths and unequal items.
#[test]
fn as_in_the_standard_library() {
    fn slowly<T>(rng: u64, item: T) -> T {
        if rng % 16 == 0 {
            spin(Duration::from_micros(rng % 40));
        }
        item
    }
    with_deadline(100, || {
        let mut rng = support::Rng(7);
        let pools = [pool(2), pool(4)];
        for round in 0..200 {
            note(format!("round {round}"));
            let len = (rng.below(400) * rng.below(3)) as usize;
            let v: Vec<u64> = (0..len).map(|_| rng.next() % 97).collect();
            let w: Vec<u64> = (0..rng.below(300)).map(|_| rng.next() % 97).collect();
            let (n, m, k) = (rng.below(500) as usize, rng.below(9) as usize + 1, rng.below(97));
            pools[round % 2].install(|| {
                let flat = |x: u64| (0..x % 5).map(move |y| (x, y));
                let par_flat = |x: u64| (0..x % 5).into_par_iter().map(move |y| slowly(x + y, (x, y)));
                let std: Vec<_> =
                    v.iter().copied().filter(|x| x % 3 > 0).chain(w.iter().copied()).flat_map(flat).collect();
                let make =
                    || v.par_iter().copied().filter(|x| x % 3 > 0).chain(w.par_iter().copied()).flat_map(par_flat);
                assert_eq!(make().collect::<Vec<_>>(), std);
                let test = |p: &(u64, u64)| p.0 == k && p.1 > 0;
                assert_eq!(make().find_first(test), std.iter().copied().find(test));
                assert_eq!(make().find_last(test), std.iter().copied().rev().find(test));
                assert_eq!(make().any(|p| test(&p)), std.iter().any(test));
                let ties = || v.par_iter().enumerate().map(|(i, x)| slowly(*x, (i, *x)));
                let std_ties = || v.iter().copied().enumerate();
                assert_eq!(ties().min_by_key(|p| p.1 % 4), std_ties().min_by_key(|p| p.1 % 4));
                assert_eq!(ties().max_by_key(|p| p.1 % 4), std_ties().max_by_key(|p| p.1 % 4));
                assert_eq!(
                    ties().max_by(|a, b| (a.1 % 3).cmp(&(b.1 % 3))),
                    std_ties().max_by(|a, b| (a.1 % 3).cmp(&(b.1 % 3)))
                );
                let joined = v.par_iter().chain(&w).skip(n).step_by(m).rev().zip(w.par_iter().take(n)).enumerate();
                let both: Vec<&u64> = v.iter().chain(&w).skip(n).collect();
                let stepped: Vec<&u64> = both.into_iter().step_by(m).collect();
                let std: Vec<_> = stepped.into_iter().rev().zip(w.iter().take(n)).enumerate().collect();
                assert_eq!(joined.collect::<Vec<_>>(), std);
                let (a, (b, c)): (Vec<_>, (std::collections::BTreeSet<_>, Vec<_>)) =
                    ties().map(|(i, x)| (i, (x, i as u64 + x))).unzip();
                assert_eq!((a.len(), c.len()), (len, len));
                assert!(b.iter().all(|x| v.contains(x)) && c.iter().enumerate().all(|(i, y)| *y == i as u64 + v[i]));
                let spaced: Vec<u64> =
                    v.par_iter().copied().chunks(m).map(|c| c.iter().sum()).intersperse(500).collect();
                let mut std: Vec<u64> = v.chunks(m).flat_map(|c| [c.iter().sum(), 500]).collect();
                std.pop();
                assert_eq!(spaced, std);
                let parsed = |x: &u64| if *x == k { Err(*x) } else { Ok(*x) };
                assert_eq!(
                    v.par_iter().map(parsed).collect::<Result<Vec<_>, _>>(),
                    v.iter().map(parsed).collect::<Result<Vec<_>, _>>()
                );
                assert_eq!(v.par_iter().positions(|x| *x == k).collect::<Vec<_>>(), {
                    v.iter().enumerate().filter(|p| *p.1 == k).map(|p| p.0).collect::<Vec<_>>()
                });
                assert_eq!(v.par_iter().position_last(|x| *x == k), v.iter().rposition(|x| *x == k));
                assert_eq!(v.par_iter().cmp(&w), v.iter().cmp(&w));
                let (mut drained, from) = (v.clone(), n.min(len));
                let to = (from + m).min(len);
                let taken: Vec<u64> = drained.par_drain(from..to).collect();
                assert_eq!((taken, drained.len()), (v[from..to].to_vec(), len - (to - from)));
                let text: String =
                    v.iter().map(|x| ['a', ' ', '\n', '\r', 'ß', ',', '\u{2003}'][*x as usize % 7]).collect();
                let text = text.trim_end_matches('\r');
                assert_eq!(text.par_lines().collect::<Vec<_>>(), text.lines().collect::<Vec<_>>());
                assert_eq!(text.par_split(',').collect::<Vec<_>>(), text.split(',').collect::<Vec<_>>());
                assert_eq!(
                    text.par_split_inclusive(',').collect::<Vec<_>>(),
                    text.split_inclusive(',').collect::<Vec<_>>()
                );
                assert_eq!(
                    text.par_split_terminator('a').collect::<Vec<_>>(),
                    text.split_terminator('a').collect::<Vec<_>>()
                );
                assert_eq!(
                    text.par_split_whitespace().collect::<Vec<_>>(),
                    text.split_whitespace().collect::<Vec<_>>()
                );
                assert_eq!(text.par_char_indices().collect::<Vec<_>>(), text.char_indices().collect::<Vec<_>>());
                assert_eq!(
                    v.par_chunk_by(|a, b| a <= b).collect::<Vec<_>>(),
                    v.chunk_by(|a, b| a <= b).collect::<Vec<_>>()
                );
                assert_eq!(v.par_rchunks(m).rev().collect::<Vec<_>>(), v.rchunks(m).rev().collect::<Vec<_>>());
            });
        }
    });
}

/// Panics in loops that are shared out before their first item: every item that was made is dropped once.
#[test]
fn panics_in_loops_that_are_known() {
    with_deadline(100, || {
        let mut rng = support::Rng(11);
        for workers in [2, 4] {
            let (pool, drops) = (pool(workers), Drops::default());
            for round in 0..60 {
                note(format!("{workers} workers, round {round}"));
                let at = if rng.one_in(4) { usize::MAX } else { rng.below(400) as usize };
                thread::sleep(Duration::from_millis(3));
                pool.install(|| {
                    let make = |len: usize, at: usize| {
                        let items = (0..len).into_par_iter().map(|i| {
                            work();
                            if i == at || i == at + 50 {
                                plan(1);
                            }
                            drops.token()
                        });
                        let which = round % 4;
                        catch(|| match which {
                            0 => items.collect::<Vec<_>>().len(),
                            1 => items.map(|token| (token, drops.token())).unzip::<_, _, Vec<_>, Vec<_>>().1.len(),
                            2 => items.filter(|_| true).collect::<Vec<_>>().len(),
                            _ => {
                                items.chain((0..7).into_par_iter().map(|_| drops.token())).collect::<Vec<_>>().len() - 7
                            }
                        })
                    };
                    assert_eq!(make(3, 1000), Ok(3));
                    assert_eq!(make(400, at.min(1000)), if at < 400 { Err(1) } else { Ok(400) });
                });
                drops.assert_all_dropped("items");
            }
        }
    });
}
