//! Collects the contenders of one workload into a row: those by rayon. The others are asked for by the files of
//! workloads, and left out.

use std::rc::Rc;

use super::teams::{Inside, Outside, Team, cores};
use super::turn::{Shared, TeamBout};
use super::workload::{OnRayon, Workload};
use crate::support::args::Scale;
use crate::support::row::{Bout, Contender, Row, Unit};

/// A row in the making.
pub struct LoopRow<W: Workload> {
    row: Row,
    workload: Rc<W>,
    shared: Shared<W>,
    scale: Scale,
}

impl<W: Workload> LoopRow<W> {
    /// A row without contenders. `unit` is for one run.
    pub fn new(id: &'static str, title: String, unit: Unit, scale: Scale, workload: W) -> Self {
        let unit = unit.divided_by(f64::from(workload.runs()));
        LoopRow { row: Row::new(id, title, unit), workload: Rc::new(workload), shared: Shared::default(), scale }
    }

    /// From outside and inside.
    pub fn rayon(self) -> Self
    where
        W: OnRayon,
    {
        self.team("rayon", Outside::start).team("rayon inside", Inside::start)
    }

    pub fn all(self) -> Self
    where
        W: OnRayon,
    {
        self.rayon()
    }

    pub fn note(self, _note: &'static str) -> Self {
        self
    }

    pub fn filch(self) -> Self {
        self
    }

    pub fn filch_few(self) -> Self {
        self
    }

    pub fn filch_alone(self) -> Self {
        self
    }

    pub fn orx(self) -> Self {
        self
    }

    pub fn joins(self) -> Self {
        self
    }

    pub fn threads(self) -> Self {
        self
    }

    pub fn build(self) -> Row {
        self.row
    }

    fn team<T: Team<W> + 'static>(mut self, name: &'static str, start: fn() -> T) -> Self {
        let (workload, shared, scale) = (Rc::clone(&self.workload), Rc::clone(&self.shared), self.scale);
        let setup = move || -> Box<dyn Bout> {
            Box::new(TeamBout {
                team: start(),
                workload: Rc::clone(&workload),
                shared: Rc::clone(&shared),
                scale,
                runs: None,
            })
        };
        self.row.push(Contender::new(name, cores(), setup));
        self
    }
}
