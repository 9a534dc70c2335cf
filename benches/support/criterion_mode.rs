//! The same rows as criterion groups: one group per workload, one function per contender and number of workers.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion};

use super::row::{Bout, Contender, Row};

/// Hands all rows to criterion, which reads its own arguments (filters, baselines, `--test`, `--list`).
pub fn run(rows: Vec<Row>) {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    // CPU time of an idle pool is not the time of an operation; those rows are in the table only.
    for row in rows.into_iter().filter(|row| !row.alone) {
        let mut group = criterion.benchmark_group(row.id);
        for contender in row.contenders.iter().filter(|contender| !contender.computed) {
            let id = BenchmarkId::new(contender.name, contender.workers);
            let mut turns = Turns::new(contender);
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|iterations| turns.run(iterations));
            });
        }
        group.finish();
    }
    criterion.final_summary();
}

/// A contender whose pool is made only when criterion lets it run, and kept for all its samples.
struct Turns<'row> {
    contender: &'row Contender,
    bout: Option<Box<dyn Bout>>,
}

impl<'row> Turns<'row> {
    fn new(contender: &'row Contender) -> Self {
        Turns { contender, bout: None }
    }

    fn run(&mut self, iterations: u64) -> Duration {
        let bout = self.bout.get_or_insert_with(|| self.contender.start());
        bout.wake();
        let took = (0..iterations).map(|_| bout.run()).sum();
        bout.rest();
        took
    }
}
