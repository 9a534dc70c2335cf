//! Targets, judged from the measured rows. Each is a number that must not exceed its limit: a ratio taken within one
//! interleaved run, a time, or a size. Which there are, each benchmark says for itself.

use super::results::{Line, Measured};

/// A target and what was measured.
pub struct Target {
    pub what: String,
    pub measured: f64,
    pub limit: f64,
}

/// Collects the targets whose rows were measured.
pub struct Judge<'a> {
    rows: &'a [Measured],
    pub targets: Vec<Target>,
}

impl<'a> Judge<'a> {
    pub fn new(rows: &'a [Measured]) -> Self {
        Judge { rows, targets: Vec::new() }
    }

    pub fn row(&self, id: &str) -> Option<&'a Measured> {
        self.rows.iter().find(|row| row.id == id)
    }

    pub fn line(&self, id: &str, name: &str, workers: usize) -> Option<&'a Line> {
        self.row(id)?.line(name, workers)
    }

    /// A target with a measured number, if there is one.
    pub fn number(&mut self, what: String, measured: Option<f64>, limit: f64) {
        if let Some(measured) = measured {
            self.targets.push(Target { what, measured, limit });
        }
    }

    /// A target for the ratio of `name` to `base` on `workers` workers.
    pub fn ratio(&mut self, id: &str, name: &str, base: &str, workers: usize, limit: f64) {
        let measured = self.row(id).and_then(|row| row.ratio(name, base, workers));
        let what = format!("{id}, workers: {workers}: {name} / {base}");
        self.number(what, measured, limit);
    }

    /// A target against the fastest of those of `bases` that are in the row, by medians.
    pub fn best(&mut self, id: &str, name: &str, bases: &[&str], workers: usize, limit: f64) {
        let Some((row, mine)) = self.row(id).zip(self.line(id, name, workers)) else {
            return;
        };
        let peers: Vec<&Line> = bases.iter().filter_map(|base| row.line(base, workers)).collect();
        let best = peers.iter().min_by(|a, b| a.median().total_cmp(&b.median()));
        let names: Vec<&str> = peers.iter().map(|peer| peer.name).collect();
        let what = format!("{id}, workers: {workers}: {name} / best of {}", names.join(", "));
        self.number(what, best.and_then(|best| mine.ratio_to(best)), limit);
    }
}
