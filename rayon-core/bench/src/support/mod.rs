//! What filch's own benchmarks share, as it stands; but of the libraries there is only rayon.
#![allow(dead_code)] // A part of each is used.

#[path = "../../../../benches/support/args.rs"]
pub mod args;
#[path = "../../../../benches/support/cpu.rs"]
pub mod cpu;
#[path = "../../../../benches/support/fork.rs"]
pub mod fork;
#[path = "../../../../benches/support/kernel.rs"]
pub mod kernel;
#[path = "../../../../benches/support/machine.rs"]
pub mod machine;
#[path = "../../../../benches/support/report.rs"]
pub mod report;
#[path = "../../../../benches/support/results.rs"]
pub mod results;
#[path = "../../../../benches/support/rng.rs"]
pub mod rng;
#[path = "../../../../benches/support/row.rs"]
pub mod row;
#[path = "../../../../benches/support/targets.rs"]
pub mod targets;

pub mod forte_pool;
pub mod libraries;
pub mod tasks;
