//! `par_for`: two ranges, cut into tiles.

use std::iter::FusedIterator;
use std::ops::Range;

use crate::par::bridge::bridge;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Producer, ProducerCallback};

/// Rows and columns of a tile, if nothing else is said.
const SIDE: usize = 64;

#[doc = include_str!("../doc/par_for.md")]
pub fn par_for((rows, cols): (Range<usize>, Range<usize>)) -> Tiles {
    Tiles { rows, cols, tile: (SIDE, SIDE) }
}

/// A parallel iterator over the tiles of a rectangle, row by row. Made by [`par_for`].
///
/// ```
/// use filch::iter::par_for;
/// use filch::prelude::*;
///
/// let tiles: Vec<_> = par_for((0..3, 0..5)).tile(2, 3).map(|tile| (tile.rows, tile.cols)).collect();
/// assert_eq!(tiles, [(0..2, 0..3), (0..2, 3..5), (2..3, 0..3), (2..3, 3..5)]);
/// ```
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Tiles {
    rows: Range<usize>,
    cols: Range<usize>,
    tile: (usize, usize),
}

impl Tiles {
    /// Sets how many rows and columns a tile has. Those at the lower and right edges may have fewer.
    ///
    /// # Panics
    /// If one of them is 0.
    ///
    /// ```
    /// use filch::iter::par_for;
    /// use filch::prelude::*;
    ///
    /// let pixels = par_for((0..1080, 0..1920)).tile(8, 256);
    /// assert_eq!(pixels.len(), 135 * 8);
    /// let largest = pixels.map(|tile| (tile.rows.len(), tile.cols.len())).max();
    /// assert_eq!(largest, Some((8, 256)));
    /// ```
    pub fn tile(self, rows: usize, cols: usize) -> Self {
        assert!(rows > 0 && cols > 0, "a tile has at least one row and one column");
        Tiles { tile: (rows, cols), ..self }
    }

    /// How many tiles lie side by side.
    fn across(&self) -> usize {
        self.cols.len().div_ceil(self.tile.1)
    }

    fn get(&self, index: usize) -> Tile {
        let (row, col) = (index / self.across() * self.tile.0, index % self.across() * self.tile.1);
        Tile { rows: part(&self.rows, row, self.tile.0), cols: part(&self.cols, col, self.tile.1) }
    }
}

fn part(range: &Range<usize>, from: usize, len: usize) -> Range<usize> {
    let start = range.start + from;
    start..start.saturating_add(len).min(range.end)
}

impl ParallelIterator for Tiles {
    type Item = Tile;

    fn drive<C: Consumer<Tile>>(self, consumer: C, place: Place) -> C::Result {
        bridge(self, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl IndexedParallelIterator for Tiles {
    fn len(&self) -> usize {
        let down = self.rows.len().div_ceil(self.tile.0);
        down.checked_mul(self.across()).expect("there are more tiles than can be counted")
    }

    fn with_producer<CB: ProducerCallback<Tile>>(self, callback: CB) -> CB::Output {
        let range = 0..self.len();
        callback.callback(TileRange { tiles: self, range })
    }
}

/// Some of the tiles: the producer, and the plain iterator.
struct TileRange {
    tiles: Tiles,
    range: Range<usize>,
}

impl Producer for TileRange {
    type Item = Tile;
    type IntoIter = Self;

    fn into_iter(self) -> Self {
        self
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let middle = self.range.start + index;
        let left = TileRange { tiles: self.tiles.clone(), range: self.range.start..middle };
        (left, TileRange { range: middle..self.range.end, ..self })
    }
}

impl Iterator for TileRange {
    type Item = Tile;

    fn next(&mut self) -> Option<Tile> {
        self.range.next().map(|index| self.tiles.get(index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }

    fn nth(&mut self, n: usize) -> Option<Tile> {
        self.range.nth(n).map(|index| self.tiles.get(index))
    }
}

impl DoubleEndedIterator for TileRange {
    fn next_back(&mut self) -> Option<Tile> {
        self.range.next_back().map(|index| self.tiles.get(index))
    }
}

impl ExactSizeIterator for TileRange {}

/// A part of a rectangle. Made by [`par_for`].
///
/// It becomes an iterator over its `(row, column)` pairs, row by row.
///
/// ```
/// let tile = filch::iter::Tile { rows: 2..4, cols: 0..2 };
/// assert!(tile.iter().eq([(2, 0), (2, 1), (3, 0), (3, 1)]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tile {
    /// Its rows.
    pub rows: Range<usize>,
    /// Its columns.
    pub cols: Range<usize>,
}

impl Tile {
    /// Its `(row, column)` pairs, row by row.
    ///
    /// ```
    /// let tile = filch::iter::Tile { rows: 10..12, cols: 5..8 };
    /// let mut picture = vec![[0; 20]; 20];
    /// for (row, col) in tile.iter() {
    ///     picture[row][col] = 1;
    /// }
    /// assert_eq!(picture.iter().flatten().sum::<i32>(), 6);
    /// assert_eq!((picture[10][4], picture[11][7]), (0, 1));
    /// ```
    pub fn iter(&self) -> Cells {
        let rows = if self.cols.is_empty() { 0..0 } else { self.rows.clone() };
        Cells { rows, cols: self.cols.clone(), row: (0, 0..0) }
    }
}

impl IntoIterator for Tile {
    type Item = (usize, usize);
    type IntoIter = Cells;

    fn into_iter(self) -> Cells {
        self.iter()
    }
}

impl IntoIterator for &Tile {
    type Item = (usize, usize);
    type IntoIter = Cells;

    fn into_iter(self) -> Cells {
        self.iter()
    }
}

/// The `(row, column)` pairs of a [`Tile`]. Made by [`Tile::iter`].
#[derive(Clone, Debug)]
pub struct Cells {
    /// The rows that have not been begun.
    rows: Range<usize>,
    cols: Range<usize>,
    /// The row that has been begun, and what is left of it.
    row: (usize, Range<usize>),
}

impl Iterator for Cells {
    type Item = (usize, usize);

    #[inline]
    fn next(&mut self) -> Option<(usize, usize)> {
        loop {
            if let Some(col) = self.row.1.next() {
                return Some((self.row.0, col));
            }
            self.row = (self.rows.next()?, self.cols.clone());
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.rows.len().checked_mul(self.cols.len()).and_then(|cells| cells.checked_add(self.row.1.len()));
        (rest.unwrap_or(usize::MAX), rest)
    }

    #[inline]
    fn fold<A, F: FnMut(A, (usize, usize)) -> A>(self, init: A, mut f: F) -> A {
        let Cells { rows, cols, row: (row, rest) } = self;
        let init = rest.fold(init, |so_far, col| f(so_far, (row, col)));
        rows.fold(init, |so_far, row| cols.clone().fold(so_far, |so_far, col| f(so_far, (row, col))))
    }
}

impl FusedIterator for Cells {}
