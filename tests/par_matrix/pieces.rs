//! Sources that are pieces of something: of slices that are changed, of strings, and tiles.

use filch::iter::par_for;
use filch::prelude::*;

use super::{Case, Data, Source, any, counted};

/// Doubles all of a piece; gives the sum.
fn double(piece: &mut [u64]) -> u64 {
    piece.iter_mut().for_each(|item| *item *= 2);
    piece.iter().sum()
}

/// The slice's items, to be changed, the same again, and a size.
fn changed(d: &mut Data) -> (&mut [u64], Vec<u64>, usize) {
    d.vec.clone_from(&d.items);
    let size = 1 + d.dice().below(9) as usize;
    (&mut d.vec, d.items.clone(), size)
}

fn len_of(piece: &str) -> u64 {
    piece.len() as u64
}

/// The items in decimal, each with a separator behind it, or with another one; the text may end in one.
fn number_text(d: &mut Data) -> &str {
    let with_end = d.dice().one_in(2);
    let end = |item: u64| if item % 5 == 0 { ";" } else { "," };
    d.text = d.items.iter().map(|&item| format!("{item}{}", end(item))).collect();
    if !with_end {
        d.text.pop();
    }
    &d.text
}

fn is_separator(c: char) -> bool {
    c == ',' || c == ';'
}

/// Pieces of a string, by their lengths: the same method of either kind.
macro_rules! lengths {
    ($text:expr, $par:ident, $plain:ident($($pattern:expr)?)) => {{
        let text: &str = $text;
        let items: Vec<u64> = text.$plain($($pattern)?).map(len_of).collect();
        any(text.$par($($pattern)?).map(len_of), items)
    }};
}

pub const PIECES: &[Source] = &[
    ("chunks_mut", |d| {
        let (slice, mut items, size) = changed(d);
        counted(slice.par_chunks_mut(size).map(double), items.chunks_mut(size).map(double).collect::<Vec<_>>())
    }),
    ("chunks_exact_mut", |d| {
        let (slice, mut items, size) = changed(d);
        let items: Vec<_> = items.chunks_exact_mut(size).map(double).collect();
        counted(slice.par_chunks_exact_mut(size).map(double), items)
    }),
    ("rchunks_mut", |d| {
        let (slice, mut items, size) = changed(d);
        counted(slice.par_rchunks_mut(size).map(double), items.rchunks_mut(size).map(double).collect::<Vec<_>>())
    }),
    ("rchunks_exact_mut", |d| {
        let (slice, mut items, size) = changed(d);
        let items: Vec<_> = items.rchunks_exact_mut(size).map(double).collect();
        counted(slice.par_rchunks_exact_mut(size).map(double), items)
    }),
    ("chunk_by_mut", |d| {
        let (slice, mut items, _) = changed(d);
        let items: Vec<_> = items.chunk_by_mut(|a, b| a <= b).map(double).collect();
        any(slice.par_chunk_by_mut(|a, b| a <= b).map(double), items)
    }),
    ("slice, split mutably", |d| {
        let (slice, mut items, size) = changed(d);
        let separates = move |item: &u64| item % (size as u64 + 1) == 0;
        let items: Vec<_> = items.split_mut(separates).map(double).collect();
        any(slice.par_split_mut(separates).map(double), items)
    }),
    ("slice, split mutably after", |d| {
        let (slice, mut items, size) = changed(d);
        let separates = move |item: &u64| item % (size as u64 + 1) == 0;
        let items: Vec<_> = items.split_inclusive_mut(separates).map(double).collect();
        any(slice.par_split_inclusive_mut(separates).map(double), items)
    }),
    ("string, split", |d| lengths!(number_text(d), par_split, split(','))),
    ("string, split by many", |d| lengths!(number_text(d), par_split, split(is_separator))),
    ("string, split after", |d| lengths!(number_text(d), par_split_inclusive, split_inclusive(is_separator))),
    ("string, terminated", |d| lengths!(number_text(d), par_split_terminator, split_terminator(is_separator))),
    ("ASCII words", |d| {
        d.text = d.items.iter().map(|item| if item % 4 == 0 { " \t\u{a0}".into() } else { item.to_string() }).collect();
        lengths!(&d.text, par_split_ascii_whitespace, split_ascii_whitespace())
    }),
    ("matches", |d| {
        let text = number_text(d);
        let items: Vec<u64> = text.matches(is_separator).map(|found| u64::from(found.as_bytes()[0])).collect();
        any(text.par_matches(is_separator).map(|found| u64::from(found.as_bytes()[0])), items)
    }),
    ("match_indices", |d| {
        let text = number_text(d);
        let items: Vec<u64> = text.match_indices('1').map(|(i, found)| i as u64 + len_of(found)).collect();
        any(text.par_match_indices('1').map(|(i, found)| i as u64 + len_of(found)), items)
    }),
    ("UTF-16", |d| {
        // One of seven needs two units.
        let char_of = |item: u64| char::from_u32(item as u32 + if item % 7 == 0 { 0x1_0000 } else { 0 }).unwrap();
        d.text = d.items.iter().copied().map(char_of).collect();
        let items: Vec<u64> = d.text.encode_utf16().map(u64::from).collect();
        any(d.text.par_encode_utf16().map(u64::from), items)
    }),
    ("tiles", tiles),
];

fn tiles(d: &mut Data) -> Case<'_> {
    let (rows, cols) = (5..5 + d.len(), 2..13);
    let (high, wide) = (1 + d.dice().below(9) as usize, 1 + d.dice().below(13) as usize);
    let place =
        |row: usize, col: usize, height: usize, width: usize| (row * 100 + col * 10_000 + height + width) as u64;
    let mut items = Vec::new();
    for row in rows.clone().step_by(high) {
        for col in cols.clone().step_by(wide) {
            items.push(place(row, col, high.min(rows.end - row), wide.min(cols.end - col)));
        }
    }
    let tiles = par_for((rows, cols)).tile(high, wide);
    counted(tiles.map(move |tile| place(tile.rows.start, tile.cols.start, tile.rows.len(), tile.cols.len())), items)
}
