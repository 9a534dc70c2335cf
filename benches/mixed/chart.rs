//! The latencies as a picture: of the woken task beside each kind of closures, and of requests at each rate.

use std::io;
use std::path::Path;

use super::report::REPORT;
use super::requests;
use super::wake;
use crate::support::results::Measured;
use crate::support::span_chart::{Group, SpanChart};

/// Writes the chart of what has been measured.
pub fn write(path: &Path, rows: &[Measured]) -> io::Result<()> {
    let wakes = wake::KINDS.into_iter().filter_map(|(name, what, _)| {
        let rows = named(rows, &format!("wake-{name}"), &["p50", "p99", "p99.9", "max"])?;
        Some(Group { title: format!("from wake to poll, every ms, beside {what}"), rows, to_us: 1.0 })
    });
    let requests = requests::RATES.into_iter().filter_map(|(name, what, _)| {
        let rows = named(rows, &format!("requests-{name}"), &["p50", "p99"])?;
        Some(Group { title: format!("from a request to its answer, {what}"), rows, to_us: 1e3 })
    });
    let chart = SpanChart {
        title: "Latency under mixed load (logarithmic, further left is quicker)",
        legend: "of wakes: p50 (filled), p99, p99.9 and the greatest; of requests: p50 (filled) and p99",
        groups: wakes.chain(requests).collect(),
        series: REPORT.series,
        decades: (0, 7),
    };
    chart.write(path)
}

/// The rows of these figures of a sheet, if it was measured.
fn named<'a>(rows: &'a [Measured], sheet: &str, figures: &[&str]) -> Option<Vec<&'a Measured>> {
    figures.iter().map(|figure| rows.iter().find(|row| row.id == format!("{sheet}-{figure}"))).collect()
}
