//! Rayon's interface on its own core and on filch's: the workloads of filch's benchmarks `loops` and `fork_join`, and
//! some calls more, through nothing but rayon's public interface. The script `run` builds this program twice, once with
//! either core, lets the two take turns, and has their samples compared. What a program does is its first argument:
//!
//! ```text
//! core                             tells which core this is
//! rows    [--only TEXT] [--skip TEXT]
//!                                  the names of the rows
//! measure [--row NAME] [--round N] [--budget MS] [--short | --tiny]
//!                                  samples, a line for each contender
//! compare FILE...                  a table from the lines of both
//! callgrind fib-rayon N            one kernel on one worker, for counting instructions
//! ```

mod compare;
mod core;
#[path = "../../../benches/fork_join/mod.rs"]
#[allow(dead_code)] // Reports and targets of a table that is not made here.
mod fork_join;
mod loops;
mod measure;
mod sample;
mod support;

use std::process::exit;

use support::args::Scale;
use support::libraries::ABSENT;
use support::row::Row;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (mode, rest) = args.split_first().unwrap_or_else(|| refuse("say what to do: core, rows, measure or compare"));
    let core = core::check().unwrap_or_else(|message| refuse(&message));
    let done = match mode.as_str() {
        "core" => {
            println!("{}", core.in_words());
            Ok(())
        }
        "rows" => list(rest),
        "measure" => measure::run(rest, core),
        "compare" => compare::run(rest),
        "callgrind" => fork_join::callgrind::asked(&[&["--callgrind".to_string()], rest].concat()).map(drop),
        other => Err(format!("there is no {other:?}")),
    };
    done.unwrap_or_else(|message| refuse(&message));
}

/// Ends the program because what it was told makes no sense.
fn refuse(message: &str) -> ! {
    eprintln!("{message}");
    exit(2);
}

/// Every row, with the contenders that are here.
fn all(scale: Scale) -> Vec<Row> {
    let mut rows = fork_join::all(scale);
    rows.extend(loops::all(scale));
    for row in &mut rows {
        row.contenders.retain(|c| c.name != ABSENT && c.name.starts_with("rayon"));
    }
    rows
}

/// Prints the names of the rows that contain the one text and not the other.
fn list(args: &[String]) -> Result<(), String> {
    let (mut only, mut skip) = (String::new(), Vec::new());
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{arg} wants a value"))?.clone();
        match arg.as_str() {
            "--only" => only = value,
            "--skip" => skip.push(value),
            other => return Err(format!("rows does not know {other:?}")),
        }
    }
    let wanted = |row: &Row| row.id.contains(&only) && !skip.iter().any(|text| row.id.contains(text));
    all(Scale::Full).iter().filter(|row| wanted(row)).for_each(|row| println!("{}", row.id));
    Ok(())
}
