//! A project that depends on five others, which take 10, 14, 30, 10 and 60 days: what `.await` costs, and what
//! `spawn` saves.
//!
//! ```text
//! cargo run --release --example project_plan
//! ```
//!
//! Who awaits them one after another is done after 124 days. But only the first has to be over before the others can
//! begin: who spawns those four together, and then awaits them, is done after 10 + 60. A day is 10 ms here.

use std::time::Duration;

use filch::time::{Instant, sleep};

/// Something that the project waits for.
#[derive(Clone, Copy)]
pub struct Dependency {
    pub name: &'static str,
    pub days: u32,
}

const fn dependency(name: &'static str, days: u32) -> Dependency {
    Dependency { name, days }
}

pub const PROJECT: [Dependency; 5] = [
    dependency("design", 10),
    dependency("database", 14),
    dependency("server", 30),
    dependency("icons", 10),
    dependency("client", 60),
];

/// When a dependency has begun and ended, in days.
pub struct Bar {
    pub name: &'static str,
    pub begin: f64,
    pub end: f64,
}

/// Counts the days of a project.
#[derive(Clone, Copy)]
struct Calendar {
    begin: Instant,
    day: Duration,
}

impl Calendar {
    fn begin(day: Duration) -> Self {
        Calendar { begin: Instant::now(), day }
    }

    fn today(&self) -> f64 {
        self.begin.elapsed().div_duration_f64(self.day)
    }
}

async fn wait_for(dependency: Dependency, calendar: Calendar) -> Bar {
    let begin = calendar.today();
    sleep(calendar.day * dependency.days).await;
    Bar { name: dependency.name, begin, end: calendar.today() }
}

/// Each `.await` is over before the next begins: nothing runs side by side, though everything is async.
pub async fn one_after_another(day: Duration) -> Vec<Bar> {
    let calendar = Calendar::begin(day);
    let mut bars = Vec::new();
    for dependency in PROJECT {
        bars.push(wait_for(dependency, calendar).await);
    }
    bars
}

/// A spawned task goes on by itself. Awaiting its handle only fetches the result.
pub async fn together(day: Duration) -> Vec<Bar> {
    let calendar = Calendar::begin(day);
    let [first, others @ ..] = PROJECT;
    let mut bars = vec![wait_for(first, calendar).await];
    let others = others.map(|dependency| filch::spawn(wait_for(dependency, calendar)));
    for other in others {
        bars.push(other.await.expect("no dependency fails"));
    }
    bars
}

/// The day on which all are done.
pub fn days(bars: &[Bar]) -> f64 {
    bars.iter().map(|bar| bar.end).fold(0.0, f64::max)
}

/// One line for each dependency, one column for two days.
pub fn timeline(bars: &[Bar]) -> String {
    let columns = |days: f64| (days / 2.0).round() as usize;
    let line = |bar: &Bar| {
        let (blank, full) = (" ".repeat(columns(bar.begin)), "=".repeat(columns(bar.end - bar.begin)));
        format!("  {:<8} |{blank}{full}  {:.0} to {:.0}\n", bar.name, bar.begin, bar.end)
    };
    bars.iter().map(line).collect()
}

fn main() {
    const DAY: Duration = Duration::from_millis(10);
    let report = |way: &str, bars: Vec<Bar>, expected: f64| {
        let days = days(&bars);
        println!("{way}: {days:.0} days\n{}", timeline(&bars));
        // A busy machine may be late, but not by half of it.
        assert!((expected..expected * 1.5).contains(&days), "{days} days instead of {expected}");
    };
    report("one after another", filch::block_on(one_after_another(DAY)), 124.0);
    report("together, after the first", filch::block_on(together(DAY)), 70.0);
}
