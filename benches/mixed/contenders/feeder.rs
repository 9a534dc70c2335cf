//! A thread outside that keeps a pool's queue filled: each closure, when it ends, goes back to this thread, which hands
//! it in again.

use std::sync::mpsc;

use super::{Closures, Step};
use crate::support::usage::own_thread;

/// Runs each of the chains over and over, every time as a closure from outside.
pub fn feed(closures: impl Closures, chains: Vec<Step>) {
    let work = move || {
        let mut left = chains.len();
        let (back, ready) = mpsc::channel::<Option<Step>>();
        let hand_in = |mut chain: Step| {
            let back = back.clone();
            closures.closure(move || {
                let again = chain();
                back.send(again.then_some(chain)).expect("the feeder waits for all chains");
            });
        };
        chains.into_iter().for_each(hand_in);
        while left > 0 {
            match ready.recv().expect("this thread has a sender itself") {
                Some(chain) => hand_in(chain),
                None => left -= 1,
            }
        }
    };
    own_thread("feeder", work);
}
