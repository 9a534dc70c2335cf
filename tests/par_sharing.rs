//! Whether loops are shared: a loop of few long items must reach the other worker, whatever the pool did before and
//! however short loops of the same kind have been so far.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use filch::prelude::*;
use support::{at_best, fib, pool, spin, with_deadline};

/// Which workers have run something.
#[derive(Default)]
struct Workers([AtomicBool; 16]);

impl Workers {
    fn note(&self) {
        self.0[filch::current_thread_index().expect("bodies run in the pool") % 16].store(true, Ordering::Relaxed);
    }

    fn take(&self) -> usize {
        self.0.iter().filter(|worker| worker.swap(false, Ordering::Relaxed)).count()
    }
}

fn shared_loop(len: usize, workers: &Workers, time: Duration) -> usize {
    (0..len).into_par_iter().for_each(|_| {
        workers.note();
        if !time.is_zero() {
            thread::sleep(time);
        }
    });
    workers.take()
}

/// Measures on a thread that knows nothing of earlier loops.
fn afresh(times: u32, what: &str, measure: impl Fn() -> Result<(), String> + Sync) {
    at_best(times, what, || thread::scope(|s| s.spawn(&measure).join().expect("a measurement does not panic")));
}

#[test]
fn a_long_loop_is_shared_though_everybody_was_asleep() {
    with_deadline(60, || {
        let pool = pool(2);
        assert_eq!(pool.install(|| fib(15)), 610);
        afresh(4, "two items for two workers", || {
            let took_part = pool.install(|| {
                spin(Duration::from_millis(100));
                shared_loop(2, &Workers::default(), Duration::from_millis(100))
            });
            if took_part == 2 { Ok(()) } else { Err(format!("{took_part} took part")) }
        });
    });
}

#[test]
fn a_long_loop_is_shared_though_those_before_were_short() {
    with_deadline(60, || {
        let pool = pool(2);
        afresh(4, "two items for two workers", || {
            let took_part = pool.install(|| {
                let workers = Workers::default();
                for _ in 0..20 {
                    shared_loop(2, &workers, Duration::ZERO);
                }
                shared_loop(2, &workers, Duration::from_millis(100))
            });
            if took_part == 2 { Ok(()) } else { Err(format!("{took_part} took part")) }
        });
    });
}
