//! A loop in each turn of a loop: rows of numbers, in place.

use std::hint::black_box;

use super::pieces::{join_each, threads_each};
use super::row::LoopRow;
use super::workload::{OnJoin, OnThreads, Workload, chain, fingerprint};
use crate::support::args::Scale;
use crate::support::fork::Fork;
use crate::support::row::{Row, Unit};

/// Items of a leaf of joins.
const LEAF: usize = 1_000;

pub fn row(scale: Scale) -> Row {
    let len = scale.pick(1_000, 1_000, 20);
    let title = format!("for_each in for_each, {len} × {len}, about 1 ns each");
    LoopRow::new("nested", title, Unit::MICROSECONDS, scale, Nested { len })
        .note("orx-parallel and paralight are left out: their pools cannot run a loop inside a loop.")
        .filch()
        .rayon()
        .joins()
        .threads()
        .build()
}

struct Nested {
    len: usize,
}

struct Table {
    rows: Vec<Vec<u64>>,
    /// Of the chain; known only when the program runs.
    steps: u32,
}

impl Workload for Nested {
    type State = Table;
    type Output = ();

    fn state(&self) -> Table {
        Table { rows: vec![vec![0; self.len]; self.len], steps: black_box(1) }
    }

    fn reset(&self, table: &mut Table) {
        table.rows.iter_mut().flatten().zip(1..).for_each(|(number, index)| *number = index);
    }

    fn serial(&self, table: &mut Table) {
        each_row(&mut table.rows, table.steps);
    }

    fn print(&self, table: &Table, (): ()) -> u64 {
        fingerprint(table.rows.iter().flatten().copied())
    }
}

fn each_row(rows: &mut [Vec<u64>], steps: u32) {
    rows.iter_mut().for_each(|row| each(row, steps));
}

fn each(row: &mut [u64], steps: u32) {
    row.iter_mut().for_each(|number| *number = chain(*number, steps));
}

same_source! {
    Nested: |self, table| {
        let steps = table.steps;
        table.rows.par_iter_mut().for_each(|row| {
            row.par_iter_mut().for_each(|number| *number = chain(*number, steps));
        });
    };
}

impl OnJoin for Nested {
    fn join<F: Fork>(&self, handle: F::Handle<'_, '_>, table: &mut Table) {
        let steps = table.steps;
        join_each::<F, _, _>(handle, &mut table.rows, 1, &|mut handle, rows: &mut [Vec<u64>]| {
            for row in rows {
                let handle = F::again(&mut handle);
                join_each::<F, _, _>(handle, row, LEAF, &|_, numbers: &mut [u64]| each(numbers, steps));
            }
        });
    }
}

impl OnThreads for Nested {
    fn threads(&self, threads: usize, table: &mut Table) {
        let steps = table.steps;
        threads_each(threads, &mut table.rows, &|rows: &mut [Vec<u64>]| each_row(rows, steps));
    }
}
