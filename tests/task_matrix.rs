//! Every way in which a task can be spawned, end, be awaited and be woken, combined: thousands of combinations, each
//! with the exact numbers of polls, drops, wakes and contained panics that a small model computes for it, and in builds
//! with debug assertions the number of times it is queued.

mod support;
#[path = "support/task_arena.rs"]
mod task_arena;
#[path = "support/task_model.rs"]
mod task_model;
#[path = "support/task_play.rs"]
mod task_play;

use std::collections::BTreeMap;

use support::{Rng, with_deadline};
use task_model::{Case, FATES, HANDLES, Origin, REASONS, WAKERS, cases, impossible};
use task_play::Stage;

/// All cases, on pools without an express lane: there the workers alone decide what comes next.
fn play_all(origin: Origin) {
    play_on(false, move |workers| {
        let mut all: Vec<_> = cases(origin, workers).filter(|case| impossible(case).is_none()).collect();
        // In order, and then in another: what went before decides which queue and which thread comes next.
        let mut shuffled = all.clone();
        shuffle(&mut shuffled, workers as u64);
        all.append(&mut shuffled);
        all
    });
}

fn play_on(lane: bool, chosen: impl Fn(usize) -> Vec<Case> + Send + 'static) {
    with_deadline(240, move || {
        let mut wrong = Vec::new();
        let mut played = 0;
        for workers in [1, 2] {
            let stage = Stage::new(workers, lane);
            for case in chosen(workers) {
                let (counted, expected) = (stage.play(case), case.expected());
                if counted != expected {
                    wrong.push(format!("{case:?}\n  counted  {counted:?}\n  expected {expected:?}"));
                }
                played += 1;
            }
            stage.still_works();
            assert_eq!(stage.lane_polls() > 0, lane, "the lane polls, if there is one");
        }
        println!("{played} combinations played");
        assert!(wrong.is_empty(), "{} of {played} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    });
}

fn shuffle<T>(items: &mut [T], seed: u64) {
    let shift = std::env::var("FILCH_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let mut rng = Rng(seed.wrapping_add(shift));
    for i in (1..items.len()).rev() {
        items.swap(i, rng.below(i as u64 + 1) as usize);
    }
}

#[test]
fn spawned_by_a_task_of_the_same_pool() {
    play_all(Origin::Worker);
}

#[test]
fn spawned_from_outside() {
    play_all(Origin::Outside);
}

#[test]
fn spawned_by_a_task_of_another_pool() {
    play_all(Origin::OtherPool);
}

/// Some of all cases, chosen by the seed, on pools as they come: with an express lane. That is plugged as well, and comes
/// for its plug after a millisecond or so, which is too long for all of them.
#[test]
fn with_an_express_lane() {
    const FEW: usize = 250;
    play_on(true, |workers| {
        let origins = [Origin::Worker, Origin::Outside, Origin::OtherPool].into_iter();
        let all = origins.flat_map(|origin| cases(origin, workers));
        let mut some: Vec<_> = all.filter(|case| impossible(case).is_none()).collect();
        shuffle(&mut some, 7 + workers as u64);
        some.truncate(FEW);
        some
    });
}

#[test]
fn all_combinations_are_played_or_impossible_for_a_reason() {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let mut possible = 0;
    for origin in [Origin::Worker, Origin::Outside, Origin::OtherPool] {
        for case in [1, 2].into_iter().flat_map(|workers| cases(origin, workers)) {
            match impossible(&case) {
                Some(reason) => *reasons.entry(reason).or_default() += 1,
                None => possible += 1,
            }
        }
    }
    println!("{possible} combinations; {reasons:#?}");
    assert_eq!(possible + reasons.values().sum::<usize>(), 3 * FATES.len() * HANDLES.len() * WAKERS.len() * 2);
    assert_eq!(reasons.len(), REASONS, "a reason that no case has is a mistake: {reasons:?}");
    assert!(possible > 5_000);
}
