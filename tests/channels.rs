//! Channels, locks and macros of other crates. They know nothing of filch, and the documentation says that they work on
//! it: each is played in tasks of a pool of one worker and of two, in `block_on` of such a pool, and in that of a thread
//! of no pool, with buffers so small that who sends and who receives waits for the other.

mod support;

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use filch::JoinHandle;
use filch::task::yield_now;
use support::{Drops, note, pool, with_deadline};

fn everywhere<F>(scenario: fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    with_deadline(60, move || {
        for workers in [1, 2] {
            let pool = pool(workers);
            for round in 0..20 {
                note(format!("{workers} workers, round {round}, in a task"));
                pool.spawn(scenario()).join().unwrap();
                note(format!("{workers} workers, round {round}, in block_on"));
                pool.block_on(scenario());
            }
        }
        note("in block_on of a thread of no pool");
        filch::block_on(scenario());
    });
}

async fn all<T>(handles: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut values = Vec::new();
    for handle in handles {
        values.push(handle.await.unwrap());
    }
    values
}

/// So many tasks, by their numbers.
fn tasks<F>(count: usize, task: impl Fn(usize) -> F) -> Vec<JoinHandle<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    (0..count).map(|i| filch::spawn(task(i))).collect()
}

const SENDERS: usize = 3;
const MESSAGES: usize = 50;
/// Of all messages, which are 0, 1, 2 and so on.
const SUM: usize = SENDERS * MESSAGES * (SENDERS * MESSAGES - 1) / 2;

// ----- channels ----------------------------------------------------------------------------------------------------

#[test]
fn async_channels() {
    everywhere(|| async {
        let (sender, receiver) = async_channel::bounded(1);
        let senders = tasks(SENDERS, |i| {
            let sender = sender.clone();
            async move {
                for n in 0..MESSAGES {
                    sender.send(i * MESSAGES + n).await.unwrap();
                }
            }
        });
        drop(sender);
        let receivers = tasks(2, |_| {
            let receiver = receiver.clone();
            async move {
                let mut sum = 0;
                while let Ok(message) = receiver.recv().await {
                    sum += message;
                }
                sum
            }
        });
        drop(receiver);
        all(senders).await;
        assert_eq!(all(receivers).await.iter().sum::<usize>(), SUM);
    });
}

#[test]
fn futures_mpsc() {
    use futures::{SinkExt, StreamExt};

    everywhere(|| async {
        let (sender, mut receiver) = futures::channel::mpsc::channel(0);
        let senders = tasks(SENDERS, |i| {
            let mut sender = sender.clone();
            async move {
                for n in 0..MESSAGES {
                    sender.send(i * MESSAGES + n).await.unwrap();
                }
            }
        });
        drop(sender);
        let mut sum = 0;
        while let Some(message) = receiver.next().await {
            sum += message;
        }
        all(senders).await;
        assert_eq!(sum, SUM);
    });
}

#[test]
fn tokio_mpsc() {
    everywhere(|| async {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        let senders = tasks(SENDERS, |i| {
            let sender = sender.clone();
            async move {
                for n in 0..MESSAGES {
                    match n % 2 {
                        0 => sender.send(i * MESSAGES + n).await.unwrap(),
                        _ => sender.reserve().await.unwrap().send(i * MESSAGES + n),
                    }
                }
            }
        });
        drop(sender);
        let mut sum = 0;
        while let Some(message) = receiver.recv().await {
            sum += message;
        }
        all(senders).await;
        assert_eq!(sum, SUM);
        // Without a bound, and left by its receiver.
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let left = filch::spawn(async move {
            sender.send(5).unwrap();
            sender.closed().await;
            sender.send(6).is_err()
        });
        assert_eq!(receiver.recv().await, Some(5));
        drop(receiver);
        assert!(left.await.unwrap());
    });
}

#[test]
fn oneshots() {
    everywhere(|| async {
        let (tokio_tx, tokio_rx) = tokio::sync::oneshot::channel();
        let (futures_tx, futures_rx) = futures::channel::oneshot::channel();
        let waits = filch::spawn(async move { (tokio_rx.await, futures_rx.await) });
        yield_now().await;
        filch::spawn(async move { tokio_tx.send(5).unwrap() }).detach();
        filch::spawn(async move { futures_tx.send(6).unwrap() }).detach();
        assert_eq!(waits.await.unwrap(), (Ok(5), Ok(6)));
        // One that goes without a word.
        let (tokio_tx, tokio_rx) = tokio::sync::oneshot::channel::<()>();
        let (futures_tx, futures_rx) = futures::channel::oneshot::channel::<()>();
        let waits = filch::spawn(async move { tokio_rx.await.is_err() && futures_rx.await.is_err() });
        yield_now().await;
        drop((tokio_tx, futures_tx));
        assert!(waits.await.unwrap());
    });
}

