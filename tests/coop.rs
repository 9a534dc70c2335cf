//! `task::coop`: futures that do without the budget, and futures of others that take part in it.

mod support;

use std::future::{pending, poll_fn, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, ready};

use filch::task::coop::{cooperative, poll_proceed, unconstrained};
use filch::task::{consume_budget, has_budget_remaining};
use support::{pool, with_deadline, yield_once};

/// Runs `future` on a pool of one worker, beside a task that counts its turns; gives the turns that it had meanwhile.
fn turns_beside<F: Future<Output = ()> + Send + 'static>(future: impl FnOnce() -> F + Send + 'static) -> usize {
    with_deadline(30, move || {
        let (pool, turns) = (pool(1), Arc::new(AtomicUsize::new(0)));
        let counts = turns.clone();
        pool.spawn(async move {
            let other = filch::spawn(async move {
                loop {
                    counts.fetch_add(1, Ordering::SeqCst);
                    yield_once().await;
                }
            });
            while turns.load(Ordering::SeqCst) == 0 {
                yield_once().await;
            }
            let before = turns.load(Ordering::SeqCst);
            future().await;
            let had = turns.load(Ordering::SeqCst) - before;
            other.abort();
            had
        })
        .join()
        .unwrap()
    })
}

#[test]
fn ready_futures_of_others_give_way_when_they_are_cooperative() {
    let plain = turns_beside(|| async {
        for _ in 0..1280 {
            ready(()).await;
        }
    });
    let cooperative = turns_beside(|| async {
        for _ in 0..1280 {
            cooperative(ready(())).await;
        }
    });
    assert_eq!(plain, 0);
    assert!((9..=10).contains(&cooperative), "{cooperative} turns");
}

#[test]
fn nobody_gives_way_without_constraint() {
    let none = turns_beside(|| {
        unconstrained(async {
            for _ in 0..1280 {
                consume_budget().await;
                cooperative(ready(())).await;
            }
        })
    });
    assert_eq!(none, 0);
    // What is used up inside is not missed outside, and it ends with the future.
    let after = turns_beside(|| async {
        unconstrained(async {
            for _ in 0..1000 {
                consume_budget().await;
            }
        })
        .await;
        for _ in 0..128 {
            assert!(has_budget_remaining());
            consume_budget().await;
        }
        assert!(!has_budget_remaining());
    });
    assert_eq!(after, 0);
}

#[test]
fn an_unconstrained_future_may_rest() {
    let turns = turns_beside(|| async {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        filch::spawn(async move { sender.send(5).unwrap() }).detach();
        assert_eq!(unconstrained(receiver).await.unwrap(), 5);
    });
    assert!(turns <= 3, "{turns}");
}

#[test]
fn a_unit_is_given_back_unless_there_was_progress() {
    let turns = turns_beside(|| async {
        poll_fn(|context| {
            for _ in 0..1000 {
                drop(ready!(poll_proceed(context)));
            }
            // Pending futures cost nothing either.
            for _ in 0..1000 {
                assert!(pin!(cooperative(pending::<()>())).poll(context).is_pending());
            }
            for _ in 0..128 {
                ready!(poll_proceed(context)).made_progress();
            }
            assert!(!has_budget_remaining());
            Poll::Ready(())
        })
        .await;
    });
    assert_eq!(turns, 0);
}

/// So do this crate's own, when they are always ready.
#[test]
fn timers_tokens_and_trackers_give_way() {
    let timers = turns_beside(|| async {
        for _ in 0..1280 {
            filch::time::sleep(std::time::Duration::ZERO).await;
        }
    });
    let tokens = turns_beside(|| async {
        let token = filch::CancellationToken::new();
        token.cancel();
        for _ in 0..1280 {
            token.cancelled().await;
        }
    });
    let trackers = turns_beside(|| async {
        let tracker = filch::task::TaskTracker::new();
        tracker.close();
        for _ in 0..1280 {
            tracker.wait().await;
        }
    });
    for turns in [timers, tokens, trackers] {
        assert!((9..=10).contains(&turns), "{timers}, {tokens}, {trackers} turns");
    }
}

#[test]
fn outside_of_tasks_there_is_no_limit() {
    with_deadline(30, || {
        filch::block_on(poll_fn(|context| {
            for _ in 0..1000 {
                ready!(poll_proceed(context)).made_progress();
            }
            Poll::Ready(())
        }));
    });
}
