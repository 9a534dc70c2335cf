//! Floor 0: what every other floor stands on. No file here names another floor.

#[allow(unsafe_code)]
pub(crate) mod barrier;
pub(crate) mod clock;
pub(crate) mod error;
#[allow(unsafe_code)]
pub(crate) mod fork_guard;
pub(crate) mod id;
pub(crate) mod rng;
#[allow(unsafe_code)]
pub(crate) mod sync;
pub(crate) mod topology;
pub(crate) mod unwind;
