//! Fork-join benchmarks: filch beside a plain serial program, rayon, chili, forte and, where tasks fit, tokio and
//! async-executor. Every workload is written once, against [`support::fork::Fork`], so that all contenders run the same
//! source. Three ways to run it:
//!
//! ```text
//! cargo bench --bench fork_join [-- FILTER]          criterion, one group per workload
//! cargo bench --bench fork_join -- --table           the interleaved table: Markdown, JSON and an SVG chart
//!       [--rounds N] [--quick] [--filter TEXT] [--out DIR]
//! cargo bench --bench fork_join -- --callgrind KERNEL N    one kernel, once, for counting instructions
//! ```
//!
//! Under `cargo test --benches` every contender runs once on a small input, so that a broken benchmark is a failed
//! test.

mod support;
#[path = "fork_join/mod.rs"]
mod workloads;

use support::program;
use workloads::callgrind;
use workloads::report::REPORT;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match callgrind::asked(&args) {
        Ok(true) => {}
        Ok(false) => program::run(&args, &REPORT, workloads::all),
        Err(message) => program::refuse(&message),
    }
}
