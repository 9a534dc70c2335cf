//! Strings, by `char`, by byte, and in UTF-16.

use crate::par::bridge::bridge_unindexed;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, UnindexedProducer};

/// The first place not before `at` where a `char` begins or the string ends.
pub(crate) fn boundary(chars: &str, at: usize) -> usize {
    (at..chars.len()).find(|&i| chars.is_char_boundary(i)).unwrap_or(chars.len())
}

/// A piece of a string, and where in the string it begins.
#[derive(Clone, Copy)]
pub(crate) struct Text<'ch> {
    pub(crate) base: usize,
    pub(crate) chars: &'ch str,
}

impl<'ch> Text<'ch> {
    pub(crate) fn whole(chars: &'ch str) -> Self {
        Text { base: 0, chars }
    }

    /// About `bytes` bytes, and the rest, if there is any.
    pub(crate) fn split_at(self, bytes: usize) -> (Self, Option<Self>) {
        let at = boundary(self.chars, bytes);
        if at == 0 || at == self.chars.len() {
            return (self, None);
        }
        let (left, right) = self.chars.split_at(at);
        (Text { chars: left, ..self }, Some(Text { base: self.base + at, chars: right }))
    }

    /// Two halves, if there are two `char`s.
    pub(crate) fn halves(self) -> (Self, Option<Self>) {
        let (left, right) = self.split_at((self.chars.len() / 2).max(1));
        if right.is_some() {
            return (left, right);
        }
        // The last `char` reaches over the middle. It makes a half of its own.
        let last = self.chars.char_indices().next_back().map_or(0, |(at, _)| at);
        self.split_at(last)
    }
}

/// An iterator over a string: its producer cuts the string anywhere between two `char`s.
macro_rules! units {
    ($(#[$doc:meta])* $name:ident, $producer:ident, $item:ty, |$text:ident| $units:expr) => {
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

        impl ParallelIterator for $name<'_> {
            type Item = $item;

            fn drive<C: Consumer<$item>>(self, consumer: C, place: Place) -> C::Result {
                bridge_unindexed($producer(Text::whole(self.chars)), consumer, place)
            }
        }

        struct $producer<'ch>(Text<'ch>);

        impl UnindexedProducer for $producer<'_> {
            type Item = $item;

            fn split(self) -> (Self, Option<Self>) {
                let (left, right) = self.0.halves();
                ($producer(left), right.map($producer))
            }

            fn split_front(self, items: usize) -> Result<(Self, Option<Self>), Self> {
                let (front, rest) = self.0.split_at(items.max(1));
                Ok(($producer(front), rest.map($producer)))
            }

            fn fold_with<F: Folder<$item>>(self, folder: F) -> F {
                let $text = self.0;
                folder.consume_iter($units)
            }
        }
    };
}

units! {
    /// Made by [`par_chars`](crate::str::ParallelString::par_chars).
    Chars, CharsProducer, char, |text| text.chars.chars()
}
units! {
    /// Made by [`par_char_indices`](crate::str::ParallelString::par_char_indices).
    CharIndices, CharIndicesProducer, (usize, char),
    |text| text.chars.char_indices().map(move |(at, c)| (text.base + at, c))
}
units! {
    /// Made by [`par_bytes`](crate::str::ParallelString::par_bytes).
    Bytes, BytesProducer, u8, |text| text.chars.bytes()
}
units! {
    /// Made by [`par_encode_utf16`](crate::str::ParallelString::par_encode_utf16).
    EncodeUtf16, EncodeUtf16Producer, u16, |text| text.chars.encode_utf16()
}