#[test]
fn tokio_watch() {
    everywhere(|| async {
        let (sender, receiver) = tokio::sync::watch::channel(0);
        let watchers = tasks(3, |_| {
            let mut receiver = receiver.clone();
            async move {
                let mut last = 0;
                while receiver.changed().await.is_ok() {
                    let now = *receiver.borrow_and_update();
                    assert!(now > last, "values may be missed, and are never old");
                    last = now;
                }
                last
            }
        });
        let mut waits = receiver;
        let waits = filch::spawn(async move { *waits.wait_for(|&value| value >= MESSAGES / 2).await.unwrap() });
        for value in 1..=MESSAGES {
            sender.send(value).unwrap();
            yield_now().await;
        }
        assert!(waits.await.unwrap() >= MESSAGES / 2);
        drop(sender);
        assert_eq!(all(watchers).await, [MESSAGES; 3]);
    });
}

#[test]
fn tokio_broadcast() {
    use tokio::sync::broadcast::error::RecvError;

    everywhere(|| async {
        let (sender, receiver) = tokio::sync::broadcast::channel(2 * MESSAGES);
        let receivers = tasks(3, |_| {
            let mut receiver = receiver.resubscribe();
            async move {
                let mut sum = 0;
                while let Ok(message) = receiver.recv().await {
                    sum += message;
                }
                sum
            }
        });
        drop(receiver);
        for message in 0..MESSAGES {
            sender.send(message).unwrap();
            yield_now().await;
        }
        drop(sender);
        assert_eq!(all(receivers).await, [MESSAGES * (MESSAGES - 1) / 2; 3]);
        // One more than there is room for: who is late is told.
        let (sender, mut late) = tokio::sync::broadcast::channel(2);
        (0..3).for_each(|message| assert_eq!(sender.send(message).unwrap(), 1));
        assert_eq!(filch::spawn(async move { late.recv().await }).await.unwrap(), Err(RecvError::Lagged(1)));
    });
}

#[test]
fn tokio_notify() {
    use tokio::sync::Notify;

    everywhere(|| async {
        let (ping, pong) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let answers = {
            let (ping, pong) = (ping.clone(), pong.clone());
            filch::spawn(async move {
                for _ in 0..MESSAGES {
                    ping.notified().await;
                    pong.notify_one();
                }
            })
        };
        for _ in 0..MESSAGES {
            ping.notify_one();
            pong.notified().await;
        }
        answers.await.unwrap();
        // All who wait at once.
        let waiting = Arc::new(AtomicUsize::new(0));
        let waiters = tasks(5, |_| {
            let (ping, waiting) = (ping.clone(), waiting.clone());
            async move {
                let notified = ping.notified();
                waiting.fetch_add(1, Ordering::SeqCst);
                notified.await;
            }
        });
        while waiting.load(Ordering::SeqCst) < 5 {
            yield_now().await;
        }
        ping.notify_waiters();
        all(waiters).await;
    });
}

// ----- locks -------------------------------------------------------------------------------------------------------

/// Each task adds one under the lock, so many times, and gives way while it holds it.
macro_rules! counts_under {
    ($mutex:ty) => {
        everywhere(|| async {
            let total = Arc::new(<$mutex>::new(0));
            let adders = tasks(4, |_| {
                let total = total.clone();
                async move {
                    for _ in 0..MESSAGES {
                        let mut total = total.lock().await;
                        let before = *total;
                        yield_now().await;
                        *total = before + 1;
                    }
                }
            });
            all(adders).await;
            assert_eq!(*total.lock().await, 4 * MESSAGES);
        })
    };
}

#[test]
fn tokio_mutex() {
    counts_under!(tokio::sync::Mutex<usize>);
}

#[test]
fn futures_mutex() {
    counts_under!(futures::lock::Mutex<usize>);
}

#[test]
fn async_lock_mutex() {
    counts_under!(async_lock::Mutex<usize>);
}

/// Writers leave two numbers equal, and readers find them so.
macro_rules! reads_and_writes {
    ($lock:ty) => {
        everywhere(|| async {
            let pair = Arc::new(<$lock>::new((0, 0)));
            let writers = tasks(2, |_| {
                let pair = pair.clone();
                async move {
                    for _ in 0..MESSAGES {
                        let mut pair = pair.write().await;
                        pair.0 += 1;
                        yield_now().await;
                        pair.1 += 1;
                    }
                }
            });
            let readers = tasks(3, |_| {
                let pair = pair.clone();
                async move {
                    for _ in 0..MESSAGES {
                        let pair = pair.read().await;
                        let first = pair.0;
                        yield_now().await;
                        assert_eq!(first, pair.1);
                    }
                }
            });
            all(writers).await;
            all(readers).await;
            assert_eq!(*pair.read().await, (2 * MESSAGES, 2 * MESSAGES));
        })
    };
}

#[test]
fn tokio_rwlock() {
    reads_and_writes!(tokio::sync::RwLock<(usize, usize)>);
}

