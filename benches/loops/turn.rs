//! One turn of a contender: as many runs as fill some milliseconds, or one run whose result is looked at.

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use super::teams::Team;
use super::workload::{Pace, Workload};
use crate::support::args::Scale;
use crate::support::results::median;
use crate::support::row::Bout;

/// What a turn consists of.
#[derive(Clone, Copy, Debug)]
pub enum Turn {
    /// One run on a fresh state.
    Check,
    /// So many runs.
    Timed(u32),
}

/// What has come of a turn.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    pub took: Duration,
    /// The fingerprint, if this was a check.
    pub print: Option<u64>,
}

impl Turn {
    /// Takes the turn, on the thread that calls; `once` is one run.
    pub fn take<W: Workload>(
        self,
        workload: &W,
        state: &mut W::State,
        mut once: impl FnMut(&mut W::State) -> W::Output,
    ) -> Outcome {
        let Turn::Timed(runs) = self else {
            workload.reset(state);
            let (took, output) = timed(|| once(state));
            return Outcome { took, print: Some(workload.print(state, output)) };
        };
        let mut once = |state: &mut W::State| drop(black_box(once(black_box(state))));
        let took = match workload.pace() {
            Pace::Hot => timed(|| (0..runs).for_each(|_| once(state))).0,
            Pace::Afresh => {
                let afresh = |_| {
                    workload.reset(state);
                    timed(|| once(state)).0
                };
                (0..runs).map(afresh).sum()
            }
            Pace::Cold { waits, idle } => {
                let cold = |_| {
                    thread::sleep(idle);
                    timed(|| once(state)).0.as_secs_f64()
                };
                let times: Vec<f64> = (0..waits).map(cold).collect();
                Duration::from_secs_f64(median(&times) * f64::from(runs))
            }
        };
        Outcome { took, print: None }
    }
}

fn timed<R>(run: impl FnOnce() -> R) -> (Duration, R) {
    let start = Instant::now();
    let result = run();
    (start.elapsed(), result)
}

/// The input of a row, and the fingerprint of the serial program's result.
pub struct Prepared<W: Workload> {
    state: W::State,
    print: u64,
}

/// Made by the first contender that runs.
pub type Shared<W> = Rc<RefCell<Option<Prepared<W>>>>;

impl<W: Workload> Prepared<W> {
    fn new(workload: &W) -> Self {
        let mut state = workload.state();
        let outcome = Turn::Check.take(workload, &mut state, |state| workload.serial(state));
        Prepared { state, print: outcome.print.expect("a check has a fingerprint") }
    }
}

/// A contender with its team, on the row's input.
pub struct TeamBout<W: Workload, T: Team<W>> {
    pub team: T,
    pub workload: Rc<W>,
    pub shared: Shared<W>,
    pub scale: Scale,
    /// How many runs fill a turn, once that is known.
    pub runs: Option<u32>,
}

impl<W: Workload, T: Team<W>> Bout for TeamBout<W, T> {
    fn wake(&mut self) {
        self.team.wake();
    }

    fn run(&mut self) -> Duration {
        let workload = &*self.workload;
        let mut shared = self.shared.borrow_mut();
        let prepared = shared.get_or_insert_with(|| Prepared::new(workload));
        let runs = match self.runs {
            Some(runs) => runs,
            None => *self.runs.insert(begin(&mut self.team, workload, prepared, self.scale)),
        };
        let outcome = self.team.take(workload, &mut prepared.state, Turn::Timed(runs));
        outcome.took.mul_f64(f64::from(workload.runs()) / f64::from(runs))
    }

    fn rest(&mut self) {
        self.team.rest();
    }
}

/// Checks the team's result, and finds how many of its runs fill a turn: that differs by orders of magnitude between
/// those who start threads and those who do not.
fn begin<W: Workload, T: Team<W>>(team: &mut T, workload: &W, prepared: &mut Prepared<W>, scale: Scale) -> u32 {
    let outcome = team.take(workload, &mut prepared.state, Turn::Check);
    assert_eq!(outcome.print, Some(prepared.print), "{} has another result than the serial program", team.name());
    let wanted = scale.pick(30e-3, 4e-3, 0.0);
    if matches!(workload.pace(), Pace::Cold { .. }) || outcome.took.as_secs_f64() >= wanted {
        return 1;
    }
    let mut runs = 1;
    loop {
        let outcome = team.take(workload, &mut prepared.state, Turn::Timed(runs));
        let share = outcome.took.as_secs_f64() / wanted;
        if share >= 0.25 {
            return ((f64::from(runs) / share) as u32).max(1);
        }
        runs *= 4;
    }
}
