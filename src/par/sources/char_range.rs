//! Ranges of `char`s as ranges of numbers: those of the `char`s, without the gap that the surrogates leave.

use std::ops::Range;

use crate::par::adapters::map::Map;
use crate::par::into::IntoParallelIterator;
use crate::par::sources::range;

/// The first surrogate, and how many there are. No `char` is one.
const SURROGATES: u32 = 0xD800;
const COUNT: u32 = 0x800;

/// How many `char`s come before this one.
pub(crate) fn place_of(c: char) -> u32 {
    let code = u32::from(c);
    if code < SURROGATES { code } else { code - COUNT }
}

/// The `char`s at these places.
pub(crate) type Scalars = Map<range::Iter<u32>, fn(u32) -> char>;

pub(crate) fn scalars(places: Range<u32>) -> Scalars {
    Map::new(places.into_par_iter(), |place| {
        let code = if place < SURROGATES { place } else { place + COUNT };
        char::from_u32(code).expect("a place of a char")
    })
}
