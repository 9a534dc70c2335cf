//! `Scope::spawn_future_with`: futures of a scope that spawn more into it. (What the compiler refuses:
//! `src/work/compile_fail.rs`.)

mod support;

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use filch::{Pool, Scope, ScopeFifo};
use support::{Drops, Event, catch, lock, matrix, note, plan, planned, pool, with_deadline, within, yield_once};

const SOON: Duration = Duration::from_secs(10);

fn on_pools(each: impl Fn(&Pool) + Send + 'static) {
    with_deadline(60, move || {
        for workers in [1, 2, 4] {
            note(format!("{workers} workers"));
            each(&pool(workers));
        }
    });
}

/// A tree of futures, each of which spawns two more, and a closure, after it has rested.
fn grow<'s>(s: &Scope<'s>, depth: u32, count: &'s AtomicUsize) {
    s.spawn_future_with(move |s| {
        Box::pin(async move {
            yield_once().await;
            count.fetch_add(1, Ordering::SeqCst);
            if depth > 0 {
                grow(s, depth - 1, count);
                s.spawn(move |s| grow(s, depth - 1, count));
            }
        })
    })
    .detach();
}

fn grow_fifo<'s>(s: &ScopeFifo<'s>, depth: u32, count: &'s AtomicUsize) {
    s.spawn_future_with(move |s| {
        Box::pin(async move {
            yield_once().await;
            count.fetch_add(1, Ordering::SeqCst);
            if depth > 0 {
                grow_fifo(s, depth - 1, count);
                s.spawn_fifo(move |s| grow_fifo(s, depth - 1, count));
            }
        })
    })
    .detach();
}

#[test]
fn a_tree_of_futures_in_every_kind_of_scope() {
    on_pools(|pool| {
        for _ in 0..20 {
            let count = AtomicUsize::new(0);
            pool.scope(|s| grow(s, 6, &count));
            pool.install_on_worker(|| filch::scope(|s| grow(s, 6, &count)));
            pool.in_place_scope(|s| grow(s, 6, &count));
            pool.install(|| filch::in_place_scope(|s| grow(s, 6, &count)));
            pool.scope_fifo(|s| grow_fifo(s, 6, &count));
            pool.in_place_scope_fifo(|s| grow_fifo(s, 6, &count));
            assert_eq!(count.into_inner(), 6 * 127);
        }
    });
}

/// The body has returned long before, and the scope waits.
#[test]
fn a_future_spawns_when_the_body_is_over() {
    on_pools(|pool| {
        let (go, over, sum) = (Event::default(), Event::default(), AtomicUsize::new(0));
        thread::scope(|threads| {
            let scope = threads.spawn(|| {
                pool.scope(|s| {
                    s.spawn_future_with(|s| {
                        Box::pin(async {
                            let opened = go.clone();
                            filch::spawn_blocking(move || assert!(opened.wait_for(SOON))).await.unwrap();
                            let part = s.spawn_future(async { sum.fetch_add(1, Ordering::SeqCst) });
                            s.spawn(|_| support::ignore(sum.fetch_add(10, Ordering::SeqCst)));
                            part.await.unwrap();
                            sum.fetch_add(100, Ordering::SeqCst);
                        })
                    })
                    .detach();
                    over.set();
                });
            });
            over.wait();
            thread::sleep(Duration::from_millis(10));
            assert!(!scope.is_finished());
            go.set();
            scope.join().unwrap();
        });
        assert_eq!(sum.into_inner(), 111);
    });
}

#[test]
fn outputs_that_borrow_from_the_frame() {
    on_pools(|pool| {
        let words = ["fork", "join", "steal"].map(str::to_owned);
        let longest = pool.scope(|s| {
            let longest = s.spawn_future_with(|s| {
                Box::pin(async {
                    let parts: Vec<_> = words
                        .iter()
                        .map(|word| {
                            s.spawn_future_with(move |_| {
                                Box::pin(async move {
                                    yield_once().await;
                                    word.as_str()
                                })
                            })
                        })
                        .collect();
                    let mut longest = "";
                    for part in parts {
                        let word = part.await.unwrap();
                        longest = if word.len() > longest.len() { word } else { longest };
                    }
                    longest
                })
            });
            longest.join().unwrap()
        });
        assert_eq!(longest, "steal");
    });
}

