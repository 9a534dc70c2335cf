//! The workloads, the contenders that run them, and the list of all rows.

#[macro_use]
mod same_source;

mod chunks;
mod collect;
mod deterministic;
mod dispatch;
mod for_each;
mod halves;
mod imbalanced;
mod nested;
mod ordered;
mod pieces;
pub mod report;
mod row;
mod scans;
mod sorts;
mod sums;
mod sweeps;
mod targets;
mod teams;
mod tiles;
mod turn;
mod workload;
mod zip;

use crate::support::args::Scale;
use crate::support::row::Row;

/// Every row, in the table's order. Making a row is cheap; inputs and pools are made when it runs.
pub fn all(scale: Scale) -> Vec<Row> {
    let mut rows = for_each::rows(scale);
    rows.extend(sums::rows(scale));
    rows.push(deterministic::row(scale));
    rows.extend(collect::rows(scale));
    rows.push(chunks::row(scale));
    rows.push(zip::row(scale));
    rows.push(nested::row(scale));
    rows.push(imbalanced::row(scale));
    rows.extend(dispatch::rows(scale));
    rows.extend(sorts::rows(scale));
    rows.extend(halves::rows(scale));
    rows.extend(scans::rows(scale));
    rows.extend(ordered::rows(scale));
    rows.push(tiles::row(scale));
    rows.push(sweeps::row(scale));
    rows
}
