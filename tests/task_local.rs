//! Values that belong to tasks: scopes in scopes, panics, destructors, tasks that wander from thread to thread, and
//! that nobody else finds them.

mod support;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use filch::task::{AccessError, LocalKey, TaskLocalFuture};
use filch::{Pool, WaitPolicy, Yield, block_on};
use support::{Drops, Event, Token, Wakes, catch, lock, plan, pool, with_deadline, within, yield_once};

mod declared {
    filch::task_local! {}

    filch::task_local! {
        /// With documentation.
        pub static PUBLIC: u32;
        #[allow(dead_code)]
        pub(crate) static CRATE: Vec<(u8, &'static str)>;
        pub(super) static LAST: Option<String>
    }
}

filch::task_local! {
    static NUMBER: u64;
    static NAME: String;
    static TOKEN: Token;
    static CELL: RefCell<Vec<u64>>;
}

/// Runs `each` on pools of 1, 2 and 4 workers.
fn on_pools(each: impl Fn(&Pool) + Send + 'static) {
    with_deadline(60, move || {
        for workers in [1, 2, 4] {
            support::note(format!("{workers} workers"));
            each(&pool(workers));
        }
    });
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

fn unset() -> bool {
    NUMBER.try_get().is_err()
}

// ----- declaring and reading -------------------------------------------------------------------------------------

#[test]
fn the_macro_takes_what_tokios_takes() {
    let sum = declared::PUBLIC.sync_scope(1, || {
        declared::CRATE.sync_scope(vec![(2, "x")], || {
            let last = declared::LAST.sync_scope(Some("abc".into()), || declared::LAST.get().unwrap().len());
            declared::PUBLIC.get() as usize + declared::CRATE.with(|list| list[0].0 as usize) + last
        })
    });
    assert_eq!(sum, 6);
    // In a function, and with a type of its own.
    struct Own(u8);
    filch::task_local! { static OWN: Own; static BOXED: Box<dyn Fn() -> u8 + Send> }
    let sum = OWN.sync_scope(Own(3), || BOXED.sync_scope(Box::new(|| OWN.with(|own| own.0)), || BOXED.with(|f| f())));
    assert_eq!(sum, 3);
    assert!(format!("{NUMBER:?}").contains("LocalKey"));
}

#[test]
fn without_a_value() {
    let key: &'static LocalKey<u64> = &NUMBER;
    assert_eq!(key.try_get(), Err(key.try_with(|_| ()).unwrap_err()));
    let error: AccessError = key.try_get().unwrap_err();
    assert_eq!(error.to_string(), "the task-local has no value here");
    assert_eq!(format!("{error:?}"), "AccessError");
    let _: Box<dyn std::error::Error + Send + Sync> = Box::new(error);
    for ask in [|| key_get(), || NUMBER.with(|number| *number)] {
        let payload = std::panic::catch_unwind(ask).unwrap_err();
        assert!(payload.downcast_ref::<String>().unwrap().contains("has no value here"));
    }
    fn key_get() -> u64 {
        NUMBER.get()
    }
}

#[test]
fn scopes_in_scopes() {
    let outcome = block_on(NUMBER.scope(1, async {
        let before = NUMBER.get();
        let inner = NUMBER.scope(2, async {
            yield_once().await;
            let name = NAME.scope("x".into(), async { (NAME.get(), NUMBER.get()) }).await;
            assert!(NAME.try_get().is_err());
            NUMBER.sync_scope(3, || (name.1, NUMBER.get()))
        });
        let inner = inner.await;
        (before, inner, NUMBER.get())
    }));
    assert_eq!(outcome, (1, (2, 3), 1));
    assert!(unset());
}

#[test]
fn scopes_side_by_side() {
    let wakes = Wakes::default();
    let count = |start: u64| {
        NUMBER.scope(start, async {
            let mut seen = Vec::new();
            for _ in 0..3 {
                seen.push(NUMBER.get());
                yield_once().await;
            }
            seen
        })
    };
    let (mut a, mut b) = (Box::pin(count(1)), Box::pin(count(2)));
    for _ in 0..3 {
        assert!(wakes.poll(a.as_mut()).is_pending() && unset());
        assert!(wakes.poll(b.as_mut()).is_pending() && unset());
    }
    assert_eq!((wakes.poll(b.as_mut()), wakes.poll(a.as_mut())), (Poll::Ready(vec![2; 3]), Poll::Ready(vec![1; 3])));
}

#[test]
fn a_value_may_change_inside() {
    let list = block_on(async {
        let mut scoped = pin!(CELL.scope(RefCell::default(), async {
            for i in 0..5 {
                CELL.with(|list| list.borrow_mut().push(i));
                yield_once().await;
            }
        }));
        scoped.as_mut().await;
        scoped.take_value().unwrap()
    });
    assert_eq!(list.into_inner(), [0, 1, 2, 3, 4]);
}

#[test]
fn a_scope_inside_of_with() {
    // tokio panics here.
    let outcome = NUMBER.sync_scope(1, || {
        NUMBER.with(|outer| {
            let inner = NUMBER.sync_scope(2, || NUMBER.with(|inner| *inner + *outer));
            let polled = block_on(NUMBER.scope(5, async { NUMBER.get() }));
            (inner, polled, *outer, NUMBER.get())
        })
    });
    assert_eq!(outcome, (3, 5, 1, 1));
}

#[test]
fn taking_the_value() {
    let wakes = Wakes::default();
    let mut scoped = Box::pin(NUMBER.scope(7, async {
        let before = NUMBER.try_get().ok();
        yield_once().await;
        (before, NUMBER.try_get().ok())
    }));
    assert!(format!("{scoped:?}").contains("value: Some(7)"));
    assert!(wakes.poll(scoped.as_mut()).is_pending());
    assert_eq!((scoped.as_mut().take_value(), scoped.as_mut().take_value()), (Some(7), None));
    // It hides the one outside all the same.
    let outcome = NUMBER.sync_scope(8, || wakes.poll(scoped.as_mut()));
    assert_eq!(outcome, Poll::Ready((Some(7), None)));
    let mut ended: Pin<Box<TaskLocalFuture<u64, _>>> = Box::pin(NUMBER.scope(9, async {}));
    assert!(wakes.poll(ended.as_mut()).is_ready());
    assert_eq!(ended.as_mut().take_value(), Some(9));
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wakes.poll(ended.as_mut()))).unwrap_err();
    assert!(payload.downcast_ref::<&str>().unwrap().contains("polled after it was ready"));
}

