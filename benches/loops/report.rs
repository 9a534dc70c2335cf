//! How the table of loops is presented.

use super::targets;
use crate::support::report::Report;

pub const REPORT: Report = Report {
    name: "loops",
    title: "Benchmarks of parallel loops",
    libraries: &["rayon", "orx-parallel", "paralight", "chili", "forte", "filch"],
    bases: &["serial", "rayon"],
    chart_base: "rayon",
    series: &[
        ("filch", [204, 85, 0]),
        ("filch inside", [240, 160, 80]),
        ("rayon inside", [100, 160, 170]),
        ("orx-parallel", [140, 90, 160]),
        ("paralight", [180, 150, 195]),
        ("chili", [60, 140, 70]),
        ("forte", [80, 110, 190]),
        ("std::thread::scope", [150, 100, 60]),
        ("serial", [140, 140, 140]),
    ],
    judge: targets::judge,
};
