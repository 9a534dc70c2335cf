//! Collects the contenders of one workload into a [`Row`].

use std::rc::Rc;

use super::teams::{
    FilchCrowded, FilchInside, FilchOutside, FilchPlain, Joins, Orx, Paralight, RayonInside, RayonOutside, Serial,
    StdThreads, Team, cores,
};
use super::turn::{Shared, TeamBout};
use super::workload::{OnFilch, OnFilchPlain, OnJoin, OnOrx, OnParalight, OnRayon, OnThreads, Workload};
use crate::support::args::Scale;
use crate::support::forte_pool::Forte;
use crate::support::libraries::Chili;
use crate::support::row::{Bout, Contender, Row, Unit};

/// Many more workers than cores: what filch may not suffer from.
pub const CROWDS: [usize; 2] = [16, 64];

/// A row in the making. Each method adds contenders; only those can be added whose loop the workload has.
pub struct LoopRow<W: Workload> {
    row: Row,
    workload: Rc<W>,
    shared: Shared<W>,
    scale: Scale,
}

impl<W: Workload> LoopRow<W> {
    /// A row with the serial program. `unit` is for one run.
    pub fn new(id: &'static str, title: String, unit: Unit, scale: Scale, workload: W) -> Self {
        let unit = unit.divided_by(f64::from(workload.runs()));
        let row = Row::new(id, title, unit);
        let row = LoopRow { row, workload: Rc::new(workload), shared: Shared::default(), scale };
        row.team("serial", 1, |_| Serial)
    }

    /// Adds a remark that is printed under the table.
    pub fn note(mut self, note: &'static str) -> Self {
        self.row.note = note;
        self
    }

    /// From outside, inside, and from outside with crowds of workers.
    pub fn filch(self) -> Self
    where
        W: OnFilch,
    {
        let row = self.filch_few();
        let crowds = CROWDS.into_iter().filter(|workers| *workers != cores());
        crowds.fold(row, |row, workers| row.team("filch", workers, move |_| FilchCrowded::start(workers)))
    }

    /// From outside and inside.
    pub fn filch_few(self) -> Self
    where
        W: OnFilch,
    {
        self.team("filch", cores(), |_| FilchOutside).team("filch inside", cores(), |_| FilchInside::start())
    }

    /// From outside, with one worker: what the loop costs on one core.
    pub fn filch_alone(self) -> Self
    where
        W: OnFilch,
    {
        self.team("filch", 1, |_| FilchCrowded::start(1))
    }

    /// From outside, with what rayon has too.
    pub fn filch_plain(self) -> Self
    where
        W: OnFilchPlain,
    {
        self.team("filch, plain", cores(), |_| FilchPlain)
    }

    /// From outside and inside.
    pub fn rayon(self) -> Self
    where
        W: OnRayon,
    {
        self.team("rayon", cores(), |_| RayonOutside::start()).team("rayon inside", cores(), |_| RayonInside::start())
    }

    pub fn orx(self) -> Self
    where
        W: OnOrx,
    {
        self.team("orx-parallel", cores(), |_| Orx)
    }

    pub fn paralight(self) -> Self
    where
        W: OnParalight,
    {
        self.team("paralight", cores(), Paralight::start)
    }

    /// chili and forte.
    pub fn joins(self) -> Self
    where
        W: OnJoin,
    {
        self.team("chili", cores(), |_| Joins::<Chili>::start()).team("forte", cores(), |_| Joins::<Forte>::start())
    }

    pub fn threads(self) -> Self
    where
        W: OnThreads,
    {
        self.team("std::thread::scope", cores(), |_| StdThreads)
    }

    /// Everybody.
    pub fn all(self) -> Self
    where
        W: OnFilch + OnRayon + OnOrx + OnParalight + OnJoin + OnThreads,
    {
        self.filch().rayon().orx().paralight().joins().threads()
    }

    pub fn build(self) -> Row {
        self.row
    }

    fn team<T: Team<W> + 'static>(
        mut self,
        name: &'static str,
        workers: usize,
        start: impl Fn(&W) -> T + 'static,
    ) -> Self {
        let (workload, shared, scale) = (Rc::clone(&self.workload), Rc::clone(&self.shared), self.scale);
        let setup = move || -> Box<dyn Bout> {
            Box::new(TeamBout {
                team: start(&workload),
                workload: Rc::clone(&workload),
                shared: Rc::clone(&shared),
                scale,
                runs: None,
            })
        };
        self.row.push(Contender::new(name, workers, setup));
        self
    }
}
