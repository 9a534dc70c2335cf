//! Terminals: what they make of items is compared with what plain iterators make of them.

mod collected;
mod counted;
mod folded;

use std::fmt::Debug;
use std::num::Wrapping;

use collected::COLLECTED;
use counted::COUNTED;
use folded::FOLDED;

use super::sources::{Case, Either};
use crate::erased::{Counted, Par};
use crate::support::Rng;

#[derive(Clone, Copy)]
pub enum End {
    /// Of any iterator, also if the items have no order.
    Any(fn(Par<'_, u64>, &Expected, &mut Rng)),
    /// Of any whose items have an order.
    Ordered(fn(Par<'_, u64>, &Expected, &mut Rng)),
    /// Of indexed ones whose items have an order.
    Counted(fn(Counted<'_, u64>, &Expected, &mut Rng)),
}

pub type Terminal = (&'static str, End);

/// False if the types, or the lack of order, do not allow it.
pub fn ended(case: Case<'_>, end: &End, rng: &mut Rng) -> bool {
    let expected = Expected { items: case.items, ordered: case.ordered };
    match (case.iter, end) {
        (Either::Any(iter), End::Any(f)) => f(iter, &expected, rng),
        (Either::Counted(iter), End::Any(f)) => f(Par::new(iter), &expected, rng),
        (Either::Any(iter), End::Ordered(f)) if expected.ordered => f(iter, &expected, rng),
        (Either::Counted(iter), End::Ordered(f)) if expected.ordered => f(Par::new(iter), &expected, rng),
        (Either::Counted(iter), End::Counted(f)) if expected.ordered => f(iter, &expected, rng),
        _ => return false,
    }
    true
}

pub struct Expected {
    pub items: Vec<u64>,
    pub ordered: bool,
}

impl Expected {
    pub fn is(&self, items: impl IntoIterator<Item = u64>) {
        let items: Vec<u64> = items.into_iter().collect();
        if self.ordered {
            same(&items, &self.items);
        } else {
            same(&sorted(items), &sorted(self.items.clone()));
        }
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u64> + ExactSizeIterator + Clone {
        self.items.iter().copied()
    }

    /// An item, or one that is not there.
    pub fn one(&self, rng: &mut Rng) -> u64 {
        if self.items.is_empty() || rng.one_in(6) {
            return 98_765_432_109;
        }
        self.items[rng.below(self.items.len() as u64) as usize]
    }
}

pub fn sorted(mut items: Vec<u64>) -> Vec<u64> {
    items.sort_unstable();
    items
}

pub fn same<T: PartialEq + Debug>(got: &[T], expected: &[T]) {
    if got != expected {
        let at = got.iter().zip(expected).take_while(|(a, b)| a == b).count();
        let (a, b) = (&got[at..got.len().min(at + 8)], &expected[at..expected.len().min(at + 8)]);
        panic!("{} items, {} expected; at {at}: {a:?}, expected {b:?}", got.len(), expected.len());
    }
}

/// Maps `x -> a * x + b`, one after the other: associative, but the order matters.
pub type Affine = (Wrapping<u64>, Wrapping<u64>);

pub fn affine(item: u64) -> Affine {
    (Wrapping(2 * item + 3), Wrapping(item + 1))
}

pub fn then(left: Affine, right: Affine) -> Affine {
    (left.0 * right.0, left.1 * right.0 + right.1)
}

pub const STILL: Affine = (Wrapping(1), Wrapping(0));

pub fn hasher(item: u64) -> u64 {
    item.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60
}

pub fn text(item: u64) -> char {
    char::from(b'a' + (item % 26) as u8)
}
pub const TERMINALS: &[Terminal] = &ALL;

const ALL: [Terminal; COLLECTED.len() + FOLDED.len() + COUNTED.len()] = {
    let mut all = [FOLDED[0]; COLLECTED.len() + FOLDED.len() + COUNTED.len()];
    let (mut part, mut i, mut filled) = (0, 0, 0);
    let parts = [COLLECTED, FOLDED, COUNTED];
    while filled < all.len() {
        if i == parts[part].len() {
            (part, i) = (part + 1, 0);
        } else {
            all[filled] = parts[part][i];
            (i, filled) = (i + 1, filled + 1);
        }
    }
    all
};

/// Each is one of the expected, none more often than there; in order, if there is one.
pub fn some_of(items: Vec<u64>, expected: &Expected) {
    let (items, all) = match expected.ordered {
        true => (items, expected.items.clone()),
        false => (sorted(items), sorted(expected.items.clone())),
    };
    let mut rest = all.iter();
    assert!(items.iter().all(|item| rest.any(|other| other == item)), "{items:?} are not some of {all:?}, in order");
}
