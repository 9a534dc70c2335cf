//! `filch::task::yield_now` where its waker is not the task's own, where it is dropped halfway, and where there is no
//! task.

mod support;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use filch::{JoinHandle, Pool, task};
use support::{lock, pool, with_deadline, within};

/// Runs `each` on pools of 1 and 2 workers.
fn on_pools(each: impl Fn(&Pool) + Send + 'static) {
    with_deadline(60, move || {
        for workers in [1, 2] {
            support::note(format!("{workers} workers"));
            each(&pool(workers));
        }
    });
}

/// A waker with a flag, which passes wakes on.
struct Flag {
    set: AtomicBool,
    wakes: AtomicUsize,
    outer: Mutex<Option<Waker>>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.set.store(true, Ordering::SeqCst);
        self.wakes.fetch_add(1, Ordering::SeqCst);
        let outer = lock(&self.outer).clone();
        outer.into_iter().for_each(Waker::wake);
    }
}

/// Two futures, each polled with a waker of its own and only when that was woken, as `FuturesUnordered` does.
struct Both<A, B> {
    a: Pin<Box<A>>,
    b: Pin<Box<B>>,
    flags: [Arc<Flag>; 2],
    done: [bool; 2],
    polls: [usize; 2],
}

fn both<A: Future, B: Future>(a: A, b: B) -> Both<A, B> {
    let flag = || Arc::new(Flag { set: true.into(), wakes: 0.into(), outer: Mutex::default() });
    Both { a: Box::pin(a), b: Box::pin(b), flags: [flag(), flag()], done: [false; 2], polls: [0; 2] }
}

impl<A: Future<Output = ()>, B: Future<Output = ()>> Future for Both<A, B> {
    /// How often each was polled, and its waker woken.
    type Output = [(usize, usize); 2];

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        for i in [0, 1] {
            let flag = &this.flags[i];
            *lock(&flag.outer) = Some(context.waker().clone());
            if this.done[i] || !flag.set.swap(false, Ordering::SeqCst) {
                continue;
            }
            let waker = Waker::from(flag.clone());
            let mut inner = Context::from_waker(&waker);
            this.polls[i] += 1;
            let polled = if i == 0 { this.a.as_mut().poll(&mut inner) } else { this.b.as_mut().poll(&mut inner) };
            this.done[i] = polled.is_ready();
        }
        if this.done == [true; 2] {
            let counts = |i: usize| (this.polls[i], this.flags[i].wakes.load(Ordering::SeqCst));
            return Poll::Ready([counts(0), counts(1)]);
        }
        Poll::Pending
    }
}

async fn yields(times: usize) {
    for _ in 0..times {
        task::yield_now().await;
    }
}

/// The two wakers of a `yield_now` that is not the task's own.
#[test]
fn yield_now_in_a_combinator_wakes_the_combinators_waker() {
    on_pools(|pool| {
        // In a task, in block_on, and in a task's block_on: each yield is one wake of the inner waker, no more.
        let expected = [(11, 10), (4, 3)];
        assert_eq!(pool.spawn(both(yields(10), yields(3))).join().unwrap(), expected);
        assert_eq!(filch::block_on(both(yields(10), yields(3))), expected);
        assert_eq!(pool.block_on(both(yields(10), yields(3))), expected);
        assert_eq!(pool.spawn_cpu(|| filch::block_on(both(yields(10), yields(3)))).join().unwrap(), expected);
        let blocks = pool.spawn(async { filch::block_on(both(yields(10), yields(3))) });
        assert_eq!(blocks.join().unwrap(), expected);
        // Nested, and beside something that really waits.
        let (tx, rx) = tokio::sync::oneshot::channel::<()>();
        let waits = async move { rx.await.unwrap() };
        let sends = async move {
            yields(5).await;
            tx.send(()).unwrap();
        };
        let inner = async move { assert_eq!(both(yields(2), sends).await, [(3, 2), (6, 5)]) };
        let counts = pool.spawn(both(inner, waits)).join().unwrap();
        assert_eq!(counts[1], (2, 1), "polled at first, and when the other has sent");
    });
}

