//! A task that sleeps for a moment, over and over, beside a loop that has every worker: how late is it?

use std::time::{Duration, Instant};

use filch::CancellationToken;

/// The task's sleep.
const NAP: Duration = Duration::from_millis(2);

/// The median lateness must be below this at one try of [`TRIES`]: other programs may have the machine for a while.
const LATE: Duration = Duration::from_millis(5);
const TRIES: usize = 5;

/// How long a try lasts: time for some hundred naps.
const TRY: Duration = Duration::from_millis(300);

/// Calls `work`, which fills all workers, over and over while a task naps on the same pool. Says how late the task
/// was.
///
/// # Panics
/// If the median of the task's lateness is 5 ms or more at each of five tries.
pub fn stays_quick(mut work: impl FnMut()) -> String {
    let mut medians = Vec::new();
    for _ in 0..TRIES {
        let stop = CancellationToken::new();
        let seen = stop.clone();
        let task = filch::spawn(async move {
            let mut late = Vec::new();
            while !seen.is_cancelled() {
                let began = Instant::now();
                filch::time::sleep(NAP).await;
                late.push(began.elapsed() - NAP);
            }
            late
        });
        let began = Instant::now();
        while began.elapsed() < TRY {
            work();
        }
        stop.cancel();
        let mut late = task.join().expect("the task ends");
        late.sort();
        let median = late[late.len() / 2];
        if median < LATE {
            return format!(
                "a task beside it was {:.2} ms late (median of {})",
                median.as_secs_f64() * 1e3,
                late.len()
            );
        }
        medians.push(median);
    }
    panic!("a task that naps beside the loop is late by {medians:?}");
}
