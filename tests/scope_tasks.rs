//! Futures in scopes: `Scope::spawn_future`, `ScopeFifo::spawn_future` and `ScopedJoinHandle`. They borrow from the
//! frame around the scope, and all have ended, and dropped what they hold, when it goes on.

mod support;

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use filch::{AbortHandle, Pool, Scope, ScopedJoinHandle};
use support::{Drops, Event, catch, fib, lock, matrix, note, plan, planned, pool, with_deadline, within, yield_once};

const SOON: Duration = Duration::from_secs(10);

/// Runs `each` on pools of 1, 2 and 4 workers.
fn on_pools(each: impl Fn(&Pool) + Send + 'static) {
    with_deadline(60, move || {
        for workers in [1, 2, 4] {
            note(format!("{workers} workers"));
            each(&pool(workers));
        }
    });
}

/// Runs `each` in scopes opened by a guest, on a worker, beside the pool, and in place by a guest.
fn in_scopes(pool: &Pool, each: impl for<'s> Fn(&Scope<'s>) + Send + Sync) {
    pool.scope(&each);
    pool.install_on_worker(|| filch::scope(&each));
    pool.in_place_scope(&each);
    pool.install(|| filch::in_place_scope(&each));
}

/// [`within`] on a thread that may hold the pool's only seat: gives it up between the looks.
fn give_way_until(mut done: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if done() {
            return;
        }
        filch::block_on(filch::spawn_blocking(|| thread::sleep(Duration::from_micros(500)))).unwrap();
    }
    panic!("it never comes");
}

/// Rests until it is opened by whoever holds the other clone.
#[derive(Clone, Default)]
struct Door(Arc<(AtomicBool, Mutex<Option<Waker>>)>);

