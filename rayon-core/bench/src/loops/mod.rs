//! The loops of filch's own benchmark, by rayon's iterators: its files, but for those that name other contenders.
#![allow(dead_code)] // What the others do by hand is there, too.

#[macro_use]
mod same_source;

#[path = "../../../../benches/loops/chunks.rs"]
mod chunks;
#[path = "../../../../benches/loops/collect.rs"]
mod collect;
#[path = "../../../../benches/loops/dispatch.rs"]
mod dispatch;
#[path = "../../../../benches/loops/for_each.rs"]
mod for_each;
#[path = "../../../../benches/loops/imbalanced.rs"]
mod imbalanced;
#[path = "../../../../benches/loops/nested.rs"]
mod nested;
#[path = "../../../../benches/loops/pieces.rs"]
mod pieces;
#[path = "../../../../benches/loops/sorts.rs"]
mod sorts;
#[path = "../../../../benches/loops/sums.rs"]
mod sums;
#[path = "../../../../benches/loops/turn.rs"]
mod turn;
#[path = "../../../../benches/loops/workload.rs"]
pub mod workload;
#[path = "../../../../benches/loops/zip.rs"]
mod zip;

mod calls;
mod row;
mod teams;

use crate::support::args::Scale;
use crate::support::row::Row;

/// Every row, in the table's order.
pub fn all(scale: Scale) -> Vec<Row> {
    let mut rows = for_each::rows(scale);
    rows.extend(sums::rows(scale));
    rows.extend(collect::rows(scale));
    rows.push(chunks::row(scale));
    rows.push(zip::row(scale));
    rows.push(nested::row(scale));
    rows.push(imbalanced::row(scale));
    rows.extend(dispatch::rows(scale));
    rows.extend(sorts::rows(scale));
    rows.extend(calls::rows(scale));
    rows
}
