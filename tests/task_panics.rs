//! Panics in futures, in destructors of what closures and tasks hold, and in those of outputs: on pools of 1, 2 and 4
//! workers, the pool goes on afterwards, and everything is dropped exactly once.

mod support;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use support::{Event, Reports, Token, catch, lock, matrix, plan, planned, spin, within};

fn work() {
    spin(Duration::from_micros(50));
}

/// Its destructor panics.
struct Grenade(Option<Token>, u64);

impl Drop for Grenade {
    fn drop(&mut self) {
        drop(self.0.take());
        if !std::thread::panicking() {
            plan(self.1);
        }
    }
}

fn reported(reports: &Reports, ids: &[u64]) {
    let all = || {
        let mut got = lock(reports).clone();
        got.sort_unstable();
        got
    };
    let arrived = within(Duration::from_secs(20), || all().len() >= ids.len());
    assert!(arrived && all() == ids, "reported {:?} instead of {ids:?}", all());
}

#[test]
fn captures_whose_drop_panics() {
    matrix(|pool, drops, reports| {
        let grenade = |id| Grenade(Some(drops.token()), id);
        let held = grenade(1);
        pool.spawn_detached(move || {
            let _held = &held;
        });
        reported(reports, &[1]);
        let held = grenade(2);
        let outcome = catch(|| {
            pool.scope(|s| {
                s.spawn(move |_| {
                    let _held = &held;
                })
            })
        });
        assert_eq!(outcome, Err(2));
        let held = grenade(3);
        let outcome = catch(|| {
            pool.join(work, move || {
                let _held = &held;
            })
        });
        assert_eq!(outcome.err(), Some(3));
        let held = grenade(4);
        let handle = pool.spawn_cpu(move || {
            let _held = &held;
        });
        assert_eq!(planned(handle.join().unwrap_err().into_panic()), 4);
    });
}

/// A future that may panic when polled and when dropped.
struct Fragile {
    polls: u64,
    in_poll: Option<u64>,
    held: Option<Grenade>,
    token: Option<Token>,
}

impl Future for Fragile {
    type Output = u64;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u64> {
        if self.polls == 0 {
            if let Some(id) = self.in_poll {
                plan(id);
            }
            return Poll::Ready(5);
        }
        self.polls -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[test]
fn polls_of_futures() {
    matrix(|pool, drops, _| {
        for polls in [0, 3] {
            let fragile = || Fragile { polls, in_poll: Some(8), held: None, token: Some(drops.token()) };
            assert_eq!(planned(pool.spawn(fragile()).join().unwrap_err().into_panic()), 8);
            pool.spawn(fragile()).detach();
            assert_eq!(catch(|| pool.block_on(fragile())).unwrap_err(), 8);
        }
    });
}

#[test]
fn drops_of_futures() {
    matrix(|pool, drops, reports| {
        for polls in [0, 3] {
            lock(reports).clear();
            let held = Some(Grenade(Some(drops.token()), 9));
            let fragile = Fragile { polls, in_poll: None, held, token: Some(drops.token()) };
            assert!(fragile.held.is_some() && fragile.token.is_some());
            assert_eq!(pool.spawn(fragile).join().unwrap(), 5, "the output was there before the drop");
            reported(reports, &[9]);
        }
        // Dropped by an abort, while pending.
        lock(reports).clear();
        let held = Grenade(Some(drops.token()), 9);
        let handle = pool.spawn(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        handle.abort();
        assert!(handle.join().unwrap_err().is_cancelled());
        reported(reports, &[9]);
    });
}

#[test]
fn drops_of_outputs() {
    matrix(|pool, drops, _| {
        // Detached before the end: the pool drops the output. The panic hook has heard of it.
        let (go, output) = (Event::default(), Grenade(Some(drops.token()), 6));
        let gate = go.clone();
        pool.spawn_cpu(move || {
            gate.wait();
            output
        })
        .detach();
        go.set();
        drops.assert_all_dropped("a detached output");
        // Dropped by whoever holds the handle after the end: if the panic comes through, it is theirs.
        let output = Grenade(Some(drops.token()), 7);
        let handle = pool.spawn(async move { output });
        assert!(within(Duration::from_secs(20), || handle.is_finished()));
        assert!(matches!(catch(|| drop(handle)), Ok(()) | Err(7)));
        drops.assert_all_dropped("an output nobody asked for");
        // Taken out by the awaiter.
        let output = Grenade(Some(drops.token()), 8);
        let output = pool.spawn_blocking(move || output).join().unwrap();
        assert_eq!(catch(|| drop(output)), Err(8));
    });
}