impl Door {
    async fn pass(&self) {
        poll_fn(|context| {
            *lock(&self.0.1) = Some(context.waker().clone());
            if self.0.0.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn has_a_waiter(&self) -> bool {
        lock(&self.0.1).is_some()
    }

    fn open(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        let waker = lock(&self.0.1).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

// ----- borrowing and waiting --------------------------------------------------------------------------------------

#[test]
fn futures_borrow_from_the_frame() {
    on_pools(|pool| {
        let words = ["fork", "join", "steal"].map(str::to_owned);
        let mut lengths = [0; 3];
        let longest = pool.scope(|s| {
            let handles: Vec<_> = words
                .iter()
                .zip(&mut lengths)
                .map(|(word, length)| {
                    s.spawn_future(async move {
                        yield_once().await;
                        *length = word.len();
                        word.as_str()
                    })
                })
                .collect();
            let awaits = async {
                let mut longest = "";
                for handle in handles {
                    let word = handle.await.unwrap();
                    longest = if word.len() > longest.len() { word } else { longest };
                }
                longest
            };
            s.spawn_future(awaits).join().unwrap()
        });
        assert_eq!((longest, lengths), ("steal", [4, 4, 5]));
    });
}

#[test]
fn every_kind_of_scope_waits_for_its_futures() {
    on_pools(|pool| {
        let (ended, drops) = (Arc::new(AtomicUsize::new(0)), Drops::default());
        in_scopes(pool, |s| {
            for i in 0..20 {
                let (token, ended) = (drops.token(), ended.clone());
                let future = async move {
                    let _token = token;
                    for _ in 0..i % 4 {
                        yield_once().await;
                    }
                    filch::spawn(yield_once()).await.unwrap();
                    ended.fetch_add(1, Ordering::SeqCst);
                };
                s.spawn_future(future).detach();
            }
        });
        assert_eq!((ended.load(Ordering::SeqCst), drops.dropped()), (80, 80));
        let ended = AtomicUsize::new(0);
        for _ in 0..2 {
            pool.scope_fifo(|s| {
                (0..20).for_each(|_| s.spawn_future(async { ended.fetch_add(1, Ordering::SeqCst) }).detach());
            });
            pool.in_place_scope_fifo(|s| {
                (0..20).for_each(|_| s.spawn_future(async { ended.fetch_add(1, Ordering::SeqCst) }).detach());
            });
        }
        assert_eq!(ended.into_inner(), 80);
    });
}

#[test]
fn the_free_functions_use_the_pool_around_them_or_the_global_one() {
    with_deadline(60, || {
        let pool = pool(3);
        let mut workers = [0; 4];
        let [a, b, c, d] = &mut workers;
        pool.install(|| {
            filch::scope(|s| s.spawn_future(async { *a = filch::current_num_threads() }).detach());
            filch::scope_fifo(|s| s.spawn_future(async { *b = filch::current_num_threads() }).detach());
        });
        filch::in_place_scope(|s| s.spawn_future(async { *c = filch::current_num_threads() }).detach());
        filch::in_place_scope_fifo(|s| s.spawn_future(async { *d = filch::current_num_threads() }).detach());
        let global = filch::current_num_threads();
        assert_eq!(workers, [3, 3, global, global]);
    });
}

#[test]
fn an_in_place_scope_from_outside_need_not_be_send() {
    on_pools(|pool| {
        let (local, sum) = (Cell::new(0), AtomicUsize::new(0));
        let value = pool.in_place_scope(|s| {
            local.set(1);
            let first = s.spawn_future(async { sum.fetch_add(2, Ordering::SeqCst) });
            local.set(local.get() + first.join().unwrap() + 1);
            thread::scope(|threads| {
                threads.spawn(|| s.spawn_future(async { sum.fetch_add(3, Ordering::SeqCst) }).detach());
            });
            local.get()
        });
        assert_eq!((value, sum.into_inner()), (2, 5));
    });
}

#[test]
fn futures_of_a_scope_await_each_other() {
    on_pools(|pool| {
        let (log, door) = (Mutex::new(Vec::new()), Door::default());
        pool.scope(|s| {
            let first = s.spawn_future(async {
                door.pass().await;
                lock(&log).push("first");
                1
            });
            let second = s.spawn_future(async {
                let value = first.await.unwrap() + 1;
                lock(&log).push("second");
                value
            });
            let third = s.spawn_future(async { second.await.unwrap() + 1 });
            s.spawn_future(async {
                door.open();
                yield_once().await;
            })
            .detach();
            assert_eq!(third.join().unwrap(), 3);
        });
        assert_eq!(lock(&log)[..], ["first", "second"]);
    });
}

#[test]
fn tokios_channel_between_futures_that_borrow() {
    on_pools(|pool| {
        let numbers: Vec<usize> = (0..1000).collect();
        let mut sum = 0;
        pool.scope(|s| {
            let (tx, mut rx) = tokio::sync::mpsc::channel::<&usize>(4);
            for part in numbers.chunks(100) {
                let tx = tx.clone();
                let sends = async move {
                    for number in part {
                        tx.send(number).await.unwrap();
                    }
                };
                s.spawn_future(sends).detach();
            }
            drop(tx);
            let sum = &mut sum;
            s.spawn_future(async move {
                while let Some(number) = rx.recv().await {
                    *sum += number;
                }
            })
            .detach();
        });
        assert_eq!(sum, 499_500);
    });
}

#[test]
fn closures_and_futures_spawn_each_other() {
    fn grow<'s>(s: &Scope<'s>, depth: u32, count: &'s AtomicUsize) {
        count.fetch_add(1, Ordering::SeqCst);
        if depth == 0 {
            return;
        }
        s.spawn(move |s| {
            let inner = s.spawn_future(async move {
                yield_once().await;
                // A future has no scope at hand, but may open one: its thread gives the seat up while it waits.
                filch::scope(|s| s.spawn(|_| grow_alone(count)));
                filch::spawn_cpu(|| fib(3)).await.unwrap()
            });
            s.spawn_future(async move {
                assert_eq!(inner.await.unwrap(), 2);
                count.fetch_add(1, Ordering::SeqCst);
            })
            .detach();
            grow(s, depth - 1, count);
        });
        s.spawn(move |s| grow(s, depth - 1, count));
    }
    fn grow_alone(count: &AtomicUsize) {
        filch::scope(|s| s.spawn_future(async { count.fetch_add(1, Ordering::SeqCst) }).detach());
    }
    on_pools(|pool| {
        let count = AtomicUsize::new(0);
        pool.scope(|s| grow(s, 5, &count));
        // 63 calls, 31 of which spawn, and two futures with each.
        assert_eq!(count.into_inner(), 63 + 31 * 2);
    });
}

#[test]
fn a_scope_inside_a_task() {
    on_pools(|pool| {
        let tasks: Vec<_> = (0..8u32)
            .map(|i| {
                pool.spawn(async move {
                    yield_once().await;
                    let mut parts = [0; 4];
                    filch::scope(|s| {
                        for part in &mut parts {
                            s.spawn_future(async {
                                yield_once().await;
                                *part = filch::spawn_cpu(move || i).await.unwrap();
                            })
                            .detach();
                        }
                    });
                    yield_once().await;
                    parts.iter().sum::<u32>()
                })
            })
            .collect();
        assert_eq!(tasks.into_iter().map(|task| task.join().unwrap()).sum::<u32>(), 4 * 28);
    });
}

#[test]
fn ten_thousand_futures() {
    on_pools(|pool| {
        let (sum, drops) = (AtomicUsize::new(0), Drops::default());
        pool.scope(|s| {
            let handles: Vec<_> = (0..10_000)
                .map(|i| {
                    let (sum, token) = (&sum, drops.token());
                    s.spawn_future(async move {
                        yield_once().await;
                        sum.fetch_add(i, Ordering::Relaxed);
                        token
                    })
                })
                .collect();
            let mut kept = 0;
            for (i, handle) in handles.into_iter().enumerate() {
                if i % 2 == 0 {
                    drop(handle.join().unwrap());
                    kept += 1;
                }
            }
            assert_eq!(kept, 5000);
        });
        assert_eq!((sum.into_inner(), drops.dropped()), (49_995_000, 10_000));
    });
}

/// Two futures in a scope of a pool whose workers never come. Of spares the handler says so, or it does not.
fn run_them_on_the_calling_thread(refused: bool) {
    with_deadline(if refused { 60 } else { 10 }, move || {
        let handler = move |thread: filch::ThreadBuilder| {
            let spare = thread.index() >= 2;
            drop(thread);
            if refused && spare { Err(std::io::Error::other("no more threads")) } else { Ok(()) }
        };
        let pool = Pool::builder().workers(2).spawn_handler(handler).build().unwrap();
        let mut value = 0;
        pool.scope(|s| {
            let first = s.spawn_future(async {
                yield_once().await;
                1
            });
            s.spawn_future(async { value = first.await.unwrap() }).detach();
        });
        assert_eq!(value, 1);
    });
}

#[test]
fn a_thread_that_can_get_no_other_runs_them_itself() {
    run_them_on_the_calling_thread(true);
}

#[test]
fn a_thread_that_waits_for_others_that_never_come_runs_them_itself() {
    run_them_on_the_calling_thread(false);
}

// ----- panics -----------------------------------------------------------------------------------------------------

#[test]
fn a_panic_comes_to_the_handle_that_is_kept() {
    matrix(|pool, drops, reports| {
        let token = drops.token();
        let message = pool.scope(|s| {
            let panics = s.spawn_future(async {
                let _token = token;
                yield_once().await;
                plan(1)
            });
            let awaits: ScopedJoinHandle<'_, u64> = s.spawn_future(async {
                let outcome: Result<(), _> = panics.await;
                planned(outcome.unwrap_err().into_panic())
            });
            awaits.join().unwrap()
        });
        assert_eq!((message, lock(reports).len()), (1, 0));
    });
}

#[test]
fn a_panic_whose_handle_is_gone_comes_out_of_the_scope() {
    matrix(|pool, drops, reports| {
        let (token, other) = (drops.token(), drops.token());
        let ended = AtomicBool::new(false);
        let outcome = catch(|| {
            pool.scope(|s| {
                let door = Door::default();
                let waits = door.clone();
                s.spawn_future(async move {
                    let _token = token;
                    waits.pass().await;
                    plan(2)
                })
                .detach();
                door.open();
                s.spawn_future(async {
                    let _token = other;
                    yield_once().await;
                    ended.store(true, Ordering::SeqCst);
                })
                .detach();
            });
        });
        assert_eq!(outcome, Err(2));
        assert!(ended.load(Ordering::SeqCst), "the others have ended before");
        assert_eq!(lock(reports).len(), 0);
    });
}

#[test]
fn a_panic_whose_handle_goes_after_it_reaches_somebody() {
    // `spawn_future(..).detach()` is this, if another thread has been fast enough.
    on_pools(|pool| {
        let outcome = catch(|| {
            pool.scope(|s| {
                let panics = s.spawn_future(async { plan(1) });
                give_way_until(|| panics.is_finished());
                drop::<ScopedJoinHandle<'_, ()>>(panics);
            });
        });
        assert!(outcome == Err(1) || pool.stats().panics == 1);
    });
}

#[test]
fn the_first_panic_wins() {
    on_pools(|pool| {
        let later: [fn(&Scope<'_>); 3] =
            [|s| s.spawn_future(async { plan(2) }).detach(), |s| s.spawn(|_| plan(3)), |_| plan(4)];
        for later in later {
            let outcome = catch(|| {
                pool.scope(|s| {
                    let door = Door::default();
                    let waits = door.clone();
                    let first = s.spawn_future(async move {
                        waits.pass().await;
                        plan(1)
                    });
                    let watch = first.abort_handle();
                    drop::<ScopedJoinHandle<'_, ()>>(first);
                    door.open();
                    give_way_until(|| watch.is_finished());
                    later(s);
                });
            });
            assert_eq!(outcome, Err(1));
        }
    });
}

#[test]
fn panics_of_destructors_come_out_of_the_scope() {
    struct Panics<T>(u64, Option<T>);
    impl<T> Drop for Panics<T> {
        fn drop(&mut self) {
            plan(self.0);
        }
    }
    impl<T: Unpin> Future for Panics<T> {
        type Output = Option<T>;
        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
            Poll::Ready(self.1.take())
        }
    }
    matrix(|pool, drops, reports| {
        let mut output = None;
        let of_a_future =
            catch(|| pool.scope(|s| output = s.spawn_future(Panics(5, Some(drops.token()))).join().unwrap()));
        assert_eq!(of_a_future, Err(5));
        assert!(output.is_some(), "its handle has the output nevertheless");
        let of_an_output = catch(|| {
            pool.scope(|s| {
                let (both, door) = (Panics(7, Some(drops.token())), Door::default());
                let waits = door.clone();
                let ends = s.spawn_future(async move {
                    waits.pass().await;
                    Some(both)
                });
                ends.detach();
                door.open();
            });
        });
        assert_eq!(of_an_output, Err(7));
        assert_eq!(lock(reports).len(), 0);
    });
}

// ----- ends before their time -------------------------------------------------------------------------------------

#[test]
fn aborted_futures_are_dropped_before_the_scope_ends() {
    on_pools(|pool| {
        let drops = Drops::default();
        pool.scope(|s| {
            let door = Door::default();
            let (token, waits) = (drops.token(), door.clone());
            let rests = s.spawn_future(async move {
                let _token = token;
                waits.pass().await;
                pending::<()>().await;
            });
            give_way_until(|| door.has_a_waiter());
            assert!(!rests.is_finished());
            assert!(format!("{rests:?}").contains("finished: false"));
            rests.abort();
            rests.abort();
            assert!(rests.join().unwrap_err().is_cancelled());
            assert_eq!(drops.dropped(), 1);
            // One that nobody awaits, by a handle that only cancels; and one that has ended.
            let (token, waits) = (drops.token(), Door::default());
            let alone = s.spawn_future(async move {
                let _token = token;
                waits.pass().await;
            });
            let abort = alone.abort_handle();
            alone.detach();
            s.spawn(move |_| abort.abort());
            let ended = s.spawn_future(async { 3 });
            give_way_until(|| ended.is_finished());
            ended.abort();
            assert_eq!(ended.join().unwrap(), 3);
        });
        assert_eq!(drops.dropped(), 2);
    });
}

#[test]
fn an_abort_handle_may_outlive_the_scope() {
    on_pools(|pool| {
        let value = 5;
        let abort: AbortHandle = pool.scope(|s| s.spawn_future(async { value + 1 }).abort_handle());
        assert!(abort.is_finished());
        abort.clone().abort();
    });
}

#[test]
fn shutdown_now_cancels_what_rests_in_a_scope() {
    with_deadline(60, || {
        for (workers, outside) in [(1, false), (2, false), (1, true), (2, true)] {
            note(format!("{workers} workers, outside: {outside}"));
            let (pool, door, drops) = (pool(workers), Door::default(), Drops::default());
            let never_opened = door.clone();
            thread::scope(|threads| {
                let scope = threads.spawn(|| {
                    let body = |s: &Scope<'_>| {
                        let rests = |door: Door, token| async move {
                            let _token = token;
                            door.pass().await;
                        };
                        let rest = s.spawn_future(rests(Door::default(), drops.token()));
                        s.spawn_future(rests(door, drops.token())).detach();
                        rest.join().unwrap_err().is_cancelled()
                    };
                    if outside { pool.in_place_scope(body) } else { pool.scope(body) }
                });
                assert!(within(SOON, || never_opened.has_a_waiter()));
                pool.shutdown_now();
                assert!(scope.join().unwrap());
                assert_eq!(drops.dropped(), 2);
            });
        }
    });
}

#[test]
fn in_a_scope_of_a_pool_that_has_closed_a_future_is_cancelled() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let (pool, drops) = (pool(workers), Drops::default());
            pool.scope(|s| {
                pool.shutdown_now();
                let token = drops.token();
                let late = s.spawn_future(async move { drop(token) });
                assert!(late.join().unwrap_err().is_cancelled());
                assert_eq!(drops.dropped(), 1);
                s.spawn_future(pending::<()>()).detach();
            });
        }
    });
}

