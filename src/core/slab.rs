//! A table with stable places: put in, look at, take out in constant time, by a number. Numbers are used again.
//!
//! In chunks, so that growing copies little and what is empty can be given back: a million timers that are gone leave
//! no memory behind, even if one that came in between stays. The first chunk grows as it is needed, so a small table
//! (the children of a token, the tasks of a set) is one small allocation.
#![cfg_attr(filch_loom, allow(dead_code))] // Above this floor not all of it is there.

use std::ops::{Index, IndexMut};

/// Places of a chunk.
const CHUNK: usize = 1 << BITS;
const BITS: u32 = 10;

/// A table with room for no more than this keeps it when it becomes empty.
const KEEP: usize = 32;

/// See the module.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    first: Chunk<T>,
    /// All others, if ever there were any: most tables are small, and should take little room where they lie.
    others: Option<Box<Others<T>>>,
    len: usize,
}

#[derive(Debug)]
struct Others<T> {
    /// Chunk `n` is here at `n - 1`.
    chunks: Vec<Chunk<T>>,
    /// Those of the others that have free places, by number; an emptied one keeps its number here, though not its
    /// memory.
    roomy: Vec<u32>,
    /// The one empty chunk of the others that keeps its memory, so that a table at a chunk's edge does not allocate all
    /// the time.
    spare: Option<u32>,
}

#[derive(Debug)]
struct Chunk<T> {
    places: Vec<Place<T>>,
    /// The first free place; `places.len()` if there is none.
    free: u16,
    taken: u16,
}

#[derive(Debug)]
enum Place<T> {
    Taken(T),
    /// With the next free place.
    Free(u16),
}

impl<T> Place<T> {
    fn value(&self) -> Option<&T> {
        match self {
            Place::Taken(value) => Some(value),
            Place::Free(_) => None,
        }
    }

    fn into_value(self) -> Option<T> {
        match self {
            Place::Taken(value) => Some(value),
            Place::Free(_) => None,
        }
    }
}

impl<T> Chunk<T> {
    const fn new() -> Self {
        Chunk { places: Vec::new(), free: 0, taken: 0 }
    }

    fn is_full(&self) -> bool {
        usize::from(self.taken) == CHUNK
    }

    /// Fills the place that is `self.free`.
    fn fill(&mut self, value: T) {
        match self.places.get_mut(usize::from(self.free)) {
            Some(place) => match std::mem::replace(place, Place::Taken(value)) {
                Place::Free(next) => self.free = next,
                Place::Taken(_) => unreachable!("the list of free places holds free places only"),
            },
            None => {
                self.places.push(Place::Taken(value));
                self.free += 1;
            }
        }
        self.taken += 1;
    }

