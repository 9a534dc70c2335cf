//! The interleaved harness behind `--table`. In every round each contender of a row has one turn, and the order changes
//! from round to round, so that drift of the machine and the state that a neighbour leaves in the caches fall on all
//! alike. One turn before the first round warms up and is not counted.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::args::TableOptions;
use super::machine::Machine;
use super::report::Report;
use super::results::{Line, Measured};
use super::row::{Bout, Row};
use super::{chart, json, markdown, watchdog};

/// Measures all rows that the filter lets through and writes `table.md`, `table.json` and `chart.svg`.
pub fn run(rows: Vec<Row>, options: &TableOptions, report: &Report) -> io::Result<()> {
    let out = options.out.clone().unwrap_or_else(|| default_out(report));
    fs::create_dir_all(&out)?;
    watchdog::start();
    let machine = Machine::describe(report.libraries);
    let mut measured = Vec::new();
    for row in chosen(rows, &options.filter) {
        eprintln!("{} ...", row.title);
        let result = if row.alone { alone(row, options.rounds) } else { interleaved(row, options.rounds) };
        println!("{}", markdown::row(&result, report.bases));
        measured.push(result);
    }
    let table = markdown::document(&measured, &machine, options, report);
    println!("{}", markdown::targets(&(report.judge)(&measured)));
    fs::write(out.join("table.md"), table)?;
    fs::write(out.join("table.json"), json::document(&measured, &machine, options, report))?;
    chart::write(&out.join("chart.svg"), &measured, report)?;
    eprintln!("written: table.md, table.json, chart.svg in the output folder");
    Ok(())
}

/// `filch-bench` in cargo's target folder, and in there a folder for each benchmark.
pub fn default_out(report: &Report) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    target.join("filch-bench").join(report.name)
}

/// The row of exactly this name, or all whose names contain it.
fn chosen(mut rows: Vec<Row>, filter: &str) -> Vec<Row> {
    let exact = rows.iter().any(|row| row.id == filter);
    rows.retain(|row| if exact { row.id == filter } else { row.id.contains(filter) });
    rows
}

/// Every pool of the row exists from the first round to the last.
fn interleaved(row: Row, rounds: usize) -> Measured {
    let mut bouts: Vec<Box<dyn Bout>> = row.contenders.iter().map(|c| c.start()).collect();
    let mut samples = vec![Vec::with_capacity(rounds); bouts.len()];
    for (index, bout) in bouts.iter_mut().enumerate() {
        turn(&row, index, bout.as_mut());
    }
    for round in 0..rounds {
        for index in order(round, bouts.len()) {
            samples[index].push(turn(&row, index, bouts[index].as_mut()));
        }
    }
    finish(row, samples)
}

/// Each contender has all its rounds before the next one's pool is made.
fn alone(row: Row, rounds: usize) -> Measured {
    let measure = |index: usize| -> Vec<f64> {
        let mut bout = row.contenders[index].start();
        (0..rounds).map(|_| turn(&row, index, bout.as_mut())).collect()
    };
    let samples = (0..row.contenders.len()).map(measure).collect();
    finish(row, samples)
}

/// One turn under the watchdog, in the row's unit.
fn turn(row: &Row, index: usize, bout: &mut dyn Bout) -> f64 {
    let contender = &row.contenders[index];
    let name = format!("{} ({}, {} workers)", row.id, contender.name, contender.workers);
    row.unit.of(watchdog::watch(&name, || bout.turn()))
}

/// Who has a turn when: rotated by one each round, and backwards in every second round, so that nobody always follows
/// the same neighbour.
pub fn order(round: usize, len: usize) -> impl Iterator<Item = usize> {
    (0..len).map(move |place| {
        let index = (place + round) % len;
        if round % 2 == 0 { index } else { len - 1 - index }
    })
}

fn finish(row: Row, samples: Vec<Vec<f64>>) -> Measured {
    let lines = row.contenders.iter().zip(samples).map(|(contender, samples)| Line {
        name: contender.name,
        workers: contender.workers,
        samples,
    });
    Measured { lines: lines.collect(), id: row.id.to_string(), title: row.title, note: row.note, unit: row.unit.label }
}
