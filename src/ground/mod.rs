//! Floor 0: what every other floor stands on. No file here names another floor.

#[allow(unsafe_code)]
pub(crate) mod barrier;
#[allow(unsafe_code)]
pub(crate) mod bell;
#[allow(unsafe_code)]
pub(crate) mod blocks;
pub(crate) mod clock;
#[allow(unsafe_code)]
pub(crate) mod cpu_time;
pub(crate) mod error;
#[allow(unsafe_code)]
pub(crate) mod fork_guard;
pub(crate) mod id;
#[cfg(target_os = "linux")]
pub(crate) mod quota;
pub(crate) mod rng;
#[allow(unsafe_code)]
pub(crate) mod slice;
#[allow(unsafe_code)]
pub(crate) mod sync;
#[allow(unsafe_code)]
pub(crate) mod ticks;
pub(crate) mod topology;
pub(crate) mod unwind;
