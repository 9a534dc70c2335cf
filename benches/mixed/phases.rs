//! Phases of 100 ms in turn: only tasks, which yield and pass messages to each other, and only closures. One pool can
//! give all its threads to whichever there is; a split of the cores between two pools cannot.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use tokio::sync::mpsc;

use super::conditions::Conditions;
use super::contenders::{Closures, Filch, Mix, SmolBlocking, TokioAlone, TokioBlocking, TokioRayon};
use super::load::{BLOCK_US, Compute, Load};
use crate::support::sheet::{Figure, Sheet};
use crate::support::usage::{Threads, Usage};

const FIGURES: &[Figure] = &[
    Figure::new("tasks-used", "tasks: % of the cores used"),
    Figure::new("exchanges", "tasks: exchanges/ms"),
    Figure::new("closures-used", "closures: % of the cores used"),
    Figure::new("useful", "closures: cores' worth"),
    Figure::new("threads", "threads"),
];

/// Pairs of tasks that exchange messages.
const PAIRS: usize = 32;
const DEADLINE: Duration = Duration::from_secs(60);
/// What a closure lasts, in blocks.
const BLOCKS: u64 = 10;

const NOTE: &str = "An exchange is a message, an answer, and a yield of each side, over a channel of tokio for all. Two \
    pools: one of a worker for tasks, and one with the rest of the cores for closures. Everybody \
    else has a thread for each core in both; tokio's closures are tasks that yield between.";

pub fn sheet(conditions: Conditions) -> Sheet {
    let mut sheet = Sheet::new("phases", "100 ms of tasks, 100 ms of closures, in turn", FIGURES);
    sheet.note = NOTE;
    let cores = conditions.cores;
    push_one::<Filch>(&mut sheet, conditions);
    push_one::<TokioRayon>(&mut sheet, conditions);
    push_one::<TokioBlocking>(&mut sheet, conditions);
    push_one::<SmolBlocking>(&mut sheet, conditions);
    push_one::<TokioAlone>(&mut sheet, conditions);
    if cores > 1 {
        push::<Filch, Filch>(&mut sheet, "filch, two pools", conditions, |c| (Filch::start(1), Filch::start(c - 1)));
        push::<TokioRayon, TokioRayon>(&mut sheet, "tokio + rayon, split", conditions, |c| {
            let pools = TokioRayon::split(1, c - 1);
            (pools, pools)
        });
    }
    sheet
}

/// With what it has for tasks and for closures, made together.
fn push_one<M: Mix>(sheet: &mut Sheet, conditions: Conditions) {
    push::<M, M>(sheet, M::NAME, conditions, |cores| {
        let both = M::start(cores);
        (both, both)
    });
}

/// `start` makes a pool for tasks and one for closures, which may be the same.
fn push<M: Mix, C: Closures>(
    sheet: &mut Sheet,
    name: &'static str,
    conditions: Conditions,
    start: fn(usize) -> (M, C),
) {
    sheet.push(name, conditions.cores, move || {
        let (tasks, closures) = start(conditions.cores);
        trial(&conditions, tasks, closures)
    });
}

/// What one sort of phases has seen altogether.
#[derive(Default)]
struct Seen {
    time: Duration,
    usage: Usage,
    done: u64,
}

impl Seen {
    /// Lets one phase pass, and looks at what `count` says before and after.
    fn phase(&mut self, length: Duration, count: impl Fn() -> u64) {
        let (begin, usage, before) = (Instant::now(), Usage::now(), count());
        thread::sleep(length);
        self.usage = self.usage.and(Usage::now().since(usage));
        self.done += count() - before;
        self.time += begin.elapsed();
    }

    /// Processor time, in percent of what all cores have.
    fn used(&self, cores: usize) -> f64 {
        100.0 * self.usage.cpu.as_secs_f64() / (self.time.as_secs_f64() * cores as f64)
    }
}

fn trial<M: Mix, C: Closures>(conditions: &Conditions, tasks: M, closures: C) -> Vec<f64> {
    let phases = conditions.scale.pick(8, 3, 1);
    let length = Duration::from_millis(conditions.scale.pick(100, 100, 5));
    let crowd = Crowd::start(tasks);
    let body = Compute::new(conditions, BLOCKS);
    let (mut io, mut cpu, mut threads) = (Seen::default(), Seen::default(), Threads::default());
    for _ in 0..phases {
        crowd.begin();
        io.phase(length, || crowd.exchanges());
        crowd.end();
        let load = Load::start(closures, 4 * conditions.cores, body);
        cpu.phase(length, || load.blocks());
        threads = threads.most(Threads::now().unwrap_or_default());
        load.stop();
    }
    crowd.check();
    vec![
        io.used(conditions.cores),
        io.done as f64 / (io.time.as_secs_f64() * 1e3),
        cpu.used(conditions.cores),
        cpu.done as f64 * BLOCK_US / 1e6 / cpu.time.as_secs_f64(),
        threads.all as f64,
    ]
}