/// The closure that makes the future runs at once, in the caller, and need not be `Send`.
#[test]
fn the_future_is_made_right_here() {
    on_pools(|pool| {
        pool.in_place_scope(|s| {
            let (here, mut made) = (std::rc::Rc::new(thread::current().id()), None);
            let inner = s.spawn_future_with(|s| {
                made = Some(*here);
                s.spawn(|_| ());
                Box::pin(async { 5 })
            });
            assert_eq!(made, Some(thread::current().id()));
            assert_eq!(inner.join().unwrap(), 5);
        });
    });
}

#[test]
fn a_maker_that_panics_spawns_nothing() {
    matrix(|pool, drops, _| {
        let panicked = catch(|| {
            pool.scope(|s| {
                let token = drops.token();
                let kept = catch(|| {
                    s.spawn_future_with(|_| -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
                        let _token = token;
                        plan(1)
                    })
                    .detach();
                });
                assert_eq!(kept, Err(1));
                s.spawn_future_with::<_, ()>(|_| plan(2)).detach();
            });
        });
        assert_eq!(panicked, Err(2));
    });
}

#[test]
fn panics_of_what_a_future_spawns() {
    matrix(|pool, drops, _| {
        let token = drops.token();
        let panicked = catch(|| {
            pool.scope(|s| {
                s.spawn_future_with(|s| {
                    Box::pin(async move {
                        let _token = token;
                        let kept = s.spawn_future_with(|_| Box::pin(async { plan(1) }));
                        let error: Result<(), _> = kept.await;
                        assert_eq!(planned(error.unwrap_err().into_panic()), 1);
                        s.spawn_future_with(|_| Box::pin(async { plan(2) })).detach();
                    })
                })
                .detach();
            });
        });
        assert_eq!(panicked, Err(2));
    });
}

/// A future that is aborted spawns from its destructor: the scope is there still.
#[test]
fn a_future_spawns_while_it_is_dropped() {
    struct SpawnsInDrop<'a, 's>(&'a Scope<'s>, &'s AtomicUsize);
    impl Drop for SpawnsInDrop<'_, '_> {
        fn drop(&mut self) {
            let count = self.1;
            self.0.spawn(|_| support::ignore(count.fetch_add(1, Ordering::SeqCst)));
            self.0.spawn_future(async { count.fetch_add(10, Ordering::SeqCst) }).detach();
        }
    }
    on_pools(|pool| {
        for _ in 0..50 {
            let count = AtomicUsize::new(0);
            let abort = pool.scope(|s| {
                let rests = s.spawn_future_with(|s| {
                    let spawns = SpawnsInDrop(s, &count);
                    Box::pin(async move {
                        let _spawns = spawns;
                        pending::<()>().await;
                    })
                });
                let abort = rests.abort_handle();
                rests.detach();
                s.spawn(move |_| abort.abort());
                s.spawn_future(yield_once()).abort_handle()
            });
            abort.abort();
            assert_eq!(count.into_inner(), 11);
        }
    });
}

#[test]
fn shutdown_now_while_futures_spawn() {
    with_deadline(60, || {
        for workers in [1, 2] {
            note(format!("{workers} workers"));
            let (pool, drops, begun) = (pool(workers), Drops::default(), Event::default());
            let ran = Arc::new(Mutex::new(0));
            thread::scope(|threads| {
                let scope = threads.spawn(|| {
                    pool.scope(|s| {
                        let (token, ran, begun) = (drops.token(), &ran, &begun);
                        s.spawn_future_with(move |s| {
                            Box::pin(async move {
                                let _token = token;
                                loop {
                                    s.spawn(move |_| *lock(ran) += 1);
                                    begun.set();
                                    yield_once().await;
                                }
                            })
                        })
                        .detach();
                    });
                });
                assert!(begun.wait_for(SOON));
                pool.shutdown_now();
                scope.join().unwrap();
            });
            assert!(within(SOON, || drops.dropped() == 1));
            assert!(*lock(&ran) > 0, "parts of a scope run, though the pool ends");
        }
    });
}
