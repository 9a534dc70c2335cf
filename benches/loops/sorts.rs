//! Sorting, stable and unstable: random numbers of many lengths, short strings, and two kinds of input that a sort may
//! find easy. Each run begins with the unsorted input; copying it is not timed.

use super::row::LoopRow;
use super::workload::{OnFilch, OnRayon, Pace, Workload, fingerprint};
use crate::support::args::Scale;
use crate::support::rng::Rng;
use crate::support::row::{Row, Unit};

/// Stable and unstable name, items, and what they are.
const NUMBERS: [(&str, &str, usize, Input); 7] = [
    ("sort-1k", "sort-unstable-1k", 1_000, Input::Random),
    ("sort-10k", "sort-unstable-10k", 10_000, Input::Random),
    ("sort-100k", "sort-unstable-100k", 100_000, Input::Random),
    ("sort-1m", "sort-unstable-1m", 1_000_000, Input::Random),
    ("sort-10m", "sort-unstable-10m", 10_000_000, Input::Random),
    ("sort-nearly-10m", "sort-unstable-nearly-10m", 10_000_000, Input::NearlySorted),
    ("sort-few-10m", "sort-unstable-few-10m", 10_000_000, Input::FewDistinct),
];

pub fn rows(scale: Scale) -> Vec<Row> {
    let shorter = |len: usize| scale.pick(len, len.min(1_000_000), len.min(3_000));
    let mut rows = Vec::new();
    for (stable, unstable, len, input) in NUMBERS {
        let unit = if len < 100_000 { Unit::MICROSECONDS } else { Unit::MILLISECONDS };
        let len = shorter(len);
        let items = format!("{len} u64, {}", input.in_words());
        let numbers = move || input.numbers(len);
        rows.push(row(stable, format!("stable sort of {items}"), unit, scale, Stable(Box::new(numbers))));
        rows.push(row(unstable, format!("unstable sort of {items}"), unit, scale, Unstable(Box::new(numbers))));
    }
    let len = shorter(1_000_000);
    let items = format!("{len} strings of 4 to 16 bytes");
    let words = move || words(len);
    rows.push(row(
        "sort-strings-1m",
        format!("stable sort of {items}"),
        Unit::MILLISECONDS,
        scale,
        Stable(Box::new(words)),
    ));
    rows.push(row(
        "sort-unstable-strings-1m",
        format!("unstable sort of {items}"),
        Unit::MILLISECONDS,
        scale,
        Unstable(Box::new(words)),
    ));
    rows
}

fn row<W: OnFilch + OnRayon>(id: &'static str, title: String, unit: Unit, scale: Scale, workload: W) -> Row {
    LoopRow::new(id, title, unit, scale, workload).filch().rayon().build()
}

#[derive(Clone, Copy, Debug)]
enum Input {
    Random,
    /// In order but for one number in a hundred.
    NearlySorted,
    /// A hundred different numbers.
    FewDistinct,
}

impl Input {
    fn in_words(self) -> &'static str {
        match self {
            Input::Random => "random",
            Input::NearlySorted => "one in a hundred out of order",
            Input::FewDistinct => "a hundred different ones",
        }
    }

    fn numbers(self, len: usize) -> Vec<u64> {
        let mut rng = Rng::new(6);
        let number = |index: usize| match self {
            Input::Random => rng.next_u64(),
            Input::NearlySorted if rng.below(100) > 0 => index as u64,
            Input::NearlySorted => rng.below(len) as u64,
            Input::FewDistinct => rng.below(100) as u64,
        };
        (0..len).map(number).collect()
    }
}

/// Random words. They lie in one piece of memory, which is never freed, so that all contenders find them alike.
fn words(len: usize) -> Vec<&'static str> {
    let mut rng = Rng::new(7);
    let lens: Vec<usize> = (0..len).map(|_| 4 + rng.below(13)).collect();
    let letters = (0..lens.iter().sum()).map(|_| char::from(b'a' + rng.below(26) as u8));
    let mut rest: &'static str = letters.collect::<String>().leak();
    let word = |len| {
        let word;
        (word, rest) = rest.split_at(len);
        word
    };
    lens.into_iter().map(word).collect()
}

/// What is sorted.
trait Key: Ord + Copy + Send + Sync + 'static {
    fn digest(self) -> u64;
}

impl Key for u64 {
    fn digest(self) -> u64 {
        self
    }
}

impl Key for &'static str {
    fn digest(self) -> u64 {
        fingerprint(self.bytes().map(u64::from))
    }
}

/// The unsorted input, and a copy to sort.
struct Keys<T> {
    source: Vec<T>,
    work: Vec<T>,
}

impl<T: Key> Keys<T> {
    fn new(source: Vec<T>) -> Self {
        Keys { work: source.clone(), source }
    }

    /// Whatever the work has become, it is the source again.
    fn undo(&mut self) {
        self.work.copy_from_slice(&self.source);
    }

    fn print(&self) -> u64 {
        fingerprint(self.work.iter().map(|key| key.digest()))
    }
}

/// Makes the unsorted input.
type Make<T> = Box<dyn Fn() -> Vec<T> + Sync>;

struct Stable<T>(Make<T>);
struct Unstable<T>(Make<T>);

impl<T: Key> Workload for Stable<T> {
    type State = Keys<T>;
    type Output = ();

    fn state(&self) -> Keys<T> {
        Keys::new((self.0)())
    }

    fn reset(&self, keys: &mut Keys<T>) {
        keys.undo();
    }

    fn serial(&self, keys: &mut Keys<T>) {
        keys.work.sort();
    }

    fn print(&self, keys: &Keys<T>, (): ()) -> u64 {
        keys.print()
    }

    fn pace(&self) -> Pace {
        Pace::Afresh
    }
}

impl<T: Key> Workload for Unstable<T> {
    type State = Keys<T>;
    type Output = ();

    fn state(&self) -> Keys<T> {
        Keys::new((self.0)())
    }

    fn reset(&self, keys: &mut Keys<T>) {
        keys.undo();
    }

    fn serial(&self, keys: &mut Keys<T>) {
        keys.work.sort_unstable();
    }

    fn print(&self, keys: &Keys<T>, (): ()) -> u64 {
        keys.print()
    }

    fn pace(&self) -> Pace {
        Pace::Afresh
    }
}

same_source! {
    Stable<u64>: |self, keys| keys.work.par_sort();
    Stable<&'static str>: |self, keys| keys.work.par_sort();
    Unstable<u64>: |self, keys| keys.work.par_sort_unstable();
    Unstable<&'static str>: |self, keys| keys.work.par_sort_unstable();
}
