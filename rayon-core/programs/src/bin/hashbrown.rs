//! hashbrown: numbers counted by their remainder, tables read, changed and emptied in parallel, and set operations;
//! against the standard library's B-trees.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};
use programs::crew::Crew;
use programs::input::Numbers;
use rayon::prelude::*;

const ENTRIES: usize = 100_000;

fn main() {
    programs::run("hashbrown", || {
        let numbers: Vec<u64> = Numbers::new(3).take(ENTRIES).map(|n| n % 1_000_000).collect();
        let mut expected: BTreeMap<u64, u64> = numbers.iter().map(|n| (*n, n * n)).collect();
        let crew = Crew::new();

        let mut map: HashMap<u64, u64> = HashMap::new();
        map.par_extend(numbers.par_iter().map(|n| {
            crew.meet();
            (*n, n * n)
        }));
        assert_eq!(map.len(), expected.len());
        map.par_iter_mut().for_each(|(key, value)| {
            crew.meet();
            *value -= key;
        });
        expected.iter_mut().for_each(|(key, value)| *value -= key);
        let sorted: BTreeMap<u64, u64> = map.par_iter().map(|(key, value)| (*key, *value)).collect();
        assert_eq!(sorted, expected);

        // Per remainder: folded by piece, and the pieces' tables put together.
        let add = |mut counts: HashMap<u64, u64>, (remainder, count): (u64, u64)| {
            *counts.entry(remainder).or_default() += count;
            counts
        };
        let counts = map
            .par_keys()
            .fold(HashMap::new, |counts, key| add(counts, (key % 97, 1)))
            .reduce(HashMap::new, |a, b| b.into_iter().fold(a, add));
        let mut plainly = BTreeMap::new();
        expected.keys().for_each(|key| *plainly.entry(key % 97).or_default() += 1);
        assert_eq!(counts.into_iter().collect::<BTreeMap<u64, u64>>(), plainly);

        let drained: BTreeSet<u64> = map.par_drain().map(|(key, _)| key).collect();
        assert!(map.is_empty() && drained.iter().eq(expected.keys()));

        let (low, high) = numbers.split_at(ENTRIES / 2);
        let sets = [low, high].map(|half| half.par_iter().copied().collect::<HashSet<u64>>());
        let trees = [low, high].map(|half| half.iter().copied().collect::<BTreeSet<u64>>());
        let sorted = |set: &mut dyn Iterator<Item = u64>| set.collect::<BTreeSet<_>>();
        let union: Vec<u64> = sets[0].par_union(&sets[1]).copied().collect();
        assert_eq!(sorted(&mut union.into_iter()), sorted(&mut trees[0].union(&trees[1]).copied()));
        let both: Vec<u64> = sets[0].par_intersection(&sets[1]).copied().collect();
        assert!(!both.is_empty(), "the halves share numbers");
        assert_eq!(sorted(&mut both.into_iter()), sorted(&mut trees[0].intersection(&trees[1]).copied()));
        let only: Vec<u64> = sets[0].par_difference(&sets[1]).copied().collect();
        assert_eq!(sorted(&mut only.into_iter()), sorted(&mut trees[0].difference(&trees[1]).copied()));
        format!("par_extend, par_iter_mut, par_drain, sets; {} workers", crew.size())
    });
}
