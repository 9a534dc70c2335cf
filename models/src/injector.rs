//! A root from outside: handed in, run by a worker that was about to sleep, its end seen by the thread that blocks.

use super::{explore, parker};
use crate::core::job::{JobRef, RootJob};
use crate::core::latch::Waiter;
use crate::core::sleep::Sleep;
use crate::queue::Queue;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn a_root_is_run_once_and_its_owner_wakes() {
    // Another value in each run, so that one that was left in the frame by an earlier run is no substitute.
    static ROUND: AtomicU64 = AtomicU64::new(0);
    explore(|| {
        let round = ROUND.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::new((Sleep::new(), Queue::<JobRef>::new()));
        let worker = {
            let shared = shared.clone();
            loom::thread::spawn(move || {
                let (sleep, injector) = &*shared;
                sleep.take_seat();
                let bed = parker();
                let mut search = sleep.search();
                loop {
                    if let Some(job) = injector.steal() {
                        search.found();
                        // SAFETY: taken from the injector; not yet run.
                        unsafe { job.run() };
                        return;
                    }
                    search.lie_down(0, false, &bed);
                    search = loop {
                        if !injector.is_empty() {
                            break sleep.get_up(0).unwrap_or_else(|| sleep.inherit());
                        }
                        match sleep.lies(0) {
                            None => break sleep.inherit(),
                            Some(_) => bed.park(),
                        }
                    };
                }
            })
        };
        let bed = parker();
        let mut runs = 0;
        let job = RootJob::new(
            || {
                runs += 1;
                round
            },
            Waiter::Outside(bed.clone()),
        );
        // SAFETY: this frame waits for the latch below.
        shared.1.push(unsafe { job.as_ref() });
        if shared.0.wants_thread(1) {
            let _ = shared.0.wake_one(1);
        }
        while job.latch().announce_sleep() {
            bed.park();
        }
        // SAFETY: the latch is set.
        assert_eq!(unsafe { job.result() }.ok(), Some(round));
        drop(job);
        assert_eq!(runs, 1);
        worker.join().unwrap();
    });
}
