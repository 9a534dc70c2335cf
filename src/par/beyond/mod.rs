//! What rayon has not: ways to stop a loop, to await it, to see how far it is, to have it in order or the same every
//! time.

pub(crate) mod affinity;
pub(crate) mod deterministic;
pub(crate) mod map_ordered;
pub(crate) mod ordered;
pub(crate) mod pieces;
pub(crate) mod progress;
pub(crate) mod run_async;
pub(crate) mod scan;
pub(crate) mod stop;
pub(crate) mod throttle;
pub(crate) mod tiles;
