//! Defects that reading the task cell and its scheduling has found, each as the smallest program that showed it: tasks
//! that nobody came for, and contexts that were another's. Those about the end of pools are in the file beside this.

mod support;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use filch::{JoinHandle, Pool, task};
use support::{Drops, Event, lock, plan, pool, with_deadline, within};

/// What comes at once comes within this time, even where others load the machine. Nothing here comes by waiting.
const SOON: Duration = Duration::from_secs(4);
/// Long enough for a thread without work to fall asleep. If it has not, the test is weaker, and passes.
const A_NAP: Duration = Duration::from_millis(100);

/// Rests until it is opened. One waits at a time.
#[derive(Clone, Default)]
struct Door(Arc<(AtomicBool, Mutex<Option<Waker>>)>);

impl Door {
    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        *lock(&self.0.1) = Some(context.waker().clone());
        if self.0.0.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    }

    fn block(&self) {
        filch::block_on(poll_fn(|context| self.poll(context)));
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

/// Spawns a task as the running poll's next one, and says whether somebody else has come for it while this poll lasts.
fn another_polls_what_this_poll_spawns(spawned: impl FnOnce()) -> bool {
    let polled = Event::default();
    let inner = polled.clone();
    filch::spawn(async move { inner.set() }).detach();
    spawned();
    polled.wait_for(SOON)
}

// ----- tasks that nobody came for ---------------------------------------------------------------------------------

#[test]
fn a_long_poll_does_not_keep_a_task_while_the_other_worker_is_blocked() {
    // With the other worker parked in its wait nobody was idle, so nobody kept watch over the next slot.
    with_deadline(30, || {
        let (pool, door) = (pool(2), Door::default());
        let blocked = door.clone();
        pool.spawn_detached(move || blocked.block());
        assert!(within(SOON, || door.has_a_waiter()));
        thread::sleep(A_NAP);
        let polled = pool.spawn(async { another_polls_what_this_poll_spawns(|| ()) }).join().unwrap();
        door.open();
        assert!(polled, "there was a free seat, and the task waited for the end of a poll");
    });
}

#[test]
fn a_long_poll_does_not_keep_a_task_when_the_other_worker_blocks_later() {
    // All seats were taken when the task was put there; the one that came free was not passed on.
    with_deadline(30, || {
        let (pool, door) = (pool(2), Door::default());
        let (begun, put) = (Event::default(), Event::default());
        let (blocked, begins, goes_on) = (door.clone(), begun.clone(), put.clone());
        pool.spawn_detached(move || {
            begins.set();
            goes_on.wait();
            blocked.block();
        });
        begun.wait();
        let polled = pool.spawn(async move { another_polls_what_this_poll_spawns(|| put.set()) }).join().unwrap();
        door.open();
        assert!(polled, "a seat came free, and the task waited for the end of a poll");
    });
}

/// A closure polls a task on top of itself, by `yield_now`. While it does, the other worker falls asleep; `rest` is
/// the task's second half. True: that has been run beside the closure.
fn goes_on_beside_the_closure<F>(rest: impl FnOnce(Event) -> F + Send + 'static) -> bool
where
    F: Future<Output = ()> + Send,
{
    let pool = support::pool_without_lane(2);
    let (begun, polled) = (Event::default(), Event::default());
    let (begins, other_goes_on) = (begun.clone(), polled.clone());
    pool.spawn_detached(move || {
        begins.set();
        other_goes_on.wait();
    });
    begun.wait();
    let closure = pool.spawn_cpu(move || {
        let done = Event::default();
        let second = done.clone();
        filch::spawn(async move {
            polled.set();
            thread::sleep(A_NAP);
            rest(second).await;
        })
        .detach();
        assert_eq!(filch::yield_now(), Some(filch::Yield::Executed));
        done.wait_for(SOON)
    });
    closure.join().unwrap()
}

#[test]
fn a_task_that_yields_on_top_of_a_closure_goes_on_elsewhere() {
    // It was queued without a word, because its thread would come for it at once: but that went on with the closure.
    with_deadline(30, || {
        assert!(goes_on_beside_the_closure(|done| async move {
            task::yield_now().await;
            done.set();
        }));
    });
}

#[test]
fn a_task_spawned_by_one_on_top_of_a_closure_begins_elsewhere() {
    // The same, by way of the next slot.
    with_deadline(30, || {
        assert!(goes_on_beside_the_closure(|done| async move {
            filch::spawn(async move { done.set() }).detach();
        }));
    });
}

/// A poll lasts until its thread has got mail, a long closure, and the other worker sleeps; `rest` is the task's second
/// half. True: that has been run beside the closure.
fn goes_on_beside_the_mail<F>(rest: impl FnOnce(Event) -> F + Send + 'static) -> bool
where
    F: Future<Output = ()> + Send,
{
    let pool = pool(2);
    let (posted, done) = (Event::default(), Event::default());
    let (goes_on, second) = (posted.clone(), done.clone());
    let place: Arc<Mutex<Option<usize>>> = Arc::default();
    let polled_at = place.clone();
    pool.spawn(async move {
        *lock(&polled_at) = filch::current_thread_index();
        goes_on.wait();
        rest(second).await;
    })
    .detach();
    assert!(within(SOON, || lock(&place).is_some()));
    let index = lock(&place).unwrap();
    let (seen, reported) = (Arc::new(AtomicBool::new(false)), Event::default());
    let (sees, reports) = (seen.clone(), reported.clone());
    pool.spawn_broadcast(move |context| {
        if context.index() == index {
            sees.store(done.wait_for(SOON), Ordering::SeqCst);
            reports.set();
        }
    });
    thread::sleep(A_NAP);
    posted.set();
    reported.wait();
    seen.load(Ordering::SeqCst)
}

#[test]
fn a_task_that_yields_before_a_long_broadcast_goes_on_elsewhere() {
    // The thread takes mail first, and nobody knew of the task.
    with_deadline(30, || {
        assert!(goes_on_beside_the_mail(|done| async move {
            task::yield_now().await;
            done.set();
        }));
    });
}

#[test]
fn a_task_spawned_before_a_long_broadcast_begins_elsewhere() {
    // The same, by way of the next slot.
    with_deadline(30, || {
        assert!(goes_on_beside_the_mail(|done| async move {
            filch::spawn(async move { done.set() }).detach();
        }));
    });
}

/// One worker has always something to poll, the other is in a closure and has queued something. True: that was run.
fn a_worker_that_polls_relieves_a_closure(queue: fn(Event)) -> bool {
    let pool = pool(2);
    let (stop, polled) = (Arc::new(AtomicBool::new(false)), Event::default());
    let (stops, polls) = (stop.clone(), polled.clone());
    let yields = pool.spawn(async move {
        while !stops.load(Ordering::Relaxed) {
            polls.set();
            task::yield_now().await;
        }
    });
    polled.wait();
    let closure = pool.spawn_cpu(move || {
        let done = Event::default();
        queue(done.clone());
        done.wait_for(SOON)
    });
    let run = closure.join().unwrap();
    stop.store(true, Ordering::Relaxed);
    yields.join().unwrap();
    run
}

#[test]
fn a_worker_that_always_has_tasks_takes_one_of_a_long_closures() {
    // It never looked further than its own queue, and nobody is woken when all seats are taken.
    with_deadline(30, || {
        assert!(a_worker_that_polls_relieves_a_closure(|done| filch::spawn(async move { done.set() }).detach()));
    });
}

#[test]
fn a_worker_that_always_has_tasks_takes_a_closure_of_a_long_closures() {
    with_deadline(30, || {
        assert!(a_worker_that_polls_relieves_a_closure(|done| filch::spawn_detached(move || done.set())));
    });
}

// ----- contexts that were another's -------------------------------------------------------------------------------

#[test]
fn a_yield_to_the_outer_waker_inside_a_block_on_counts() {
    // The inner wait put the task's context back as it had been, and the yield was forgotten: the task hung.
    with_deadline(30, || {
        let pool = pool(2);
        let handle = pool.spawn(async {
            let mut inner = Box::pin(task::yield_now());
            poll_fn(move |context| filch::block_on(poll_fn(|_| Poll::Ready(Pin::new(&mut inner).poll(context))))).await;
        });
        assert!(within(SOON, || handle.is_finished()));
    });
}

/// More handles of ended tasks than a poll may await.
fn ended_tasks(pool: &Pool) -> Vec<JoinHandle<()>> {
    let handles: Vec<_> = (0..300).map(|_| pool.spawn(async {})).collect();
    assert!(within(SOON, || handles.iter().all(JoinHandle::is_finished)));
    handles
}

/// Awaits the handles as an executor of another crate does. The number of polls that it took; None: it gave up.
fn polls_to_await(handles: Vec<JoinHandle<()>>) -> Option<usize> {
    let mut all = Box::pin(async {
        for handle in handles {
            handle.await.unwrap();
        }
    });
    let mut context = Context::from_waker(Waker::noop());
    (1..1000).find(|_| all.as_mut().poll(&mut context).is_ready())
}

#[test]
fn closures_with_handles_have_no_budget_to_run_out_of() {
    // They were run as if polled, but never again: from the 129th await on none was ready.
    with_deadline(30, || {
        let pool = pool(2);
        let handles = ended_tasks(&pool);
        assert_eq!(pool.spawn_cpu(|| polls_to_await(handles)).join().unwrap(), Some(1));
        let handles = ended_tasks(&pool);
        assert_eq!(pool.spawn_blocking(|| polls_to_await(handles)).join().unwrap(), Some(1));
        assert!(pool.spawn_cpu(task::has_budget_remaining).join().unwrap());
    });
}

#[test]
fn another_crates_block_on_inside_a_poll_ends() {
    // The budget ran out once and for all, though whoever polls has come back.
    with_deadline(30, || {
        let pool = pool(2);
        let handles = ended_tasks(&pool);
        assert!(pool.spawn(async { polls_to_await(handles) }).join().unwrap().is_some());
        let handles = ended_tasks(&pool);
        let awaited = pool.spawn(async {
            futures_lite::future::block_on(async {
                for handle in handles {
                    handle.await.unwrap();
                }
            })
        });
        assert!(within(SOON, || awaited.is_finished()), "it goes round for ever");
    });
}

#[test]
fn a_closure_on_top_of_a_task_is_not_that_task() {
    // It saw the task's id and name, and used its budget up.
    with_deadline(30, || {
        let pool = pool(1);
        let named = task::Builder::new().name("below").pool(&pool);
        let (inside, outside) = named
            .spawn(async {
                while task::has_budget_remaining() {
                    task::consume_budget().await;
                }
                let place = Arc::new(Mutex::new(None));
                let seen = place.clone();
                let look = || (task::try_id(), task::name(), task::has_budget_remaining());
                filch::spawn_detached(move || *lock(&seen) = Some(look()));
                while lock(&place).is_none() {
                    filch::yield_now();
                }
                let outside = lock(&place).take();
                (look(), outside)
            })
            .join()
            .unwrap();
        assert!(inside.0.is_some() && inside.1.as_deref() == Some("below") && !inside.2);
        assert_eq!(outside, Some((None, None, true)));
    });
}

// ----- what is dropped --------------------------------------------------------------------------------------------

/// Panics when the last clone is dropped.
struct PanicsInDrop;

impl Wake for PanicsInDrop {
    fn wake(self: Arc<Self>) {}
}

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        plan(1);
    }
}

#[test]
fn an_output_is_dropped_though_the_awaiters_waker_panics_in_its_drop() {
    // The handle unwound before it had given its part up, so that the output was kept for it.
    with_deadline(30, || {
        let (pool, drops, go) = (pool(2), Drops::default(), Event::default());
        let (token, goes_on) = (drops.token(), go.clone());
        let mut handle = pool.spawn_cpu(move || {
            goes_on.wait();
            token
        });
        let waker = Waker::from(Arc::new(PanicsInDrop));
        assert!(Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        drop(handle);
        go.set();
        drop(pool);
        assert_eq!(drops.dropped(), 1);
    });
}
