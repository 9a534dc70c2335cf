//! Sheets as Markdown: a section for each, a line for each contender, a column for each figure.

use std::fmt::Write;

use super::args::TableOptions;
use super::machine::Machine;
use super::report::Report;
use super::results::{Line, three_digits};
use super::sheet::Sheet;
use super::sheet_mode::{Outcome, is_full};

/// What stands above all sections.
pub fn head(machine: &Machine, options: &TableOptions, report: &Report) -> String {
    let size = if is_full(options) { "" } else { " **Short turns (`--quick`): not for publication.**" };
    format!(
        "# {}\n\n{}\n\n{} interleaved rounds; medians, [min–max].{size}\n\n",
        report.title,
        machine.sentence(),
        options.rounds
    )
}

/// The section of one sheet.
pub fn sheet(sheet: &Sheet, outcome: &Outcome) -> String {
    let mut text = format!("## {} (`{}`)\n\n", sheet.title, sheet.id);
    match outcome {
        Outcome::Skipped(why) => {
            let _ = writeln!(text, "Not measured: {why}.");
        }
        Outcome::Measured(rows) => {
            text.push_str("| contender | workers |");
            rows.iter().for_each(|row| text.push_str(&format!(" {} |", row.unit)));
            text.push_str("\n|---|---:|");
            text.push_str(&"---:|".repeat(rows.len()));
            text.push('\n');
            for (index, entrant) in sheet.entrants.iter().enumerate() {
                // 0 asks a library for its own choice.
                let workers = if entrant.workers == 0 { "own".to_string() } else { entrant.workers.to_string() };
                let _ = write!(text, "| {} | {workers} |", entrant.name);
                rows.iter().for_each(|row| text.push_str(&format!(" {} |", cell(&row.lines[index]))));
                text.push('\n');
            }
        }
    }
    if !sheet.note.is_empty() {
        let _ = writeln!(text, "\n{}", sheet.note);
    }
    text
}

/// The median and the spread of a figure; a dash for one that could not be told.
fn cell(line: &Line) -> String {
    if line.samples.iter().any(|sample| sample.is_nan()) {
        return "–".to_string();
    }
    let median = three_digits(line.median());
    if line.min() == line.max() {
        return median;
    }
    format!("{median} [{}–{}]", three_digits(line.min()), three_digits(line.max()))
}
