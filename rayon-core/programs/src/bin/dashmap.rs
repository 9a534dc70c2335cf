//! dashmap: words counted by many threads at once, whose shards are locked while other workers want them; then the
//! map is read and changed in parallel, with a guard held in each closure.

use std::collections::BTreeMap;

use dashmap::{DashMap, DashSet};
use programs::crew::Crew;
use programs::input::Numbers;
use rayon::prelude::*;

const WORDS: usize = 200_000;

fn main() {
    programs::run("dashmap", || {
        // Few words, so that there is a crowd at each entry.
        let mut numbers = Numbers::new(4);
        let words: Vec<String> = (0..WORDS).map(|_| format!("word{}", numbers.below(700))).collect();
        let mut expected: BTreeMap<String, u64> = BTreeMap::new();
        words.iter().for_each(|word| *expected.entry(word.clone()).or_default() += 1);

        let crew = Crew::new();
        let map: DashMap<String, u64> = DashMap::with_shard_amount(4);
        words.par_iter().for_each(|word| {
            crew.meet();
            *map.entry(word.clone()).or_default() += 1;
        });
        let sorted: BTreeMap<String, u64> = map.par_iter().map(|entry| (entry.key().clone(), *entry.value())).collect();
        assert_eq!(sorted, expected);

        map.par_iter_mut().for_each(|mut entry| *entry.value_mut() *= 2);
        assert_eq!(map.par_iter().map(|entry| *entry.value()).sum::<u64>(), 2 * WORDS as u64);

        let copy: DashMap<String, u64> = map.clone().into_par_iter().map(|(word, count)| (word, count / 2)).collect();
        assert_eq!(copy.into_iter().collect::<BTreeMap<_, _>>(), expected);

        let frequent = |count: &u64| *count > 280;
        let set: DashSet<String> =
            expected.par_iter().filter(|(_, count)| frequent(count)).map(|(word, _)| word.clone()).collect();
        let mut chosen: Vec<String> = set.into_par_iter().collect();
        chosen.par_sort();
        let plainly = expected.iter().filter(|(_, count)| frequent(count)).map(|(word, _)| word.clone());
        assert_eq!(chosen, plainly.collect::<Vec<_>>());
        assert!(!chosen.is_empty() && chosen.len() < expected.len());
        format!("entries under contention, par_iter_mut, sets; {} workers", crew.size())
    });
}
