//! `JoinSet::spawn_local` and `spawn_local_on`: futures that are not `Send` in a set that may go anywhere. They are
//! polled and dropped on the thread of their `LocalSet`, wherever the `JoinSet` is, aborts, or goes.

mod support;

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use filch::task::{Builder, JoinSet, LocalSet, TaskTracker, spawn_local};
use support::{Drops, Event, Reports, catch, lock, plan, planned, with_deadline, within, yield_once};

const SOON: Duration = Duration::from_secs(10);

/// Notes the thread on which it is dropped, and is not `Send`.
struct Where(Arc<Mutex<Vec<ThreadId>>>, #[allow(dead_code)] Rc<()>);

impl Drop for Where {
    fn drop(&mut self) {
        lock(&self.0).push(thread::current().id());
    }
}

#[derive(Clone, Default)]
struct Dropped(Arc<Mutex<Vec<ThreadId>>>);

impl Dropped {
    fn here(&self) -> Where {
        Where(self.0.clone(), Rc::new(()))
    }

    fn len(&self) -> usize {
        lock(&self.0).len()
    }

    fn assert_all_on(&self, thread: ThreadId, count: usize) {
        assert_eq!(*lock(&self.0), vec![thread; count]);
    }
}

#[test]
fn futures_and_values_need_not_be_send() {
    with_deadline(30, || {
        let (local, sum) = (LocalSet::new(), Rc::new(Cell::new(0)));
        let mut set = JoinSet::new();
        let outer = sum.clone();
        set.spawn_local_on(
            async move {
                outer.set(outer.get() + 100);
                Rc::new(0)
            },
            &local,
        );
        assert_eq!((set.len(), sum.get()), (1, 0), "it begins when the local set is polled");
        let values = local.block_on(async {
            for n in 1..=10 {
                let sum = sum.clone();
                set.spawn_local(async move {
                    yield_once().await;
                    sum.set(sum.get() + n);
                    Rc::new(n)
                });
            }
            let mut values = Vec::new();
            while let Some(value) = set.join_next().await {
                values.push(*value.unwrap());
            }
            values
        });
        assert_eq!((values, sum.get()), ((0..=10).collect(), 155));
    });
}

#[test]
fn beside_tasks_and_closures_of_the_pool() {
    with_deadline(30, || {
        let mut all = LocalSet::new().block_on(async {
            let mut set = JoinSet::new();
            let here = Rc::new(1);
            set.spawn_local(async move { *here });
            set.spawn(async { 2 });
            set.spawn_cpu(|| 3);
            set.spawn_blocking(|| 4);
            set.join_all().await
        });
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3, 4]);
    });
}

#[test]
fn outside_of_any_local_set() {
    with_deadline(30, || {
        let mut set = JoinSet::new();
        let text = catch_text(|| drop(set.spawn_local(async { 1 })));
        assert!(text.contains("outside of a LocalSet"), "{text}");
        assert!(set.is_empty());
        // Nor inside of a task on top of one that is inside.
        let inner = LocalSet::new()
            .block_on(async { filch::spawn(async { catch_text(|| drop(spawn_local(async {}))) }).await.unwrap() });
        assert!(inner.contains("outside of a LocalSet"), "{inner}");
    });
}

fn catch_text(f: impl FnOnce()) -> String {
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_err();
    match payload.downcast::<&str>() {
        Ok(text) => (*text).to_owned(),
        Err(payload) => *payload.downcast::<String>().unwrap(),
    }
}

#[test]
fn an_abort_from_another_thread_drops_them_on_their_own() {
    with_deadline(30, || {
        let (local, dropped, mut set) = (LocalSet::new(), Dropped::default(), JoinSet::new());
        let mut aborts = Vec::new();
        for _ in 0..10 {
            let here = dropped.here();
            aborts.push(set.spawn_local_on(
                async move {
                    let _here = here;
                    pending::<()>().await;
                },
                &local,
            ));
        }
        local.block_on(yield_once());
        thread::spawn(move || aborts.iter().for_each(filch::AbortHandle::abort)).join().unwrap();
        assert_eq!(dropped.len(), 0, "their thread has not been there yet");
        local.block_on(async {
            while let Some(result) = set.join_next().await {
                assert!(result.unwrap_err().is_cancelled());
            }
        });
        dropped.assert_all_on(thread::current().id(), 10);
    });
}

