//! How the table of fork-join is presented.

use super::targets;
use crate::support::report::Report;

pub const REPORT: Report = Report {
    name: "fork_join",
    title: "Fork-join benchmarks",
    libraries: &["rayon", "chili", "forte", "tokio", "async-executor", "filch"],
    bases: &["serial", "rayon"],
    chart_base: "rayon",
    series: &[
        ("filch", [204, 85, 0]),
        ("filch Worker::join", [240, 160, 80]),
        ("filch tasks", [150, 100, 60]),
        ("chili", [60, 140, 70]),
        ("forte", [80, 110, 190]),
        ("tokio", [140, 90, 160]),
        ("async-executor", [180, 150, 195]),
        ("serial", [140, 140, 140]),
    ],
    judge: targets::judge,
};
