//! Results that go to one place in order: many short items, items of which one in eight takes ten times as long, and
//! a sink that takes as long as the items.

use super::row::LoopRow;
use super::workload::{OnFilch, OnRayon, Workload, chain};
use crate::support::args::Scale;
use crate::support::row::{Row, Unit};

/// Steps of a chain that takes a microsecond or so.
const MICROSECOND: u32 = 500;

pub fn rows(scale: Scale) -> Vec<Row> {
    let row = |id, what: &str, ordered: Ordered| {
        let title = format!("{} items of {what} to a sink, in order", ordered.len);
        LoopRow::new(id, title, Unit::MILLISECONDS, scale, ordered)
            .note("filch: `for_each_ordered`; rayon, which has none: collected into a vector, which then goes to the sink.")
            .filch_few()
            .rayon()
            .build()
    };
    let (short, long) = (scale.pick(100_000, 20_000, 300), scale.pick(1_000, 200, 30));
    let (one, twenty) = (MICROSECOND, 20 * MICROSECOND);
    vec![
        row("ordered-1us", "1 µs", Ordered { len: short, steps: one, uneven: 1, sink: 0 }),
        row(
            "ordered-uneven",
            "20 µs, one in eight of 200 µs",
            Ordered { len: long, steps: twenty, uneven: 10, sink: 0 },
        ),
        row(
            "ordered-sink",
            "20 µs, each with as long in the sink,",
            Ordered { len: long, steps: twenty, uneven: 1, sink: twenty },
        ),
    ]
}

struct Ordered {
    len: usize,
    steps: u32,
    /// What one item in eight takes, as compared with others.
    uneven: u32,
    /// Steps that the sink takes with each.
    sink: u32,
}

impl Ordered {
    fn make(&self, index: usize) -> u64 {
        chain(index as u64, if index % 8 == 3 { self.uneven * self.steps } else { self.steps })
    }

    /// What the sink does: its result depends on the order.
    fn sink(&self, sum: &mut u64, item: u64) {
        *sum = chain(sum.rotate_left(1) ^ item, self.sink);
    }
}

impl Workload for Ordered {
    type State = ();
    type Output = u64;

    fn state(&self) {}

    fn serial(&self, (): &mut ()) -> u64 {
        let mut sum = 1;
        (0..self.len).for_each(|index| self.sink(&mut sum, self.make(index)));
        sum
    }

    fn print(&self, (): &(), sum: u64) -> u64 {
        sum
    }
}

impl OnFilch for Ordered {
    fn filch(&self, (): &mut ()) -> u64 {
        use filch::prelude::*;
        let mut sum = 1;
        (0..self.len).into_par_iter().map(|index| self.make(index)).for_each_ordered(|item| self.sink(&mut sum, item));
        sum
    }
}

impl OnRayon for Ordered {
    fn rayon(&self, (): &mut ()) -> u64 {
        use rayon::prelude::*;
        let items: Vec<u64> = (0..self.len).into_par_iter().map(|index| self.make(index)).collect();
        let mut sum = 1;
        items.into_iter().for_each(|item| self.sink(&mut sum, item));
        sum
    }
}
