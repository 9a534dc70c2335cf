//! Floor 4: what comes from outside of the pool. So far, time.

mod instant;
mod interval;
mod pause;
mod sleep;
pub mod time;
mod timeout;
