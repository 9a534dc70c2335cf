//! How the table of tasks is presented.

use super::targets;
use crate::support::report::Report;

pub const REPORT: Report = Report {
    name: "tasks",
    title: "Task benchmarks",
    libraries: &[
        "tokio",
        "async-executor",
        "async-io",
        "blocking",
        "forte",
        "futures-executor",
        "futures-timer",
        "rayon",
        "switchyard",
        "filch",
    ],
    bases: &["tokio", "async-executor"],
    chart_base: "tokio",
    series: &[
        ("filch tasks", [204, 85, 0]),
        ("async-executor", [180, 150, 195]),
        ("forte", [80, 110, 190]),
        ("futures", [60, 140, 70]),
        ("switchyard", [150, 120, 60]),
        ("tokio + rayon", [140, 90, 160]),
        ("serial", [140, 140, 140]),
    ],
    judge: targets::judge,
};
