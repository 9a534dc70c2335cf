//! The project's targets for mixed load. Each is a number that must not exceed its limit, so that what shall be high is
//! told as what is missing.

use super::requests;
use super::wake;
use crate::support::results::{Line, Measured};
use crate::support::targets::{Judge, Target};

const FILCH: &str = "filch";
const BRIDGED: &str = "tokio + rayon";
const PEERS: [&str; 5] = [BRIDGED, "tokio + spawn_blocking", "smol + blocking", "tokio", "rayon"];

/// All targets whose rows were measured.
pub fn judge(rows: &[Measured]) -> Vec<Target> {
    let mut judge = Judge::new(rows);
    for (kind, ..) in wake::KINDS {
        wakes(&mut judge, rows, kind);
    }
    for (rate, ..) in requests::RATES {
        answers(&mut judge, rows, rate);
    }
    for figure in ["tasks-used", "closures-used"] {
        let missing = median(rows, &format!("phases-{figure}"), FILCH).map(|used| 100.0 - used);
        judge.number(format!("phases-{figure}: what is missing to all cores, %"), missing, 5.0);
    }
    for length in ["1us", "10us", "100us"] {
        best(&mut judge, rows, &format!("call-{length}-mean"), &PEERS, 1.0);
    }
    judge.number("crowd: with / without".to_string(), median(rows, "crowd-ratio", FILCH), 1.02);
    judge.targets
}

fn wakes(judge: &mut Judge<'_>, rows: &[Measured], kind: &str) {
    let id = |figure: &str| format!("wake-{kind}-{figure}");
    for (figure, limit) in [("p50", 10.0), ("p99", 50.0), ("p99.9", 500.0)] {
        judge.number(format!("{}, µs", id(figure)), median(rows, &id(figure), FILCH), limit);
        best(judge, rows, &id(figure), &[BRIDGED], 1.0);
    }
    let lost = median(rows, &id("closures"), FILCH).map(|share| 100.0 - share);
    judge.number(format!("wake-{kind}: closures lost to the wakes, %"), lost, 2.0);
    let useful = ratio(rows, &id("useful"), BRIDGED, FILCH);
    judge.number(format!("{}: {BRIDGED} / {FILCH}", id("useful")), useful, 1.0);
    let runnable = line(rows, &id("runnable"), FILCH);
    let above = runnable.map(|line| line.median() - line.workers as f64);
    judge.number(format!("wake-{kind}: runnable threads above the workers"), above, 1.0);
}

fn answers(judge: &mut Judge<'_>, rows: &[Measured], rate: &str) {
    let id = |figure: &str| format!("requests-{rate}-{figure}");
    best(judge, rows, &id("p50"), &PEERS, 1.0);
    best(judge, rows, &id("p99"), &PEERS, 1.0);
    // More is better: the greatest of the peers' ratios to filch.
    let ahead = PEERS.iter().filter_map(|peer| ratio(rows, &id("goodput"), peer, FILCH)).reduce(f64::max);
    judge.number(format!("{}: best of the peers / {FILCH}", id("goodput")), ahead, 1.0);
}

/// filch against the best of the peers in a row where less is better.
fn best(judge: &mut Judge<'_>, rows: &[Measured], id: &str, peers: &[&str], limit: f64) {
    if let Some(line) = line(rows, id, FILCH) {
        judge.best(id, FILCH, peers, line.workers, limit);
    }
}

fn line<'a>(rows: &'a [Measured], id: &str, name: &str) -> Option<&'a Line> {
    rows.iter().find(|row| row.id == id)?.lines.iter().find(|line| line.name == name)
}

fn median(rows: &[Measured], id: &str, name: &str) -> Option<f64> {
    line(rows, id, name).map(Line::median)
}

fn ratio(rows: &[Measured], id: &str, name: &str, base: &str) -> Option<f64> {
    line(rows, id, name)?.ratio_to(line(rows, id, base)?)
}
