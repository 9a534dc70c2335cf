//! `par_matches` and `par_match_indices` of strings.

use crate::par::bridge::bridge_unindexed;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, UnindexedProducer};
use crate::par::sources::chars::Text;
use crate::par::sources::pattern::Pattern;

macro_rules! matches {
    ($(#[$doc:meta])* $name:ident, $producer:ident, $item:ty, |$pattern:ident, $text:ident, $folder:ident| $fold:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        #[must_use = "parallel iterators do nothing until they are consumed"]
        pub struct $name<'ch, P: Pattern> {
            chars: &'ch str,
            pattern: P,
        }

        impl<'ch, P: Pattern> $name<'ch, P> {
            pub(crate) fn new(chars: &'ch str, pattern: P) -> Self {
                $name { chars, pattern }
            }
        }

        impl<'ch, P: Pattern> ParallelIterator for $name<'ch, P> {
            type Item = $item;

            fn drive<C: Consumer<$item>>(self, consumer: C, place: Place) -> C::Result {
                let producer = $producer { text: Text::whole(self.chars), pattern: &self.pattern };
                bridge_unindexed(producer, consumer, place)
            }
        }

        // A match is one `char`, so it lies on one side of any cut.
        struct $producer<'ch, 'p, P> {
            text: Text<'ch>,
            pattern: &'p P,
        }

        impl<'ch, 'p, P> $producer<'ch, 'p, P> {
            fn with(&self, (left, right): (Text<'ch>, Option<Text<'ch>>)) -> (Self, Option<Self>) {
                let with = |text| $producer { text, pattern: self.pattern };
                (with(left), right.map(with))
            }
        }

        impl<'ch, P: Pattern> UnindexedProducer for $producer<'ch, '_, P> {
            type Item = $item;

            fn split(self) -> (Self, Option<Self>) {
                self.with(self.text.halves())
            }

            fn split_front(self, items: usize) -> Result<(Self, Option<Self>), Self> {
                Ok(self.with(self.text.split_at(items.max(1))))
            }

            fn fold_with<F: Folder<$item>>(self, $folder: F) -> F {
                let ($pattern, $text) = (self.pattern, self.text);
                $fold
            }
        }
    };
}

matches! {
    /// Made by [`par_matches`](crate::str::ParallelString::par_matches).
    Matches, MatchesProducer, &'ch str,
    |pattern, text, folder| pattern.fold_matches(text.chars, folder)
}
matches! {
    /// Made by [`par_match_indices`](crate::str::ParallelString::par_match_indices).
    MatchIndices, MatchIndicesProducer, (usize, &'ch str),
    |pattern, text, folder| pattern.fold_match_indices(text.chars, text.base, folder)
}
