//! The budget of a poll, counted exactly: loops over what is always ready give way after 128 units, a budget that is
//! used up stays so until the poll is over, whoever uses it up can be timed out, and there is no limit outside of tasks.
//! Where tokio promises the same, it is run beside.

mod support;

use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use filch::task::coop::{cooperative, unconstrained};
use filch::task::{JoinSet, LocalSet, TaskTracker};
use filch::time::{sleep, timeout, timeout_at};
use filch::{CancellationToken, JoinHandle, Pool, task};
use support::{Wakes, ignore, lock, pool, pool_without_lane, with_deadline, within};

const BUDGET: usize = 128;

/// Counts the polls of a future.
struct Polls<F>(Pin<Box<F>>, Arc<AtomicUsize>);

impl<F: Future> Future for Polls<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.as_mut().poll(context)
    }
}

/// How many polls `future` takes as a task.
fn polls_of<F: Future<Output: Send> + Send + 'static>(pool: &Pool, future: F) -> (usize, F::Output) {
    let polls = Arc::new(AtomicUsize::new(0));
    let output = pool.spawn(Polls(Box::pin(future), polls.clone())).join().unwrap();
    (polls.load(Ordering::SeqCst), output)
}

const UNITS: [usize; 9] = [0, 1, 127, 128, 129, 256, 257, 384, 1000];

fn polls_for(units: usize) -> usize {
    units.div_ceil(BUDGET).max(1)
}

async fn finished(n: usize) -> Vec<JoinHandle<usize>> {
    let handles: Vec<_> = (0..n).map(|i| filch::spawn(async move { i })).collect();
    while !handles.iter().all(JoinHandle::is_finished) {
        thread::yield_now();
        task::yield_now().await;
    }
    handles
}

#[test]
fn consume_budget_gives_way_after_128() {
    with_deadline(30, || {
        let pool = pool(1);
        for units in UNITS {
            let (polls, ()) = polls_of(&pool, async move {
                for unit in 0..units {
                    assert_eq!(task::has_budget_remaining(), unit == 0 || unit % BUDGET != 0, "unit {unit}");
                    task::consume_budget().await;
                }
            });
            assert_eq!(polls, polls_for(units), "{units} units");
        }
    });
}

#[test]
fn join_handles_that_are_ready_give_way_after_128() {
    with_deadline(30, || {
        let pool = pool(1);
        for units in UNITS {
            let handles = pool.spawn(finished(units)).join().unwrap();
            let (polls, sum) = polls_of(&pool, async move {
                let mut sum = 0;
                for handle in handles {
                    sum += handle.await.unwrap();
                }
                sum
            });
            assert_eq!((polls, sum), (polls_for(units), (0..units).sum()), "{units} handles");
        }
        // Both kinds together have one budget; what fails costs as much as what succeeds.
        let handles = pool.spawn(finished(100)).join().unwrap();
        let failed: Vec<_> = (0..100).map(|_| pool.spawn(std::future::pending::<()>())).collect();
        failed.iter().for_each(JoinHandle::abort);
        assert!(within(Duration::from_secs(20), || failed.iter().all(JoinHandle::is_finished)));
        let (polls, ()) = polls_of(&pool, async move {
            for (handle, failed) in handles.into_iter().zip(failed) {
                handle.await.unwrap();
                failed.await.unwrap_err();
                task::consume_budget().await;
            }
        });
        assert_eq!(polls, polls_for(300));
    });
}

type Log = Arc<Mutex<Vec<String>>>;

fn write(log: &Log, text: impl Into<String>) {
    lock(log).push(text.into());
}

/// Runs `f` on the one worker of a pool, in a task, and gives the log when all has ended.
fn logged(f: impl FnOnce(Log) + Send + 'static) -> Vec<String> {
    let (pool, log) = (pool_without_lane(1), Log::default());
    let inner = log.clone();
    pool.spawn(async move { f(inner) }).join().unwrap();
    assert!(within(Duration::from_secs(20), || pool.stats().live_tasks == 0));
    std::mem::take(&mut *lock(&log))
}