#[test]
fn a_gentle_shutdown_waits_for_a_scopes_closures_and_cancels_its_futures() {
    with_deadline(60, || {
        let (pool, door, begun) = (pool(2), Door::default(), Event::default());
        let rests = door.clone();
        let begins = begun.clone();
        let scope = pool.spawn_cpu(move || {
            filch::scope(|s| {
                s.spawn_future(async { rests.pass().await }).detach();
                s.spawn(|_| begins.set());
            });
        });
        begun.wait();
        assert!(within(SOON, || door.has_a_waiter()));
        let ends = thread::spawn(move || pool.shutdown());
        thread::sleep(Duration::from_millis(20));
        door.open();
        scope.join().unwrap();
        ends.join().unwrap();
    });
}

// ----- what outlives the scope ------------------------------------------------------------------------------------

#[test]
fn wakers_outlive_the_scope() {
    on_pools(|pool| {
        let wakers: Mutex<Vec<Waker>> = Mutex::default();
        for _ in 0..50 {
            let mut sum = 0;
            pool.scope(|s| {
                let (sum, wakers) = (&mut sum, &wakers);
                s.spawn_future(async move {
                    let mut left = 3;
                    poll_fn(|context| {
                        lock(wakers).push(context.waker().clone());
                        context.waker().wake_by_ref();
                        left -= 1;
                        *sum += 1;
                        if left == 0 { Poll::Ready(()) } else { Poll::Pending }
                    })
                    .await;
                })
                .detach();
            });
            assert_eq!(sum, 3);
            lock(&wakers).iter().for_each(Waker::wake_by_ref);
        }
        for waker in lock(&wakers).drain(..) {
            let clone = waker.clone();
            clone.wake();
            drop(waker);
        }
    });
}