/// The set goes to another thread, as its values may, and is dropped there, or shut down, or detached.
#[test]
fn the_set_ends_on_another_thread() {
    with_deadline(60, || {
        for how in ["drop", "shutdown", "detach"] {
            let (local, dropped, mut set, go) =
                (LocalSet::new(), Dropped::default(), JoinSet::<u32>::new(), Event::default());
            for n in 0..20 {
                let (here, go) = (dropped.here(), go.clone());
                set.spawn_local_on(
                    async move {
                        let _here = here;
                        while n % 2 == 0 || !go.is_set() {
                            yield_once().await;
                        }
                        n
                    },
                    &local,
                );
            }
            local.block_on(yield_once());
            go.set();
            let elsewhere = thread::spawn(move || match how {
                "drop" => drop(set),
                "shutdown" => filch::block_on(set.shutdown()),
                _ => set.detach_all(),
            });
            if how == "detach" {
                elsewhere.join().unwrap();
                // The even ones would go on for ever.
                while dropped.len() < 10 {
                    local.block_on(yield_once());
                }
                drop(local);
            } else {
                local.block_on(async {
                    while dropped.len() < 20 {
                        yield_once().await;
                    }
                });
                elsewhere.join().unwrap();
            }
            dropped.assert_all_on(thread::current().id(), 20);
        }
    });
}

#[test]
fn a_local_set_that_goes_first_cancels_them() {
    with_deadline(30, || {
        let (local, dropped, mut set) = (LocalSet::new(), Dropped::default(), JoinSet::new());
        for polled in [true, false] {
            let here = dropped.here();
            set.spawn_local_on(
                async move {
                    let _here = here;
                    pending::<()>().await;
                },
                &local,
            );
            if polled {
                local.block_on(yield_once());
            }
        }
        drop(local);
        dropped.assert_all_on(thread::current().id(), 2);
        for _ in 0..2 {
            assert!(set.try_join_next().unwrap().unwrap_err().is_cancelled());
        }
        assert!(set.is_empty());
    });
}

#[test]
fn a_future_aborts_its_own_set() {
    with_deadline(30, || {
        let (local, drops) = (LocalSet::new(), Drops::default());
        let set = Rc::new(std::cell::RefCell::new(JoinSet::new()));
        for _ in 0..5 {
            let (own, token) = (set.clone(), drops.token());
            set.borrow_mut().spawn_local_on(
                async move {
                    let _token = token;
                    yield_once().await;
                    let whole = std::mem::take(&mut *own.borrow_mut());
                    drop(whole);
                    pending::<()>().await;
                },
                &local,
            );
        }
        local.block_on(async {
            while drops.dropped() < 5 {
                yield_once().await
            }
        });
        assert!(set.borrow().is_empty());
    });
}

#[test]
fn panics_are_results() {
    struct Panics(u64);
    impl Drop for Panics {
        fn drop(&mut self) {
            plan(self.0);
        }
    }
    with_deadline(30, || {
        let local = LocalSet::new();
        let mut set = JoinSet::new();
        set.spawn_local_on(async { plan(1) }, &local);
        set.spawn_local_on(
            async {
                yield_once().await;
                plan(2)
            },
            &local,
        );
        let mut seen = Vec::new();
        local.block_on(async {
            while let Some(result) = set.join_next().await {
                let result: Result<u8, _> = result;
                seen.push(planned(result.unwrap_err().into_panic()));
            }
        });
        assert_eq!(seen, [1, 2]);
        // The others are aborted, on this thread.
        let dropped = Dropped::default();
        let here = dropped.here();
        set.spawn_local_on(
            async move {
                let _here = here;
                pending().await
            },
            &local,
        );
        set.spawn_local_on(async { plan(3) }, &local);
        assert_eq!(catch(|| local.block_on(set.join_all())), Err(3));
        local.block_on(yield_once());
        dropped.assert_all_on(thread::current().id(), 1);
        // A destructor's panic, when it is aborted.
        let mut set = JoinSet::new();
        let panics = Panics(4);
        let abort = set.spawn_local_on(
            async move {
                let _panics = panics;
                pending::<()>().await;
            },
            &local,
        );
        local.block_on(yield_once());
        abort.abort();
        let gone = local.block_on(set.join_next()).unwrap().unwrap_err();
        assert!(gone.is_cancelled(), "{gone:?}");
    });
}

