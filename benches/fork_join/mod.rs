//! The workloads, one file each, and the list of all rows.

pub mod callgrind;
mod coarse;
mod dispatch;
mod fib;
mod idle;
mod matmul;
mod queens;
mod quicksort;
pub mod report;
mod skynet;
mod spawns;
mod targets;
mod tree;
mod uts;

use crate::support::args::Scale;
use crate::support::row::Row;

/// Worker counts of most rows.
const ONE_AND_TWO: &[usize] = &[1, 2];

/// Every row, in the table's order. Making a row is cheap; inputs and pools are made when it runs.
pub fn all(scale: Scale) -> Vec<Row> {
    let mut rows = vec![fib::row(scale)];
    rows.extend(tree::rows(scale));
    rows.extend(queens::rows(scale));
    rows.push(skynet::row(scale));
    rows.push(uts::row(scale));
    rows.push(matmul::row(scale));
    rows.push(quicksort::row(scale));
    rows.extend(spawns::rows(scale));
    rows.extend(dispatch::rows(scale));
    rows.extend(coarse::rows(scale));
    rows.extend(idle::rows(scale));
    rows
}
