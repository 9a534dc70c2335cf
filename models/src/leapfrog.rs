//! Leapfrogging: who waits for a stolen fork takes parts of it from its thief, from whom that waits for in turn, and
//! nothing else. See `core/follow.rs`, which is the real one, as are the stacks, the latches and the parkers; how a
//! thread takes, runs and awaits forks is a short copy of `pool/find.rs`, `pool/wait.rs` and `work/join.rs`.
//!
//! Forks have names: a part's name begins with the name of what it is a part of.

use super::{explore, parker};
use crate::core::follow::{Followed, Follower, Taken, Trail};
use crate::core::fork_stack::{ForkStack, Reclaimed};
use crate::core::job::{Arm, ForkHeader, ForkJob, ForkRef};
use crate::core::latch::Waiter;
use crate::core::lineage::Place;
use crate::core::parker::Parker;
use loom::thread::JoinHandle;
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};

type Body = fn(&World);

loom::thread_local! {
    /// The number of the thread.
    static ME: Cell<usize> = Cell::new(0);
    /// What it waits for, when it runs a fork as a part of that.
    static WITHIN: Cell<Option<&'static str>> = Cell::new(None);
}

fn me() -> usize {
    ME.with(Cell::get)
}

/// The name of a thief in the header of a fork whose frame is gone.
const GONE: u32 = 99;
/// The thread that runs what a follower has put back.
const SPARE: usize = 3;

struct Thread {
    stack: ForkStack,
    trail: Trail,
    bed: Arc<Parker>,
    /// Whether it follows thieves, and whether it raids them.
    follows: bool,
    raids: bool,
}

impl Followed for Thread {
    fn forks(&self) -> &ForkStack {
        &self.stack
    }

    fn trail(&self) -> &Trail {
        &self.trail
    }

    fn waiter(&self) -> Waiter {
        Waiter::Outside(self.bed.clone())
    }
}

#[derive(Clone)]
struct World(Arc<Inner>);

struct Inner {
    threads: [Thread; 4],
    /// What has been run: the model's own notes, in the order of what really happens.
    runs: Mutex<Vec<&'static str>>,
    /// The frames that are gone: kept, so that it is seen who looks at them.
    frames: Mutex<Vec<Box<ForkJob<Part>>>>,
    others: Mutex<Vec<JoinHandle<()>>>,
}

// SAFETY: loom runs one thread at a time, and tells who races.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

/// A second arm.
struct Part {
    name: &'static str,
    body: Body,
    world: World,
}

impl Arm for Part {
    type Out = ();

    fn run_stolen(self) {
        if let Some(awaited) = WITHIN.with(|within| within.take()) {
            assert!(self.name.starts_with(awaited), "{} is run inside of the wait for {awaited}", self.name);
        }
        self.world.0.runs.lock().unwrap().push(self.name);
        (self.body)(&self.world);
    }
}

fn nothing(_: &World) {}

impl World {
    /// `follows` and `raids`: the numbers of those who do.
    fn new(follows: &[usize], raids: &[usize]) -> World {
        let thread = |number: usize| Thread {
            stack: ForkStack::new(),
            trail: Trail::new(),
            bed: parker(),
            follows: follows.contains(&number),
            raids: raids.contains(&number),
        };
        World(Arc::new(Inner {
            threads: std::array::from_fn(thread),
            runs: Mutex::default(),
            frames: Mutex::default(),
            others: Mutex::default(),
        }))
    }

    fn own(&self) -> &Thread {
        &self.0.threads[me()]
    }

    /// Starts a thread.
    fn start(&self, number: usize, body: impl FnOnce(&World) + 'static) {
        let world = self.clone();
        let handle = loom::thread::spawn(move || {
            ME.with(|me| me.set(number));
            body(&world);
        });
        self.0.others.lock().unwrap().push(handle);
    }

    /// Steals the oldest public fork of this thread in another's name, which is started to run it, and then goes on. Or
    /// somebody has been faster.
    fn stolen_by(&self, number: usize, then: Body) {
        let Some(fork) = self.own().stack.steal() else { return };
        self.start(number, move |world| {
            world.run(fork);
            then(world);
        });
    }

