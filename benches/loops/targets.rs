//! The project's targets for loops: never slower than the plain loop, nor than the best of the peers, whatever the
//! size. The limits that say how much faster than the plain loop are for two cores.

use super::for_each::CELLS;
use super::row::CROWDS;
use super::teams::cores;
use crate::support::results::Measured;
use crate::support::targets::{Judge, Target};

const FILCH: &str = "filch";
const INSIDE: &str = "filch inside";
const SERIAL: &str = "serial";
const PEERS: [&str; 7] = ["rayon", "rayon inside", "orx-parallel", "paralight", "chili", "forte", "std::thread::scope"];

/// All targets whose rows were measured.
pub fn judge(rows: &[Measured]) -> Vec<Target> {
    let mut judge = Judge::new(rows);
    loops(&mut judge);
    small(&mut judge);
    rest(&mut judge);
    crowded(&mut judge, rows);
    judge.targets
}

fn loops(judge: &mut Judge<'_>) {
    let mut all = vec![SERIAL];
    all.extend(PEERS);
    for name in [FILCH, INSIDE] {
        for (id, ..) in CELLS {
            judge.best(id, name, &all, cores(), 1.05);
        }
    }
}

fn small(judge: &mut Judge<'_>) {
    for name in [FILCH, INSIDE] {
        judge.ratio("for-1k-1ns", name, SERIAL, cores(), 1.1);
        judge.ratio("for-1k-1us", name, SERIAL, cores(), 0.53);
    }
    for id in ["sum-10k", "squares-1m"] {
        judge.ratio(id, FILCH, SERIAL, 1, 1.05);
    }
}

fn rest(judge: &mut Judge<'_>) {
    judge.ratio("imbalanced", FILCH, SERIAL, cores(), 0.51);
    judge.best("collect-1m", FILCH, &PEERS, cores(), 1.0);
    judge.ratio("sort-unstable-10m", FILCH, SERIAL, cores(), 0.6);
    judge.ratio("sort-10m", FILCH, SERIAL, cores(), 0.6);
}

/// Many more workers than cores must not cost much in any row.
fn crowded(judge: &mut Judge<'_>, rows: &[Measured]) {
    for row in rows {
        for workers in CROWDS {
            let lines = row.line(FILCH, workers).zip(row.line(FILCH, cores()));
            let ratio = lines.and_then(|(many, few)| many.ratio_to(few));
            judge.number(format!("{}: filch with {workers} workers / with {}", row.id, cores()), ratio, 1.15);
        }
    }
}