// ----- panics and destructors ------------------------------------------------------------------------------------

#[test]
fn a_panic_restores_the_value() {
    let wakes = Wakes::default();
    NUMBER.sync_scope(1, || {
        let mut scoped = Box::pin(NUMBER.scope(2, async {
            assert_eq!(NUMBER.get(), 2);
            yield_once().await;
            plan(NUMBER.get())
        }));
        assert!(wakes.poll(scoped.as_mut()).is_pending());
        assert_eq!(catch(|| wakes.poll(scoped.as_mut())), Err(2));
        assert_eq!(NUMBER.get(), 1);
        assert_eq!(scoped.as_mut().take_value(), Some(2));
        drop(scoped);
        assert_eq!(catch(|| NUMBER.sync_scope(3, || plan(NUMBER.get()))), Err(3));
        assert_eq!(catch(|| NUMBER.with(|number| plan(*number + 10))), Err(11));
        assert_eq!(NUMBER.get(), 1);
    });
    assert!(unset());
}

/// Notes the number that it finds when it is dropped; then panics, if it is to.
struct Looker(Arc<Mutex<Vec<Option<u64>>>>, Option<u64>);

impl Drop for Looker {
    fn drop(&mut self) {
        lock(&self.0).push(NUMBER.try_get().ok());
        if let Some(id) = self.1 {
            plan(id);
        }
    }
}

#[test]
fn destructors_find_the_value() {
    let (seen, wakes) = (Arc::default(), Wakes::default());
    let scoped = |panics| {
        let looker = Looker(Arc::clone(&seen), panics);
        Box::pin(NUMBER.scope(4, async move {
            let _looker = looker;
            yield_once().await;
        }))
    };
    // Dropped before its first poll, half-way, and when it ends.
    drop(scoped(None));
    let mut half = scoped(None);
    assert!(wakes.poll(half.as_mut()).is_pending());
    drop(half);
    block_on(scoped(None));
    assert_eq!(*lock(&seen), [Some(4); 3]);
    // With another value outside, and with a panic.
    NUMBER.sync_scope(1, || {
        let scoped = scoped(Some(9));
        assert_eq!(catch(|| drop(scoped)), Err(9));
        assert_eq!(NUMBER.get(), 1);
    });
    assert_eq!(lock(&seen).pop(), Some(Some(4)));
    // Taken.
    let mut taken = scoped(None);
    taken.as_mut().take_value();
    NUMBER.sync_scope(1, || drop(taken));
    assert_eq!(lock(&seen).pop(), Some(None));
    assert!(unset());
}