    /// The end of a model: each of these has been run, once.
    fn end(&self, names: &[&'static str]) {
        loop {
            let Some(other) = self.0.others.lock().unwrap().pop() else { break };
            other.join().unwrap();
        }
        let mut runs = self.0.runs.lock().unwrap();
        runs.sort_unstable();
        assert_eq!(*runs, names);
    }

    // ----- as in the pool --------------------------------------------------------------------------------------

    /// `Slot::run`.
    fn run(&self, fork: ForkRef) {
        // SAFETY: the owner's thread, which has taken the fork.
        unsafe { self.own().stack.run_taken(fork, me() as u32, |_| ()) };
    }

    /// `join`, with the second arm made public at once, if it is to be.
    fn join(&self, name: &'static str, body: Body, public: bool, first: impl FnOnce()) {
        let own = self.own();
        let job = Box::new(ForkJob::new(Part { name, body, world: self.clone() }));
        // SAFETY: the owner's thread, and the job lies still until it is fetched, below.
        unsafe {
            if own.stack.push(ForkJob::as_ref(&job)).1 || public {
                own.stack.publish(1, &own.waiter(), Place::outside());
            }
        }
        first();
        // SAFETY: the owner's thread, and the job is the newest.
        if unsafe { own.stack.pop_or_reclaim() } == Reclaimed::Ours {
            // SAFETY: reclaimed.
            unsafe { job.take() }.run_stolen();
        } else {
            // SAFETY: stolen, so it was made public.
            self.wait_for_fork(name, unsafe { job.header() });
            // SAFETY: the latch is set.
            assert!(unsafe { job.result() }.is_ok());
            // The frame goes. SAFETY: nobody has it any more.
            unsafe { ForkJob::as_ref(&job).taken_by(GONE) };
        }
        self.0.frames.lock().unwrap().push(job);
    }

    /// `Slot::wait_for_fork`, which looks once or twice for a part before it parks.
    fn wait_for_fork(&self, name: &'static str, header: &ForkHeader) {
        let own = self.own();
        if header.latch.probe() {
            return;
        }
        // SAFETY: taken out below.
        let outer = unsafe { own.trail.show(Some(NonNull::from(header))) };
        let looks: &[bool] = if !own.follows {
            &[]
        } else if own.raids {
            &[true]
        } else {
            &[false]
        };
        for raid in looks {
            if header.latch.probe() {
                break;
            }
            if let Some(part) = self.follow(header, *raid) {
                // `Slot::run_part`. SAFETY: as above.
                unsafe {
                    let awaited = own.trail.show(None);
                    WITHIN.with(|within| within.set(Some(name)));
                    self.run(part);
                    own.trail.show(awaited);
                }
            }
        }
        while header.latch.announce_sleep() {
            own.bed.park();
        }
        #[cfg(not(mutant = "awaited_stays_on_show"))]
        // SAFETY: what was there before, and is alive still.
        unsafe {
            own.trail.show(outer)
        };
        #[cfg(mutant = "awaited_stays_on_show")]
        let _ = outer;
    }

    /// `Slot::follow`. What is not a part goes to the injector: another thread comes for it.
    fn follow(&self, header: &ForkHeader, raid: bool) -> Option<ForkRef> {
        let thread = |name: u32| {
            assert_ne!(name, GONE, "somebody looks at a frame that is gone");
            self.0.threads.get(name as usize)
        };
        match (Follower { thread: &thread, stolen_from: &|_, _| (), raid }).follow(header)? {
            Taken::Part(fork) => Some(fork),
            Taken::Other(fork) => {
                self.start(SPARE, move |world| world.run(fork));
                None
            }
        }
    }
}

/// The thief has finished what the follower waits for, and has begun something else, when it is followed.
fn a_thief_that_has_begun_something_else(public: bool, raids: &'static [usize]) {
    explore(move || {
        let world = World::new(&[0], raids);
        let something_else: Body = if public {
            |world| world.join("S", nothing, true, || ())
        } else {
            |world| world.join("S", nothing, false, || ())
        };
        world.join("J", nothing, true, || world.stolen_by(1, something_else));
        world.end(&["J", "S"]);
    });
}

#[test]
fn a_thief_has_begun_something_else() {
    a_thief_that_has_begun_something_else(true, &[]);
}

#[test]
fn a_thief_that_keeps_its_forks_has_begun_something_else() {
    a_thief_that_has_begun_something_else(false, &[0]);
}

#[test]
fn a_thief_runs_unrelated_work_on_top() {
    explore(|| {
        let world = World::new(&[0], &[]);
        let arm: Body = |world| world.own().trail.mixed(|| world.join("U", nothing, true, || ()));
        world.join("J", arm, true, || world.stolen_by(1, nothing));
        world.end(&["J", "U"]);
    });
}

#[test]
fn a_thief_has_had_a_fork_of_its_own() {
    // Public, when it takes what we wait for: it does not say its name.
    explore(|| {
        let world = World::new(&[0], &[]);
        world.join("J", nothing, true, || {
            let fork = world.own().stack.steal().expect("it has just been published");
            world.start(1, move |world| world.join("S", nothing, true, || world.run(fork)));
        });
        world.end(&["J", "S"]);
    });
}

#[test]
fn two_waiters_follow_each_other() {
    // Each waits for what the other runs, and takes a part of that from it, one on top of the other.
    explore(|| {
        let world = World::new(&[0, 1], &[]);
        let arm: Body = |world| {
            let part: Body = |world| world.join("JKL", nothing, true, || ());
            world.join("JK", part, true, || ());
        };
        world.join("J", arm, true, || world.stolen_by(1, nothing));
        world.end(&["J", "JK", "JKL"]);
    });
}

/// We wait for J, its thief for K, whose thief forks L. And K ends, and its frame goes, while we are on our way there.
#[test]
fn along_a_chain() {
    explore(|| {
        let world = World::new(&[0], &[]);
        let arm: Body = |world| {
            let part: Body = |world| world.join("JKL", nothing, true, || ());
            world.join("JK", part, true, || world.stolen_by(2, nothing));
        };
        world.join("J", arm, true, || world.stolen_by(1, nothing));
        world.end(&["J", "JK", "JKL"]);
    });
}

/// The same, but what the thief waits for is unrelated work that it runs on top.
#[test]
fn along_a_chain_that_leaves_what_we_wait_for() {
    explore(|| {
        let world = World::new(&[0], &[]);
        let arm: Body = |world| {
            let part: Body = |world| world.join("UL", nothing, true, || ());
            world.own().trail.mixed(|| world.join("U", part, true, || world.stolen_by(2, nothing)));
        };
        world.join("J", arm, true, || world.stolen_by(1, nothing));
        world.end(&["J", "U", "UL"]);
    });
}
