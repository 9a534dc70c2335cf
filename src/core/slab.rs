//! A table with stable places: put in, look at, take out in constant time, by a number.
//!
//! In chunks, so that growing copies little and what is empty can be given back: a million timers that are gone leave
//! no memory behind, even if one that came in between stays.

/// Places of a chunk.
const CHUNK: usize = 1 << BITS;
const BITS: u32 = 10;

/// See the module.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    chunks: Vec<Chunk<T>>,
    /// Chunks with free places; an emptied one keeps its number here, though not its memory.
    roomy: Vec<u32>,
    /// The one empty chunk that keeps its memory, so that a table at a chunk's edge does not allocate all the time.
    spare: Option<u32>,
    len: usize,
}

#[derive(Debug)]
struct Chunk<T> {
    places: Vec<Option<T>>,
    /// Places below `places.len()` that are free.
    free: Vec<u16>,
    taken: usize,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Self {
        Slab { chunks: Vec::new(), roomy: Vec::new(), spare: None, len: 0 }
    }

    /// How many places are taken.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How many places there is memory for.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.places.capacity()).sum()
    }

    /// Puts a value in, and gives its number.
    ///
    /// # Panics
    /// If there are 2³² values.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        let at = match self.roomy.last() {
            Some(at) => *at,
            None => self.add_chunk(),
        };
        let chunk = &mut self.chunks[at as usize];
        let place = match chunk.free.pop() {
            Some(place) => {
                chunk.places[usize::from(place)] = Some(value);
                usize::from(place)
            }
            None => {
                if chunk.places.is_empty() && at > 0 {
                    // Where there is one full chunk there will be more. The first grows as it is needed.
                    chunk.places.reserve_exact(CHUNK);
                }
                chunk.places.push(Some(value));
                chunk.places.len() - 1
            }
        };
        chunk.taken += 1;
        if chunk.taken == CHUNK {
            self.roomy.pop();
        }
        if self.spare == Some(at) {
            self.spare = None;
        }
        self.len += 1;
        (at << BITS) | place as u32
    }

    #[cold]
    fn add_chunk(&mut self) -> u32 {
        let at = u32::try_from(self.chunks.len()).expect("fewer chunks than places");
        // One short of all numbers, so that u32::MAX is free for users of the table.
        assert!(at < (1 << (u32::BITS - BITS)) - 1, "filch: 2^32 timers in one part of a pool");
        self.chunks.push(Chunk { places: Vec::new(), free: Vec::new(), taken: 0 });
        self.roomy.push(at);
        at
    }

    /// Takes the value with this number out.
    ///
    /// # Panics
    /// If there is none.
    pub(crate) fn remove(&mut self, key: u32) -> T {
        let at = key >> BITS;
        let chunk = &mut self.chunks[at as usize];
        let place = key as usize % CHUNK;
        let value = chunk.places[place].take().expect("a number is given back once");
        chunk.free.push(place as u16);
        if chunk.taken == CHUNK {
            self.roomy.push(at);
        }
        chunk.taken -= 1;
        self.len -= 1;
        if chunk.taken == 0 {
            // The newest empty one is kept: it may be the next to be used.
            if let Some(old) = self.spare.replace(at) {
                let old = &mut self.chunks[old as usize];
                old.places = Vec::new();
                old.free = Vec::new();
            }
        }
        value
    }

    /// The value with this number.
    ///
    /// # Panics
    /// If there is none.
    pub(crate) fn get(&mut self, key: u32) -> &mut T {
        let chunk = &mut self.chunks[(key >> BITS) as usize];
        chunk.places[key as usize % CHUNK].as_mut().expect("the number's owner has not given it back")
    }
}

#[cfg(all(test, not(filch_loom)))]
mod tests {
    use super::{CHUNK, Slab};
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
                assert_eq!(slab.remove(key), model.remove(&key).unwrap());
            }
            assert_eq!(slab.len(), model.len());
        }
        for (key, value) in model {
            assert_eq!(*slab.get(key), value);
        }
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
        assert!(slab.capacity() <= 2 * CHUNK, "{}", slab.capacity());
        assert_eq!(*slab.get(*kept), 100 * CHUNK - 1);
        // At the edge of a chunk no memory comes and goes.
        let key = slab.insert(0);
        slab.remove(key);
        let capacity = slab.capacity();
        assert!(capacity <= 2 * CHUNK + 4, "{capacity}");
        for round in 0..10 * CHUNK {
            let key = slab.insert(round);
            assert_eq!(slab.capacity(), capacity);
            assert_eq!(slab.remove(key), round);
        }
    }
}
