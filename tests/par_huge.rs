//! Loops over more items than could ever be run: they end early, and promptly; and lengths that no `usize` holds.

use std::sync::atomic::{AtomicUsize, Ordering};

use filch::iter::repeat_n;
use filch::prelude::*;

mod support;
use support::{ignore, note, pool, with_deadline};

fn in_pools(body: impl Fn() + Send + Sync + 'static) {
    with_deadline(60, move || {
        for workers in [1, 2, 4] {
            note(format!("{workers} workers"));
            pool(workers).install(&body);
            // From a thread outside of any pool, too.
            body();
        }
    });
}

#[test]
fn finds_something_early_in_what_cannot_be_counted() {
    macro_rules! of {
        ($int:ty: $range:expr, $wanted:expr) => {
            assert!($range.into_par_iter().find_any(|&i: &$int| i.rem_euclid(1009) == $wanted).is_some());
            assert!($range.into_par_iter().any(|i: $int| i.rem_euclid(1009) == $wanted));
            assert!(!$range.into_par_iter().all(|i: $int| i.rem_euclid(1009) != $wanted));
            let first = $range.into_par_iter().find_first(|&i: &$int| i.rem_euclid(1009) == $wanted);
            assert_eq!(first, $range.into_iter().find(|&i: &$int| i.rem_euclid(1009) == $wanted));
            let found = |i: $int| (i.rem_euclid(1009) == $wanted).then_some(i);
            assert_eq!($range.into_par_iter().find_map_first(found), first);
            assert!($range.into_par_iter().find_map_any(found).is_some());
            let result = $range
                .into_par_iter()
                .try_for_each(|i: $int| if i.rem_euclid(1009) == $wanted { Err(i) } else { Ok(()) });
            assert!(result.is_err());
            assert_eq!($range.into_par_iter().take_any(100).count(), 100);
            let some: Vec<_> = $range
                .into_par_iter()
                .map(|i: $int| (i.rem_euclid(1009) != $wanted).then_some(i))
                .while_some()
                .collect();
            assert!(some.iter().all(|i: &$int| i.rem_euclid(1009) != $wanted));
            let some: Vec<_> =
                $range.into_par_iter().take_any_while(|i: &$int| i.rem_euclid(1009) != $wanted).collect();
            assert!(some.iter().all(|i: &$int| i.rem_euclid(1009) != $wanted));
            let none: Option<Vec<_>> = $range
                .into_par_iter()
                .map(|i: $int| (i.rem_euclid(1009) != $wanted).then_some(i))
                .take_any(1 << 12)
                .collect();
            assert!(none.is_none_or(|some| some.len() == 1 << 12));
        };
    }
    in_pools(|| {
        note("u64");
        of!(u64: (0..u64::MAX), 1);
        note("u64, inclusive");
        of!(u64: (0..=u64::MAX), 1);
        note("i64");
        of!(i64: (i64::MIN..i64::MAX), 1);
        note("u128");
        of!(u128: (0..u128::MAX), 1);
        note("u128, inclusive");
        of!(u128: (0..=u128::MAX), 1);
        note("i128");
        of!(i128: (i128::MIN..i128::MAX), 1);
        note("usize");
        of!(usize: (0..usize::MAX), 1);
        note("usize, inclusive");
        of!(usize: (0..=usize::MAX), 1);
        note("isize");
        of!(isize: (isize::MIN..isize::MAX), 1);
        note("u32, inclusive");
        of!(u32: (0..=u32::MAX), 1);
    });
}

#[test]
fn finds_positions_early() {
    in_pools(|| {
        let all = || (0..usize::MAX).into_par_iter();
        assert!(all().position_any(|i| i % 1009 == 8).is_some());
        assert_eq!(all().position_first(|i| i == 5000), Some(5000));
        assert!(all().positions(|i| i % 1009 == 8).any(|i| i % 1009 == 8));
        assert_eq!(all().rev().position_first(|i| i < usize::MAX - 5000), Some(5000));
    });
}

#[test]
fn comes_to_a_few_items_of_many() {
    in_pools(|| {
        let all = || (0..usize::MAX).into_par_iter();
        note("take");
        assert_eq!(all().take(1000).collect::<Vec<_>>(), (0..1000).collect::<Vec<_>>());
        note("rev, take");
        assert_eq!(all().rev().take(3).collect::<Vec<_>>(), [usize::MAX - 1, usize::MAX - 2, usize::MAX - 3]);
        note("step_by");
        assert_eq!(all().step_by(usize::MAX / 4).count(), 5);
        assert_eq!(all().step_by(usize::MAX).collect::<Vec<_>>(), [0]);
        assert_eq!(all().step_by(usize::MAX / 2).rev().collect::<Vec<_>>(), [usize::MAX - 1, usize::MAX / 2, 0]);
        note("zip");
        assert_eq!(all().zip([1, 2, 3]).collect::<Vec<_>>(), [(0, 1), (1, 2), (2, 3)]);
        assert_eq!([1, 2, 3].into_par_iter().zip(all()).collect::<Vec<_>>(), [(1, 0), (2, 1), (3, 2)]);
        note("interleave_shortest");
        assert_eq!(all().interleave_shortest([7, 8]).collect::<Vec<_>>(), [0, 7, 1, 8, 2]);
        note("chunks");
        assert_eq!(all().chunks(3).take(2).collect::<Vec<_>>(), [vec![0, 1, 2], vec![3, 4, 5]]);
        note("enumerate");
        assert!(all().enumerate().find_any(|&(i, item)| i == item && i % 1009 == 7).is_some());
        note("blocks");
        assert!(all().by_exponential_blocks().any(|i| i % 1009 == 7));
        assert!(all().by_uniform_blocks(100).any(|i| i % 1009 == 7));
        note("lengths of pieces");
        assert!(all().with_max_len(3).any(|i| i % 1009 == 7));
        assert!(all().with_min_len(3000).any(|i| i % 1009 == 7));
        note("fold");
        assert!(all().take(100_000).fold(|| 0, |a, b| a + b).any(|sum| sum > 0));
    });
}

