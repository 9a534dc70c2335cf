//! `par_split`, `par_split_inclusive` and `par_split_terminator` of strings.

use crate::par::bridge::bridge_unindexed;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};
use crate::par::sources::chars;
use crate::par::sources::pattern::Pattern;
use crate::par::sources::seams::{Seam, SeamProducer, Seams};

/// Matches that separate; they belong to no piece.
pub(crate) struct Between<'p, P>(pub(crate) &'p P);

/// Matches that end the piece they are in.
struct Ending<'p, P>(&'p P);

macro_rules! seams {
    ($handle:ident, |$at:ident, $after:ident| $seam:expr, |$pattern:ident, $data:ident, $folder:ident, $skip_last:ident| $fold:expr) => {
        impl<P> Copy for $handle<'_, P> {}

        impl<P> Clone for $handle<'_, P> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<P> $handle<'_, P> {
            /// The seam at the `char` that begins here.
            fn seam(data: &str, $at: usize) -> Seam {
                let $after = $at + data[$at..].chars().next().map_or(0, char::len_utf8);
                $seam
            }
        }

        impl<'ch, P: Pattern> Seams<&'ch str> for $handle<'_, P> {
            fn len(data: &&'ch str) -> usize {
                data.len()
            }

            fn boundary(data: &&'ch str, at: usize) -> usize {
                chars::boundary(data, at)
            }

            fn first(self, data: &&'ch str, from: usize, to: usize) -> Option<Seam> {
                self.0.find_in(&data[from..to]).map(|at| Self::seam(data, from + at))
            }

            fn last(self, data: &&'ch str, to: usize) -> Option<Seam> {
                self.0.rfind_in(&data[..to]).map(|at| Self::seam(data, at))
            }

            fn cut(data: &'ch str, seam: Seam) -> (&'ch str, &'ch str) {
                (&data[..seam.end], &data[seam.start..])
            }

            fn fold<F: Folder<&'ch str>>(self, $data: &'ch str, $folder: F, $skip_last: bool) -> F {
                let $pattern = self.0;
                $fold
            }
        }
    };
}
seams! {
    Between, |at, after| Seam { at, end: at, start: after },
    |pattern, data, folder, skip_last| pattern.fold_splits(data, folder, skip_last)
}
seams! {
    Ending, |at, after| Seam { at, end: after, start: after },
    |pattern, data, folder, _last| pattern.fold_inclusive(data, folder)
}

macro_rules! splits {
    ($(#[$doc:meta])* $name:ident, |$chars:ident, $pattern:ident| $producer:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        #[must_use = "parallel iterators do nothing until they are consumed"]
        pub struct $name<'ch, P: Pattern> {
            chars: &'ch str,
            separator: P,
        }

        impl<'ch, P: Pattern> $name<'ch, P> {
            pub(crate) fn new(chars: &'ch str, separator: P) -> Self {
                $name { chars, separator }
            }
        }

        impl<'ch, P: Pattern> ParallelIterator for $name<'ch, P> {
            type Item = &'ch str;

            fn drive<C: Consumer<&'ch str>>(self, consumer: C, place: Place) -> C::Result {
                let ($chars, $pattern) = (self.chars, &self.separator);
                bridge_unindexed($producer, consumer, place)
            }
        }
    };
}

splits! {
    /// Made by [`par_split`](crate::str::ParallelString::par_split).
    Split, |chars, separator| SeamProducer::new(chars, Between(separator))
}
splits! {
    /// Made by [`par_split_inclusive`](crate::str::ParallelString::par_split_inclusive).
    SplitInclusive, |chars, separator| SeamProducer::new(chars, Ending(separator))
}
splits! {
    /// Made by [`par_split_terminator`](crate::str::ParallelString::par_split_terminator).
    SplitTerminator, |chars, terminator| {
        // What comes after the last terminator counts, unless it is empty.
        let skip_last = chars.is_empty() || terminator.ends(chars);
        SeamProducer::terminated(chars, Between(terminator), skip_last)
    }
}
