//! A table whose entries keep their number until they are removed. Numbers are used again.

/// A table with room for this many entries keeps it when it becomes empty.
const KEEP: usize = 32;

pub(crate) struct Slab<T> {
    entries: Vec<Entry<T>>,
    /// The first free entry, or the length if there is none.
    free: usize,
    taken: usize,
}

enum Entry<T> {
    Taken(T),
    /// With the next free entry.
    Free(usize),
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Slab { entries: Vec::new(), free: 0, taken: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.taken
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.taken == 0
    }

    pub(crate) fn insert(&mut self, value: T) -> usize {
        self.insert_with(|_| value)
    }

    /// Inserts a value that knows its number.
    pub(crate) fn insert_with(&mut self, value: impl FnOnce(usize) -> T) -> usize {
        let key = self.free;
        let value = value(key);
        match self.entries.get_mut(key) {
            Some(entry) => match std::mem::replace(entry, Entry::Taken(value)) {
                Entry::Free(next) => self.free = next,
                Entry::Taken(_) => unreachable!("the list of free entries holds free entries only"),
            },
            None => {
                self.entries.push(Entry::Taken(value));
                self.free = self.entries.len();
            }
        }
        self.taken += 1;
        key
    }

    pub(crate) fn get(&self, key: usize) -> Option<&T> {
        match self.entries.get(key) {
            Some(Entry::Taken(value)) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, key: usize) -> Option<&mut T> {
        match self.entries.get_mut(key) {
            Some(Entry::Taken(value)) => Some(value),
            _ => None,
        }
    }

    /// Removes an entry. When the last one goes, so does the memory, if it is much.
    pub(crate) fn remove(&mut self, key: usize) -> Option<T> {
        self.get(key)?;
        let Entry::Taken(value) = std::mem::replace(&mut self.entries[key], Entry::Free(self.free)) else {
            unreachable!("looked at right above");
        };
        self.free = key;
        self.taken -= 1;
        if self.taken == 0 && self.entries.len() > KEEP {
            *self = Slab::new();
        }
        Some(value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        self.entries.iter().enumerate().filter_map(|(key, entry)| match entry {
            Entry::Taken(value) => Some((key, value)),
            Entry::Free(_) => None,
        })
    }

    /// All values, in the order of their numbers.
    pub(crate) fn into_values(self) -> impl Iterator<Item = T> {
        self.entries.into_iter().filter_map(|entry| match entry {
            Entry::Taken(value) => Some(value),
            Entry::Free(_) => None,
        })
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_and_are_used_again() {
        let mut slab = Slab::new();
        let keys: Vec<usize> = (0..100).map(|i| slab.insert(i)).collect();
        assert_eq!(keys, (0..100).collect::<Vec<_>>());
        assert_eq!((slab.remove(7), slab.remove(7), slab.remove(100)), (Some(7), None, None));
        assert_eq!((slab.remove(50), slab.len()), (Some(50), 98));
        assert_eq!((slab.insert(150), slab.insert(107), slab.insert(200)), (50, 7, 100));
        assert_eq!((slab.get(50), slab.get(101)), (Some(&150), None));
        *slab.get_mut(50).unwrap() = 151;
        assert_eq!(slab.iter().map(|(key, value)| key + value).sum::<usize>(), 2 * 4950 + 300 + 201 - 100 + 100);
        assert_eq!(slab.into_values().nth(50), Some(151));
    }

    #[test]
    fn an_empty_table_gives_its_memory_back() {
        let mut slab = Slab::new();
        for i in 0..1000 {
            slab.insert(i);
        }
        for i in 0..999 {
            slab.remove(i);
        }
        assert!(slab.entries.capacity() >= 1000 && !slab.is_empty());
        slab.remove(999);
        assert!(slab.entries.capacity() == 0 && slab.is_empty());
        assert_eq!(slab.insert(5), 0);
    }
}
