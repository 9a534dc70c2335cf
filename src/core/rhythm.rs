//! In what order a thread looks at the places where work lies: its own work first, and now and then something else, so
//! that a thread which never runs out of work of its own leaves nothing lying. All is counted in *ticks*, the pieces of
//! work that the thread has taken, so a rhythm costs a division and reads no clock.

/// At one tick in this many, what has come from outside is looked at first, so that local work cannot starve it; at
/// another one, what lies with other threads. Odd, so that closures and tasks take turns. Small under loom, so that a
/// model can wait for some turns.
pub(crate) const OUTSIDE: u32 = if cfg!(mutant = "even_rhythm") {
    6
} else if cfg!(filch_loom) {
    7
} else {
    61
};
/// The place of the other threads in that rhythm.
const OTHERS: u32 = OUTSIDE / 2;
/// At one tick in this many, a closure is looked for first, even if tasks wait.
const CLOSURE: u32 = 8;
/// At one tick in this many, a task whose polls are long, if there are any: the express lane leaves them to us. It has
/// no divisor in common with the other rhythms, so their turns come, too.
const LONG: u32 = 3;
/// At one tick in this many, the timers are looked at before.
const TIMER: u32 = 8;

/// Where a thread finds work. Each function takes a piece out of one place, if one is there.
pub(crate) trait Places {
    /// A piece of work.
    type Work;

    /// A closure of the thread's own.
    fn own_closure(&self) -> Option<Self::Work>;
    /// A task of the thread's own.
    fn own_task(&self) -> Option<Self::Work>;
    /// A root that somebody outside waits for and that must run on a worker.
    fn root(&self) -> Option<Self::Work>;
    /// A closure from outside, or a root that anybody may run.
    fn injected_closure(&self) -> Option<Self::Work>;
    /// A task from outside.
    fn injected_task(&self) -> Option<Self::Work>;
    /// Whether there may be tasks whose polls are long.
    fn may_have_long_tasks(&self) -> bool;
    /// A task whose polls are long.
    fn long_task(&self) -> Option<Self::Work>;
    /// Something that lies with another thread, which may be at work that takes long.
    fn of_others(&self) -> Option<Self::Work>;
}

/// The next piece of work. `shallow`: others' work may come first, in its turn.
pub(crate) fn next<P: Places>(places: &P, tick: u32, shallow: bool) -> Option<P::Work> {
    let own = || next_own(places, tick);
    let outside = || next_outside(places, tick);
    if !shallow {
        own().or_else(outside)
    } else if tick % LONG == 0 && places.may_have_long_tasks() {
        places.long_task().or_else(own).or_else(outside)
    } else if tick % OUTSIDE == 0 && !cfg!(mutant = "outside_after_own") {
        outside().or_else(own)
    } else if tick % OUTSIDE == OTHERS && !cfg!(mutant = "others_after_own") {
        places.of_others().or_else(own).or_else(outside)
    } else {
        own().or_else(outside)
    }
}

/// The next piece of the thread's own work.
pub(crate) fn next_own<P: Places>(places: &P, tick: u32) -> Option<P::Work> {
    let closure = || places.own_closure();
    let task = || places.own_task();
    if tick % CLOSURE == 0 { closure().or_else(task) } else { task().or_else(closure) }
}

/// The next piece of work from outside.
pub(crate) fn next_outside<P: Places>(places: &P, tick: u32) -> Option<P::Work> {
    let root = || places.root();
    let closure = || places.injected_closure();
    let task = || places.injected_task();
    let long_task = || places.long_task();
    // As the rhythm is odd, each of the four comes at every fourth turn.
    #[cfg(mutant = "roots_first")]
    let tick = 0;
    match tick % 4 {
        0 => root().or_else(closure).or_else(task).or_else(long_task),
        2 => closure().or_else(root).or_else(task).or_else(long_task),
        _ => task().or_else(root).or_else(closure).or_else(long_task),
    }
}

/// Whether the timers are looked at before this piece of work.
pub(crate) fn is_timers_turn(tick: u32) -> bool {
    tick % TIMER == 0
}

