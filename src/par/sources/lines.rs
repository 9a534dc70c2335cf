//! `par_lines`, `par_split_whitespace` and `par_split_ascii_whitespace` of strings.

use crate::par::bridge::bridge_unindexed;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};
use crate::par::sources::chars;
use crate::par::sources::seams::{Seam, SeamProducer, Seams};
use crate::par::sources::str_split::{Between, SplitTerminator};

/// Made by [`par_lines`](crate::str::ParallelString::par_lines).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Lines<'ch> {
    chars: &'ch str,
}

impl<'ch> Lines<'ch> {
    pub(crate) fn new(chars: &'ch str) -> Self {
        Lines { chars }
    }
}

impl<'ch> ParallelIterator for Lines<'ch> {
    type Item = &'ch str;

    fn drive<C: Consumer<&'ch str>>(self, consumer: C, place: Place) -> C::Result {
        let line = |line: &'ch str| line.strip_suffix('\r').unwrap_or(line);
        SplitTerminator::new(self.chars, '\n').map(line).drive(consumer, place)
    }
}

/// Pieces between `char`s of a kind, of which those that are empty do not count.
#[derive(Clone, Copy)]
struct Words(fn(char) -> bool);

impl<'ch> Seams<&'ch str> for Words {
    fn len(data: &&'ch str) -> usize {
        data.len()
    }

    fn boundary(data: &&'ch str, at: usize) -> usize {
        chars::boundary(data, at)
    }

    fn first(self, data: &&'ch str, from: usize, to: usize) -> Option<Seam> {
        Between(&self.0).first(data, from, to)
    }

    fn last(self, data: &&'ch str, to: usize) -> Option<Seam> {
        Between(&self.0).last(data, to)
    }

    fn cut(data: &'ch str, seam: Seam) -> (&'ch str, &'ch str) {
        Between::<fn(char) -> bool>::cut(data, seam)
    }

    fn counts(piece: &&'ch str) -> bool {
        !piece.is_empty()
    }

    fn fold<F: Folder<&'ch str>>(self, data: &'ch str, folder: F, _: bool) -> F {
        folder.consume_iter(data.split(self.0).filter(Self::counts))
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $separator:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        #[must_use = "parallel iterators do nothing until they are consumed"]
        pub struct $name<'ch> {
            chars: &'ch str,
        }

        impl<'ch> $name<'ch> {
            pub(crate) fn new(chars: &'ch str) -> Self {
                $name { chars }
            }
        }

        impl<'ch> ParallelIterator for $name<'ch> {
            type Item = &'ch str;

            fn drive<C: Consumer<&'ch str>>(self, consumer: C, place: Place) -> C::Result {
                bridge_unindexed(SeamProducer::new(self.chars, Words($separator)), consumer, place)
            }
        }
    };
}
words! {
    /// Made by [`par_split_whitespace`](crate::str::ParallelString::par_split_whitespace).
    SplitWhitespace, char::is_whitespace
}
words! {
    /// Made by [`par_split_ascii_whitespace`](crate::str::ParallelString::par_split_ascii_whitespace).
    SplitAsciiWhitespace, |c| c.is_ascii_whitespace()
}
