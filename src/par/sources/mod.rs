//! What a loop can run over.

#[macro_use]
mod macros;

#[allow(unsafe_code)]
pub(crate) mod array;
pub(crate) mod binary_heap;
mod bounds;
pub(crate) mod btree_map;
pub(crate) mod btree_set;
mod char_range;
pub(crate) mod chars;
pub(crate) mod chunk_by;
pub(crate) mod chunks;
pub(crate) mod chunks_exact;
mod either;
pub(crate) mod empty;
pub(crate) mod hash_map;
pub(crate) mod hash_set;
mod lent;
pub(crate) mod lines;
pub(crate) mod linked_list;
pub(crate) mod matches;
pub(crate) mod once;
pub(crate) mod option;
#[allow(unsafe_code)]
mod owned;
mod pair;
pub(crate) mod par_bridge;
pub(crate) mod pattern;
pub(crate) mod range;
pub(crate) mod range_inclusive;
pub(crate) mod rchunks;
pub(crate) mod rchunks_exact;
pub(crate) mod repeat;
pub(crate) mod result;
mod seams;
pub(crate) mod slice;
pub(crate) mod slice_split;
pub(crate) mod splitter;
pub(crate) mod str_split;
pub(crate) mod string;
#[allow(unsafe_code)]
pub(crate) mod vec;
pub(crate) mod vec_deque;
pub(crate) mod walk_tree;
mod wide;
pub(crate) mod windows;
