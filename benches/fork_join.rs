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
//! Under `cargo test --benches` every contender runs once on a small input, so that a broken benchmark is a failed test.

mod support;
#[path = "fork_join/mod.rs"]
mod workloads;

use support::args::{self, Mode};
use support::{criterion_mode, table_mode};
use workloads::callgrind;

fn main() {
    match args::parse(std::env::args().skip(1)) {
        Ok(Mode::Criterion { scale }) => criterion_mode::run(workloads::all(scale)),
        Ok(Mode::Table(options)) => {
            if let Err(error) = table_mode::run(workloads::all(options.scale), &options) {
                eprintln!("cannot write the table: {error}");
                std::process::exit(1);
            }
        }
        Ok(Mode::Callgrind { kernel, n }) => callgrind::run(kernel, n),
        Err(message) => {
            eprintln!("{message}");
            std::process::exit(2);
        }
    }
}
