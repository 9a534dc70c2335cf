//! A search that any item may end: who gets all that is left of a piece begins in the middle of it, so that what lies
//! there is found although the items before it never end.

use std::sync::atomic::{AtomicBool, Ordering};

use filch::iter::plumbing::{Consumer, Place, ProducerCallback};
use filch::prelude::*;

mod support;
use support::{Event, note, pool, with_deadline};

const OCTILLION: u128 = 1_000_000_000_000_000_000_000_000_000;

/// An item that is a loop of its own, and takes for ever.
fn endless(i: u32) -> impl ParallelIterator<Item = u128> {
    let at = move |j: u32| (u128::from(i) * 1_000_000_000 + u128::from(j)) * 1_000_000_000;
    (0u32..1_000_000_000)
        .into_par_iter()
        .map(at)
        .flat_map(|ij| (0u32..1_000_000_000).into_par_iter().map(move |k| ij + u128::from(k)))
}

/// Half of an octillion items have to be passed to come to the first of the others in order.
#[test]
fn what_lies_in_the_middle_of_endless_items_is_found() {
    with_deadline(60, || {
        let all = || (0u32..1_000_000_000).into_par_iter().flat_map(endless);
        let far = |i: &u128| *i > OCTILLION / 2;
        for round in 0..20 {
            for workers in [2, 4] {
                note(format!("round {round}, {workers} workers"));
                // A new pool each time: what matters is whether the second worker is awake when the loop begins.
                pool(workers).install(|| {
                    assert!(all().find_any(far).is_some_and(|i| far(&i)));
                    assert!(all().filter(far).any(|_| true));
                    assert!(!all().all(|i| !far(&i)));
                });
                pool(workers).install(|| {
                    assert!(all().try_for_each(|i| if far(&i) { Err(i) } else { Ok(()) }).is_err());
                    all().take_any_while(|i| !far(i)).for_each(drop);
                });
            }
        }
    });
}

/// The second worker comes when the first is in the midst of the first item, and takes all the others.
#[test]
fn who_takes_all_the_others_begins_in_the_middle() {
    /// Whether an item in the second half is looked at, though none in the first half ends before.
    fn comes_to_the_middle(search: impl FnOnce(&(dyn Fn(u32) -> bool + Sync)) + Send) {
        let pool = pool(2);
        let (begun, found) = (Event::default(), Event::default());
        let arrived = Event::default();
        let (wait, here) = (begun.clone(), arrived.clone());
        pool.spawn_detached(move || {
            here.set();
            wait.wait();
        });
        arrived.wait();
        let look = |item: u32| {
            begun.set();
            if item >= 500 {
                found.set();
            }
            found.wait();
            item >= 500
        };
        pool.install(|| search(&look));
    }
    with_deadline(60, || {
        let all = || (0..1000u32).into_par_iter();
        for round in 0..20 {
            note(format!("round {round}"));
            comes_to_the_middle(|look| assert!(all().any(look)));
            comes_to_the_middle(|look| assert!(all().find_any(|i| look(*i)).is_some_and(|i| i >= 500)));
            comes_to_the_middle(|look| assert_eq!(all().find_last(|i| look(*i)), Some(999)));
            comes_to_the_middle(|look| assert!(all().position_any(look).is_some_and(|i| i >= 500)));
        }
    });
}

/// One item. Notes whether the end of its loop says that it searches.
#[derive(Clone, Copy)]
struct Probe<'p>(&'p AtomicBool);

impl ParallelIterator for Probe<'_> {
    type Item = u32;

    fn drive<C: Consumer<u32>>(self, consumer: C, place: Place) -> C::Result {
        self.0.store(C::SEARCHES, Ordering::Relaxed);
        filch::iter::once(1).drive(consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(1)
    }
}

impl IndexedParallelIterator for Probe<'_> {
    fn len(&self) -> usize {
        1
    }

    fn with_producer<CB: ProducerCallback<u32>>(self, callback: CB) -> CB::Output {
        [1].into_par_iter().with_producer(callback)
    }
}

fn searches<R>(loop_over: impl FnOnce(Probe<'_>) -> R) -> bool {
    let said = AtomicBool::new(false);
    drop(loop_over(Probe(&said)));
    said.into_inner()
}

#[test]
fn who_searches_says_so() {
    assert!(searches(|it| it.find_any(|_| false)));
    assert!(searches(|it| it.find_map_any(|_| None::<u32>)));
    assert!(searches(|it| it.any(|_| false)));
    assert!(searches(|it| it.all(|_| true)));
    assert!(searches(|it| it.find_last(|_| false)));
    assert!(searches(|it| it.find_map_last(|_| None::<u32>)));
    assert!(searches(|it| it.position_any(|_| false)));
    assert!(searches(|it| it.position_last(|_| false)));
    assert!(searches(|it| it.try_for_each(|_| Some(()))));
    assert!(searches(|it| it.map(Some).try_reduce(|| 0, |a, b| Some(a + b))));
    assert!(searches(|it| it.map(Some).collect::<Option<Vec<u32>>>()));
    assert!(searches(|it| it.map(Ok).collect::<Result<Vec<u32>, ()>>()));
    assert!(searches(|it| it.map(Some).while_some().count()));
    assert!(searches(|it| it.take_any_while(|_| true).count()));

    // What comes first is sought in front, and what needs all items is no search.
    assert!(!searches(|it| it.find_first(|_| false)));
    assert!(!searches(|it| it.position_first(|_| false)));
    assert!(!searches(|it| it.for_each(drop)));
    assert!(!searches(|it| it.sum::<u32>()));
    assert!(!searches(|it| it.map(|i| (Some(i), i)).unzip::<_, _, Vec<_>, Vec<_>>()));
}

#[test]
fn adapters_say_what_the_end_says() {
    macro_rules! hand_it_on {
        ($($adapter:ident($($arg:expr),*);)*) => {$(
            assert!(searches(|it| it.$adapter($($arg),*).find_any(|_| false)), stringify!($adapter));
            assert!(!searches(|it| it.$adapter($($arg),*).find_first(|_| false)), stringify!($adapter));
        )*};
    }
    hand_it_on! {
        map(|i| i);
        map_with((), |(), i| i);
        map_init(|| (), |(), i| i);
        inspect(|_| ());
        update(|_| ());
        filter(|_| true);
        filter_map(Some);
        flat_map(Some);
        flat_map_iter(Some);
        fold(|| 0, |a, b| a + b);
        fold_with(0, |a, b| a + b);
        try_fold(|| 0, |a, b| Some(a + b));
        try_fold_with(0, |a, b| Some(a + b));
        panic_fuse();
        intersperse(0);
        skip_any(0);
        skip_any_while(|_| false);
        with_cancel(&filch::CancellationToken::new());
        with_deadline(std::time::Instant::now() + std::time::Duration::from_secs(60));
        with_progress(&|_: usize| ());
    }
    assert!(searches(|it| it.intersperse(0).position_any(|_| false)));
    assert!(searches(|it| it.map(Some).flatten().find_any(|_| false)));
    assert!(searches(|it| it.map(Some).flatten_iter().find_any(|_| false)));
    assert!(searches(|it| it.filter(|_| true).map(|i| (Some(i), Some(i))).unzip::<_, _, Searching, Searching>()));
}

/// What is unzipped into it is sought.
#[derive(Default)]
struct Searching;

impl ParallelExtend<Option<u32>> for Searching {
    fn par_extend<I: IntoParallelIterator<Item = Option<u32>>>(&mut self, items: I) {
        assert!(!items.into_par_iter().any(|item| item.is_none()));
    }
}
