//! The project's targets for mixed load. Each is a number that must not exceed its limit, so that what shall be high is
//! told as what is missing.

use super::requests;
use super::wake;
use crate::support::results::{Line, Measured};
use crate::support::targets::{Judge, Target};

const FILCH: &str = "filch";
const FILCH_CPU: &str = "filch spawn_cpu";
const BOUNDED: &str = "filch max_tasks";
const BRIDGED: &str = "tokio + rayon";
const BOUNDED_PEERS: [&str; 2] = ["tokio + rayon bounded", "tokio + spawn_blocking bounded"];
const PEERS: [&str; 5] = [BRIDGED, "tokio + spawn_blocking", "smol + blocking", "tokio", "rayon"];

/// All targets whose rows were measured.
pub fn judge(rows: &[Measured]) -> Vec<Target> {
    let mut judge = Judge::new(rows);
    for (kind, ..) in wake::KINDS {
        wakes(&mut judge, rows, kind, FILCH);
        wakes(&mut judge, rows, kind, FILCH_CPU);
    }
    for kind in ["one-worker", "outside", "loop", "sort"] {
        wakes(&mut judge, rows, kind, FILCH);
    }
    for (rate, ..) in requests::RATES {
        answers(&mut judge, rows, &format!("requests-{rate}"), FILCH, &PEERS);
    }
    // With a bound, above the capacity: like with like.
    answers(&mut judge, rows, "requests-150", BOUNDED, &BOUNDED_PEERS);
    for figure in ["tasks-used", "closures-used"] {
        let missing = median(rows, &format!("phases-{figure}"), FILCH).map(|used| 100.0 - used);
        judge.number(format!("phases-{figure}: what is missing to all cores, %"), missing, 5.0);
    }
    for length in ["1us", "10us", "100us"] {
        best(&mut judge, rows, &format!("call-{length}-mean"), FILCH, &PEERS, 1.0);
    }
    judge.number("crowd: with / without".to_string(), median(rows, "crowd-ratio", FILCH), 1.02);
    for (quota, _) in requests::QUOTAS {
        late_answers(&mut judge, rows, quota, FILCH, &[BRIDGED]);
        late_answers(&mut judge, rows, quota, FILCH_CPU, &[BRIDGED]);
    }
    judge.targets
}

fn wakes(judge: &mut Judge<'_>, rows: &[Measured], kind: &str, name: &str) {
    let id = |figure: &str| format!("wake-{kind}-{figure}");
    for (figure, limit) in [("p50", 10.0), ("p99", 50.0), ("p99.9", 500.0)] {
        judge.number(format!("{}: {name}, µs", id(figure)), median(rows, &id(figure), name), limit);
        best(judge, rows, &id(figure), name, &[BRIDGED], 1.0);
    }
    // Of sorts some dozens are counted, which is too rough to tell some percent.
    if kind != "sort" {
        let lost = median(rows, &id("closures"), name).map(|share| 100.0 - share);
        judge.number(format!("wake-{kind}: closures of {name} lost to the wakes, %"), lost, 2.0);
        let useful = ratio(rows, &id("useful"), BRIDGED, name);
        judge.number(format!("{}: {BRIDGED} / {name}", id("useful")), useful, 1.0);
    }
    let runnable = line(rows, &id("runnable"), name);
    let above = runnable.map(|line| line.median() - line.workers as f64);
    judge.number(format!("wake-{kind}: runnable threads of {name} above the workers"), above, 1.0);
}

fn answers(judge: &mut Judge<'_>, rows: &[Measured], sheet: &str, name: &str, peers: &[&str]) {
    best(judge, rows, &format!("{sheet}-p50"), name, peers, 1.0);
    late_answers(judge, rows, sheet, name, peers);
}

/// The latest answers, and those that come in time.
fn late_answers(judge: &mut Judge<'_>, rows: &[Measured], sheet: &str, name: &str, peers: &[&str]) {
    best(judge, rows, &format!("{sheet}-p99"), name, peers, 1.0);
    // More is better: the greatest of the peers' ratios to this one.
    let id = format!("{sheet}-goodput");
    let ahead = peers.iter().filter_map(|peer| ratio(rows, &id, peer, name)).reduce(f64::max);
    judge.number(format!("{id}: best of {} / {name}", peers.join(", ")), ahead, 1.0);
}

/// One of filch's against the best of the peers in a row where less is better.
fn best(judge: &mut Judge<'_>, rows: &[Measured], id: &str, name: &str, peers: &[&str], limit: f64) {
    if let Some(line) = line(rows, id, name) {
        judge.best(id, name, peers, line.workers, limit);
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