/// A panic that nobody joins goes to the handler of the pool that the thread is inside of, also where it has stepped
/// out of its slot, or has none.
#[test]
fn panics_that_nobody_joins_are_reported() {
    with_deadline(60, || {
        let reports = Reports::default();
        let sink = reports.clone();
        let handler = move |payload| lock(&sink).push(planned(payload));
        let pool = filch::Pool::builder().workers(2).panic_handler(handler).build().unwrap();
        let leave = |n: u64| {
            move || {
                let (local, mut set) = (LocalSet::new(), JoinSet::<()>::new());
                set.spawn_local_on(async move { plan(n) }, &local);
                set.detach_all();
                local.block_on(yield_once());
                local.spawn_local(async move { plan(n + 1) }).detach();
                // Not by filch's, which would take the thread back into its slot.
                futures_lite::future::block_on(local.run_until(yield_once()));
            }
        };
        pool.spawn_cpu(leave(1)).join().unwrap();
        pool.spawn_cpu(move || filch::blocking(leave(3))).join().unwrap();
        pool.spawn_blocking(leave(5)).join().unwrap();
        pool.spawn(async move { filch::task::block_in_place(leave(7)) }).join().unwrap();
        assert_eq!(*lock(&reports), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(pool.stats().panics, 8);
    });
}

/// Neither does a payload whose destructor panics or blocks harm the section, its task, or the set.
#[test]
fn payloads_that_panic_or_block_when_they_are_dropped() {
    struct Bad(Option<Event>, Drops);
    impl Drop for Bad {
        fn drop(&mut self) {
            let _token = self.1.token();
            match &self.0 {
                Some(go) => assert!(go.wait_for(SOON)),
                None => plan(9),
            }
        }
    }
    with_deadline(60, || {
        let pool = support::pool(1);
        let (go, drops) = (Event::default(), Drops::default());
        let (bad, opens) = ([Bad(Some(go.clone()), drops.clone()), Bad(None, drops.clone())], go.clone());
        let section = pool.spawn_cpu(move || {
            filch::blocking(|| {
                let local = LocalSet::new();
                for payload in bad {
                    local.spawn_local(async move { std::panic::resume_unwind(Box::new(payload)) }).detach();
                }
                let after = local.spawn_local(async { 5 });
                // Filch's own would take the thread back, onto a seat.
                futures_lite::future::block_on(local.run_until(after)).unwrap()
            })
        });
        // The seat is free while the payload's destructor blocks.
        assert!(within(SOON, || drops.made() == 1));
        assert_eq!(pool.spawn_cpu(|| 6 * 7).join().unwrap(), 42);
        opens.set();
        assert_eq!(section.join().unwrap(), 5);
        assert_eq!(drops.dropped(), 2);
        assert_eq!(pool.spawn(async { 1 }).join().unwrap(), 1);
    });
}

// ----- entering a set ---------------------------------------------------------------------------------------------

#[test]
fn who_has_entered_a_set_spawns_onto_it() {
    with_deadline(30, || {
        let (first, second) = (LocalSet::new(), LocalSet::new());
        let (a, b, c);
        {
            let _first = first.enter();
            a = spawn_local(async { Rc::new(1) });
            {
                let _second = second.enter();
                b = spawn_local(async { Rc::new(2) });
            }
            c = spawn_local(async { Rc::new(3) });
            // Not for other work.
            let inner = filch::spawn_cpu(|| catch_text(|| drop(spawn_local(async {})))).join();
            assert!(inner.unwrap().contains("outside of a LocalSet"));
        }
        assert!(catch_text(|| drop(spawn_local(async {}))).contains("outside of a LocalSet"));
        assert_eq!(*second.block_on(b).unwrap(), 2);
        assert_eq!(first.block_on(async { *a.await.unwrap() + *c.await.unwrap() }), 4);
    });
}

#[test]
fn a_guard_that_outlives_its_set_spawns_nothing_that_stays() {
    with_deadline(30, || {
        let (local, drops) = (LocalSet::new(), Drops::default());
        let inside = local.enter();
        let before = spawn_local(pending::<()>());
        drop(local);
        let token = drops.token();
        let after = spawn_local(async move { drop(token) });
        assert!(after.is_finished());
        assert_eq!(drops.dropped(), 1);
        assert!(before.join().unwrap_err().is_cancelled() && after.join().unwrap_err().is_cancelled());
        drop(inside);
    });
}

#[test]
fn names_and_trackers_of_local_tasks() {
    with_deadline(30, || {
        let (local, tracker) = (LocalSet::new(), TaskTracker::new());
        let named = Builder::new().name("here").spawn_local_on(async { filch::task::name() }, &local);
        assert_eq!(named.name().as_deref(), Some("here"));
        let counted = tracker.spawn_local_on(async { *Rc::new(1) }, &local);
        assert_eq!(tracker.len(), 1);
        tracker.close();
        local.block_on(async {
            assert_eq!(named.await.unwrap().as_deref(), Some("here"));
            let second = tracker.spawn_local(async { *Rc::new(2) });
            tracker.wait().await;
            assert_eq!((counted.await.unwrap(), second.await.unwrap()), (1, 2));
        });
        // One that is dropped with its set counts no more either.
        tracker.spawn_local_on(pending::<()>(), &local).detach();
        assert_eq!(tracker.len(), 1);
        drop(local);
        assert!(tracker.is_empty());
    });
}
