//! Under which conditions all contenders run: sizes, cores, and how quick the machine is, measured once by the parent
//! and told to every child, so that all do exactly the same work.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::args::Scale;
use crate::support::cpu::compute;

#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    pub scale: Scale,
    /// The cores that this process may use.
    pub cores: usize,
    /// Steps of [`compute`] that a core does in a microsecond when it is alone.
    pub steps_per_us: f64,
    /// How many times as many steps all cores do together: their number, or less where they share units or a machine.
    pub cores_worth: f64,
}

impl Conditions {
    /// Measures the machine.
    pub fn measure(scale: Scale) -> Self {
        let cores = thread::available_parallelism().map_or(1, |n| n.get());
        // The best of many short runs: a machine that others use looks slower, never quicker, than it is.
        let steps_per_us = (0..scale.pick(200, 100, 3)).map(|_| alone()).fold(0.0, f64::max);
        let together = (0..scale.pick(10, 5, 1)).map(|_| steps_together(cores, scale) / steps_per_us);
        let cores_worth = together.fold(0.1, f64::max).min(cores as f64);
        Conditions { scale, cores, steps_per_us, cores_worth }
    }

    /// As arguments for a child.
    pub fn arguments(&self) -> Vec<String> {
        let scale = self.scale.pick("full", "quick", "tiny").to_string();
        vec![scale, self.cores.to_string(), self.steps_per_us.to_string(), self.cores_worth.to_string()]
    }

    /// From a child's arguments.
    pub fn read(arguments: &[String]) -> Self {
        let number = |index: usize| arguments[index].parse::<f64>().expect("a number");
        let scale = match arguments[0].as_str() {
            "full" => Scale::Full,
            "quick" => Scale::Quick,
            _ => Scale::Tiny,
        };
        Conditions { scale, cores: number(1) as usize, steps_per_us: number(2), cores_worth: number(3) }
    }

    /// Steps of [`compute`] for so many microseconds on a core that is alone.
    pub fn steps(&self, microseconds: f64) -> u32 {
        (self.steps_per_us * microseconds).max(1.0) as u32
    }
}

/// Steps that one core does in a microsecond.
fn alone() -> f64 {
    const STEPS: u32 = 1_000_000;
    let begin = Instant::now();
    std::hint::black_box(compute(STEPS));
    f64::from(STEPS) / begin.elapsed().as_secs_f64() / 1e6
}

/// Steps that all cores together do in a microsecond.
fn steps_together(cores: usize, scale: Scale) -> f64 {
    const STEPS: u32 = 10_000;
    let (stop, blocks) = (AtomicBool::new(false), AtomicU64::new(0));
    let begin = Instant::now();
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::black_box(compute(STEPS));
                    blocks.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        thread::sleep(Duration::from_millis(scale.pick(50, 50, 10)));
        stop.store(true, Ordering::Relaxed);
    });
    blocks.into_inner() as f64 * f64::from(STEPS) / begin.elapsed().as_secs_f64() / 1e6
}
