//! The n queens problem: all solutions, by trying every free column of a row and copying the board for each. Once with
//! a job per child (a scope), once with joins of halves of the list of children.

use super::ONE_AND_TWO;
use crate::support::args::Scale;
use crate::support::fork::Fork;
use crate::support::forte_pool::Forte;
use crate::support::kernel::{Kernel, KernelRow};
use crate::support::libraries::{Chili, Filch, Rayon};
use crate::support::row::{Row, Unit};

/// Solutions for boards of 0 to 12.
const SOLUTIONS: [u64; 13] = [1, 1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2_680, 14_200];

pub fn rows(scale: Scale) -> Vec<Row> {
    let size = scale.pick(12, 9, 6);
    let by_join = KernelRow::new("queens-join", format!("{size} queens by join"), Unit::MILLISECONDS, ByJoin { size })
        .serial()
        .library::<Filch>(ONE_AND_TWO)
        .library::<Rayon>(ONE_AND_TWO)
        .library::<Chili>(ONE_AND_TWO)
        .library::<Forte>(ONE_AND_TWO);
    let by_fan_out = KernelRow::new(
        "queens-fan",
        format!("{size} queens by fan-out"),
        Unit::MILLISECONDS,
        ByFanOut { size },
    )
    .note("chili has no scopes and fans out by joins; this forte shares work only at joins, so its scopes run on one thread.")
    .serial()
    .library::<Filch>(ONE_AND_TWO)
    .library::<Rayon>(ONE_AND_TWO)
    .library::<Chili>(ONE_AND_TWO)
    .library::<Forte>(ONE_AND_TWO);
    vec![by_join.build(), by_fan_out.build()]
}

/// The column of the queen in each row filled so far.
#[derive(Clone, Copy)]
struct Board {
    columns: [u8; 12],
    rows: u8,
}

impl Board {
    const EMPTY: Board = Board { columns: [0; 12], rows: 0 };

    /// This board with one queen more, if no other attacks it.
    fn with(&self, column: u8) -> Option<Board> {
        let filled = &self.columns[..usize::from(self.rows)];
        let attacked = filled.iter().enumerate().any(|(row, &other)| {
            let distance = self.rows - row as u8;
            other == column || other.abs_diff(column) == distance
        });
        if attacked {
            return None;
        }
        let mut board = *self;
        board.columns[usize::from(self.rows)] = column;
        board.rows += 1;
        Some(board)
    }
}

/// A child board, and the number of its solutions once known.
#[derive(Clone, Copy)]
struct Child {
    board: Board,
    solutions: u64,
}

/// All boards one queen further.
struct Children {
    all: [Child; 12],
    count: usize,
}

impl Children {
    fn of(board: &Board, size: u8) -> Self {
        let mut children = Children { all: [Child { board: Board::EMPTY, solutions: 0 }; 12], count: 0 };
        for child in (0..size).filter_map(|column| board.with(column)) {
            children.all[children.count].board = child;
            children.count += 1;
        }
        children
    }

    fn list(&mut self) -> &mut [Child] {
        &mut self.all[..self.count]
    }
}

fn serial(board: &Board, size: u8) -> u64 {
    if board.rows == size {
        return 1;
    }
    (0..size).filter_map(|column| board.with(column)).map(|child| serial(&child, size)).sum()
}

struct ByJoin {
    size: u8,
}

impl Kernel for ByJoin {
    type State = ();
    type Output = u64;

    fn state(&self) {}

    fn serial(&self, (): &mut ()) -> u64 {
        serial(&Board::EMPTY, self.size)
    }

    fn parallel<F: Fork>(&self, handle: F::Handle<'_, '_>, (): &mut ()) -> u64 {
        by_join::<F>(handle, &Board::EMPTY, self.size)
    }

    fn check(&self, (): &(), output: u64) {
        assert_eq!(output, SOLUTIONS[usize::from(self.size)]);
    }
}

fn by_join<F: Fork>(handle: F::Handle<'_, '_>, board: &Board, size: u8) -> u64 {
    if board.rows == size {
        return 1;
    }
    halves::<F>(handle, Children::of(board, size).list(), size)
}

fn halves<F: Fork>(handle: F::Handle<'_, '_>, children: &[Child], size: u8) -> u64 {
    match children {
        [] => 0,
        [child] => by_join::<F>(handle, &child.board, size),
        _ => {
            let (left, right) = children.split_at(children.len() / 2);
            let (a, b) = F::join(handle, |h| halves::<F>(h, left, size), |h| halves::<F>(h, right, size));
            a + b
        }
    }
}

struct ByFanOut {
    size: u8,
}

impl Kernel for ByFanOut {
    type State = ();
    type Output = u64;

    fn state(&self) {}

    fn serial(&self, (): &mut ()) -> u64 {
        serial(&Board::EMPTY, self.size)
    }

    fn parallel<F: Fork>(&self, handle: F::Handle<'_, '_>, (): &mut ()) -> u64 {
        by_fan_out::<F>(handle, &Board::EMPTY, self.size)
    }

    fn check(&self, (): &(), output: u64) {
        assert_eq!(output, SOLUTIONS[usize::from(self.size)]);
    }
}

fn by_fan_out<F: Fork>(handle: F::Handle<'_, '_>, board: &Board, size: u8) -> u64 {
    if board.rows == size {
        return 1;
    }
    let mut children = Children::of(board, size);
    F::fan_out(handle, children.list(), &|h, child: &mut Child| {
        child.solutions = by_fan_out::<F>(h, &child.board, size);
    });
    children.list().iter().map(|child| child.solutions).sum()
}