#[test]
fn each_value_is_dropped_once() {
    let (drops, wakes) = (Drops::default(), Wakes::default());
    drop(TOKEN.scope(drops.token(), async {}));
    assert_eq!(drops.dropped(), 1);
    let mut ended = Box::pin(TOKEN.scope(drops.token(), async { TOKEN.with(|_| ()) }));
    assert!(wakes.poll(ended.as_mut()).is_ready());
    assert_eq!(drops.dropped(), 1, "until the future goes, it can be taken");
    drop(ended);
    assert_eq!(drops.dropped(), 2);
    let mut taken = Box::pin(TOKEN.scope(drops.token(), async {}));
    let token = taken.as_mut().take_value();
    drop(taken);
    assert_eq!(drops.dropped(), 2);
    drop(token);
    assert_eq!(catch(|| TOKEN.sync_scope(drops.token(), || plan(1))), Err(1));
    assert_eq!(drops.dropped(), 4);
    let mut panics = Box::pin(TOKEN.scope(drops.token(), async { plan(2) }));
    assert_eq!(catch(|| wakes.poll(panics.as_mut())), Err(2));
    drop(panics);
    assert_eq!((drops.made(), drops.dropped()), (5, 5));
}

#[test]
fn a_value_whose_destructor_looks() {
    struct Late(Arc<AtomicUsize>);
    impl Drop for Late {
        fn drop(&mut self) {
            // It is not to be found any more: not even by itself.
            self.0.fetch_add(if LATE.try_with(|_| ()).is_err() { 1 } else { 100 }, Ordering::SeqCst);
        }
    }
    filch::task_local! { static LATE: Late }
    let count = Arc::new(AtomicUsize::new(0));
    LATE.sync_scope(Late(count.clone()), || ());
    block_on(LATE.scope(Late(count.clone()), async {}));
    drop(LATE.scope(Late(count.clone()), async {}));
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[test]
fn a_thread_that_ends() {
    struct AtTheEnd;
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            assert!(unset());
            assert_eq!(NUMBER.sync_scope(5, || NUMBER.get()), 5);
            SEEN.fetch_add(1, Ordering::SeqCst);
        }
    }
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    thread_local! { static END: Cell<Option<AtTheEnd>> = const { Cell::new(None) } }
    let thread = thread::spawn(|| {
        END.set(Some(AtTheEnd));
        NUMBER.sync_scope(1, || NUMBER.get())
    });
    assert_eq!(thread.join().unwrap(), 1);
    assert_eq!(SEEN.load(Ordering::SeqCst), 1);
}

// ----- on pools --------------------------------------------------------------------------------------------------

#[test]
fn a_task_takes_its_value_along() {
    on_pools(|pool| {
        let tasks: Vec<_> = (0..200u64)
            .map(|i| {
                pool.spawn(assert_send(NUMBER.scope(i, async move {
                    for round in 0..50 {
                        assert_eq!(NUMBER.get(), i);
                        if round % 10 == 0 {
                            // Woken by another thread: it may come back on any.
                            filch::spawn_cpu(|| assert!(unset())).await.unwrap();
                        } else {
                            yield_once().await;
                        }
                        if i % 3 == 0 {
                            NUMBER.scope(i + 1_000, async { assert_eq!(NUMBER.get(), i + 1_000) }).await;
                        }
                    }
                    filch::spawn(async { unset() }).await.unwrap()
                })))
            })
            .collect();
        let others: Vec<_> = (0..200)
            .map(|_| {
                pool.spawn(async {
                    for _ in 0..50 {
                        assert!(unset());
                        yield_once().await;
                    }
                    unset()
                })
            })
            .collect();
        assert!(tasks.into_iter().chain(others).all(|task| task.join().unwrap()));
        assert!(pool.broadcast(|_| unset()).into_iter().all(|unset| unset));
    });
}

#[test]
fn panics_and_aborts_on_a_pool() {
    on_pools(|pool| {
        let drops = Drops::default();
        for i in 0..50 {
            let task = pool.spawn(TOKEN.scope(drops.token(), async move {
                yield_once().await;
                if i % 2 == 0 {
                    plan(i);
                }
                std::future::pending::<()>().await;
            }));
            if i % 2 == 0 {
                assert!(task.join().unwrap_err().is_panic());
            } else {
                task.abort();
                assert!(task.join().unwrap_err().is_cancelled());
            }
            assert!(pool.install(|| TOKEN.try_with(|_| ()).is_err()));
        }
        drops.assert_all_dropped("values");
        assert!(pool.broadcast(|_| TOKEN.try_with(|_| ()).is_err()).into_iter().all(|unset| unset));
    });
}

#[test]
fn block_on_inside_of_a_task_is_a_part_of_it() {
    on_pools(|pool| {
        let number = pool.spawn(NUMBER.scope(6, async { block_on(async { NUMBER.get() }) }));
        assert_eq!(number.join().unwrap(), 6);
    });
}

