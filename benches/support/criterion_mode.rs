//! The same rows as criterion groups: one group per workload, one function per contender and number of workers.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion};

use super::args::Scale;
use super::row::{Bout, Contender, NEVER, Row};
use super::watchdog;

/// What a run counts that was broken off: criterion knows no endless times.
const BROKEN_OFF: Duration = Duration::from_secs(1);

/// Hands all rows to criterion, which reads its own arguments (filters, baselines, `--test`, `--list`).
pub fn run(rows: Vec<Row>, scale: Scale) {
    watchdog::start();
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    // CPU time of an idle pool, or memory, is not the time of an operation; those rows are in the table only.
    let (alone, timed): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.alone);
    for row in timed {
        let mut group = criterion.benchmark_group(row.id);
        for contender in row.contenders.iter().filter(|contender| !contender.computed) {
            let id = BenchmarkId::new(contender.name, contender.workers);
            let mut turns = Turns::new(row.id, contender);
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|iterations| turns.run(iterations));
            });
        }
        group.finish();
    }
    criterion.final_summary();
    let only_named = std::env::args().any(|arg| arg == "--list");
    if scale == Scale::Tiny && !only_named {
        alone.iter().for_each(once);
    }
}

/// One turn of each contender, to see that it works.
fn once(row: &Row) {
    for contender in &row.contenders {
        println!("Testing {}/{}/{}", row.id, contender.name, contender.workers);
        watchdog::watch(row.id, || contender.start().turn());
    }
}

/// A contender whose pool is made only when criterion lets it run, and kept for all its samples.
struct Turns<'row> {
    row: &'static str,
    contender: &'row Contender,
    bout: Option<Box<dyn Bout>>,
}

impl<'row> Turns<'row> {
    fn new(row: &'static str, contender: &'row Contender) -> Self {
        Turns { row, contender, bout: None }
    }

    fn run(&mut self, iterations: u64) -> Duration {
        let bout = self.bout.get_or_insert_with(|| self.contender.start());
        let name = format!("{} ({})", self.row, self.contender.name);
        watchdog::watch(&name, || {
            bout.wake();
            let took = (0..iterations).map(|_| ended(bout.run())).sum();
            bout.rest();
            took
        })
    }
}

fn ended(took: Duration) -> Duration {
    if took == NEVER { BROKEN_OFF } else { took }
}
