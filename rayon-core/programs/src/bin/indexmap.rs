//! indexmap: a map collected, extended, sorted and searched in parallel keeps the order that a plain vector has.

use std::collections::HashMap;

use indexmap::{IndexMap, IndexSet};
use programs::crew::Crew;
use programs::input::Numbers;
use programs::pool;
use rayon::prelude::*;

const ENTRIES: usize = 60_000;

fn main() {
    programs::run("indexmap", || {
        let pairs: Vec<(u64, u64)> = Numbers::new(2).take(ENTRIES).map(|n| (n % 50_000, n >> 32)).collect();
        // By hand: a key stands where it came first, and has the value that came last.
        let mut expected: Vec<(u64, u64)> = Vec::new();
        let mut places = HashMap::new();
        for &(key, value) in &pairs {
            let place = *places.entry(key).or_insert(expected.len());
            if place == expected.len() {
                expected.push((key, value));
            }
            expected[place].1 = value;
        }

        let crew = Crew::new();
        let mut map: IndexMap<u64, u64> = pairs.par_iter().copied().inspect(|_| crew.meet()).collect();
        assert!(map.iter().map(|(key, value)| (*key, *value)).eq(expected.iter().copied()), "collected in order");
        let sum: u64 = map.par_values().map(|value| value % 1_000).sum();
        assert_eq!(sum, expected.iter().map(|(_, value)| value % 1_000).sum());
        let place = map.par_keys().position_first(|key| key % 977 == 3);
        assert_eq!(place, expected.iter().position(|(key, _)| key % 977 == 3));

        map.par_values_mut().for_each(|value| *value %= 100);
        expected.iter_mut().for_each(|(_, value)| *value %= 100);
        // Where the sorted runs meet, the calling thread compares.
        let sorters = Crew::new();
        map.par_sort_by(|_, a, _, b| {
            if pool::index().is_some() {
                sorters.meet();
            }
            a.cmp(b)
        });
        expected.sort_by_key(|(_, value)| *value);
        assert!(map.iter().map(|(key, value)| (*key, *value)).eq(expected.iter().copied()), "a stable sort");
        assert!(map.par_eq(&expected.iter().copied().collect::<IndexMap<_, _>>()));

        let evens: IndexSet<u64> = map.par_keys().copied().filter(|key| key % 2 == 0).collect();
        let thirds: IndexSet<u64> = map.par_keys().copied().filter(|key| key % 3 == 0).collect();
        let mut both: Vec<u64> = evens.par_intersection(&thirds).copied().collect();
        let mut sixths: Vec<u64> = expected.iter().map(|(key, _)| *key).filter(|key| key % 6 == 0).collect();
        assert_eq!(both, sixths, "an intersection in the order of the first set");
        let removed: Vec<(u64, u64)> = map.par_drain(100..).collect();
        assert_eq!((map.len(), &removed[..]), (100, &expected[100..]));
        both.par_sort_unstable();
        sixths.sort_unstable();
        assert_eq!(both, sixths);
        format!("collect, par_sort_by, par_drain, sets; {} and {} workers", crew.size(), sorters.size())
    });
}
