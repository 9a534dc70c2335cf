//! How the table is presented.

use super::targets;
use crate::support::report::Report;

pub const REPORT: Report = Report {
    name: "mixed",
    title: "Tasks and closures side by side",
    libraries: &["tokio", "rayon", "async-executor", "blocking", "forte", "filch"],
    bases: &["tokio + rayon"],
    chart_base: "tokio + rayon",
    series: &[
        ("filch", [204, 85, 0]),
        ("filch spawn_cpu", [240, 160, 80]),
        ("filch max_tasks", [170, 60, 60]),
        ("tokio + rayon", [140, 90, 160]),
        ("tokio + rayon bounded", [190, 150, 205]),
        ("tokio + spawn_blocking", [80, 110, 190]),
        ("tokio + spawn_blocking bounded", [150, 170, 225]),
        ("smol + blocking", [60, 140, 70]),
        ("tokio", [100, 160, 170]),
        ("rayon", [140, 140, 140]),
        ("forte", [150, 100, 60]),
    ],
    judge: targets::judge,
};