/// Pairs of tasks, which exchange messages while they shall.
struct Crowd {
    shared: Arc<Shared>,
    /// One for each pair: a message there begins a phase.
    begins: Vec<mpsc::UnboundedSender<()>>,
}

struct Shared {
    on: AtomicBool,
    /// Pairs that are in the middle of a phase.
    busy: AtomicUsize,
    /// By pair, what has been asked and what has been answered.
    asked: Vec<CachePadded<AtomicU64>>,
    answered: Vec<CachePadded<AtomicU64>>,
}

impl Crowd {
    fn start(mix: impl Mix) -> Self {
        let counters = || (0..PAIRS).map(|_| CachePadded::default()).collect();
        let (on, busy) = (AtomicBool::new(false), AtomicUsize::new(0));
        let shared = Arc::new(Shared { on, busy, asked: counters(), answered: counters() });
        let begins = (0..PAIRS).map(|pair| start_pair(mix, &shared, pair)).collect();
        Crowd { shared, begins }
    }

    fn begin(&self) {
        self.shared.on.store(true, Ordering::Relaxed);
        self.shared.busy.store(PAIRS, Ordering::Relaxed);
        self.begins.iter().for_each(|begin| begin.send(()).expect("the pairs wait for the next phase"));
    }

    /// Ends the phase and waits until all pairs are at rest.
    fn end(&self) {
        self.shared.on.store(false, Ordering::Relaxed);
        let begin = Instant::now();
        // Acquire pairs with the Release of a pair that comes to rest, for its counters.
        while self.shared.busy.load(Ordering::Acquire) > 0 {
            assert!(begin.elapsed() < DEADLINE, "a message has been lost");
            thread::sleep(Duration::from_micros(100));
        }
    }

    fn exchanges(&self) -> u64 {
        self.shared.asked.iter().map(|pair| pair.load(Ordering::Relaxed)).sum()
    }

    /// Every message has had its answer, and nobody was left out.
    fn check(&self) {
        for (asked, answered) in self.shared.asked.iter().zip(&self.shared.answered) {
            let (asked, answered) = (asked.load(Ordering::Relaxed), answered.load(Ordering::Relaxed));
            assert!(asked > 0 && asked == answered, "{asked} messages and {answered} answers");
        }
    }
}

/// Two tasks. The first asks, and rests between phases; the second answers.
fn start_pair<M: Mix>(mix: M, shared: &Arc<Shared>, pair: usize) -> mpsc::UnboundedSender<()> {
    let (begin, begun) = mpsc::unbounded_channel();
    let (question, questions) = mpsc::unbounded_channel();
    let (answer, answers) = mpsc::unbounded_channel();
    mix.task(ask(mix, Arc::clone(shared), pair, begun, question, answers));
    mix.task(reply(mix, Arc::clone(shared), pair, questions, answer));
    begin
}

async fn ask<M: Mix>(
    mix: M,
    shared: Arc<Shared>,
    pair: usize,
    mut begun: mpsc::UnboundedReceiver<()>,
    question: mpsc::UnboundedSender<u64>,
    mut answers: mpsc::UnboundedReceiver<u64>,
) {
    let mut number = 0;
    while begun.recv().await.is_some() {
        loop {
            question.send(number).expect("the other side answers");
            assert_eq!(answers.recv().await, Some(number + 1));
            number += 1;
            shared.asked[pair].store(number, Ordering::Relaxed);
            if !shared.on.load(Ordering::Relaxed) {
                break;
            }
            mix.yield_now().await;
        }
        shared.busy.fetch_sub(1, Ordering::Release);
    }
}

async fn reply<M: Mix>(
    mix: M,
    shared: Arc<Shared>,
    pair: usize,
    mut questions: mpsc::UnboundedReceiver<u64>,
    answer: mpsc::UnboundedSender<u64>,
) {
    while let Some(number) = questions.recv().await {
        shared.answered[pair].fetch_add(1, Ordering::Relaxed);
        answer.send(number + 1).expect("the other side waits");
        mix.yield_now().await;
    }
}
