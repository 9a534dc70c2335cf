//! `task::LocalSet` and `spawn_local`: futures that stay on one thread, whoever wakes, aborts or awaits them from
//! where.

mod support;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use filch::task::{LocalSet, spawn_local};
use filch::{AbortHandle, JoinHandle};
use support::{Drops, Event, catch, lock, note, plan, planned, pool, with_deadline, yield_once};

/// Makes a future not `Send`.
fn not_send() -> Rc<()> {
    Rc::new(())
}

/// Polls once, with a waker that does nothing.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

type Local<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Counts its wakes.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Notes the thread on which it is dropped.
struct Where(Arc<Mutex<Vec<ThreadId>>>);

impl Drop for Where {
    fn drop(&mut self) {
        lock(&self.0).push(thread::current().id());
    }
}

/// Calls its closure when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Rests until it is opened by whoever holds the other clone.
#[derive(Clone, Default)]
struct Door(Arc<(AtomicBool, Mutex<Option<Waker>>)>);

impl Door {
    async fn pass(self) {
        poll_fn(|context| {
            *lock(&self.0.1) = Some(context.waker().clone());
            if self.0.0.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn open(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        let waker = lock(&self.0.1).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

// ----- what runs when ---------------------------------------------------------------------------------------------

#[test]
fn tasks_share_what_is_not_send() {
    with_deadline(30, || {
        let set = LocalSet::new();
        let order = Rc::new(RefCell::new(Vec::new()));
        let spawned = order.clone();
        let before = set.spawn_local(async move { spawned.borrow_mut().push("spawned by the set") });
        let output = set.block_on(async {
            let tasks: Vec<_> = ["a", "b", "c"]
                .into_iter()
                .map(|name| {
                    let order = order.clone();
                    spawn_local(async move {
                        order.borrow_mut().push(name);
                        yield_once().await;
                        order.borrow_mut().push(name);
                        Rc::new(name)
                    })
                })
                .collect();
            let mut names = Vec::new();
            for task in tasks {
                names.push(*task.await.unwrap());
            }
            before.await.unwrap();
            names
        });
        assert_eq!(output, ["a", "b", "c"]);
        assert_eq!(*order.borrow(), ["spawned by the set", "a", "b", "c", "a", "b", "c"], "in turn");
    });
}

#[test]
fn tasks_spawn_tasks() {
    fn tree(depth: u32, leaves: Rc<Cell<u32>>) -> Pin<Box<dyn Future<Output = u32>>> {
        Box::pin(async move {
            if depth == 0 {
                leaves.set(leaves.get() + 1);
                return 1;
            }
            let (a, b) = (spawn_local(tree(depth - 1, leaves.clone())), spawn_local(tree(depth - 1, leaves)));
            a.await.unwrap() + b.await.unwrap()
        })
    }
    with_deadline(30, || {
        let (set, leaves) = (LocalSet::default(), Rc::new(Cell::new(0)));
        assert_eq!((set.block_on(tree(10, leaves.clone())), leaves.get()), (1024, 1024));
        assert_eq!(Rc::strong_count(&leaves), 1, "all futures have gone");
    });
}

#[test]
fn run_until_leaves_the_others() {
    with_deadline(30, || {
        let (set, drops, turns) = (LocalSet::new(), Drops::default(), Rc::new(Cell::new(0)));
        let (token, counts) = (drops.token(), turns.clone());
        let left = set.spawn_local(async move {
            let _token = token;
            loop {
                counts.set(counts.get() + 1);
                yield_once().await;
            }
        });
        let short = set.spawn_local(async { 3 });
        assert_eq!(filch::block_on(set.run_until(short)).unwrap(), 3);
        let before = turns.get();
        thread::sleep(Duration::from_millis(5));
        assert_eq!(turns.get(), before, "it rests while nobody polls the set");
        assert!(!left.is_finished());
        set.block_on(yield_once());
        assert!(turns.get() > before, "and goes on");
        assert_eq!(drops.dropped(), 0);
        drop(set);
        assert_eq!(drops.dropped(), 1);
        assert!(left.join().unwrap_err().is_cancelled());
    });
}

#[test]
fn the_set_itself_is_ready_when_no_task_is_left() {
    with_deadline(30, || {
        filch::block_on(LocalSet::new());
        for count in [1, 60, 61, 62, 200] {
            let (set, done) = (LocalSet::new(), Rc::new(Cell::new(0)));
            for i in 0..count {
                let done = done.clone();
                let task = async move {
                    if i % 3 == 0 {
                        yield_once().await;
                    }
                    let inner = done.clone();
                    spawn_local(async move { inner.set(inner.get() + 1) }).detach();
                    done.set(done.get() + 1);
                };
                set.spawn_local(task).detach();
            }
            assert_eq!(format!("{set:?}"), format!("LocalSet {{ live: {count}, .. }}"));
            filch::block_on(set);
            assert_eq!(done.get(), 2 * count);
        }
    });
}

#[test]
fn the_awaited_future_has_a_turn_after_61_tasks() {
    with_deadline(30, || {
        let (set, polls, most) = (LocalSet::new(), Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        for _ in 0..500 {
            let polls = polls.clone();
            set.spawn_local(async move {
                loop {
                    polls.set(polls.get() + 1);
                    yield_once().await;
                }
            })
            .detach();
        }
        let mut before = 0;
        set.block_on(async {
            for _ in 0..100 {
                yield_once().await;
                most.set(most.get().max(polls.get() - before));
                before = polls.get();
            }
        });
        assert_eq!(most.get(), 61);
        assert_eq!(polls.get(), 6100, "all had their turns");
    });
}

#[test]
fn tasks_have_a_budget_of_their_own() {
    with_deadline(30, || {
        let set = LocalSet::new();
        let other = Rc::new(Cell::new(0));
        let counts = other.clone();
        let greedy = set.spawn_local(async move {
            for _ in 0..1000 {
                filch::task::consume_budget().await;
            }
            counts.get()
        });
        set.spawn_local(async move {
            loop {
                other.set(other.get() + 1);
                filch::task::yield_now().await;
            }
        })
        .detach();
        assert!(set.block_on(greedy).unwrap() >= 7, "it went to the end of the queue each 128 steps");
    });
}

#[test]
fn ids_and_names_are_the_tasks_own() {
    with_deadline(30, || {
        let set = LocalSet::new();
        let outer = set.spawn_local(async {
            let inner = spawn_local(async { filch::task::id() });
            let id = inner.id();
            assert_eq!(inner.await.unwrap(), id);
            assert_ne!(filch::task::id(), id);
            filch::task::id()
        });
        let id = outer.id();
        assert_eq!((outer.name(), set.block_on(outer).unwrap()), (None, id));
        assert!(filch::task::try_id().is_none());
    });
}

// ----- where it is used -------------------------------------------------------------------------------------------

#[test]
fn outside_of_a_set_spawn_local_panics() {
    fn spawns() -> bool {
        let text = |payload: support::Payload| *payload.downcast::<String>().unwrap();
        match std::panic::catch_unwind(|| spawn_local(async {}).detach()) {
            Ok(()) => true,
            Err(payload) => {
                assert!(text(payload).contains("outside of a LocalSet"));
                false
            }
        }
    }
    with_deadline(30, || {
        let set = LocalSet::new();
        assert!(!spawns());
        set.spawn_local(async {}).detach();
        assert!(!spawns(), "it has to be polled");
        assert!(set.block_on(async { spawns() }));
        assert!(!spawns());
        set.block_on(async {
            assert!(!filch::spawn(async { spawns() }).await.unwrap(), "a task of the pool is not of the set");
            assert!(!filch::spawn_blocking(spawns).await.unwrap());
            assert!(spawns(), "it is the set's again after a wait");
        });
        assert_eq!(catch(|| set.block_on(async { plan(1) })), Err(1));
        assert!(!spawns(), "nor after a panic");
    });
}

#[test]
fn a_task_of_the_pool_on_top_of_one_of_the_set_is_not_of_the_set() {
    with_deadline(30, || {
        let pool = pool(1);
        let spawned = pool.spawn_cpu(|| {
            LocalSet::new().block_on(async {
                let place = Arc::new(Mutex::new(None));
                let seen = place.clone();
                filch::spawn_detached(move || {
                    let outcome = std::panic::catch_unwind(|| spawn_local(async {}).detach());
                    *lock(&seen) = Some(outcome.is_ok());
                });
                while lock(&place).is_none() {
                    filch::yield_now();
                }
                lock(&place).take()
            })
        });
        assert_eq!(spawned.join().unwrap(), Some(false));
    });
}

/// Fifty tasks of a set on this thread, which await what they have spawned onto the pool.
fn use_a_set(i: u64) {
    let set = LocalSet::new();
    let here = thread::current().id();
    let sum = Rc::new(Cell::new(0));
    set.block_on(async {
        let task = |j| {
            let sum = sum.clone();
            spawn_local(async move {
                let far = filch::spawn(async move { i + j });
                let computed = filch::spawn_cpu(|| support::fib(5));
                let both = far.await.unwrap() + computed.await.unwrap();
                sum.set(sum.get() + both);
                assert_eq!(thread::current().id(), here);
            })
        };
        let tasks: Vec<_> = (0..50).map(task).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(sum.get(), 50 * (i + 5) + 1225);
}

#[test]
fn on_a_worker_inside_a_task() {
    with_deadline(60, || {
        for workers in [1, 2] {
            note(format!("{workers} workers"));
            let pool = pool(workers);
            let tasks: Vec<_> = (0..4u64)
                .map(|i| {
                    pool.spawn(async move {
                        use_a_set(i);
                        yield_once().await;
                        i
                    })
                })
                .collect();
            for (i, task) in tasks.into_iter().enumerate() {
                assert_eq!(task.join().unwrap(), i as u64);
            }
        }
    });
}

#[test]
fn sets_in_sets() {
    with_deadline(30, || {
        let outer = LocalSet::new();
        let order = Rc::new(RefCell::new(Vec::new()));
        let says = |name: &'static str| {
            let order = order.clone();
            async move { order.borrow_mut().push(name) }
        };
        outer.spawn_local(says("outer's")).detach();
        outer.block_on(async {
            let inner = LocalSet::new();
            let of_inner = inner.spawn_local(says("inner's"));
            inner
                .run_until(async {
                    spawn_local(says("inner's too")).await.unwrap();
                    of_inner.await.unwrap();
                })
                .await;
            let left = inner.run_until(poll_fn(|_| Poll::Ready(spawn_local(pending::<()>())))).await;
            spawn_local(says("outer's again")).await.unwrap();
            drop(inner);
            assert!(left.await.unwrap_err().is_cancelled());
            spawn_local(says("outer's at last")).await.unwrap();
        });
        let order = order.borrow();
        let mut expected = ["inner's", "inner's too", "outer's", "outer's again", "outer's at last"];
        expected.sort_unstable();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, expected);
        assert_eq!(order.last(), Some(&"outer's at last"));
    });
}

#[test]
fn a_set_that_is_awaited_in_a_task_of_another() {
    with_deadline(30, || {
        let (outer, inner) = (LocalSet::new(), LocalSet::new());
        let (sum, door) = (Rc::new(Cell::new(0)), Door::default());
        for i in 1..=100 {
            let (sum, door) = (sum.clone(), door.clone());
            let task = async move {
                if i == 100 {
                    door.pass().await;
                }
                yield_once().await;
                sum.set(sum.get() + i);
            };
            inner.spawn_local(task).detach();
        }
        let opener = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            door.open();
        });
        let task = outer.spawn_local(inner);
        outer.block_on(task).unwrap();
        assert_eq!(sum.get(), 5050);
        opener.join().unwrap();
    });
}

// ----- other threads ----------------------------------------------------------------------------------------------

#[test]
fn other_threads_wake() {
    with_deadline(60, || {
        let set = LocalSet::new();
        for round in 0..200 {
            note(format!("round {round}"));
            let doors: Vec<Door> = (0..4).map(|_| Door::default()).collect();
            let tasks: Vec<_> = doors
                .iter()
                .map(|door| {
                    let (door, local) = (door.clone(), not_send());
                    set.spawn_local(async move {
                        door.pass().await;
                        drop(local);
                    })
                })
                .collect();
            let opener = thread::spawn(move || doors.iter().for_each(Door::open));
            set.block_on(async {
                for task in tasks {
                    task.await.unwrap();
                }
            });
            opener.join().unwrap();
        }
    });
}

#[test]
fn an_abort_from_another_thread_drops_the_future_on_the_sets() {
    with_deadline(30, || {
        let (set, dropped) = (LocalSet::new(), Arc::default());
        let rests = |count: usize| -> Vec<JoinHandle<()>> {
            let task = |_| {
                let (at, local) = (Where(Arc::clone(&dropped)), not_send());
                set.spawn_local(async move {
                    let _both = (at, local);
                    pending::<()>().await;
                })
            };
            (0..count).map(task).collect()
        };
        let abort_elsewhere = |handles: &[JoinHandle<()>]| {
            let aborts: Vec<AbortHandle> = handles.iter().map(JoinHandle::abort_handle).collect();
            thread::spawn(move || aborts.iter().for_each(AbortHandle::abort)).join().unwrap();
        };
        // Before the first poll, and at rest.
        let (unpolled, resting) = (rests(3), rests(3));
        abort_elsewhere(&unpolled);
        set.block_on(yield_once());
        abort_elsewhere(&resting);
        assert!(resting.iter().all(|handle| !handle.is_finished()), "nobody polls the set");
        set.block_on(async {
            for handle in unpolled.into_iter().chain(resting) {
                assert!(handle.await.unwrap_err().is_cancelled());
            }
        });
        // By a handle that is dropped elsewhere, and a waker that was the last: the same.
        let handles = rests(3);
        set.block_on(yield_once());
        thread::spawn(move || drop(handles)).join().unwrap();
        set.block_on(yield_once());
        assert_eq!(*lock(&dropped), vec![thread::current().id(); 9]);
    });
}

#[test]
fn a_task_may_abort_itself() {
    with_deadline(30, || {
        let set = LocalSet::new();
        let place: Rc<RefCell<Option<AbortHandle>>> = Rc::default();
        let own = place.clone();
        let task = set.spawn_local(async move {
            own.borrow().as_ref().unwrap().abort();
            yield_once().await;
            unreachable!("it is cancelled when it yields");
        });
        *place.borrow_mut() = Some(task.abort_handle());
        assert!(set.block_on(task).unwrap_err().is_cancelled());
    });
}

#[test]
fn a_handle_may_be_awaited_elsewhere() {
    with_deadline(30, || {
        let (set, pool) = (LocalSet::new(), pool(1));
        let local = not_send();
        let handle = set.spawn_local(async move {
            yield_once().await;
            drop(local);
            5
        });
        let awaiter = pool.spawn(async move { handle.await.unwrap() + 1 });
        assert_eq!(set.block_on(awaiter).unwrap(), 6);
    });
}

#[test]
fn a_set_may_go_while_another_thread_wakes() {
    with_deadline(60, || {
        let drops = Drops::default();
        for round in 0..300 {
            note(format!("round {round}"));
            let (set, stop) = (LocalSet::new(), Event::default());
            let wakers: Arc<Mutex<Vec<Waker>>> = Arc::default();
            for _ in 0..8 {
                let (token, kept) = (drops.token(), wakers.clone());
                let rests = poll_fn(move |context| {
                    let _token = &token;
                    lock(&kept).push(context.waker().clone());
                    Poll::<()>::Pending
                });
                set.spawn_local(rests).detach();
            }
            set.block_on(yield_once());
            let wakers = std::mem::take(&mut *lock(&wakers));
            let stops = stop.clone();
            let foreign = thread::spawn(move || {
                while !stops.is_set() {
                    wakers.iter().for_each(Waker::wake_by_ref);
                }
                // And long after it.
                wakers.into_iter().for_each(Waker::wake);
            });
            support::spin(Duration::from_micros(round));
            drop(set);
            assert_eq!(drops.made(), drops.dropped(), "all futures are gone when the set is");
            stop.set();
            foreign.join().unwrap();
        }
    });
}

// ----- the end ----------------------------------------------------------------------------------------------------

#[test]
fn a_dropped_set_drops_all_futures() {
    with_deadline(30, || {
        let (set, drops) = (LocalSet::new(), Drops::default());
        let kinds: [fn() -> Local<'static>; 3] =
            [|| Box::pin(async {}), || Box::pin(pending()), || Box::pin(async { while !yields().await {} })];
        let spawn = || -> Vec<JoinHandle<()>> {
            (0..30)
                .map(|i| {
                    let (token, future) = (drops.token(), kinds[i % 3]());
                    set.spawn_local(async move {
                        let _token = token;
                        future.await;
                    })
                })
                .collect()
        };
        let polled = spawn();
        set.block_on(yield_once());
        set.block_on(yield_once());
        let unpolled = spawn();
        let local = set.spawn_local(async { not_send() });
        drop(set);
        assert_eq!((drops.made(), drops.dropped()), (60, 60));
        for (i, handle) in polled.into_iter().enumerate() {
            let outcome = handle.join();
            assert!(if i % 3 == 0 { outcome.is_ok() } else { outcome.unwrap_err().is_cancelled() });
        }
        assert!(unpolled.into_iter().all(|handle| handle.join().unwrap_err().is_cancelled()));
        assert!(local.join().unwrap_err().is_cancelled());
    });
}

async fn yields() -> bool {
    yield_once().await;
    false
}

#[test]
fn destructors_may_spawn_wake_and_abort_while_the_set_goes() {
    with_deadline(30, || {
        let (set, drops) = (LocalSet::new(), Drops::default());
        let wakers: Rc<RefCell<Vec<Waker>>> = Rc::default();
        let aborts: Rc<RefCell<Vec<AbortHandle>>> = Rc::default();
        let spawned: Rc<RefCell<Vec<JoinHandle<()>>>> = Rc::default();
        for _ in 0..10 {
            let (wakers, all, spawned, drops) = (wakers.clone(), aborts.clone(), spawned.clone(), drops.clone());
            let handle = set.spawn_local(async move {
                let (own, token) = (wakers.clone(), drops.token());
                let _on_drop = OnDrop(move || {
                    wakers.borrow().iter().for_each(Waker::wake_by_ref);
                    all.borrow().iter().for_each(AbortHandle::abort);
                    let (token, second) = (drops.token(), drops.clone());
                    let deeper = OnDrop(move || {
                        let token = second.token();
                        spawn_local(async move { drop(token) }).detach();
                    });
                    let handle = spawn_local(async move {
                        let _both = (token, deeper);
                        unreachable!("it is not polled any more");
                    });
                    spawned.borrow_mut().push(handle);
                });
                poll_fn(|context| {
                    let _token = &token;
                    own.borrow_mut().push(context.waker().clone());
                    Poll::<()>::Pending
                })
                .await;
            });
            aborts.borrow_mut().push(handle.abort_handle());
            handle.detach();
        }
        set.block_on(yield_once());
        drop(set);
        assert_eq!((drops.made(), drops.dropped()), (30, 30));
        let spawned = std::mem::take(&mut *spawned.borrow_mut());
        assert_eq!(spawned.len(), 10);
        assert!(spawned.into_iter().all(|handle| handle.join().unwrap_err().is_cancelled()));
        wakers.borrow_mut().drain(..).for_each(Waker::wake);
    });
}

#[test]
fn the_last_waker_of_whoever_polled_goes_with_the_set() {
    with_deadline(30, || {
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        let mut set = LocalSet::new();
        let rests = set.spawn_local(pending::<()>());
        assert!(pin!(&mut set).poll(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        assert_eq!(Arc::strong_count(&wakes), 2);
        let second = set.spawn_local(async {});
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1, "a new task wakes whoever polls the set");
        assert!(poll(pin!(&mut set)).is_pending());
        assert!(second.is_finished());
        drop(set);
        assert_eq!(Arc::strong_count(&wakes), 1);
        assert!(rests.is_finished());
    });
}

#[test]
fn panics_come_to_the_handle_or_to_nobody() {
    with_deadline(30, || {
        let (set, drops) = (LocalSet::new(), Drops::default());
        let (kept, dropped) = (set.spawn_local(async { plan(1) }), set.spawn_local(async { plan(2) }));
        drop::<JoinHandle<()>>(dropped);
        let of_drop = set.spawn_local(async {
            let _panics = OnDrop(|| plan(3));
            pending::<()>().await;
        });
        let token = drops.token();
        let after = set.spawn_local(async move {
            yield_once().await;
            let _token = token;
        });
        let error = set.block_on(async {
            let kept: JoinHandle<()> = kept;
            let error = kept.await.unwrap_err();
            after.await.unwrap();
            error
        });
        assert_eq!(planned(error.into_panic()), 1);
        drop(set);
        assert!(of_drop.join().unwrap_err().is_cancelled(), "the panic of its destructor goes no further");
        assert_eq!(drops.dropped(), 1);
    });
}

#[test]
fn panics_that_nobody_takes_are_reported_by_the_workers_pool() {
    with_deadline(30, || {
        let reports = support::Reports::default();
        let sink = reports.clone();
        let handler = move |payload| lock(&sink).push(planned(payload));
        let pool = filch::Pool::builder().workers(1).panic_handler(handler).build().unwrap();
        pool.spawn_cpu(|| {
            let set = LocalSet::new();
            set.spawn_local(async { plan(7) }).detach();
            set.block_on(yield_once());
            // And the waker of whoever polls it.
            struct Panicking;
            impl Wake for Panicking {
                fn wake(self: Arc<Self>) {
                    plan(8);
                }
            }
            let mut waits = pin!(set.run_until(pending::<()>()));
            assert!(waits.as_mut().poll(&mut Context::from_waker(&Arc::new(Panicking).into())).is_pending());
            set.spawn_local(async {}).detach();
        })
        .join()
        .unwrap();
        assert_eq!(*lock(&reports), [7, 8]);
        assert_eq!(pool.stats().panics, 2);
    });
}

// ----- more than one wait on one set ------------------------------------------------------------------------------

#[test]
fn a_wait_inside_a_task_of_the_set_does_not_silence_the_outer_one() {
    with_deadline(10, || {
        let (set, door, begun) = (Rc::new(LocalSet::new()), Door::default(), Event::default());
        let (opens, begins) = (door.clone(), begun.clone());
        let waits = set.spawn_local(async move {
            begins.set();
            door.pass().await;
        });
        let inner = set.clone();
        set.spawn_local(async move { inner.block_on(yield_once()) }).detach();
        let opener = thread::spawn(move || {
            begun.wait();
            thread::sleep(Duration::from_millis(50));
            opens.open();
        });
        set.block_on(waits).unwrap();
        opener.join().unwrap();
    });
}

#[test]
fn of_two_waits_in_one_task_each_is_woken() {
    with_deadline(10, || {
        let (set, door) = (LocalSet::new(), Door::default());
        let opens = door.clone();
        let waits = set.spawn_local(door.pass());
        // Each has a waker of its own.
        let mut both = futures::stream::FuturesUnordered::<Local<'_>>::new();
        both.push(Box::pin(async { set.run_until(waits).await.unwrap() }));
        both.push(Box::pin(set.run_until(yield_once())));
        let opener = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            opens.open();
        });
        filch::block_on(async { while futures_lite::StreamExt::next(&mut both).await.is_some() {} });
        opener.join().unwrap();
    });
}

thread_local! {
    static KEPT: RefCell<Option<LocalSet>> = const { RefCell::new(None) };
}

/// A thread ends with a set in a thread-local that was there before, or after, it first used a set.
fn end_a_thread_with_a_set(kept_first: bool) {
    let drops = Drops::default();
    let token = drops.token();
    let owner = thread::spawn(move || {
        if kept_first {
            KEPT.set(None);
        }
        let set = LocalSet::new();
        set.block_on(yield_once());
        let rests = set.spawn_local(async move {
            let _token = token;
            pending::<()>().await;
        });
        set.block_on(yield_once());
        KEPT.set(Some(set));
        rests
    });
    let rests = owner.join().unwrap();
    assert!(rests.join().unwrap_err().is_cancelled());
    assert_eq!(drops.dropped(), 1);
}

#[test]
fn a_set_in_a_thread_local_goes_with_its_thread() {
    with_deadline(30, || end_a_thread_with_a_set(false));
}

/// A panic in a thread-local's destructor aborts, so this runs in a process of its own.
#[test]
fn a_set_in_an_older_thread_local_goes_with_its_thread() {
    const CHILD: &str = "FILCH_CHILD_WITH_A_SET";
    if std::env::var_os(CHILD).is_some() {
        return end_a_thread_with_a_set(true);
    }
    with_deadline(30, || {
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        let name = "a_set_in_an_older_thread_local_goes_with_its_thread";
        let output = again.args(["--exact", name]).env(CHILD, "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
}

#[test]
fn waits_that_have_ended_leave_few_wakers() {
    struct Silent;
    impl Wake for Silent {
        fn wake(self: Arc<Self>) {}
    }
    let set = LocalSet::new();
    let mut left = Vec::new();
    for _ in 0..1000 {
        let silent = Arc::new(Silent);
        left.push(Arc::downgrade(&silent));
        let waker = Waker::from(silent);
        let mut wait = pin!(set.run_until(std::future::pending::<()>()));
        assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    let alive = left.iter().filter(|silent| silent.strong_count() > 0).count();
    assert!(alive <= 16, "{alive} wakers are kept");
}
