//! Benchmarks of parallel loops: filch beside a plain serial program, rayon, orx-parallel, paralight, chili, forte and
//! threads of the standard library. rayon's and filch's loops are the same source with another prelude
//! ([`workloads::same_source`]); the others say the same in their own words. Two ways to run it:
//!
//! ```text
//! cargo bench --bench loops [-- FILTER]          criterion, one group per workload
//! cargo bench --bench loops -- --table           the interleaved table: Markdown, JSON and an SVG chart
//!       [--rounds N] [--quick] [--filter TEXT] [--out DIR]
//! ```
//!
//! The table with `--rounds 3` takes some six minutes on two cores, most of it in the sorts of ten million;
//! `--filter for-` or `--filter sort` runs a part, `--quick` smaller and shorter turns.
//!
//! All contenders have as many workers as there are cores, which is what their global pools have; filch also has 16 and
//! 64. "rayon" and "filch" are called from a thread outside their global pools, as a main function does; "rayon inside"
//! and "filch inside" by a worker of a pool. chili and forte count the caller as a worker, and are entered once a turn.
//! orx-parallel's pool follows `ORX_NUM_THREADS`, where that is set.
//!
//! Scans, selection, merges, ordered sinks, tiles and loops with affinity are filch's alone: their rows have the plain
//! program beside it, and rayon's nearest equivalent where there is one, which a note under the row names.
//!
//! What a contender cannot do is left out: orx-parallel and paralight cannot run loops inside loops (a worker of the
//! former would wait without helping, the latter's pool is borrowed by the outer loop), paralight cannot collect what a
//! filter has let through in order, and of the peers only rayon sorts.
//!
//! Under `cargo test --benches` every contender runs on a small input, so that a broken benchmark is a failed test.

mod support;
#[path = "loops/mod.rs"]
mod workloads;

use support::program;
use workloads::report::REPORT;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    program::run(&args, &REPORT, workloads::all);
}
