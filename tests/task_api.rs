//! What tasks and handles tell about themselves: ids, names, texts; builders; and `yield_now` where its waker is not
//! the task's own, or where there is no task at all.

mod support;

use std::collections::HashSet;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use filch::task::{self, Builder, Id};
use filch::{AbortHandle, JoinHandle, Pool};
use support::{Event, lock, pool, threads_named, with_deadline, within, yield_once};

/// Runs `each` on pools of 1 and 2 workers.
fn on_pools(each: impl Fn(&Pool) + Send + 'static) {
    with_deadline(60, move || {
        for workers in [1, 2] {
            support::note(format!("{workers} workers"));
            each(&pool(workers));
        }
    });
}

fn finished<T>(handle: &JoinHandle<T>) -> bool {
    within(Duration::from_secs(20), || handle.is_finished())
}

// ----- ids -------------------------------------------------------------------------------------------------------

#[test]
fn ids_are_unique_over_a_hundred_thousand_tasks_of_two_pools() {
    with_deadline(60, || {
        let pools = [pool(2), pool(1)];
        let mut ids = HashSet::new();
        let mut before: Option<JoinHandle<Id>> = None;
        for round in 0..20 {
            // Tasks that live at the same time, and in the places of those that have gone.
            let handles: Vec<_> = (0..5_000)
                .map(|i| match i % 4 {
                    0 => pools[0].spawn(async { task::id() }),
                    1 => pools[1].spawn(async {
                        yield_once().await;
                        task::id()
                    }),
                    2 => pools[i % 3 % 2].spawn_cpu(task::id),
                    _ => pools[0].spawn(async { filch::spawn(async { task::id() }).await.unwrap() }),
                })
                .collect();
            for (i, handle) in handles.into_iter().enumerate() {
                // Some are asked before, or while they run, or after; some never by their handles.
                let known = (i % 5 < 2).then(|| handle.id());
                if i == 7 && round == 10 {
                    before = Some(handle);
                    continue;
                }
                let id = handle.join().unwrap();
                assert!(known.is_none_or(|known| known == id) || i % 4 == 3);
                assert!(ids.insert(id), "{id} twice, the second time in round {round}");
                if let Some(known) = known.filter(|_| i % 4 == 3) {
                    assert!(ids.insert(known), "{known} twice");
                }
            }
        }
        let last = before.expect("one is left");
        assert!(finished(&last) && ids.insert(last.id()));
        assert!(ids.len() >= 100_000);
    });
}