/// Two threads halve what is left in turn, as often as there are labels. (One alone goes through all of it.)
#[test]
fn finds_the_last_of_many() {
    with_deadline(60, || {
        for workers in [2, 4] {
            note(format!("{workers} workers"));
            pool(workers).install(|| {
                let end = 1u128 << 80;
                assert_eq!((0..end).into_par_iter().find_last(|_| true), Some(end - 1));
                assert_eq!((0..=end).into_par_iter().find_last(|_| true), Some(end));
                assert!((0..end).into_par_iter().find_any(|i| *i > end / 2).is_some());
                assert_eq!((0..1usize << 60).into_par_iter().position_last(|_| true), Some((1 << 60) - 1));
            });
        }
    });
}

#[test]
fn zips_of_unequal_lengths_from_behind() {
    in_pools(|| {
        let few = [1, 2, 3];
        assert_eq!((0..usize::MAX).into_par_iter().zip(few).rev().collect::<Vec<_>>(), [(2, 3), (1, 2), (0, 1)]);
        assert_eq!(few.into_par_iter().zip(0..usize::MAX).rev().collect::<Vec<_>>(), [(3, 2), (2, 1), (1, 0)]);
        let calls = AtomicUsize::new(0);
        let counted = (0..1000).into_par_iter().map(|i| {
            calls.fetch_add(1, Ordering::Relaxed);
            i
        });
        assert_eq!((counted, few, repeat_n(5, usize::MAX)).into_par_iter().rev().count(), 3);
        assert_eq!(calls.into_inner(), 3);
    });
}

#[test]
fn early_ends_leave_most_items_alone() {
    in_pools(|| {
        let calls = AtomicUsize::new(0);
        let call = |i: u64| {
            calls.fetch_add(1, Ordering::Relaxed);
            i
        };
        assert_eq!((0..u64::MAX).into_par_iter().map(call).take_any(10).count(), 10);
        assert!((0..u64::MAX).into_par_iter().map(call).any(|i| i == 77));
        assert!((0..u64::MAX).into_par_iter().flat_map_iter(|i| 0..i).map(call).any(|i| i > 77));
        assert!((0..u64::MAX).into_par_iter().flat_map(|i| 0..i).map(call).any(|i| i > 77));
        assert!((0..u64::MAX).into_par_iter().flat_map(|i| i..u64::MAX).map(call).any(|i| i % 100 == 77));
        assert!(calls.into_inner() < 50_000_000);
    });
}

fn panics(what: &str, body: impl FnOnce() + std::panic::UnwindSafe) {
    assert!(std::panic::catch_unwind(body).is_err(), "{what} does not panic");
}

#[test]
fn lengths_that_no_usize_holds() {
    with_deadline(60, || {
        let all = || (0..usize::MAX).into_par_iter();
        assert_eq!(all().len(), usize::MAX);
        assert_eq!((0..=u64::MAX).into_par_iter().opt_len(), None);
        assert_eq!((0..u64::MAX).into_par_iter().opt_len(), Some(u64::MAX as usize));
        assert_eq!((i64::MIN..i64::MAX).into_par_iter().opt_len(), Some(usize::MAX));
        assert_eq!((0..u128::MAX).into_par_iter().opt_len(), None);
        assert_eq!((i128::MIN..i128::MAX).into_par_iter().opt_len(), None);
        assert_eq!((0..=i32::MAX).into_par_iter().opt_len(), Some(1 << 31));
        panics("chain", || ignore(all().chain(all()).len()));
        assert_eq!(all().chain(0..0).len(), usize::MAX);
        assert_eq!(all().chain(0..1).opt_len(), None);
        panics("interleave", || ignore(all().interleave(0..1).len()));
        assert_eq!(all().interleave_shortest(0..3).len(), 7);
        panics("interleave_shortest", || ignore(all().interleave_shortest(all()).len()));
        panics("intersperse", || ignore(all().intersperse(1).len()));
        assert_eq!(all().intersperse(1).opt_len(), None);
        assert_eq!(all().step_by(2).len(), usize::MAX / 2 + 1);
        assert_eq!(all().chunks(2).len(), usize::MAX / 2 + 1);
        assert_eq!(all().take(usize::MAX).skip(usize::MAX).len(), 0);
        panics("collect", || drop(all().collect::<Vec<_>>()));
    });
}

/// The same, driven although nobody has asked how many there are.
#[test]
fn too_many_to_be_counted_are_run_all_the_same() {
    in_pools(|| {
        let all = || (0..usize::MAX).into_par_iter();
        assert!(all().chain(all()).any(|i| i % 1009 == 3));
        assert!((0..u128::MAX).into_par_iter().chain(0..u128::MAX).any(|i| i % 1009 == 3));
        assert!(all().intersperse(1).any(|i| i % 1009 == 3));
        assert_eq!(all().chain(all()).find_first(|i| i % 1009 == 3), Some(3));
    });
}
