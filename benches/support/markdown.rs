//! The table as Markdown: one section per workload, and the targets with their verdicts.

use std::fmt::Write;

use super::args::{Scale, TableOptions};
use super::machine::Machine;
use super::results::{Line, Measured, three_digits};
use super::targets::{self, Target};

/// The whole document.
pub fn document(rows: &[Measured], machine: &Machine, options: &TableOptions) -> String {
    let mut text = String::from("# Fork-join benchmarks\n\n");
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
        text.push_str(&row(measured));
        text.push('\n');
    }
    text.push_str(&targets(rows));
    text
}

/// One workload.
pub fn row(row: &Measured) -> String {
    let mut text = format!(
        "## {} (`{}`)\n\n| contender | workers | {} | [min–max] | × serial | × rayon |\n|---|---:|---:|---:|---:|---:|\n",
        row.title, row.id, row.unit
    );
    for line in &row.lines {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            line.name,
            line.workers,
            three_digits(line.median()),
            spread(line),
            ratio(row, line, "serial"),
            ratio(row, line, "rayon"),
        );
    }
    if !row.note.is_empty() {
        let _ = writeln!(text, "\n{}", row.note);
    }
    text
}

/// The targets that the measured rows can judge; nothing when there are none.
pub fn targets(rows: &[Measured]) -> String {
    let targets = targets::judge(rows);
    if targets.is_empty() {
        return String::new();
    }
    let mut text = String::from("## Targets\n\n| target | measured | limit | met |\n|---|---:|---:|---|\n");
    for Target { what, measured, limit } in targets {
        let met = if measured <= limit { "yes" } else { "**no**" };
        let (measured, limit) = (three_digits(measured), three_digits(limit));
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
