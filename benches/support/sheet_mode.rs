//! The interleaved harness for sheets. In every round each entrant of a sheet has one turn, in a process of its own,
//! and the order changes from round to round.

use std::fs;
use std::io;

use super::args::{Scale, TableOptions};
use super::children;
use super::json;
use super::machine::Machine;
use super::report::Report;
use super::results::Measured;
use super::sheet::Sheet;
use super::sheet_text;
use super::table_mode::{default_out, order};

/// What the program that has the sheets adds to the harness.
pub struct Children<'a> {
    /// Arguments for every child.
    pub arguments: &'a [String],
    /// Environment variables for every child.
    pub variables: &'a [(&'static str, String)],
}

/// A sheet that has been measured, or has been left out for a reason.
pub enum Outcome {
    Measured(Vec<Measured>),
    Skipped(String),
}

/// Measures all sheets that the filters let through and writes `table.md` and `table.json`; `chart` draws `chart.svg`.
/// Returns what has failed.
pub fn run(
    sheets: Vec<Sheet>,
    options: &TableOptions,
    report: &Report,
    children: &Children<'_>,
    chart: impl FnOnce(&std::path::Path, &[Measured]) -> io::Result<()>,
) -> io::Result<Vec<String>> {
    let out = options.out.clone().unwrap_or_else(|| default_out(report));
    fs::create_dir_all(&out)?;
    let machine = Machine::describe(report.libraries);
    let (mut failures, mut text, mut all) = (Vec::new(), String::new(), Vec::new());
    for sheet in chosen(sheets, options) {
        eprintln!("{} ...", sheet.title);
        let outcome = measure(&sheet, options.rounds, children, &mut failures);
        let section = sheet_text::sheet(&sheet, &outcome);
        println!("{section}");
        text.push_str(&section);
        text.push('\n');
        if let Outcome::Measured(rows) = outcome {
            all.extend(rows);
        }
    }
    let targets = super::markdown::targets(&(report.judge)(&all));
    println!("{targets}");
    let head = sheet_text::head(&machine, options, report);
    fs::write(out.join("table.md"), format!("{head}{text}{targets}"))?;
    fs::write(out.join("table.json"), json::document(&all, &machine, options, report))?;
    chart(&out.join("chart.svg"), &all)?;
    eprintln!("written: table.md, table.json, chart.svg in the output folder");
    Ok(failures)
}

/// One turn of each entrant, to see that it works. Returns what has failed.
pub fn smoke(sheets: Vec<Sheet>, children: &Children<'_>) -> Vec<String> {
    let mut failures = Vec::new();
    for sheet in sheets {
        println!("Testing {}", sheet.id);
        if let Outcome::Skipped(why) = measure(&sheet, 1, children, &mut failures) {
            println!("skipped: {why}");
        }
    }
    failures
}

/// The sheet of exactly this name, or all whose names contain it; of their entrants those that are asked for.
fn chosen(mut sheets: Vec<Sheet>, options: &TableOptions) -> Vec<Sheet> {
    let exact = sheets.iter().any(|sheet| sheet.id == options.filter);
    sheets.retain(|sheet| if exact { sheet.id == options.filter } else { sheet.id.contains(&options.filter) });
    for sheet in &mut sheets {
        sheet.entrants.retain(|entrant| entrant.name.contains(&options.contender));
    }
    sheets.retain(|sheet| !sheet.entrants.is_empty());
    sheets
}

fn measure(sheet: &Sheet, rounds: usize, children: &Children<'_>, failures: &mut Vec<String>) -> Outcome {
    if let Some(why) = why_not(sheet) {
        return Outcome::Skipped(why);
    }
    let mut samples = vec![Vec::with_capacity(rounds); sheet.entrants.len()];
    for round in 0..rounds {
        for index in order(round, sheet.entrants.len()) {
            let entrant = &sheet.entrants[index];
            let result = children::run(sheet, entrant, children.arguments, children.variables);
            let figures = result.unwrap_or_else(|error| {
                eprintln!("{} ({}): {error}", sheet.id, entrant.name);
                failures.push(format!("{} ({})", sheet.id, entrant.name));
                vec![f64::NAN; sheet.figures.len()]
            });
            samples[index].push(figures);
        }
    }
    Outcome::Measured(sheet.measured(&samples))
}

/// Why a sheet cannot be measured here, if it cannot.
fn why_not(sheet: &Sheet) -> Option<String> {
    super::cgroup::Cgroup::with_quota(sheet.quota?).err()
}

/// Whether the table may be published.
pub fn is_full(options: &TableOptions) -> bool {
    options.scale == Scale::Full
}