    fn take(&mut self, place: usize) -> Option<T> {
        let entry = self.places.get_mut(place).filter(|entry| matches!(entry, Place::Taken(_)))?;
        let value = std::mem::replace(entry, Place::Free(self.free)).into_value();
        self.free = place as u16;
        self.taken -= 1;
        value
    }
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Slab { first: Chunk::new(), others: None, len: 0 }
    }

    /// How many places are taken.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many places there is memory for.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.chunks().map(|chunk| chunk.places.capacity()).sum()
    }

    fn chunks(&self) -> impl Iterator<Item = &Chunk<T>> {
        std::iter::once(&self.first).chain(self.others.iter().flat_map(|others| &others.chunks))
    }

    #[inline]
    fn chunk(&self, at: u32) -> Option<&Chunk<T>> {
        if at == 0 { Some(&self.first) } else { self.others.as_ref()?.chunks.get(at as usize - 1) }
    }

    #[inline]
    fn chunk_mut(&mut self, at: u32) -> Option<&mut Chunk<T>> {
        if at == 0 { Some(&mut self.first) } else { self.others.as_mut()?.chunks.get_mut(at as usize - 1) }
    }

    /// Puts a value in, and gives its number, which is never `u32::MAX`.
    ///
    /// # Panics
    /// If there are 2³² values.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        self.insert_with(|_| value)
    }

    /// Puts a value in that knows its number.
    pub(crate) fn insert_with(&mut self, value: impl FnOnce(u32) -> T) -> u32 {
        let key = if self.first.is_full() {
            let others = self
                .others
                .get_or_insert_with(|| Box::new(Others { chunks: Vec::new(), roomy: Vec::new(), spare: None }));
            others.insert_with(value)
        } else {
            let key = u32::from(self.first.free);
            self.first.fill(value(key));
            key
        };
        self.len += 1;
        key
    }

    /// Takes the value with this number out, if there is one.
    pub(crate) fn remove(&mut self, key: u32) -> Option<T> {
        let (at, place) = (key >> BITS, key as usize % CHUNK);
        let value = if at == 0 { self.first.take(place)? } else { self.others.as_mut()?.remove(at, place)? };
        self.len -= 1;
        if self.len == 0 && (self.first.places.capacity() > KEEP || self.others.is_some()) {
            *self = Slab::new();
        }
        Some(value)
    }

    pub(crate) fn get(&self, key: u32) -> Option<&T> {
        self.chunk(key >> BITS)?.places.get(key as usize % CHUNK)?.value()
    }

    pub(crate) fn get_mut(&mut self, key: u32) -> Option<&mut T> {
        match self.chunk_mut(key >> BITS)?.places.get_mut(key as usize % CHUNK)? {
            Place::Taken(value) => Some(value),
            Place::Free(_) => None,
        }
    }

    /// All values, in the order of their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks().flat_map(|chunk| &chunk.places).filter_map(Place::value)
    }

    /// All values, in the order of their numbers.
    pub(crate) fn into_values(self) -> impl Iterator<Item = T> {
        let others = self.others.into_iter().flat_map(|others| others.chunks);
        std::iter::once(self.first).chain(others).flat_map(|chunk| chunk.places).filter_map(Place::into_value)
    }
}

impl<T> Others<T> {
    fn insert_with(&mut self, value: impl FnOnce(u32) -> T) -> u32 {
        let at = self.roomy.last().copied().unwrap_or_else(|| self.add_chunk());
        let chunk = &mut self.chunks[at as usize - 1];
        let key = (at << BITS) | u32::from(chunk.free);
        let value = value(key);
        if chunk.places.is_empty() {
            // Where there is one full chunk there will be more.
            chunk.places.reserve_exact(CHUNK);
        }
        chunk.fill(value);
        if chunk.is_full() {
            self.roomy.pop();
        }
        if self.spare == Some(at) {
            self.spare = None;
        }
        key
    }

    #[cold]
    fn add_chunk(&mut self) -> u32 {
        let at = u32::try_from(self.chunks.len() + 1).expect("fewer chunks than places");
        // One short of all numbers, so that u32::MAX is free for users of the table.
        assert!(at < (1 << (u32::BITS - BITS)) - 1, "filch: 2^32 entries in one table");
        self.chunks.push(Chunk::new());
        self.roomy.push(at);
        at
    }

    fn remove(&mut self, at: u32, place: usize) -> Option<T> {
        let chunk = self.chunks.get_mut(at as usize - 1)?;
        let was_full = chunk.is_full();
        let value = chunk.take(place)?;
        let empty = chunk.taken == 0;
        if was_full {
            self.roomy.push(at);
        }
        if empty {
            // The newest empty one is kept: it may be the next to be used.
            if let Some(old) = self.spare.replace(at) {
                self.chunks[old as usize - 1] = Chunk::new();
            }
        }
        Some(value)
    }
}

/// # Panics
/// If there is no value with this number.
impl<T> Index<u32> for Slab<T> {
    type Output = T;

    fn index(&self, key: u32) -> &T {
        self.get(key).expect("the number's owner has not given it back")
    }
}

/// # Panics
/// If there is no value with this number.
impl<T> IndexMut<u32> for Slab<T> {
    fn index_mut(&mut self, key: u32) -> &mut T {
        self.get_mut(key).expect("the number's owner has not given it back")
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab::new()
    }
}

