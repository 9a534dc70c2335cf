//! The project's targets for tasks: ahead of every peer in every row, and small.

use crate::support::results::Measured;
use crate::support::targets::{Judge, Target};

const FILCH: &str = "filch tasks";
const PEERS: [&str; 6] = ["tokio", "tokio + rayon", "async-executor", "forte", "futures", "switchyard"];
/// Bytes that a parked task may take.
const SMALL: f64 = 146.0;

/// All targets whose rows were measured.
pub fn judge(rows: &[Measured]) -> Vec<Target> {
    let mut judge = Judge::new(rows);
    for row in rows {
        for workers in [1, 2] {
            judge.best(&row.id, FILCH, &PEERS, workers, 1.0);
        }
    }
    let bytes = |id| judge.line(id, FILCH, 2).map(|line| line.median());
    let larger = bytes("memory-requested").zip(bytes("memory-rss")).map(|(requested, rss)| requested.max(rss));
    judge.number("memory: bytes per parked task, requested and resident".to_string(), larger, SMALL);
    judge.targets
}
