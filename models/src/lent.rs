//! Roots that are lent: begun by a worker or taken back by their owner, and what is left in the queue after that.

use super::{explore, parker};
use crate::core::job::RootJob;
use crate::core::latch::Waiter;
use crate::core::lent::Lent;
use crate::core::sleep::Sleep;
use crate::queue::Queue;
use loom::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

/// What the threads share: the list, and a queue of tickets.
struct Pool {
    lent: Lent,
    tickets: Queue<()>,
    sleep: Sleep,
}

fn pool() -> Arc<Pool> {
    Arc::new(Pool { lent: Lent::new(), tickets: Queue::new(), sleep: Sleep::new() })
}

/// The holder of a ticket.
fn spend(pool: &Pool) {
    if let Some(root) = pool.lent.begin() {
        // SAFETY: taken out of the list; not yet run.
        unsafe { root.run() };
    }
}

/// Lends a root. It is taken back at once if `back`, unless it has been begun; else its end is waited for.
fn root(pool: &Pool, back: bool, run: impl Fn() + Sync) {
    let bed = parker();
    let job = RootJob::new(&run, Waiter::Outside(bed.clone()));
    // SAFETY: this frame waits for the latch below, or has taken the root back.
    let root = unsafe { job.as_ref() };
    if pool.lent.lend(root) {
        pool.tickets.push(());
    }
    if pool.sleep.wants_thread(1) {
        let _ = pool.sleep.wake_one(1);
    }
    if back && pool.lent.take_back(&root) {
        return run();
    }
    while job.latch().announce_sleep() {
        bed.park();
    }
    // SAFETY: the latch is set.
    assert!(unsafe { job.result() }.is_ok());
}

#[test]
fn a_root_is_begun_or_taken_back() {
    explore(|| {
        let pool = pool();
        let runs = Arc::new(AtomicU32::new(0));
        let worker = {
            let pool = pool.clone();
            // If it comes too early there is nobody but the owner.
            loom::thread::spawn(move || pool.tickets.steal().into_iter().for_each(|()| spend(&pool)))
        };
        root(&pool, true, || drop(runs.fetch_add(1, Ordering::Relaxed)));
        worker.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn the_next_root_makes_do_with_a_husk() {
    explore(|| {
        let pool = pool();
        let runs = Arc::new(AtomicU32::new(0));
        let worker = {
            let (pool, runs) = (pool.clone(), runs.clone());
            loom::thread::spawn(move || {
                pool.sleep.take_seat();
                let bed = parker();
                let mut search = pool.sleep.search();
                while runs.load(Ordering::Relaxed) < 2 {
                    if pool.tickets.steal().is_some() {
                        search.found();
                        spend(&pool);
                        search = pool.sleep.search();
                        continue;
                    }
                    search.lie_down(0, false, &bed);
                    search = loop {
                        if !pool.tickets.is_empty() {
                            break pool.sleep.get_up(0).unwrap_or_else(|| pool.sleep.inherit());
                        }
                        match pool.sleep.lies(0) {
                            None => break pool.sleep.inherit(),
                            Some(_) => bed.park(),
                        }
                    };
                }
                search.quit();
            })
        };
        let counts = || drop(runs.fetch_add(1, Ordering::Relaxed));
        root(&pool, true, counts);
        root(&pool, false, counts);
        worker.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    });
}
