//! Alone in its process, because it measures that process's time.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::time::Duration;
use std::{fs, thread};

use rayon_core::ThreadPoolBuilder;
use support::with_deadline;

/// The processor time that this process has used, where the system tells.
fn cpu_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, after_name) = text.rsplit_once(')')?;
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Some(Duration::from_millis(10 * ticks))
}

#[test]
fn waits_with_a_second_arm_at_hand_do_not_spin() {
    with_deadline(60, || {
        let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (a, b, two) = (pool(1), pool(1), pool(2));
        let Some(before) = cpu_time() else { return };
        let nap = |millis| thread::sleep(Duration::from_millis(millis));
        a.install(|| rayon_core::join(|| b.install(|| nap(800)), || ()));
        two.join(
            || {
                rayon_core::scope(|s| {
                    s.spawn(|_| nap(800));
                    nap(50);
                })
            },
            || nap(400),
        );
        let used = cpu_time().unwrap() - before;
        assert!(used < Duration::from_millis(300), "{used:?} of processor time in 1.6 s of sleep");
    });
}
