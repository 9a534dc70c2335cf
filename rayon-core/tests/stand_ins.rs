//! While threads of the global pool wait in filch's `block_on` or `blocking`, others stand in for them, with indices of
//! their own. Alone in its process, because those go on with rayon's closures for a while.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use support::{spin, with_deadline, within};

#[test]
fn closures_that_wait_in_filchs_calls() {
    with_deadline(100, || {
        let threads = rayon::current_num_threads();
        let taken: Vec<AtomicBool> = (0..filch::max_num_threads()).map(|_| AtomicBool::new(false)).collect();
        let visit = || {
            let index = rayon::current_thread_index().expect("rayon's closures run on threads of the pool");
            assert_eq!(filch::current_thread_index(), Some(index));
            assert!(!taken[index].swap(true, Ordering::AcqRel), "two threads with index {index}");
            spin(Duration::from_micros(20));
            taken[index].store(false, Ordering::Release);
            index
        };
        for way in [0, 1].repeat(20) {
            let stood_in = AtomicBool::new(false);
            (0..50 * threads).into_par_iter().with_max_len(1).for_each(|_| {
                if visit() >= threads {
                    stood_in.store(true, Ordering::Relaxed);
                }
                // Until another has stood in for one of them, all threads wait here.
                let waited = match way {
                    0 => filch::block_on(async {
                        let began = Instant::now();
                        while !stood_in.load(Ordering::Relaxed) && began.elapsed() < Duration::from_secs(20) {
                            filch::time::sleep(Duration::from_micros(100)).await;
                        }
                        stood_in.load(Ordering::Relaxed)
                    }),
                    _ => filch::blocking(|| within(Duration::from_secs(20), || stood_in.load(Ordering::Relaxed))),
                };
                assert!(waited, "nobody stands in");
                visit();
            });
        }
    });
}