#[test]
fn who_has_no_budget_left_lets_the_others_go_first() {
    with_deadline(30, || {
        let order = logged(|log| {
            for name in ["a", "b"] {
                let log = log.clone();
                filch::spawn(async move {
                    for unit in 0..300 {
                        if unit % BUDGET == 0 {
                            write(&log, format!("{name}{unit}"));
                        }
                        task::consume_budget().await;
                    }
                    write(&log, format!("{name} ends"));
                })
                .detach();
            }
        });
        // The unit after the last of a budget is written down before it gives way.
        let expected = ["a0", "a128", "b0", "b128", "a256", "b256", "a ends", "b ends"];
        assert_eq!(order, expected);
    });
}

#[test]
fn a_budget_is_for_one_poll_and_not_used_up_by_other_futures() {
    with_deadline(30, || {
        let pool = pool(1);
        let (polls, ()) = polls_of(&pool, async {
            for _ in 0..10 {
                for _ in 0..BUDGET {
                    assert!(task::has_budget_remaining());
                    task::consume_budget().await;
                }
                assert!(!task::has_budget_remaining());
                // Things that are not filch's go on without it.
                tokio::sync::Semaphore::new(1).acquire().await.unwrap().forget();
                task::yield_now().await;
            }
        });
        assert_eq!(polls, 11, "ten yields, and none by the budget");
    });
}

#[test]
fn the_budget_is_unlimited_outside_of_tasks() {
    with_deadline(30, || {
        async fn spends_without_end(handles: Vec<JoinHandle<usize>>) {
            for _ in 0..5 * BUDGET {
                assert!(task::has_budget_remaining());
                task::consume_budget().await;
            }
            for handle in handles {
                handle.await.unwrap();
            }
        }
        fn once<F: Future>(future: F) -> F::Output {
            let mut future = std::pin::pin!(future);
            match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(output) => output,
                Poll::Pending => panic!("it gives way where there is nobody"),
            }
        }
        for workers in [1, 2] {
            let pool = pool(workers);
            let handles = || pool.spawn(finished(3 * BUDGET)).join().unwrap();
            // By hand, on a thread of no pool; in block_on, on such a thread and inside the pool.
            once(spends_without_end(handles()));
            let polls = Arc::new(AtomicUsize::new(0));
            filch::block_on(Polls(Box::pin(spends_without_end(handles())), polls.clone()));
            pool.block_on(Polls(Box::pin(spends_without_end(handles())), polls.clone()));
            assert_eq!(polls.load(Ordering::SeqCst), 2, "each in one poll");
            // In closures.
            for _ in 0..2 {
                let (tx, rx) = mpsc::channel();
                let (one, two) = (handles(), handles());
                pool.spawn_detached(move || {
                    once(spends_without_end(one));
                    tx.send(()).unwrap();
                });
                rx.recv().unwrap();
                pool.install(|| once(spends_without_end(two)));
            }
            // In block_on inside of a task that has none left: the task's own is as it was.
            let (one, two) = (handles(), handles());
            let counts = pool.spawn(async move {
                let polls = Arc::new(AtomicUsize::new(0));
                filch::block_on(Polls(Box::pin(spends_without_end(one)), polls.clone()));
                let mut own = 0;
                while task::has_budget_remaining() {
                    task::consume_budget().await;
                    own += 1;
                }
                filch::block_on(Polls(Box::pin(spends_without_end(two)), polls.clone()));
                assert!(!task::has_budget_remaining());
                (own, polls.load(Ordering::SeqCst))
            });
            assert_eq!(counts.join().unwrap(), (BUDGET, 2));
        }
    });
}

// ----- beside tokio ----------------------------------------------------------------------------------------------

