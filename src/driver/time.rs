//! Waiting for a moment: sleeping, timeouts, intervals, and a clock that tests can stop. Names and meaning are tokio's.
//!
//! ```
//! use filch::time::{Duration, sleep, timeout};
//!
//! filch::block_on(async {
//!     sleep(Duration::from_millis(5)).await;
//!     let late = timeout(Duration::from_millis(5), std::future::pending::<()>()).await;
//!     assert!(late.is_err());
//! });
//! ```
//!
//! | You want | Use |
//! |---|---|
//! | to wait for a while, or until a moment | [`sleep`], [`sleep_until`] |
//! | to wait for a future, but not for ever | [`timeout`], [`timeout_at`] |
//! | something to happen again and again | [`interval`], [`interval_at`] |
//! | tests that do not wait | [`pause`], [`advance`], [`PoolBuilder::start_paused`](crate::PoolBuilder::start_paused) |
//!
//! # Which pool
//!
//! A timer belongs to the pool inside of which it is polled first, or to the global one outside of any. It may be
//! polled and dropped anywhere. When its pool has ended, whoever waits for it is woken, and it goes on with the pool
//! that polls it then.
//!
//! There is no thread for timers. The pool's threads fire them between two pieces of work, and while they park.
//!
//! # Precision
//!
//! A timer never fires early, and on an idle machine it fires as soon as the system wakes a thread, which takes some
//! 0.1 ms. **When every thread of the pool is inside a long closure or poll, timers fire late**, when the first of
//! those ends. Deadlines are kept in nanoseconds, and none is too far: a [`Duration::MAX`] means some decades.
//!
//! # Cost
//!
//! A future that is never polled costs a look at the clock. One that is polled and dropped before its time puts an
//! entry into a table and takes it out again, in constant time: two uncontended locks. A waiting timer takes 40 bytes
//! besides its future. The wheel is that of Varghese and Lauck (1987).

pub use std::time::Duration;

pub use crate::driver::instant::Instant;
pub use crate::driver::interval::{Interval, MissedTickBehavior, interval, interval_at};
pub use crate::driver::pause::{advance, pause, resume};
pub use crate::driver::sleep::{Sleep, sleep, sleep_until};
pub use crate::driver::timeout::{Timeout, timeout, timeout_at};

/// What goes wrong with time.
pub mod error {
    pub use crate::driver::timeout::Elapsed;
}
