//! What the benchmarks share: the libraries under one face, the rows and rounds of the table, and its reports.
#![allow(dead_code, unused_imports)] // Each benchmark uses a part of it.

pub mod args;
pub mod cgroup;
pub mod chart;
pub mod children;
pub mod cpu;
pub mod criterion_mode;
pub mod fork;
pub mod forte_pool;
pub mod json;
pub mod kernel;
pub mod libraries;
pub mod machine;
pub mod markdown;
pub mod program;
pub mod report;
pub mod results;
pub mod rng;
pub mod row;
pub mod sheet;
pub mod sheet_mode;
pub mod sheet_text;
pub mod span_chart;
pub mod table_mode;
pub mod targets;
pub mod tasks;
pub mod usage;
pub mod watchdog;