#[test]
fn another_thread_may_wake_while_the_scope_ends() {
    with_deadline(60, || {
        let pool = pool(2);
        for round in 0..200u64 {
            note(format!("round {round}"));
            let (place, stop) = (Arc::new(Mutex::new(None::<Waker>)), Event::default());
            let (wakes, stops) = (place.clone(), stop.clone());
            let foreign = thread::spawn(move || {
                while !stops.is_set() {
                    let waker = lock(&wakes).clone();
                    waker.iter().for_each(Waker::wake_by_ref);
                }
            });
            let mut polls = 0;
            pool.scope(|s| {
                let (polls, place) = (&mut polls, &place);
                s.spawn_future(poll_fn(move |context| {
                    *polls += 1;
                    *lock(place) = Some(context.waker().clone());
                    if *polls > 3 { Poll::Ready(()) } else { Poll::Pending }
                }))
                .detach();
            });
            assert!(polls > 3);
            stop.set();
            foreign.join().unwrap();
        }
    });
}

#[test]
fn a_handle_may_leave_the_scope() {
    on_pools(|pool| {
        let drops = Drops::default();
        let text = "borrowed".to_owned();
        let handles = pool.scope(|s| {
            let token = || drops.token();
            let future = |token| async {
                yield_once().await;
                (text.as_str(), token)
            };
            [(); 4].map(|()| s.spawn_future(future(token())))
        });
        assert!(handles.iter().all(ScopedJoinHandle::is_finished), "the scope has waited for them");
        assert_eq!(drops.dropped(), 0, "the handles hold the outputs");
        let [a, b, c, d] = handles;
        assert_eq!(a.join().unwrap().0, "borrowed");
        assert_eq!(filch::block_on(b).unwrap().0, "borrowed");
        c.abort();
        drop(c);
        assert_eq!(drops.dropped(), 3);
        thread::scope(|threads| threads.spawn(|| drop(d)).join().unwrap());
        assert_eq!(drops.dropped(), 4);
    });
}

