//! Ranges of integers that may be too long to be counted in a `usize`.

use crate::par::plumbing::{Folder, UnindexedProducer};

/// All integers from `first` to `last`. Never empty.
pub(crate) struct Wide<T> {
    pub(crate) first: T,
    pub(crate) last: T,
}

macro_rules! wide {
    ($($int:ty, $unsigned:ty;)*) => {$(
        impl UnindexedProducer for Wide<$int> {
            type Item = $int;

            fn split(self) -> (Self, Option<Self>) {
                // One less than there are: that may be the type's greatest number.
                match self.last.wrapping_sub(self.first) as $unsigned {
                    0 => (self, None),
                    gap => self.cut(gap / 2),
                }
            }

            fn split_front(self, items: usize) -> Result<(Self, Option<Self>), Self> {
                let gap = self.last.wrapping_sub(self.first) as $unsigned;
                Ok(match <$unsigned>::try_from(items.max(1)) {
                    Ok(items) if items <= gap => self.cut(items - 1),
                    _ => (self, None),
                })
            }

            fn fold_with<F: Folder<$int>>(self, folder: F) -> F {
                // A plain range makes the better loop.
                match self.last.checked_add(1) {
                    Some(end) => folder.consume_iter(self.first..end),
                    None => folder.consume_iter(self.first..=self.last),
                }
            }
        }

        impl Wide<$int> {
            /// The integers up to the one `gap` after the first, and the others.
            fn cut(self, gap: $unsigned) -> (Self, Option<Self>) {
                let middle = self.first.wrapping_add(gap as $int);
                (Wide { first: self.first, last: middle }, Some(Wide { first: middle + 1, last: self.last }))
            }
        }
    )*};
}
wide! {
    u32, u32;
    i32, u32;
    u64, u64;
    i64, u64;
    usize, usize;
    isize, usize;
    u128, u128;
    i128, u128;
}