/// Whether, where others' work may come first, it does now.
pub(crate) fn is_others_turn(tick: u32) -> bool {
    matches!(tick % OUTSIDE, 0 | OTHERS)
}

/// After this piece of work, how many have no turn but their own: neither closures, nor others' work, nor timers come
/// before a task of the thread's own. (Tasks whose polls are long may.)
pub(crate) fn plain_turns_after(tick: u32) -> u32 {
    let in_eight = (CLOSURE - 1) - tick % CLOSURE;
    let turn = tick % OUTSIDE;
    let others = if turn < OTHERS { OTHERS } else { OUTSIDE };
    in_eight.min(others - 1 - turn)
}

#[cfg(all(test, not(filch_loom)))]
mod tests {
    use super::{CLOSURE, OUTSIDE, Places, TIMER, is_others_turn, next, plain_turns_after};

    const NAMES: [&str; 7] =
        ["own closure", "own task", "root", "injected closure", "injected task", "of others", "long task"];
    const LONG_TASK: usize = 6;

    /// Places of which some are always full, and the others empty.
    struct Filled([bool; 7]);

    impl Filled {
        fn take(&self, name: usize) -> Option<usize> {
            self.0[name].then_some(name)
        }
    }

    impl Places for Filled {
        type Work = usize;

        fn own_closure(&self) -> Option<usize> {
            self.take(0)
        }

        fn own_task(&self) -> Option<usize> {
            self.take(1)
        }

        fn root(&self) -> Option<usize> {
            self.take(2)
        }

        fn injected_closure(&self) -> Option<usize> {
            self.take(3)
        }

        fn injected_task(&self) -> Option<usize> {
            self.take(4)
        }

        fn of_others(&self) -> Option<usize> {
            self.take(5)
        }

        fn may_have_long_tasks(&self) -> bool {
            self.0[LONG_TASK]
        }

        fn long_task(&self) -> Option<usize> {
            self.take(LONG_TASK)
        }
    }

    fn full(long: bool) -> Filled {
        Filled([true, true, true, true, true, true, long])
    }

    /// How long any of the places waits for its turn at most, though all are full.
    fn longest_wait(places: &Filled, name: usize) -> u32 {
        let turns: Vec<u32> = (0..50 * OUTSIDE).filter(|&tick| next(places, tick, true) == Some(name)).collect();
        turns.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(u32::MAX)
    }

    #[test]
    fn each_place_has_its_turn() {
        for (name, shown) in NAMES.iter().enumerate() {
            if name < 6 {
                let wait = longest_wait(&full(false), name);
                assert!(wait <= 4 * OUTSIDE, "{shown}: {wait} ticks");
            }
            // Some of their turns are those of the long tasks.
            let wait = longest_wait(&full(true), name);
            assert!(wait <= 8 * OUTSIDE, "{shown}, with long tasks: {wait} ticks");
        }
    }

    /// Who finds nothing takes that for the end. (What lies with others is looked for in a search.)
    #[test]
    fn what_there_is_is_found_at_every_tick() {
        for (name, shown) in NAMES.iter().enumerate().filter(|(name, _)| *name != 5) {
            let mut filled = [false; 7];
            filled[name] = true;
            for tick in 0..50 * OUTSIDE {
                assert_eq!(next(&Filled(filled), tick, true), Some(name), "{shown}, at tick {tick}");
            }
        }
    }

    #[test]
    fn deep_in_other_work_own_work_comes_first() {
        let places = full(true);
        assert!((0..50 * OUTSIDE).all(|tick| matches!(next(&places, tick, false), Some(0 | 1))));
    }

    #[test]
    fn turns_are_plain_until_one_is_not() {
        let is_plain = |tick: u32| tick % CLOSURE != 0 && tick % TIMER != 0 && !is_others_turn(tick);
        for tick in 0..3 * OUTSIDE * CLOSURE {
            let plain = (tick + 1..).take_while(|tick| is_plain(*tick)).count();
            assert_eq!(plain_turns_after(tick) as usize, plain, "after {tick}");
        }
    }
}
