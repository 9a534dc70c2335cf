//! The project's targets for fork-join.

use crate::support::results::Measured;
use crate::support::targets::{Judge, Target};

const FILCH: &str = "filch";
const WORKER: &str = "filch Worker::join";
const SERIAL: &str = "serial";
const PEERS: [&str; 3] = ["rayon", "chili", "forte"];

/// All targets whose rows were measured.
pub fn judge(rows: &[Measured]) -> Vec<Target> {
    let mut judge = Judge::new(rows);
    fork_cost(&mut judge);
    trees(&mut judge);
    irregular(&mut judge);
    kernels(&mut judge);
    dispatch(&mut judge);
    quiet(&mut judge);
    crowded(&mut judge);
    coarse(&mut judge);
    judge.targets
}

fn fork_cost(judge: &mut Judge<'_>) {
    judge.ratio("fib", FILCH, SERIAL, 1, 2.2);
    judge.ratio("fib", WORKER, SERIAL, 1, 2.0);
    judge.ratio("fib", FILCH, "rayon", 1, 1.0 / 3.0);
    judge.ratio("fib", FILCH, "chili", 1, 1.05);
}

fn trees(judge: &mut Judge<'_>) {
    for id in ["tree-1m", "tree-16m"] {
        judge.ratio(id, FILCH, "chili", 2, 1.0);
        judge.ratio(id, FILCH, SERIAL, 2, 1.0);
    }
}

fn irregular(judge: &mut Judge<'_>) {
    judge.ratio("skynet", FILCH, SERIAL, 2, 1.0);
    judge.ratio("uts", FILCH, SERIAL, 2, 0.75);
}

fn kernels(judge: &mut Judge<'_>) {
    for id in ["queens-join", "queens-fan", "matmul", "quicksort"] {
        judge.best(id, FILCH, &PEERS, 2, 1.0);
    }
}

fn dispatch(judge: &mut Judge<'_>) {
    let hot = judge.line("dispatch-outside", FILCH, 2);
    let what = "dispatch from outside, hot, µs".to_string();
    judge.number(what, hot.map(|line| line.median() / 1e3), 0.6);
    for id in ["idle-empty-outside", "idle-empty-inside", "idle-join-outside", "idle-join-inside"] {
        judge.best(id, FILCH, &["chili", "forte"], 2, 1.0);
    }
}

fn quiet(judge: &mut Judge<'_>) {
    for (id, limit) in [("idle-pool", 0.1), ("busy-worker", 1.0)] {
        let line = judge.line(id, FILCH, 2);
        let what = format!("{id}: ms of CPU per second");
        judge.number(what, line.map(|line| line.median()), limit);
    }
}

fn crowded(judge: &mut Judge<'_>) {
    for id in ["fib", "uts"] {
        let lines = judge.line(id, FILCH, 64).zip(judge.line(id, FILCH, 2));
        let ratio = lines.and_then(|(many, two)| many.ratio_to(two));
        let what = format!("{id}: filch with 64 workers / with 2");
        judge.number(what, ratio, 1.15);
    }
}

fn coarse(judge: &mut Judge<'_>) {
    for (id, workers) in [("coarse-2", 2), ("coarse-4", 4)] {
        judge.best(id, FILCH, &["rayon", "greedy bound"], workers, 1.05);
    }
}
