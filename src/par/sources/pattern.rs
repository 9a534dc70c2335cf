//! What strings are searched for: a `char`, one of several `char`s, or `char`s for which a closure holds.

use crate::par::plumbing::Folder;

/// Finds `char`s in strings.
///
/// Implemented for `char`, `&[char]`, `[char; N]`, `&[char; N]` and `F: Fn(char) -> bool + Sync + Send`, and not for
/// others to implement: std's own trait of this purpose is not stable.
pub trait Pattern: Sized + Sync + Send {
    /// Where the first match begins.
    fn find_in(&self, haystack: &str) -> Option<usize>;

    /// Where the last match begins.
    fn rfind_in(&self, haystack: &str) -> Option<usize>;

    /// Whether the string ends with a match.
    fn ends(&self, haystack: &str) -> bool;

    /// What lies between matches, perhaps without the last.
    fn fold_splits<'ch, F: Folder<&'ch str>>(&self, haystack: &'ch str, folder: F, skip_last: bool) -> F;

    /// What ends with matches, and what is left.
    fn fold_inclusive<'ch, F: Folder<&'ch str>>(&self, haystack: &'ch str, folder: F) -> F;

    /// The matches.
    fn fold_matches<'ch, F: Folder<&'ch str>>(&self, haystack: &'ch str, folder: F) -> F;

    /// The matches, and where they begin, counted from `base` on.
    fn fold_match_indices<'ch, F: Folder<(usize, &'ch str)>>(&self, haystack: &'ch str, base: usize, folder: F) -> F;
}

macro_rules! pattern {
    (impl[$($generics:tt)*] $kind:ty, |$this:ident| $pattern:expr) => {
        impl<$($generics)*> Pattern for $kind {
            #[inline]
            fn find_in(&self, haystack: &str) -> Option<usize> {
                let $this = self;
                haystack.find($pattern)
            }

            #[inline]
            fn rfind_in(&self, haystack: &str) -> Option<usize> {
                let $this = self;
                haystack.rfind($pattern)
            }

            fn ends(&self, haystack: &str) -> bool {
                let $this = self;
                haystack.ends_with($pattern)
            }

            fn fold_splits<'ch, F: Folder<&'ch str>>(&self, haystack: &'ch str, folder: F, skip_last: bool) -> F {
                let $this = self;
                let mut splits = haystack.split($pattern);
                if skip_last {
                    splits.next_back();
                }
                folder.consume_iter(splits)
            }

            fn fold_inclusive<'ch, F: Folder<&'ch str>>(&self, haystack: &'ch str, folder: F) -> F {
                let $this = self;
                folder.consume_iter(haystack.split_inclusive($pattern))
            }

            fn fold_matches<'ch, F: Folder<&'ch str>>(&self, haystack: &'ch str, folder: F) -> F {
                let $this = self;
                folder.consume_iter(haystack.matches($pattern))
            }

            fn fold_match_indices<'ch, F>(&self, haystack: &'ch str, base: usize, folder: F) -> F
            where
                F: Folder<(usize, &'ch str)>,
            {
                let $this = self;
                folder.consume_iter(haystack.match_indices($pattern).map(|(at, found)| (base + at, found)))
            }
        }
    };
}

pattern! { impl[] char, |it| *it }
pattern! { impl[] &[char], |it| *it }
pattern! { impl[const N: usize] [char; N], |it| *it }
pattern! { impl[const N: usize] &[char; N], |it| *it }
pattern! { impl[P: Fn(char) -> bool + Sync + Send] P, |it| it }
