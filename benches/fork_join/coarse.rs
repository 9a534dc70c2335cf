//! Coarse irregular work: a random binary tree whose leaves take 0.1 to 20 ms each. What counts is that nobody is idle
//! while a leaf waits to be taken. A leaf spins for its time by the wall clock, so that four workers on two cores
//! behave much like four cores.
//!
//! The greedy bound is computed, not run: the leaves from left to right, each given to the worker that is free first
//! (Graham 1966), with no cost for anything else.

use std::time::Duration;

use crate::support::args::Scale;
use crate::support::cpu::spin;
use crate::support::fork::Fork;
use crate::support::forte_pool::Forte;
use crate::support::kernel::{Kernel, KernelRow};
use crate::support::libraries::{Chili, Filch, Rayon};
use crate::support::rng::Rng;
use crate::support::row::{Contender, Row, Unit};

pub fn rows(scale: Scale) -> Vec<Row> {
    vec![row("coarse-2", 2, scale), row("coarse-4", 4, scale)]
}

fn row(id: &'static str, workers: usize, scale: Scale) -> Row {
    let forest = Forest::new(scale.pick(4, 1, 1), scale.pick(48, 24, 3));
    let leaves = forest.trees.iter().map(|tree| tree.leaves()).sum::<usize>();
    let greedy = forest.trees.iter().map(|tree| tree.greedy(workers)).sum();
    let title = format!("coarse random trees, {leaves} leaves of 0.1–20 ms");
    KernelRow::new(id, title, Unit::MILLISECONDS, forest)
        .note("The greedy bound is computed from the leaves' times; chili and forte count the caller as a worker.")
        .contender(Contender::bound("greedy bound", workers, greedy))
        .serial()
        .library::<Filch>(&[workers])
        .library::<Rayon>(&[workers])
        .library::<Chili>(&[workers])
        .library::<Forte>(&[workers])
        .build()
}

/// A binary tree; the time is a leaf's.
enum Tree {
    Leaf(Duration),
    Fork(Box<(Tree, Tree)>),
}

impl Tree {
    /// A tree of so many leaves, split at random all the way down. Times are lognormal with a median of 2 ms, cut to
    /// 0.1–20 ms.
    fn random(rng: &mut Rng, leaves: usize) -> Tree {
        if leaves == 1 {
            let milliseconds = (2.0 * (1.2 * rng.normal()).exp()).clamp(0.1, 20.0);
            return Tree::Leaf(Duration::from_secs_f64(milliseconds / 1e3));
        }
        let left = 1 + rng.below(leaves - 1);
        Tree::Fork(Box::new((Tree::random(rng, left), Tree::random(rng, leaves - left))))
    }

    fn leaves(&self) -> usize {
        match self {
            Tree::Leaf(_) => 1,
            Tree::Fork(arms) => arms.0.leaves() + arms.1.leaves(),
        }
    }

    /// When the last of so many greedy workers ends.
    fn greedy(&self, workers: usize) -> Duration {
        let mut free_at = vec![Duration::ZERO; workers];
        self.assign(&mut free_at);
        free_at.into_iter().max().unwrap_or_default()
    }

    fn assign(&self, free_at: &mut [Duration]) {
        match self {
            Tree::Leaf(time) => {
                let first_free = free_at.iter_mut().min().expect("at least one worker");
                *first_free += *time;
            }
            Tree::Fork(arms) => {
                arms.0.assign(free_at);
                arms.1.assign(free_at);
            }
        }
    }
}

/// Several trees, walked one after the other, so that luck with one shape evens out.
struct Forest {
    trees: Vec<Tree>,
}

impl Forest {
    fn new(trees: u64, leaves: usize) -> Self {
        Forest { trees: (0..trees).map(|seed| Tree::random(&mut Rng::new(seed), leaves)).collect() }
    }
}

impl Kernel for Forest {
    type State = ();
    type Output = usize;

    fn state(&self) {}

    fn serial(&self, (): &mut ()) -> usize {
        self.trees.iter().map(walk_alone).sum()
    }

    fn parallel<F: Fork>(&self, mut handle: F::Handle<'_, '_>, (): &mut ()) -> usize {
        self.trees.iter().map(|tree| walk::<F>(F::again(&mut handle), tree)).sum()
    }

    fn check(&self, (): &(), output: usize) {
        assert_eq!(output, self.trees.iter().map(Tree::leaves).sum::<usize>());
    }
}

fn walk_alone(tree: &Tree) -> usize {
    match tree {
        Tree::Leaf(time) => {
            spin(*time);
            1
        }
        Tree::Fork(arms) => walk_alone(&arms.0) + walk_alone(&arms.1),
    }
}

fn walk<F: Fork>(handle: F::Handle<'_, '_>, tree: &Tree) -> usize {
    match tree {
        Tree::Leaf(time) => {
            spin(*time);
            1
        }
        Tree::Fork(arms) => {
            let (a, b) = F::join(handle, |h| walk::<F>(h, &arms.0), |h| walk::<F>(h, &arms.1));
            a + b
        }
    }
}
