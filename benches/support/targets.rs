//! The project's targets for fork-join, judged from the measured rows. Each is a number that must not exceed its limit:
//! a ratio taken within one interleaved run, or a time.

use super::results::Measured;

/// A target and what was measured.
pub struct Target {
    pub what: String,
    pub measured: f64,
    pub limit: f64,
}

const FILCH: &str = "filch";
const WORKER: &str = "filch Worker::join";
const SERIAL: &str = "serial";
const PEERS: [&str; 3] = ["rayon", "chili", "forte"];

/// All targets whose rows were measured.
pub fn judge(rows: &[Measured]) -> Vec<Target> {
    let mut judge = Judge { rows, targets: Vec::new() };
    judge.fork_cost();
    judge.trees();
    judge.irregular();
    judge.kernels();
    judge.dispatch();
    judge.quiet();
    judge.crowded();
    judge.coarse();
    judge.targets
}

struct Judge<'a> {
    rows: &'a [Measured],
    targets: Vec<Target>,
}

impl<'a> Judge<'a> {
    fn row(&self, id: &str) -> Option<&'a Measured> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// A target with a measured number, if there is one.
    fn number(&mut self, what: String, measured: Option<f64>, limit: f64) {
        if let Some(measured) = measured {
            self.targets.push(Target { what, measured, limit });
        }
    }

    /// A target for the ratio of `name` to `base` on `workers` workers.
    fn ratio(&mut self, id: &str, name: &str, base: &str, workers: usize, limit: f64) {
        let measured = self.row(id).and_then(|row| row.ratio(name, base, workers));
        let what = format!("{id}, workers: {workers}: {name} / {base}");
        self.number(what, measured, limit);
    }

    /// A target against the fastest of `bases`, by medians.
    fn best(&mut self, id: &str, bases: &[&str], workers: usize, limit: f64) {
        let measured = self.row(id).and_then(|row| {
            let mine = row.line(FILCH, workers)?;
            bases
                .iter()
                .filter_map(|base| row.line(base, workers))
                .min_by(|a, b| a.median().total_cmp(&b.median()))
                .and_then(|best| mine.ratio_to(best))
        });
        let what = format!("{id}, workers: {workers}: {FILCH} / best of {}", bases.join(", "));
        self.number(what, measured, limit);
    }

    fn fork_cost(&mut self) {
        self.ratio("fib", FILCH, SERIAL, 1, 2.2);
        self.ratio("fib", WORKER, SERIAL, 1, 2.0);
        self.ratio("fib", FILCH, "rayon", 1, 1.0 / 3.0);
        self.ratio("fib", FILCH, "chili", 1, 1.05);
    }

    fn trees(&mut self) {
        for id in ["tree-1m", "tree-16m"] {
            self.ratio(id, FILCH, "chili", 2, 1.0);
            self.ratio(id, FILCH, SERIAL, 2, 1.0);
        }
    }

    fn irregular(&mut self) {
        self.ratio("skynet", FILCH, SERIAL, 2, 1.0);
        self.ratio("uts", FILCH, SERIAL, 2, 0.75);
    }

    fn kernels(&mut self) {
        for id in ["queens-join", "queens-fan", "matmul", "quicksort"] {
            self.best(id, &PEERS, 2, 1.0);
        }
    }

    fn dispatch(&mut self) {
        let hot = self.row("dispatch-outside").and_then(|row| row.line(FILCH, 2));
        let what = "dispatch from outside, hot, µs".to_string();
        self.number(what, hot.map(|line| line.median() / 1e3), 0.6);
        for id in ["idle-join-outside", "idle-join-inside"] {
            self.best(id, &["chili", "forte"], 2, 1.0);
        }
    }

    fn quiet(&mut self) {
        for (id, limit) in [("idle-pool", 0.1), ("busy-worker", 1.0)] {
            let line = self.row(id).and_then(|row| row.line(FILCH, 2));
            let what = format!("{id}: ms of CPU per second");
            self.number(what, line.map(|line| line.median()), limit);
        }
    }

    fn crowded(&mut self) {
        for id in ["fib", "uts"] {
            let ratio = self.row(id).and_then(|row| row.line(FILCH, 64)?.ratio_to(row.line(FILCH, 2)?));
            let what = format!("{id}: filch with 64 workers / with 2");
            self.number(what, ratio, 1.15);
        }
    }

    fn coarse(&mut self) {
        for (id, workers) in [("coarse-2", 2), ("coarse-4", 4)] {
            self.best(id, &["rayon", "greedy bound"], workers, 1.05);
        }
    }
}