#[test]
fn a_yield_that_is_dropped_halfway_does_no_harm() {
    on_pools(|pool| {
        let polls = Arc::new(AtomicUsize::new(0));
        let count = polls.clone();
        let handle = pool.spawn(async move {
            let mut yielding = Box::pin(task::yield_now());
            let mut turn = 0;
            poll_fn(|context| {
                count.fetch_add(1, Ordering::SeqCst);
                turn += 1;
                match turn {
                    // It says that it yields; then the poll ends ready, so it does not: no poll more.
                    1 => {
                        assert!(yielding.as_mut().poll(context).is_pending());
                        Poll::Ready(())
                    }
                    _ => unreachable!("polled after it was ready"),
                }
            })
            .await;
            drop(yielding);
            // It yields twice in the same poll: that is one turn.
            let (mut one, mut two) = (pin!(task::yield_now()), pin!(task::yield_now()));
            poll_fn(|context| {
                let first = one.as_mut().poll(context).is_ready();
                let second = two.as_mut().poll(context).is_ready();
                if first && second { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            7
        });
        assert_eq!(handle.join().unwrap(), 7);
        assert_eq!(polls.load(Ordering::SeqCst), 1);
        // And one that yields, and panics or is aborted in the same poll.
        let handle: JoinHandle<()> = pool.spawn(async {
            let mut yielding = pin!(task::yield_now());
            poll_fn(|context| {
                assert!(yielding.as_mut().poll(context).is_pending());
                support::plan(1)
            })
            .await
        });
        assert_eq!(support::planned(handle.join().unwrap_err().into_panic()), 1);
        // The future's destructor polls it: the task ends all the same.
        struct YieldsInDrop(Option<Pin<Box<dyn Future<Output = ()> + Send>>>, Waker);
        impl Drop for YieldsInDrop {
            fn drop(&mut self) {
                let mut yielding = self.0.take().expect("dropped once");
                let _ = yielding.as_mut().poll(&mut Context::from_waker(&self.1));
            }
        }
        let handle = pool.spawn(async {
            let waker = poll_fn(|context| Poll::Ready(context.waker().clone())).await;
            let _late = YieldsInDrop(Some(Box::pin(task::yield_now())), waker);
            std::future::pending::<()>().await;
        });
        thread::sleep(Duration::from_millis(1));
        handle.abort();
        assert!(handle.join().unwrap_err().is_cancelled());
        assert!(within(Duration::from_secs(20), || pool.stats().live_tasks == 0));
    });
}

#[test]
fn yield_now_outside_of_tasks_wakes_its_own_waker_once() {
    with_deadline(30, || {
        let by_hand = || {
            let flag = Arc::new(Flag { set: false.into(), wakes: 0.into(), outer: Mutex::default() });
            let waker = Waker::from(flag.clone());
            let mut context = Context::from_waker(&waker);
            let mut yielding = pin!(task::yield_now());
            assert!(yielding.as_mut().poll(&mut context).is_pending());
            assert_eq!(flag.wakes.load(Ordering::SeqCst), 1);
            assert!(yielding.as_mut().poll(&mut context).is_ready());
            assert_eq!(flag.wakes.load(Ordering::SeqCst), 1);
        };
        by_hand();
        for workers in [1, 2] {
            let pool = pool(workers);
            pool.install(by_hand);
            pool.spawn_cpu(by_hand).join().unwrap();
            pool.spawn_blocking(by_hand).join().unwrap();
            pool.spawn(async move { by_hand() }).join().unwrap();
            pool.block_on(task::yield_now());
        }
        filch::block_on(async {
            for _ in 0..1_000 {
                task::yield_now().await;
                task::consume_budget().await;
            }
        });
    });
}

#[test]
fn a_task_polled_with_the_waker_of_another_wakes_that_other() {
    // The future moves from task to task between polls, as a stream in a channel does.
    on_pools(|pool| {
        let yielding: Arc<Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>> = Arc::new(Mutex::new(Box::pin(yields(10))));
        for turn in 0..10 {
            let yielding = yielding.clone();
            let polled = pool.spawn(async move {
                let mut first = true;
                poll_fn(|context| {
                    if !std::mem::take(&mut first) {
                        return Poll::Ready(());
                    }
                    assert!(lock(&yielding).as_mut().poll(context).is_pending(), "turn {turn}");
                    Poll::Pending
                })
                .await;
            });
            polled.join().unwrap();
        }
        let last = pool.spawn(poll_fn(move |context| lock(&yielding).as_mut().poll(context)));
        last.join().unwrap();
    });
}
