//! The bell of `block_on`: a flag and the thread's parker, whose token other waits of the same thread may eat; and the
//! count of polls by which others see that somebody acts.

use loom::sync::Arc;
use loom::thread;
use std::time::Duration;

use crate::core::poll_bell::PollBell;
use crate::core::tally::Tally;
use crate::ground::sync::HandOver;
use crate::{explore, parker};

struct World {
    bell: PollBell,
    polls: Tally,
    result: HandOver<u32>,
}

// SAFETY: the result is handed over by the bell, which is what the models check.
unsafe impl Sync for World {}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(World { bell: PollBell::new(parker()), polls: Tally::new(), result: HandOver::new() })
    }

    /// `block_on` from after its first poll until the one that the ring asks for.
    fn wait(&self) {
        while !self.bell.take() {
            self.bell.parker().park();
        }
    }
}

#[test]
fn a_bell_is_heard_though_another_wait_has_eaten_the_token() {
    explore(|| {
        let world = World::new();
        let waker = {
            let world = world.clone();
            thread::spawn(move || {
                unsafe { world.result.write(7) };
                world.bell.ring(&world.polls);
            })
        };
        // Something else that the thread waits for meanwhile.
        world.bell.parker().park_timeout(Duration::ZERO);
        world.wait();
        assert_eq!(unsafe { world.result.read() }, 7);
        waker.join().unwrap();
    });
}

#[test]
fn bells_that_ring_beside_the_end_leave_no_poll_expected() {
    // One poll in all, which is over when two others ring.
    explore(|| {
        let world = World::new();
        world.polls.begin();
        let wakers = [(), ()].map(|()| {
            let world = world.clone();
            thread::spawn(move || world.bell.ring(&world.polls))
        });
        world.polls.end();
        world.bell.end(&world.polls);
        for waker in wakers {
            waker.join().unwrap();
        }
        assert!(world.polls.none().is_some(), "a poll is expected for ever");
    });
}

#[test]
fn nobody_seems_at_rest_while_somebody_polls() {
    // A poll that is asked for is over at once; another thread's goes on for all that time.
    explore(|| {
        let world = World::new();
        world.polls.begin();
        world.polls.end();
        let waker = {
            let world = world.clone();
            thread::spawn(move || world.bell.ring(&world.polls))
        };
        let polled = {
            let world = world.clone();
            thread::spawn(move || {
                if world.bell.take() {
                    world.polls.end();
                }
            })
        };
        world.polls.begin();
        assert!(world.polls.none().is_none(), "a poll goes on, and is not seen");
        world.polls.end();
        waker.join().unwrap();
        polled.join().unwrap();
        world.bell.end(&world.polls);
        assert!(world.polls.none().is_some());
    });
}
