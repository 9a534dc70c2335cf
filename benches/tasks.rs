//! Benchmarks of tasks: filch beside tokio, async-executor, forte and the thread pool of futures, on what a scheduler
//! does all day: spawn, yield, wake, hand over. Every workload is written once, against
//! [`support::tasks::TaskLibrary`], so that all contenders run the same source. Two ways to run it:
//!
//! ```text
//! cargo bench --bench tasks [-- FILTER]          criterion, one group per workload
//! cargo bench --bench tasks -- --table           the interleaved table: Markdown, JSON and an SVG chart
//!       [--rounds N] [--quick] [--filter TEXT] [--out DIR]
//! ```
//!
//! The rows on memory run each contender in a process of its own, which is this program with other arguments.
//!
//! Under `cargo test --benches` every contender runs once on a small input, so that a broken benchmark is a failed
//! test.

mod support;
#[path = "tasks/mod.rs"]
mod workloads;

use support::program;
use workloads::memory;
use workloads::memory::counting::Counting;
use workloads::report::REPORT;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if memory::is_child(&args) {
        memory::child(&args);
    } else {
        program::run(&args, &REPORT, workloads::all);
    }
}
