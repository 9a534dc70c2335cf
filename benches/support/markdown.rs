//! The table as Markdown: one section per workload, and the targets with their verdicts.

use std::fmt::Write;

use super::args::{Scale, TableOptions};
use super::machine::Machine;
use super::report::Report;
use super::results::{Line, Measured, three_digits};
use super::targets::Target;

/// The whole document.
pub fn document(rows: &[Measured], machine: &Machine, options: &TableOptions, report: &Report) -> String {
    let mut text = format!("# {}\n\n", report.title);
    let size = match options.scale {
        Scale::Full => "",
        _ => " **Small inputs (`--quick`): not for publication.**",
    };
    let _ = writeln!(
        text,
        "{}\n\n{} interleaved rounds; medians, [min–max]; ratios are medians of the rounds' own ratios.{size}\n",
        machine.sentence(),
        options.rounds
    );
    for measured in rows {
        text.push_str(&row(measured, report.bases));
        text.push('\n');
    }
    text.push_str(&targets(&(report.judge)(rows)));
    text
}

/// One workload, with a column of ratios for each of `bases`.
pub fn row(row: &Measured, bases: &[&str]) -> String {
    let mut text = format!("## {} (`{}`)\n\n| contender | workers | {} | [min–max] |", row.title, row.id, row.unit);
    bases.iter().for_each(|base| text.push_str(&format!(" × {base} |")));
    text.push_str("\n|---|---:|---:|---:|");
    text.push_str(&"---:|".repeat(bases.len()));
    text.push('\n');
    for line in &row.lines {
        let (median, spread) = (three_digits(line.median()), spread(line));
        let _ = write!(text, "| {} | {} | {median} | {spread} |", line.name, line.workers);
        bases.iter().for_each(|base| text.push_str(&format!(" {} |", ratio(row, line, base))));
        text.push('\n');
    }
    if !row.note.is_empty() {
        let _ = writeln!(text, "\n{}", row.note);
    }
    text
}

/// The targets with their verdicts; nothing when there are none.
pub fn targets(targets: &[Target]) -> String {
    if targets.is_empty() {
        return String::new();
    }
    let mut text = String::from("## Targets\n\n| target | measured | limit | met |\n|---|---:|---:|---|\n");
    for Target { what, measured, limit } in targets {
        let met = if *measured <= *limit { "yes" } else { "**no**" };
        let (measured, limit) = (three_digits(*measured), three_digits(*limit));
        let _ = writeln!(text, "| {what} | {measured} | ≤ {limit} | {met} |");
    }
    text
}

fn spread(line: &Line) -> String {
    if line.min() == line.max() {
        return String::new();
    }
    format!("[{}–{}]", three_digits(line.min()), three_digits(line.max()))
}

fn ratio(row: &Measured, line: &Line, base: &str) -> String {
    let base = row.line(base, line.workers);
    let ratio = base.and_then(|base| line.ratio_to(base));
    ratio.map_or_else(String::new, three_digits)
}
