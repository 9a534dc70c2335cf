//! The bell of `block_on`: a flag and the thread's parker, whose token other waits of the same thread may eat. A short
//! copy of what `work/block_on.rs` does, with the real parker.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;
use std::time::Duration;

use crate::core::parker::Parker;
use crate::ground::sync::HandOver;
use crate::{explore, parker};

const RUNG: u32 = 1;

struct Bell {
    state: AtomicU32,
    parker: std::sync::Arc<Parker>,
    result: HandOver<u32>,
}

impl Bell {
    fn ring(&self) {
        #[cfg(not(mutant = "bell_rung_late"))]
        self.state.fetch_or(RUNG, Ordering::Release);
        self.parker.unpark();
        #[cfg(mutant = "bell_rung_late")]
        self.state.fetch_or(RUNG, Ordering::Release);
    }

    fn take(&self) -> bool {
        self.state.fetch_and(!RUNG, Ordering::Acquire) & RUNG != 0
    }
}

#[test]
fn a_bell_is_heard_though_another_wait_has_eaten_the_token() {
    explore(|| {
        let bell = Arc::new(Bell { state: AtomicU32::new(0), parker: parker(), result: HandOver::new() });
        let waker = {
            let bell = bell.clone();
            thread::spawn(move || {
                unsafe { bell.result.write(7) };
                bell.ring();
            })
        };
        // Something else that the thread waits for meanwhile.
        bell.parker.park_timeout(Duration::ZERO);
        while !bell.take() {
            bell.parker.park();
        }
        assert_eq!(unsafe { bell.result.read() }, 7);
        waker.join().unwrap();
    });
}