#[test]
fn async_lock_rwlock() {
    reads_and_writes!(async_lock::RwLock<(usize, usize)>);
}

#[test]
fn tokio_semaphore() {
    use tokio::sync::Semaphore;

    everywhere(|| async {
        let (seats, taken) = (Arc::new(Semaphore::new(2)), Arc::new(AtomicUsize::new(0)));
        let guests = tasks(8, |_| {
            let (seats, taken) = (seats.clone(), taken.clone());
            async move {
                for _ in 0..MESSAGES {
                    let _seat = seats.acquire().await.unwrap();
                    assert!(taken.fetch_add(1, Ordering::SeqCst) < 2);
                    yield_now().await;
                    taken.fetch_sub(1, Ordering::SeqCst);
                }
            }
        });
        all(guests).await;
        assert_eq!(seats.available_permits(), 2);
        // Closed while somebody waits for more than there is.
        let waits = {
            let seats = seats.clone();
            filch::spawn(async move { seats.acquire_many_owned(3).await.is_err() })
        };
        yield_now().await;
        seats.close();
        assert!(waits.await.unwrap());
    });
}

// ----- macros ------------------------------------------------------------------------------------------------------

/// Ready at the third poll.
async fn third<T>(value: T) -> T {
    yield_now().await;
    yield_now().await;
    value
}

/// Never ready; counts its end.
async fn never(drops: &Drops) {
    let _token = drops.token();
    pending().await
}

#[test]
fn tokio_select() {
    everywhere(|| async {
        let (evens, mut even) = tokio::sync::mpsc::channel(1);
        let (odds, mut odd) = tokio::sync::mpsc::channel(1);
        let senders = tasks(2, |i| {
            let sender = [&evens, &odds][i].clone();
            async move {
                for n in 0..MESSAGES {
                    sender.send(2 * n + i).await.unwrap();
                }
            }
        });
        drop((evens, odds));
        let mut sums = [0, 0];
        loop {
            tokio::select! {
                Some(n) = even.recv() => sums[0] += n,
                Some(n) = odd.recv() => sums[1] += n,
                else => break,
            }
        }
        all(senders).await;
        assert_eq!(sums, [MESSAGES * (MESSAGES - 1), MESSAGES * MESSAGES]);
        // A handle against what never comes; that is dropped.
        let drops = Drops::default();
        let first = tokio::select! {
            () = never(&drops) => None,
            value = filch::spawn(third(5)) => value.ok(),
        };
        assert_eq!((first, drops.made() - drops.dropped()), (Some(5), 0));
    });
}

#[test]
fn futures_select() {
    use futures::{FutureExt, StreamExt};

    everywhere(|| async {
        let (evens, mut even) = futures::channel::mpsc::unbounded();
        let (odds, mut odd) = futures::channel::mpsc::unbounded();
        let senders = tasks(2, |i| {
            let sender = [&evens, &odds][i].clone();
            async move {
                for n in 0..MESSAGES {
                    sender.unbounded_send(2 * n + i).unwrap();
                    yield_now().await;
                }
            }
        });
        drop((evens, odds));
        let mut sums = [0, 0];
        loop {
            futures::select! {
                n = even.select_next_some() => sums[0] += n,
                n = odd.select_next_some() => sums[1] += n,
                complete => break,
            }
        }
        all(senders).await;
        assert_eq!(sums, [MESSAGES * (MESSAGES - 1), MESSAGES * MESSAGES]);
        let drops = Drops::default();
        let first = {
            let mut handle = filch::spawn(third(5)).fuse();
            let never = never(&drops).fuse();
            futures::pin_mut!(never);
            futures::select! {
                () = never => None,
                value = handle => value.ok(),
            }
        };
        assert_eq!((first, drops.made() - drops.dropped()), (Some(5), 0));
    });
}

/// `join!` and `try_join!` of whoever.
macro_rules! joins {
    ($join:path, $try_join:path) => {
        everywhere(|| async {
            use $join as join;
            use $try_join as try_join;

            let values = join!(third(1), filch::spawn(third(2)), filch::spawn_cpu(|| 3), async { 4 });
            assert_eq!((values.0, values.1.unwrap(), values.2.unwrap(), values.3), (1, 2, 3, 4));
            let values = try_join!(filch::spawn(third(1)), filch::spawn_blocking(|| 2)).unwrap();
            assert_eq!(values, (1, 2));
            // The first error ends it, and what is not ready then is dropped.
            let drops = Drops::default();
            let never = async { Ok::<_, &str>(never(&drops).await) };
            let fails = async { filch::spawn(third(Err::<(), _>("no"))).await.unwrap() };
            assert_eq!(try_join!(never, fails), Err("no"));
            assert_eq!((drops.made(), drops.dropped()), (1, 1));
        })
    };
}

#[test]
fn tokio_join() {
    joins!(tokio::join, tokio::try_join);
}

#[test]
fn futures_join() {
    joins!(futures::join, futures::try_join);
}
