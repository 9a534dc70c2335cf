//! Every way in which a task can be spawned, end, be awaited and be woken, combined: thousands of combinations, each
//! with the exact numbers of polls, drops, wakes and contained panics that a small model computes for it.

mod support;
#[path = "support/task_arena.rs"]
mod task_arena;
#[path = "support/task_model.rs"]
mod task_model;
#[path = "support/task_play.rs"]
mod task_play;

use std::collections::BTreeMap;

use support::{Rng, with_deadline};
use task_model::{Origin, REASONS, cases, impossible};
use task_play::Stage;

fn play_all(origin: Origin) {
    with_deadline(240, move || {
        let mut wrong = Vec::new();
        let mut played = 0;
        for workers in [1, 2] {
            let stage = Stage::new(workers);
            let mut all: Vec<_> = cases(origin, workers).filter(|case| impossible(case).is_none()).collect();
            // In order, and then in another: what went before decides which queue and which thread comes next.
            let mut shuffled = all.clone();
            shuffle(&mut shuffled, workers as u64);
            all.append(&mut shuffled);
            for case in all {
                let (counted, expected) = (stage.play(case), case.expected());
                if counted != expected {
                    wrong.push(format!("{case:?}\n  counted  {counted:?}\n  expected {expected:?}"));
                }
                played += 1;
            }
            stage.still_works();
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
    assert_eq!(possible + reasons.values().sum::<usize>(), 3 * 15 * 11 * 9 * 2);
    assert_eq!(reasons.len(), REASONS, "a reason that no case has is a mistake: {reasons:?}");
    assert!(possible > 5_000);
}