#[test]
fn an_id_is_stable_and_the_same_for_all_who_ask() {
    on_pools(|pool| {
        let (go, seen): (Event, Arc<Mutex<Vec<Id>>>) = Default::default();
        let (gate, ids) = (go.clone(), seen.clone());
        let place: Arc<Mutex<Option<Waker>>> = Arc::default();
        let p = place.clone();
        let mut handle = pool.spawn(async move {
            let note = |id| lock(&ids).push(id);
            note(task::id());
            let mut rested = false;
            poll_fn(|context| {
                *lock(&p) = Some(context.waker().clone());
                note(task::id());
                if std::mem::replace(&mut rested, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            task::yield_now().await;
            note(task::try_id().unwrap());
            // Inside of what it calls, too.
            filch::join(|| note(task::id()), || ());
            filch::block_on(async { note(task::id()) });
            gate.wait();
            note(task::id());
            let other = filch::spawn(async { task::id() }).await.unwrap();
            (task::id(), other)
        });
        let abort = handle.abort_handle();
        let early = (handle.id(), abort.id(), abort.clone().id());
        assert!(within(Duration::from_secs(20), || lock(&place).is_some()));
        lock(&place).take().unwrap().wake();
        go.set();
        assert!(finished(&handle));
        let late = (handle.id(), abort.id(), abort.clone().id());
        assert_eq!((early.0, early.1, early.2), (early.0, early.0, early.0));
        assert_eq!(late, early);
        let (own, other) = filch::block_on(&mut handle).unwrap();
        assert!(own == early.0 && other != own);
        assert!(lock(&seen).iter().all(|&id| id == own) && lock(&seen).len() == 7);
        assert_eq!(abort.id(), own, "also when the value has been taken");
    });
}

#[test]
fn closures_with_handles_have_ids_and_others_have_none() {
    on_pools(|pool| {
        assert_eq!(task::try_id(), None);
        assert!(std::panic::catch_unwind(|| support::catch(task::id)).is_err(), "id panics outside of tasks");
        for handle in [pool.spawn_cpu(task::id), pool.spawn_blocking(task::id)] {
            let id = handle.id();
            assert_eq!(handle.join().unwrap(), id);
        }
        assert_eq!(pool.install(task::try_id), None);
        assert_eq!(pool.block_on(async { task::try_id() }), None);
        assert_eq!(pool.broadcast(|_| task::try_id()), vec![None; pool.num_workers()]);
        let (tx, rx) = std::sync::mpsc::channel();
        pool.spawn_detached(move || tx.send((task::try_id(), task::name())).unwrap());
        assert_eq!(rx.recv().unwrap(), (None, None));
    });
}

/// Tells who is running when it is dropped.
struct Tells(Arc<Mutex<Vec<Option<Id>>>>);

impl Drop for Tells {
    fn drop(&mut self) {
        lock(&self.0).push(task::try_id());
    }
}

#[test]
fn the_destructor_of_a_future_runs_as_the_task() {
    on_pools(|pool| {
        let told: Arc<Mutex<Vec<Option<Id>>>> = Arc::default();
        let tells = || Tells(told.clone());
        // At the end, by an abort at rest, by an abort before the first poll, and by a panic.
        let (held, ends) = (tells(), Event::default());
        let handle = pool.spawn(async move {
            poll_fn(|_| Poll::Ready(())).await;
            drop(held);
        });
        let mut ids = vec![handle.id()];
        handle.join().unwrap();
        let (held, rests) = (tells(), ends.clone());
        let handle = pool.spawn(async move {
            let _held = held;
            rests.set();
            std::future::pending::<()>().await;
        });
        ends.wait();
        ids.push(handle.id());
        handle.abort();
        handle.join().unwrap_err();
        let held = tells();
        let handle = pool.spawn(async move {
            let _held = held;
            support::plan(3)
        });
        ids.push(handle.id());
        let () = handle.join().unwrap_err().try_into_panic().map(|_| ()).unwrap();
        assert_eq!(*lock(&told), ids.into_iter().map(Some).collect::<Vec<_>>());
    });
}

// ----- texts -----------------------------------------------------------------------------------------------------

#[test]
fn texts_name_the_task() {
    on_pools(|pool| {
        let aborted = pool.spawn(std::future::pending::<()>());
        let id = aborted.id();
        assert!(id.to_string().bytes().all(|byte| byte.is_ascii_digit()) && !id.to_string().is_empty());
        assert_eq!(format!("{id:?}"), format!("Id({id})"));
        assert_eq!(format!("{id:>30}").len(), 30, "padded like a number");
        let abort = aborted.abort_handle();
        assert!(format!("{aborted:?}").starts_with("JoinHandle") && format!("{aborted:?}").contains("false"));
        assert!(format!("{abort:?}").starts_with("AbortHandle") && format!("{abort:?}").contains("false"));
        abort.abort();
        let error = aborted.join().unwrap_err();
        assert!(format!("{abort:?}").contains("true") && abort.is_finished());
        assert_eq!((error.id(), abort.id()), (id, id));
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(text.contains(&id.to_string()) && text.to_lowercase().contains("cancelled"), "{text}");
        }
        let handles: [JoinHandle<()>; 3] = [
            pool.spawn(async { support::plan(9) }),
            pool.spawn_cpu(|| support::plan(9)),
            pool.spawn_blocking(|| support::plan(9)),
        ];
        for handle in handles {
            let id = handle.id();
            let error = handle.join().unwrap_err();
            assert_eq!(error.id(), id);
            for text in [error.to_string(), format!("{error:?}")] {
                assert!(text.contains(&id.to_string()) && text.to_lowercase().contains("panic"), "{text}");
            }
            let error = error.try_into_panic().unwrap();
            assert_eq!(support::planned(error), 9);
        }
        let builder = Builder::new().name("texts");
        assert!(format!("{builder:?}").contains("texts"));
    });
}

#[test]
fn errors_hold_the_panics_text() {
    on_pools(|pool| {
        // As a panic's payload, but past the hook.
        let with = |payload: Box<dyn std::any::Any + Send>| -> (String, String) {
            let handle: JoinHandle<()> = pool.spawn(async move { std::panic::resume_unwind(payload) });
            let error = handle.join().unwrap_err();
            (error.to_string(), format!("{error:?}"))
        };
        let cases: [(Box<dyn std::any::Any + Send>, &str); 3] = [
            (Box::new("a str"), "a str"),
            (Box::new("a String".to_owned()), "a String"),
            (Box::new(5), "not a string"),
        ];
        for (payload, text) in cases {
            let (display, debug) = with(payload);
            assert!(display.contains(text) && debug.contains(text), "{display} / {debug}");
        }
    });
}

// ----- builders --------------------------------------------------------------------------------------------------

#[test]
fn names() {
    on_pools(|pool| {
        let named = || Builder::new().pool(pool).name("one");
        let name = || task::name().map(|name| name.to_string());
        let handles = [
            named().spawn(async move {
                let first = name();
                task::yield_now().await;
                assert_eq!(name(), first);
                filch::spawn(async move { assert_eq!(name(), None, "names are not inherited") }).await.unwrap();
                name()
            }),
            named().try_spawn(async move { name() }).unwrap(),
            named().spawn_cpu(name),
            named().spawn_blocking(name),
        ];
        for handle in handles {
            assert_eq!(handle.name().as_deref(), Some("one"));
            let abort = handle.abort_handle();
            assert_eq!(handle.join().unwrap().as_deref(), Some("one"));
            assert_eq!(abort.name().as_deref(), Some("one"), "also when it has ended");
            assert!(abort.is_finished());
        }
        let unnamed = Builder::new().pool(pool).spawn(async move { name() });
        assert_eq!((unnamed.name(), unnamed.abort_handle().name()), (None, None));
        assert_eq!(unnamed.join().unwrap(), None);
        assert_eq!(task::name(), None);
        // The last one counts; any text will do; what has an id may have no name.
        let odd = named().name("").name("ü\0\n".to_owned()).spawn(async { task::id() });
        assert_eq!(odd.name().as_deref(), Some("ü\0\n"));
        assert_eq!(odd.id(), odd.join().unwrap());
        let asked = pool.spawn(async { (task::id(), task::name()) });
        assert_eq!((asked.id(), None), asked.join().unwrap());
        // A builder may be used again.
        let builder = named();
        let (a, b) = (builder.clone().spawn(async {}), builder.spawn(async {}));
        assert_eq!(a.name(), b.name());
        assert_ne!(a.id(), b.id());
    });
}

#[test]
fn a_name_goes_with_its_task() {
    // Tasks come to lie where others have lain: no name or id of those may stick.
    on_pools(|pool| {
        for round in 0..2_000 {
            let named = Builder::new().pool(pool).name(format!("round {round}")).spawn(async { task::name() });
            let name = named.join().unwrap().expect("it has one");
            assert_eq!(*name, *format!("round {round}"));
            assert!(within(Duration::from_secs(20), || Arc::strong_count(&name) == 1), "the name is kept somewhere");
            let unnamed = pool.spawn(async { task::name() });
            assert_eq!(unnamed.name(), None);
            assert_eq!(unnamed.join().unwrap(), None);
        }
    });
}

#[test]
fn builders_spawn_where_they_are_told() {
    with_deadline(60, || {
        let here = Pool::builder().workers(1).name("api-here").build().unwrap();
        let there = Pool::builder().workers(2).name("api-there").build().unwrap();
        let thread = || thread::current().name().map(str::to_owned).unwrap();
        let on = |pool: &Pool| {
            let builder = || Builder::new().pool(pool);
            let task = builder().spawn(async move { (thread(), filch::current_num_threads()) });
            let cpu = builder().spawn_cpu(move || (thread(), filch::current_num_threads()));
            let blocking = builder().spawn_blocking(move || (thread(), filch::current_num_threads()));
            [task, cpu, blocking].map(|handle| handle.join().unwrap())
        };
        for (name, workers) in on(&there) {
            assert!(name.starts_with("api-there") && workers == 2, "{name}");
        }
        // From the other pool's worker, too; without a pool, where the caller is.
        let there = Arc::new(there);
        let inner = there.clone();
        for (name, _) in here.install_on_worker(move || on(&inner)) {
            assert!(name.starts_with("api-there"), "{name}");
        }
        let names = here.install_on_worker(move || {
            let both = [Builder::new().spawn(async move { thread() }), Builder::new().spawn_cpu(thread)];
            // Not joined here, on the only worker's stack, but that would do as well.
            both.map(|handle| handle.join().unwrap())
        });
        assert!(names.iter().all(|name| name.starts_with("api-here")), "{names:?}");
        assert!(threads_named("api-there") > 0);
    });
}

#[test]
fn builders_after_the_end_of_the_pool() {
    on_pools(|pool| {
        let other = filch::Pool::builder().workers(pool.num_workers()).build().unwrap();
        for now in [false, true] {
            if now {
                other.shutdown_now()
            } else {
                other.shutdown()
            }
            let builder = || Builder::new().pool(&other).name("late");
            let (drops, ran) = (support::Drops::default(), Arc::new(AtomicBool::new(false)));
            let (token, ran2) = (drops.token(), ran.clone());
            let future = async move {
                let _token = token;
                ran2.store(true, Ordering::SeqCst);
                5
            };
            let refused = builder().try_spawn(future).unwrap_err();
            assert_eq!(drops.dropped(), 0, "it is given back");
            assert!(refused.to_string().contains("shut down"));
            assert_eq!(filch::block_on(refused.into_inner()), 5, "and is as good as new");
            assert!(ran.load(Ordering::SeqCst));
            drops.assert_all_dropped("the future");
            let panics = |f: &dyn Fn()| {
                let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_err();
                let text = payload.downcast_ref::<String>().expect("a panic with a text");
                assert!(text.contains("shut down") && text.contains("try_"), "{text}");
            };
            let hook = std::panic::take_hook();
            std::panic::set_hook(Box::new(|_| ()));
            panics(&|| builder().spawn(async {}).detach());
            panics(&|| builder().spawn_cpu(|| ()).detach());
            panics(&|| builder().spawn_blocking(|| ()).detach());
            std::panic::set_hook(hook);
            assert_eq!(other.stats().live_tasks, 0);
        }
    });
}

// ----- abort handles ---------------------------------------------------------------------------------------------

#[test]
fn abort_handles_cancel_and_do_nothing_else() {
    on_pools(|pool| {
        fn is_send_and_sync<T: Send + Sync + Clone + Unpin>(_: &T) {}
        let handle = pool.spawn(std::future::pending::<()>());
        let aborts: Vec<AbortHandle> = (0..20).map(|_| handle.abort_handle()).collect();
        is_send_and_sync(&aborts[0]);
        drop(aborts[1..10].to_vec());
        assert!(!handle.is_finished() && aborts.iter().all(|abort| !abort.is_finished()));
        let all = aborts.clone();
        thread::scope(|threads| {
            for abort in all {
                threads.spawn(move || abort.abort());
            }
        });
        assert!(handle.join().unwrap_err().is_cancelled());
        assert!(aborts.iter().all(AbortHandle::is_finished));
        // Of closures.
        let go = Event::default();
        let held = go.clone();
        let plugs: Vec<_> = (0..pool.num_workers())
            .map(|_| {
                let held = held.clone();
                pool.spawn_cpu(move || held.wait())
            })
            .collect();
        let closure = pool.spawn_cpu(|| 5);
        closure.abort_handle().abort();
        go.set();
        plugs.into_iter().for_each(|plug| plug.join().unwrap());
        match closure.join() {
            Ok(value) => assert_eq!(value, 5),
            Err(error) => assert!(error.is_cancelled()),
        }
        // After the end it is of no use, and does no harm; nor does it keep the value.
        let drops = support::Drops::default();
        let token = drops.token();
        let handle = pool.spawn(async move { token });
        let abort = handle.abort_handle();
        assert!(finished(&handle));
        abort.abort();
        drop(handle.join().unwrap());
        drops.assert_all_dropped("the value");
        abort.abort();
    });
}

#[test]
#[allow(clippy::async_yields_async)]
fn a_task_that_holds_its_own_handles() {
    on_pools(|pool| {
        // An abort handle is a reference: the task rests with it, and is cancelled by it.
        let place: Arc<Mutex<Option<AbortHandle>>> = Arc::default();
        let (p, drops) = (place.clone(), support::Drops::default());
        let token = drops.token();
        let handle = pool.spawn(async move {
            let _token = token;
            while lock(&p).is_none() {
                task::yield_now().await;
            }
            let own = lock(&p).take();
            own.expect("just seen").abort();
            task::yield_now().await;
            unreachable!("it is cancelled")
        });
        *lock(&place) = Some(handle.abort_handle());
        let outcome: Result<(), _> = handle.join();
        assert!(outcome.unwrap_err().is_cancelled());
        drops.assert_all_dropped("the future");
        // A task that awaits its own handle would wait for ever; an abort ends it, and all of it goes.
        let (tx, rx) = tokio::sync::oneshot::channel::<JoinHandle<()>>();
        let token = drops.token();
        let handle = pool.spawn(async move {
            let _token = token;
            let own = rx.await.expect("it is sent");
            let _ = own.await;
            unreachable!("it would have to end before it ends")
        });
        let abort = handle.abort_handle();
        tx.send(handle).unwrap();
        thread::sleep(Duration::from_millis(2));
        assert_eq!((drops.dropped(), abort.is_finished()), (1, false));
        abort.abort();
        assert!(within(Duration::from_secs(20), || abort.is_finished()));
        drops.assert_all_dropped("the future");
        assert!(within(Duration::from_secs(20), || pool.stats().live_tasks == 0));
    });
}

#[test]
fn what_a_handle_cannot_do_when_it_was_ready() {
    on_pools(|pool| {
        let mut handle = pool.spawn(async { 1 });
        let abort = handle.abort_handle();
        assert_eq!(filch::block_on(&mut handle).unwrap(), 1);
        assert!(handle.is_finished() && abort.is_finished());
        handle.abort();
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| ()));
        let panics = |f: &mut dyn FnMut()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_err();
        assert!(panics(&mut || support::ignore(handle.id())));
        assert!(panics(&mut || support::ignore(handle.name())));
        assert!(panics(&mut || support::ignore(handle.abort_handle())));
        assert!(panics(&mut || support::ignore(filch::block_on(&mut handle))));
        std::panic::set_hook(hook);
        handle.detach();
    });
}

// ----- what a closure sees that runs on top of a task --------------------------------------------------------------

#[test]
fn a_closure_that_runs_on_top_of_a_task_is_not_the_task() {
    // `filch::yield_now` in a task runs other work on top of it: a closure without a handle has no id, and no budget.
    with_deadline(30, || {
        let pool = pool(1);
        let seen = pool.spawn(async {
            while task::has_budget_remaining() {
                task::consume_budget().await;
            }
            let (tx, rx) = std::sync::mpsc::channel();
            filch::spawn_detached(move || tx.send((task::try_id(), task::has_budget_remaining())).unwrap());
            assert_eq!(filch::yield_now(), Some(filch::Yield::Executed));
            rx.recv().unwrap()
        });
        assert_eq!(seen.join().unwrap(), (None, true));
    });
}
