//! Benchmarks of tasks and closures side by side: filch's one pool beside two pools with a bridge, and beside one pool
//! made for one of both.
//!
//! ```text
//! cargo bench --bench mixed                      the interleaved table: Markdown, JSON and an SVG chart
//!       [-- [--rounds N] [--quick] [--filter TEXT] [--contender TEXT] [--out DIR]]
//! ```
//!
//! The table with three rounds, which is the default, takes some eleven minutes; `--filter wake-` or
//! `--contender filch` runs a part, `--quick` shorter turns.
//!
//! Every turn of every contender is a process of its own, which is this program with other arguments: the processor
//! time, the context switches and the threads that are counted are those of that contender alone.
//!
//! Under `cargo test --benches` every contender has a very short turn, so that a broken benchmark is a failed test.

#[path = "mixed/mod.rs"]
mod experiments;
mod support;

use experiments::conditions::Conditions;
use experiments::{chart, report};
use support::args::{self, Scale};
use support::sheet_mode::{self, Children};
use support::{children, program};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((sheet, entrant, rest)) = children::asked(&arguments) {
        children::enter_cgroup(&arguments);
        children::child(&experiments::all(Conditions::read(rest)), sheet, entrant);
    } else if arguments.iter().any(|argument| argument == "--bench" || argument == "--table") {
        table(&arguments);
    } else {
        smoke();
    }
}

/// The table, as the arguments say.
fn table(arguments: &[String]) {
    let options = args::parse_table(arguments, |scale| scale.pick(3, 1, 1));
    let options = options.unwrap_or_else(|message| program::refuse(&message));
    let conditions = Conditions::measure(options.scale);
    eprintln!("{} cores are worth {:.2} that are alone", conditions.cores, conditions.cores_worth);
    let (arguments, variables) = (conditions.arguments(), experiments::variables(&conditions));
    let children = Children { arguments: &arguments, variables: &variables };
    let sheets = experiments::all(conditions);
    let failures = sheet_mode::run(sheets, &options, &report::REPORT, &children, chart::write);
    let failures = failures.unwrap_or_else(|error| program::refuse(&format!("cannot write the table: {error}")));
    end(&failures);
}

/// A very short turn of everybody.
fn smoke() {
    let conditions = Conditions::measure(Scale::Tiny);
    let (arguments, variables) = (conditions.arguments(), experiments::variables(&conditions));
    end(&sheet_mode::smoke(experiments::all(conditions), &Children { arguments: &arguments, variables: &variables }));
}

/// Ends the program, with an error if something has failed.
fn end(failures: &[String]) {
    if !failures.is_empty() {
        eprintln!("failed: {}", failures.join(", "));
        std::process::exit(1);
    }
}
