//! A sheet of the table: one workload of which every turn takes several figures at once, such as the percentiles of a
//! latency and what the closures beside lost by it, and the contenders that run it.
//!
//! Rows (`row`) are for one time each; sheets are for what only makes sense together.

use super::results::{Line, Measured};

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Short name: the column is the row `SHEET-FIGURE` in files and targets.
    pub id: &'static str,
    /// The head of the column, with the unit.
    pub label: &'static str,
}

impl Figure {
    pub const fn new(id: &'static str, label: &'static str) -> Self {
        Figure { id, label }
    }
}

/// One library at one number of workers.
pub struct Entrant {
    pub name: &'static str,
    pub workers: usize,
    /// Runs once, checks everything, and returns the figures in the sheet's order; `NAN` for one that cannot be told.
    pub trial: Box<dyn Fn() -> Vec<f64>>,
}

/// One workload and everyone who runs it.
pub struct Sheet {
    /// Short name, for filters and file formats.
    pub id: String,
    /// The workload in words.
    pub title: String,
    /// A remark printed under the sheet, or nothing.
    pub note: &'static str,
    pub figures: &'static [Figure],
    /// Cores' worth of time that a cgroup allows each contender, if it is to run in one.
    pub quota: Option<f64>,
    pub entrants: Vec<Entrant>,
}

impl Sheet {
    pub fn new(id: impl Into<String>, title: impl Into<String>, figures: &'static [Figure]) -> Self {
        Sheet { id: id.into(), title: title.into(), note: "", figures, quota: None, entrants: Vec::new() }
    }

    pub fn push(&mut self, name: &'static str, workers: usize, trial: impl Fn() -> Vec<f64> + 'static) {
        self.entrants.push(Entrant { name, workers, trial: Box::new(trial) });
    }

    /// The rows, one for each figure, from the samples of all entrants: by entrant, by round, by figure.
    pub fn measured(&self, samples: &[Vec<Vec<f64>>]) -> Vec<Measured> {
        let row = |(index, figure): (usize, &Figure)| Measured {
            id: format!("{}-{}", self.id, figure.id),
            title: format!("{}: {}", self.title, figure.label),
            note: self.note,
            unit: figure.label,
            lines: self.lines(samples, index),
        };
        self.figures.iter().enumerate().map(row).collect()
    }

    fn lines(&self, samples: &[Vec<Vec<f64>>], figure: usize) -> Vec<Line> {
        let line = |(entrant, rounds): (&Entrant, &Vec<Vec<f64>>)| Line {
            name: entrant.name,
            workers: entrant.workers,
            samples: rounds.iter().map(|round| round[figure]).collect(),
        };
        self.entrants.iter().zip(samples).map(line).collect()
    }
}
