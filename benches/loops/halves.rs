//! Parts of a sort: the element that would be in the middle, and the merge of two sorted halves. Each run begins with
//! the input as it was; copying it is not timed.

use super::row::LoopRow;
use super::workload::{OnFilch, OnRayon, Pace, Workload, fingerprint};
use crate::support::args::Scale;
use crate::support::rng::{Rng, mix};
use crate::support::row::{Row, Unit};

pub fn rows(scale: Scale) -> Vec<Row> {
    let len = scale.pick(10_000_000, 1_000_000, 3_000);
    let select = format!("the median of {len} u64, by select_nth_unstable");
    let merge = format!("merge of two sorted halves, {len} u64");
    vec![
        LoopRow::new("select-nth-10m", select, Unit::MILLISECONDS, scale, Select { len })
            .note("rayon has none.")
            .filch_few()
            .build(),
        LoopRow::new("merge-10m", merge, Unit::MILLISECONDS, scale, Merge { len })
            .note("serial: merged from a copy of the first half. rayon, which has no merge: its stable sort, which finds the halves.")
            .filch_few()
            .rayon()
            .build(),
    ]
}

/// The input, and a copy to work on.
struct Numbers {
    source: Vec<u64>,
    work: Vec<u64>,
}

impl Numbers {
    fn new(source: Vec<u64>) -> Self {
        Numbers { work: source.clone(), source }
    }

    fn undo(&mut self) {
        self.work.copy_from_slice(&self.source);
    }
}

fn random(len: usize) -> Vec<u64> {
    let mut rng = Rng::new(10);
    (0..len).map(|_| rng.next_u64()).collect()
}

struct Select {
    len: usize,
}

impl Workload for Select {
    type State = Numbers;
    type Output = u64;

    fn state(&self) -> Numbers {
        Numbers::new(random(self.len))
    }

    fn reset(&self, numbers: &mut Numbers) {
        numbers.undo();
    }

    fn serial(&self, numbers: &mut Numbers) -> u64 {
        *numbers.work.select_nth_unstable(self.len / 2).1
    }

    /// Both sides may be in any order.
    fn print(&self, numbers: &Numbers, median: u64) -> u64 {
        let sum = |part: &[u64]| part.iter().fold(0, |sum: u64, n| sum.wrapping_add(mix(*n)));
        let (before, behind) = numbers.work.split_at(self.len / 2);
        let in_place = before.iter().all(|n| *n <= median) && behind.iter().all(|n| *n >= median);
        fingerprint([median, sum(before), sum(behind), u64::from(in_place)])
    }

    fn pace(&self) -> Pace {
        Pace::Afresh
    }
}

impl OnFilch for Select {
    fn filch(&self, numbers: &mut Numbers) -> u64 {
        use filch::prelude::*;
        *numbers.work.par_select_nth_unstable(self.len / 2).1
    }
}

struct Merge {
    len: usize,
}

impl Workload for Merge {
    type State = Numbers;
    type Output = ();

    fn state(&self) -> Numbers {
        let mut numbers = random(self.len);
        let (left, right) = numbers.split_at_mut(self.len / 2);
        left.sort_unstable();
        right.sort_unstable();
        Numbers::new(numbers)
    }

    fn reset(&self, numbers: &mut Numbers) {
        numbers.undo();
    }

    fn serial(&self, numbers: &mut Numbers) {
        let (v, mid) = (&mut numbers.work, self.len / 2);
        let left = v[..mid].to_vec();
        let (mut l, mut r) = (0, mid);
        for to in 0..v.len() {
            let from_left = l < left.len() && (r == v.len() || left[l] <= v[r]);
            v[to] = if from_left { left[l] } else { v[r] };
            l += usize::from(from_left);
            r += usize::from(!from_left);
        }
    }

    fn print(&self, numbers: &Numbers, (): ()) -> u64 {
        fingerprint(numbers.work.iter().copied())
    }

    fn pace(&self) -> Pace {
        Pace::Afresh
    }
}

impl OnFilch for Merge {
    fn filch(&self, numbers: &mut Numbers) {
        use filch::prelude::*;
        numbers.work.par_merge(self.len / 2);
    }
}

impl OnRayon for Merge {
    fn rayon(&self, numbers: &mut Numbers) {
        use rayon::prelude::*;
        numbers.work.par_sort();
    }
}