/// What these tests ask of both crates.
trait Peer: 'static {
    fn run<F: Future<Output: Send> + Send + 'static>(task: F) -> F::Output;
    fn unit() -> impl Future<Output = ()> + Send;
    fn has_budget() -> bool;
    /// Whether the time was over first.
    fn is_late<F: Future + Send + 'static>(limit: Duration, future: F) -> impl Future<Output = bool> + Send + 'static;
}

struct Filch;
struct Tokio;

impl Peer for Filch {
    fn run<F: Future<Output: Send> + Send + 'static>(task: F) -> F::Output {
        pool(1).spawn(task).join().unwrap()
    }

    fn unit() -> impl Future<Output = ()> + Send {
        task::consume_budget()
    }

    fn has_budget() -> bool {
        task::has_budget_remaining()
    }

    async fn is_late<F: Future + Send + 'static>(limit: Duration, future: F) -> bool {
        timeout(limit, future).await.is_err()
    }
}

impl Peer for Tokio {
    fn run<F: Future<Output: Send> + Send + 'static>(task: F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async { tokio::spawn(task).await.unwrap() })
    }

    fn unit() -> impl Future<Output = ()> + Send {
        tokio::task::coop::consume_budget()
    }

    fn has_budget() -> bool {
        tokio::task::coop::has_budget_remaining()
    }

    async fn is_late<F: Future + Send + 'static>(limit: Duration, future: F) -> bool {
        tokio::time::timeout(limit, future).await.is_err()
    }
}