/// What a thread runs on top of a task, without belonging to it, finds nothing of the task's.
#[test]
fn nothing_leaks_into_what_runs_on_top() {
    with_deadline(60, || {
        let pool = pool(1);
        let seen = pool.spawn(NUMBER.scope(1, async {
            let (count, found) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let note = |leaked: bool, count: &AtomicUsize, found: &AtomicUsize| {
                found.fetch_add(usize::from(leaked), Ordering::SeqCst);
                count.fetch_add(1, Ordering::SeqCst);
            };
            let (count_, found_) = (count.clone(), found.clone());
            filch::spawn(async move { note(!unset(), &count_, &found_) }).detach();
            let (count_, found_) = (count.clone(), found.clone());
            filch::spawn(NUMBER.scope(2, async move {
                note(NUMBER.get() != 2, &count_, &found_);
                yield_once().await;
                note(NUMBER.get() != 2, &count_, &found_);
            }))
            .detach();
            let (count_, found_) = (count.clone(), found.clone());
            filch::spawn_detached(move || note(!unset(), &count_, &found_));
            // Also while the value is being looked at.
            NUMBER.with(|number| {
                while count.load(Ordering::SeqCst) < 4 {
                    if filch::yield_now() == Some(Yield::Idle) {
                        thread::yield_now();
                    }
                    assert_eq!((*number, NUMBER.get()), (1, 1));
                }
            });
            found.load(Ordering::SeqCst)
        }));
        assert_eq!(seen.join().unwrap(), 0);
        assert!(pool.install(unset));
    });
}

#[test]
fn nothing_leaks_into_what_a_waiting_thread_runs() {
    with_deadline(60, || {
        for workers in [1, 2] {
            let pool = Pool::builder().workers(workers).wait_policy(WaitPolicy::RunAnything).build().unwrap();
            let (stop, leaks) = (Event::default(), Arc::new(AtomicUsize::new(0)));
            let unrelated: Vec<_> = (0..4)
                .map(|_| {
                    let (stop, leaks) = (stop.clone(), leaks.clone());
                    pool.spawn(async move {
                        while !stop.is_set() {
                            leaks.fetch_add(usize::from(!unset()), Ordering::SeqCst);
                            yield_once().await;
                        }
                    })
                })
                .collect();
            for _ in 0..200 {
                let task = pool.spawn(NUMBER.scope(1, async {
                    filch::scope(|scope| {
                        scope.spawn(|_| ());
                        scope.spawn(|_| support::spin(Duration::from_micros(20)));
                    });
                    support::ignore(support::fib(8));
                    NUMBER.get()
                }));
                assert_eq!(task.join().unwrap(), 1);
            }
            stop.set();
            unrelated.into_iter().for_each(|task| task.join().unwrap());
            assert_eq!(leaks.load(Ordering::SeqCst), 0);
        }
    });
}

#[test]
fn broadcasts_find_nothing() {
    with_deadline(60, || {
        let pool = Arc::new(pool(2));
        let task = pool.spawn(NUMBER.scope(1, async move {
            let leaks = Arc::new(AtomicUsize::new(0));
            for _ in 0..100 {
                let leaks_ = leaks.clone();
                filch::spawn_broadcast(move |_| {
                    leaks_.fetch_add(usize::from(!unset()), Ordering::SeqCst);
                });
                // A wait in which the mail is read.
                let (a, b) = filch::join(|| support::fib(5), || support::fib(5));
                assert_eq!(a, b);
                block_on(filch::spawn_cpu(|| ())).unwrap();
            }
            leaks
        }));
        let leaks = task.join().unwrap();
        drop(pool);
        assert!(within(Duration::from_secs(10), || Arc::strong_count(&leaks) == 1));
        assert_eq!(leaks.load(Ordering::SeqCst), 0);
    });
}

/// A future that is polled by hand, one poll on each of many threads.
#[test]
fn one_poll_on_each_thread() {
    with_deadline(60, || {
        let mut scoped: Pin<Box<dyn Future<Output = u64> + Send>> = Box::pin(NUMBER.scope(5, async {
            let mut sum = 0;
            for _ in 0..20 {
                sum += NUMBER.get();
                yield_once().await;
            }
            sum
        }));
        let mut sum = None;
        while sum.is_none() {
            let polled = thread::spawn(move || {
                let polled = Wakes::default().poll(scoped.as_mut());
                assert!(unset());
                (scoped, polled)
            });
            let (back, polled) = polled.join().unwrap();
            scoped = back;
            if let Poll::Ready(ready) = polled {
                sum = Some(ready);
            }
        }
        assert_eq!(sum, Some(100));
    });
}

#[test]
fn a_local_set_polls_its_tasks_without_what_is_set_around_it() {
    with_deadline(20, || {
        let set = filch::task::LocalSet::new();
        let task = set.spawn_local(async { NUMBER.try_get().is_err() });
        let hidden = filch::block_on(NUMBER.scope(1, set.run_until(task)));
        assert!(hidden.unwrap());
    });
}
