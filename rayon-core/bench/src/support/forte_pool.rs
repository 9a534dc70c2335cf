//! forte's place, which the files of workloads name.

pub use super::libraries::Absent as Forte;