/// Is pending once, and takes no part in any budget.
async fn once_pending() {
    let mut again = false;
    poll_fn(|context| {
        if std::mem::replace(&mut again, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Uses up so many units in each poll, and then lets others go first: so many times that it never ends in time.
async fn greedy<P: Peer>(units: usize) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        for _ in 0..units {
            P::unit().await;
        }
        once_pending().await;
    }
}

// ----- a budget that is used up ------------------------------------------------------------------------------------

type Part = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Polls all futures in each of its polls, with the waker that it is given.
struct All(Vec<Option<Part>>);

impl Future for All {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        for part in &mut self.0 {
            if part.as_mut().is_some_and(|future| future.as_mut().poll(context).is_ready()) {
                *part = None;
            }
        }
        if self.0.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// `loops` loops of `units` units each, and the count of all units.
fn loops<P: Peer>(loops: usize, units: usize) -> (impl Iterator<Item = impl Future<Output = ()> + Send>, Units) {
    let count = Units::default();
    let one = count.clone();
    let each = move |_| {
        let count = one.clone();
        async move {
            for _ in 0..units {
                P::unit().await;
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    ((0..loops).map(each), count)
}

type Units = Arc<AtomicUsize>;

/// Polls `future` to its end; gives the units of each poll, and checks that those that used all up left none.
async fn units_of_polls<P: Peer>(future: impl Future<Output = ()>, count: Units) -> Vec<usize> {
    let (mut future, mut units) = (pin!(future), Vec::new());
    poll_fn(|context| {
        let before = count.load(Ordering::SeqCst);
        let polled = future.as_mut().poll(context);
        let used = count.load(Ordering::SeqCst) - before;
        assert_eq!(P::has_budget(), used < BUDGET, "after {used} units");
        units.push(used);
        polled
    })
    .await;
    units
}

/// It was filled again as soon as somebody had been refused.
fn a_used_up_budget_is_used_up_for_all<P: Peer>() {
    const MANY: usize = 1000;
    // By hand, and by what shows the task a waker of its own.
    let (each, count) = loops::<P>(MANY, 5);
    let all = All(each.map(|future| Some(Box::pin(future) as _)).collect());
    let by_hand = P::run(units_of_polls::<P>(all, count));
    assert_eq!(by_hand[..5 * MANY / BUDGET], [BUDGET; 5 * MANY / BUDGET]);
    assert_eq!(by_hand.iter().sum::<usize>(), 5 * MANY);
    assert_eq!(by_hand.len(), (5 * MANY).div_ceil(BUDGET));
    for n in [3, MANY] {
        let (each, count) = loops::<P>(n, 5 * BUDGET);
        let all = futures::future::join_all(each);
        let joined = P::run(units_of_polls::<P>(async { drop(all.await) }, count));
        // tokio may wake the parts after it has polled the whole once more.
        let used: Vec<_> = joined.into_iter().filter(|units| *units > 0).collect();
        assert_eq!((used.iter().max(), used.len()), (Some(&BUDGET), 5 * n), "{n} loops");
    }
}

#[test]
fn a_used_up_budget_stays_so_until_the_poll_is_over() {
    with_deadline(60, || {
        a_used_up_budget_is_used_up_for_all::<Filch>();
        a_used_up_budget_is_used_up_for_all::<Tokio>();
    });
}

#[test]
fn a_thousand_loops_in_one_task_let_others_have_their_turn_after_128_units() {
    with_deadline(60, || {
        const LOOPS: usize = 1000;
        const EACH: usize = 50;
        let turns = logged_units(|count, other| async move {
            let (each, units) = loops::<Filch>(LOOPS, EACH);
            *lock(&count) = units;
            other.await;
            futures::future::join_all(each).await;
        });
        let most = turns.windows(2).map(|two| two[1] - two[0]).max();
        assert_eq!((turns.last(), most), (Some(&(LOOPS * EACH)), Some(BUDGET)));
    });
}

/// Runs what `f` gives as a task, beside another; gives the count of units at each turn of that other.
fn logged_units<F: Future<Output = ()> + Send + 'static>(
    f: impl FnOnce(Arc<Mutex<Units>>, Part) -> F + Send + 'static,
) -> Vec<usize> {
    let pool = pool_without_lane(1);
    let turns = pool.spawn(async {
        let count = Arc::new(Mutex::new(Units::default()));
        let ends = CancellationToken::new();
        let (counts, ended) = (count.clone(), ends.clone());
        let (began, has_begun) = tokio::sync::oneshot::channel();
        let other = filch::spawn(async move {
            let mut turns = Vec::new();
            began.send(()).unwrap();
            while !ended.is_cancelled() {
                turns.push(lock(&counts).load(Ordering::SeqCst));
                task::yield_now().await;
            }
            turns.push(lock(&counts).load(Ordering::SeqCst));
            turns
        });
        f(count, Box::pin(async { has_begun.await.unwrap() })).await;
        ends.cancel();
        other.await.unwrap()
    });
    turns.join().unwrap()
}

/// A waker that does nothing but pass wakes on.
struct Relay(Waker, AtomicUsize);

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.wake_by_ref();
    }
}

/// Such wakers cannot be told from those of an executor inside of the poll, which must get on: what they bring is
/// bounded by how often they were refused. (The executor: `found_in_task_review.rs`.)
#[test]
fn refusals_with_other_wakers_bring_no_more_units_than_there_were() {
    with_deadline(60, || {
        for n in [100, 1000] {
            let (each, count) = loops::<Filch>(n, 1000);
            let (used, refused) = pool(1)
                .spawn(async move {
                    let mut all: Vec<_> = each.map(Box::pin).collect();
                    poll_fn(|context| {
                        let relay = Arc::new(Relay(context.waker().clone(), AtomicUsize::new(0)));
                        let waker = Waker::from(relay.clone());
                        let mut inner = Context::from_waker(&waker);
                        for future in &mut all {
                            assert!(future.as_mut().poll(&mut inner).is_pending());
                        }
                        Poll::Ready((count.load(Ordering::SeqCst), relay.1.load(Ordering::SeqCst)))
                    })
                    .await
                })
                .join()
                .unwrap();
            assert_eq!(refused, n, "all were refused, and woken once for it");
            assert_eq!(used, BUDGET + refused / BUDGET * BUDGET);
        }
    });
}

/// All that takes part in the budget and is ready.
fn ready_things(pool: &Pool) -> Vec<(&'static str, Part)> {
    let (token, tracker, mut set) = (CancellationToken::new(), TaskTracker::new(), JoinSet::new());
    token.cancel();
    tracker.close();
    let handle = pool.spawn(async {});
    set.spawn_on(async {}, pool);
    assert!(within(Duration::from_secs(20), || pool.stats().live_tasks == 0));
    let (room, room_cpu) = (pool.spawn_when_room(async {}), pool.spawn_cpu_when_room(|| ()));
    vec![
        ("a unit", Box::pin(task::consume_budget())),
        ("a cooperative future", Box::pin(cooperative(std::future::ready(())))),
        ("a handle", Box::pin(async { handle.await.unwrap() })),
        ("a set", Box::pin(async move { set.join_next().await.unwrap().unwrap() })),
        ("a timer", Box::pin(sleep(Duration::ZERO))),
        ("an interval", Box::pin(async { ignore(filch::time::interval(Duration::from_secs(60)).tick().await) })),
        ("a token", Box::pin(token.cancelled_owned())),
        ("a tracker", Box::pin(async move { tracker.wait().await })),
        ("room", Box::pin(async { room.await.unwrap().detach() })),
        ("room for a closure", Box::pin(async { room_cpu.await.unwrap().detach() })),
    ]
}

#[test]
fn whoever_is_put_off_is_woken() {
    with_deadline(60, || {
        let pool = pool(1);
        // Each with a waker of its own, all in one poll; and with the task's, each for itself, and all together.
        let things = ready_things(&pool);
        pool.spawn(async {
            for _ in 0..BUDGET {
                task::consume_budget().await;
            }
            for (what, mut thing) in things {
                let wakes = Wakes::default();
                for times in 1..3 {
                    assert!(wakes.poll(thing.as_mut()).is_pending(), "{what}");
                    assert_eq!(wakes.count(), times, "{what}");
                }
                assert!(!task::has_budget_remaining(), "{what}");
            }
        })
        .join()
        .unwrap();
        let used_up = |future: Part| async {
            for _ in 0..BUDGET {
                task::consume_budget().await;
            }
            future.await;
        };
        for (what, thing) in ready_things(&pool) {
            assert_eq!(polls_of(&pool, used_up(thing)).0, 2, "{what}");
        }
        let all = All(ready_things(&pool).into_iter().map(|(_, thing)| Some(thing)).collect());
        assert_eq!(polls_of(&pool, used_up(Box::pin(all))).0, 2);
    });
}

#[test]
fn what_runs_inside_of_a_used_up_poll_has_its_own() {
    async fn spends() -> usize {
        let mut spent = 0;
        for _ in 0..3 * BUDGET {
            task::consume_budget().await;
            spent += 1;
        }
        spent
    }
    with_deadline(60, || {
        let pool = pool_without_lane(1);
        let polls = polls_of(&pool, async {
            for _ in 0..BUDGET {
                task::consume_budget().await;
            }
            let is_used_up = || !task::has_budget_remaining() && Wakes::default().poll(pin!(spends())).is_pending();
            assert!(is_used_up());
            assert_eq!(filch::block_on(spends()), 3 * BUDGET);
            assert!(is_used_up());
            assert_eq!(unconstrained(spends()).await, 3 * BUDGET);
            assert!(is_used_up());
            // Tasks that run on top: one of a local set, and one of the pool.
            poll_fn(|_| {
                let set = LocalSet::new();
                let polls = Units::default();
                set.spawn_local(Polls(Box::pin(spends()), polls.clone())).detach();
                assert!(Wakes::default().poll(pin!(set)).is_ready());
                assert_eq!(polls.load(Ordering::SeqCst), 3);
                Poll::Ready(())
            })
            .await;
            assert!(is_used_up());
            let handle = filch::spawn(spends());
            while !handle.is_finished() {
                filch::yield_now();
            }
            assert!(is_used_up());
        });
        assert_eq!(polls.0, 1);
    });
}

// ----- ends ------------------------------------------------------------------------------------------------------

fn whoever_uses_up_each_budget_is_timed_out<P: Peer>() {
    for units in USES {
        for limit in [0, 1, 5].map(Duration::from_millis) {
            assert!(P::run(P::is_late(limit, greedy::<P>(units))), "{units} units, {limit:?}");
        }
    }
    // One around another.
    let inner = P::is_late(Duration::from_secs(60), greedy::<P>(BUDGET));
    assert!(P::run(P::is_late(Duration::ZERO, inner)));
}

/// How much of the budget a future uses up in each of its polls.
const USES: [usize; 6] = [0, 1, BUDGET - 1, BUDGET, BUDGET + 1, 3 * BUDGET];

#[test]
fn timeouts_end_what_uses_up_each_budget() {
    with_deadline(60, || {
        whoever_uses_up_each_budget_is_timed_out::<Filch>();
        whoever_uses_up_each_budget_is_timed_out::<Tokio>();
    });
}

#[test]
fn tokens_and_moments_end_what_uses_up_each_budget() {
    with_deadline(60, || {
        let pool = pool(1);
        for units in USES {
            let (polls, ended) = polls_of(&pool, timeout_at(filch::time::Instant::now(), greedy::<Filch>(units)));
            assert!(polls == 1 && ended.is_err(), "{units} units, {polls} polls");
            // It is cancelled in the first poll, before it is looked at.
            let cancelled = |token: &CancellationToken| {
                let token = token.clone();
                async move {
                    token.cancel();
                    greedy::<Filch>(units).await;
                }
            };
            let token = CancellationToken::new();
            let work = cancelled(&token);
            let (polls, ended) = polls_of(&pool, async move { token.run_until_cancelled(work).await });
            assert!(polls == 1 && ended.is_none(), "{units} units, {polls} polls");
            let token = CancellationToken::new();
            let work = cancelled(&token);
            let (polls, ended) = polls_of(&pool, token.run_until_cancelled_owned(work));
            assert!(polls == 1 && ended.is_none(), "{units} units, {polls} polls");
            // By its deadline.
            let token = CancellationToken::with_timeout(Duration::from_millis(5));
            let (_, ended) = polls_of(&pool, token.run_until_cancelled_owned(greedy::<Filch>(units)));
            assert!(ended.is_none(), "{units} units");
        }
        // In a local set.
        let (set, token) = (LocalSet::new(), CancellationToken::new());
        let work = token.clone().run_until_cancelled_owned(timeout(Duration::ZERO, greedy::<Filch>(BUDGET)));
        assert!(set.block_on(set.spawn_local(work)).unwrap().unwrap().is_err());
        // An end that comes with the output loses to it, whatever there is of the budget.
        let spends = async {
            for _ in 0..BUDGET {
                task::consume_budget().await;
            }
            7
        };
        assert_eq!(polls_of(&pool, timeout(Duration::ZERO, spends)), (1, Ok(7)));
        assert!(polls_of(&pool, timeout(Duration::ZERO, pending::<()>())).1.is_err());
    });
}

/// Else a loop over timeouts would never let others go first.
#[test]
fn an_end_that_had_no_budget_to_begin_with_waits_too() {
    with_deadline(60, || {
        let (polls, ()) = polls_of(&pool(1), async {
            for _ in 0..10 {
                assert!(timeout(Duration::ZERO, greedy::<Filch>(BUDGET)).await.is_err());
                assert!(!task::has_budget_remaining());
            }
            assert!(timeout(Duration::ZERO, task::consume_budget()).await.is_ok());
        });
        assert_eq!(polls, 11);
    });
}
