//! Floor 5: parallel loops.
//!
//! `plumbing` has the traits that the rest is made of; `bridge` runs a loop; `sources`, `adapters` and `ends` are what
//! users chain.

pub(crate) mod adapters;
pub(crate) mod beyond;
#[allow(unsafe_code)]
pub(crate) mod bridge;
#[cfg(doctest)]
mod compile_fail;
pub(crate) mod ends;
pub(crate) mod indexed;
pub(crate) mod into;
pub(crate) mod iter;
pub(crate) mod pace;
#[allow(unsafe_code)]
pub(crate) mod piece;
pub(crate) mod place;
pub mod plumbing;
pub(crate) mod slice;
pub(crate) mod slice_mut;
pub(crate) mod sort;
pub(crate) mod sources;
pub(crate) mod stretch;
pub(crate) mod string;
pub(crate) mod tries;