/// What it borrows must be there when it is dropped.
struct Reads<'a>(&'a Mutex<Vec<&'static str>>, &'static str);

impl Drop for Reads<'_> {
    fn drop(&mut self) {
        lock(self.0).push(self.1);
    }
}

#[test]
fn an_output_that_borrows_is_dropped_while_what_it_borrows_is_there() {
    on_pools(|pool| {
        let log = Mutex::new(Vec::new());
        // Nobody takes it: before the scope ends.
        pool.scope(|s| s.spawn_future(async { Reads(&log, "detached") }).detach());
        assert_eq!(lock(&log)[..], ["detached"]);
        // By a handle that has left the scope, late.
        let handle = pool.scope(|s| s.spawn_future(async { Reads(&log, "with its handle") }));
        assert_eq!(lock(&log).len(), 1);
        drop(handle);
        assert_eq!(lock(&log)[1..], ["with its handle"]);
        // In the middle: the handle lies in another future of the scope, which is aborted.
        pool.scope(|s| {
            let held = s.spawn_future(async { Reads(&log, "with its holder") });
            let holds = Door::default();
            let begins = holds.clone();
            let holder = s.spawn_future(async move {
                let _held = held;
                begins.pass().await;
            });
            give_way_until(|| holds.has_a_waiter());
            holder.abort();
        });
        assert_eq!(lock(&log)[2..], ["with its holder"]);
    });
}
