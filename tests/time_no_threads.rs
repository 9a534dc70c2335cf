//! Timers of a global pool for which the system refuses every thread: who blocks fires them. Alone in its process,
//! which has but one global pool.

mod support;

use std::io;
use std::thread;

use filch::time::{Duration, Instant, sleep, timeout};
use support::with_deadline;

#[test]
fn who_blocks_fires() {
    with_deadline(30, || {
        let refuse = |_| Err(io::Error::other("no thread for you"));
        filch::Pool::builder().workers(2).spawn_handler(refuse).build_global().unwrap();
        let nap = Duration::from_millis(5);
        let began = Instant::now();
        filch::block_on(sleep(nap));
        filch::scope(|_| filch::block_on(sleep(nap)));
        assert!(filch::block_on(timeout(nap, std::future::pending::<()>())).is_err());
        filch::join(|| filch::block_on(sleep(nap)), || filch::block_on(sleep(nap)));
        assert!(began.elapsed() >= nap * 5);
        // Several at once: one keeps the timers of all, and hands over when it goes.
        let threads: Vec<_> = (0..8u64)
            .map(|n| {
                thread::spawn(move || {
                    for round in 0..50 {
                        filch::block_on(sleep(Duration::from_micros((n * 97 + round * 31) % 1500)));
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}
