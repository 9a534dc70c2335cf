//! The table as JSON, every sample included, for other tools. Written by hand: the benchmark needs no serialiser.

use super::args::{Scale, TableOptions};
use super::machine::Machine;
use super::report::Report;
use super::results::{Line, Measured};

/// The whole document.
pub fn document(rows: &[Measured], machine: &Machine, options: &TableOptions, report: &Report) -> String {
    let versions = machine.versions.iter().map(|(name, version)| member(name, &string(version)));
    let targets = (report.judge)(rows);
    let targets = targets.iter().map(|target| {
        object([
            member("target", &string(&target.what)),
            member("measured", &number(target.measured)),
            member("limit", &number(target.limit)),
            member("met", &(target.measured <= target.limit).to_string()),
        ])
    });
    let document = object([
        member("processor", &string(&machine.processor)),
        member("cores", &machine.cores.to_string()),
        member("kernel", &string(&machine.kernel)),
        member("compiler", &string(&machine.compiler)),
        member("versions", &object(versions)),
        member("full_size", &(options.scale == Scale::Full).to_string()),
        member("rounds", &options.rounds.to_string()),
        member("rows", &array(rows.iter().map(|r| row(r, report.bases)))),
        member("targets", &array(targets)),
    ]);
    document + "\n"
}

fn row(row: &Measured, bases: &[&str]) -> String {
    object([
        member("id", &string(&row.id)),
        member("title", &string(&row.title)),
        member("unit", &string(row.unit)),
        member("lines", &array(row.lines.iter().map(|l| line(row, l, bases)))),
    ])
}

fn line(row: &Measured, line: &Line, bases: &[&str]) -> String {
    let ratio = |base: &str| {
        let base = row.line(base, line.workers);
        base.and_then(|base| line.ratio_to(base)).map_or_else(|| "null".to_string(), number)
    };
    let known = [
        member("contender", &string(line.name)),
        member("workers", &line.workers.to_string()),
        member("median", &number(line.median())),
        member("min", &number(line.min())),
        member("max", &number(line.max())),
    ];
    let ratios = bases.iter().map(|base| member(&format!("to_{base}"), &ratio(base)));
    let samples = member("samples", &array(line.samples.iter().map(|s| number(*s))));
    object(known.into_iter().chain(ratios).chain([samples]))
}

fn object(members: impl IntoIterator<Item = String>) -> String {
    format!("{{{}}}", join(members))
}

fn array(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", join(items))
}

fn join(items: impl IntoIterator<Item = String>) -> String {
    items.into_iter().collect::<Vec<_>>().join(",")
}

fn member(name: &str, value: &str) -> String {
    format!("{}:{value}", string(name))
}

/// A finite number; JSON has no others.
fn number(value: f64) -> String {
    if value.is_finite() { format!("{value:.6}") } else { "null".to_string() }
}

fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            char if char.is_control() => quoted.push_str(&format!("\\u{:04x}", char as u32)),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}