#[cfg(all(test, not(filch_loom)))]
mod tests {
    use super::{CHUNK, KEEP, Slab};
    use crate::ground::rng::Rng;
    use std::collections::HashMap;

    #[test]
    fn agrees_with_a_map() {
        let rng = Rng::new(3);
        let mut slab = Slab::new();
        let mut model = HashMap::new();
        for round in 0..200_000u64 {
            // Grows for a while, then shrinks.
            if rng.below(100) < if round < 100_000 { 60 } else { 35 } {
                let key = slab.insert(round);
                assert_eq!(model.insert(key, round), None, "a number is given out twice");
            } else if let Some(key) = model.keys().next().copied() {
                assert_eq!(slab.remove(key), model.remove(&key));
                assert_eq!((slab.get(key).copied(), slab.remove(key)), (None, None));
            }
            assert_eq!((slab.len(), slab.is_empty()), (model.len(), model.is_empty()));
        }
        for (key, value) in &model {
            assert_eq!((slab[*key], slab.get(*key), slab.get(*key + (1 << 20))), (*value, Some(value), None));
            assert_eq!(slab.get_mut(*key).copied(), Some(*value));
        }
        let mut in_order: Vec<_> = model.into_iter().collect();
        in_order.sort_unstable();
        let in_order: Vec<u64> = in_order.into_iter().map(|(_, value)| value).collect();
        assert_eq!(slab.iter().copied().collect::<Vec<_>>(), in_order);
        assert_eq!(slab.into_values().collect::<Vec<_>>(), in_order);
    }

    #[test]
    fn numbers_stay_and_are_used_again() {
        let mut slab = Slab::new();
        let keys: Vec<u32> = (0..100).map(|i| slab.insert(i)).collect();
        assert_eq!(keys, (0..100).collect::<Vec<_>>());
        assert_eq!(
            (slab.remove(7), slab.remove(7), slab.remove(100), slab.remove(u32::MAX)),
            (Some(7), None, None, None)
        );
        assert_eq!((slab.remove(50), slab.len()), (Some(50), 98));
        assert_eq!((slab.insert_with(|key| key + 100), slab.insert(107), slab.insert(200)), (50, 7, 100));
        assert_eq!((slab.get(50), slab.get(101)), (Some(&150), None));
        slab[50] = 151;
        assert_eq!(slab.into_values().nth(50), Some(151));
    }

    #[test]
    fn memory_is_given_back() {
        let mut slab = Slab::new();
        let keys: Vec<u32> = (0..100 * CHUNK).map(|n| slab.insert(n)).collect();
        assert!(slab.capacity() >= 100 * CHUNK);
        let (kept, others) = keys.split_last().unwrap();
        for key in others {
            slab.remove(*key);
        }
        // Its chunk, one that is kept, and the first.
        assert!(slab.capacity() <= 3 * CHUNK, "{}", slab.capacity());
        assert_eq!(slab[*kept], 100 * CHUNK - 1);
        // At the edge of a chunk no memory comes and goes.
        let mut full: Vec<u32> = (0..CHUNK).map(|n| slab.insert(n)).collect();
        let capacity = slab.capacity();
        for round in 0..10 * CHUNK {
            let key = slab.insert(round);
            assert!(slab.capacity() <= capacity + CHUNK);
            assert_eq!(slab.remove(key), Some(round));
        }
        full.push(*kept);
        for key in full {
            slab.remove(key);
        }
        assert!(slab.is_empty());
        assert_eq!(slab.capacity(), 0);
        assert_eq!(slab.insert(5), 0);
    }

    #[test]
    fn a_small_table_keeps_its_memory() {
        let mut slab = Slab::new();
        let keys: Vec<u32> = (0..KEEP).map(|n| slab.insert(n)).collect();
        for key in keys {
            slab.remove(key);
        }
        assert!(slab.is_empty() && slab.capacity() == KEEP);
        let keys: Vec<u32> = (0..=KEEP).map(|n| slab.insert(n)).collect();
        for key in keys {
            slab.remove(key);
        }
        assert_eq!(slab.capacity(), 0);
    }
}
