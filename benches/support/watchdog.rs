//! A deadline for every turn: a contender that hangs ends the program with its name instead of blocking it for ever.
//!
//! The thread looks only every few seconds, so that it costs nothing that the idle rows could see.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::usage::own_thread;

const DEADLINE: Duration = Duration::from_secs(180);
const LOOK_EVERY: Duration = Duration::from_secs(5);

static TURN: Mutex<Option<(Instant, String)>> = Mutex::new(None);

/// Starts the watching thread, for the rest of the program.
pub fn start() {
    let look = || {
        loop {
            thread::sleep(LOOK_EVERY);
            let turn = TURN.lock().unwrap();
            match &*turn {
                Some((since, name)) if since.elapsed() > DEADLINE => {
                    eprintln!("{name} has not ended after {DEADLINE:?}: it hangs");
                    std::process::abort();
                }
                _ => {}
            }
        }
    };
    own_thread("watchdog", look);
}

/// Runs `turn` under the deadline.
pub fn watch<R>(name: &str, turn: impl FnOnce() -> R) -> R {
    *TURN.lock().unwrap() = Some((Instant::now(), name.to_string()));
    let result = turn();
    *TURN.lock().unwrap() = None;
    result
}
