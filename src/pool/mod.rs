//! Floor 2: threads, slots and seats; who runs what next, and how to wait.

pub(crate) mod admission;
pub(crate) mod awake;
pub(crate) mod bed;
#[allow(unsafe_code)]
pub(crate) mod blocking;
#[allow(unsafe_code)]
pub(crate) mod brief;
pub(crate) mod builder;
pub(crate) mod clock;
#[allow(unsafe_code)]
pub(crate) mod current;
#[allow(unsafe_code)]
pub(crate) mod enter;
pub(crate) mod entered;
pub(crate) mod express;
#[allow(unsafe_code)]
pub(crate) mod find;
#[allow(unsafe_code)]
pub(crate) mod guest;
pub(crate) mod handle;
pub(crate) mod held_up;
#[allow(unsafe_code)]
pub(crate) mod lend;
#[allow(unsafe_code)]
pub(crate) mod lifecycle;
pub(crate) mod long_tasks;
pub(crate) mod nest;
#[allow(unsafe_code)]
pub(crate) mod numbers;
pub(crate) mod patrol;
pub(crate) mod policy;
pub(crate) mod priority;
pub(crate) mod rescue;
#[allow(unsafe_code)]
pub(crate) mod run;
pub(crate) mod schedules;
pub(crate) mod section;
pub(crate) mod shared;
#[allow(unsafe_code)]
pub(crate) mod slot;
pub(crate) mod spare;
pub(crate) mod stats;
#[allow(unsafe_code)]
pub(crate) mod tasks;
pub(crate) mod threads;
pub(crate) mod timers;
pub(crate) mod wait;
#[allow(unsafe_code)]
pub(crate) mod worker;
