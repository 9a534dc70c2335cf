//! Timers in order of time: a hierarchical timing wheel, after Varghese and Lauck ("Hashed and Hierarchical Timing
//! Wheels", 1987), with the levels placed by the highest digit in which a deadline differs from now, as in Linux.
//!
//! Time is in nanoseconds since some beginning. Its upper 48 bits are eight digits of six bits, and each digit has a
//! level of 64 slots, so every moment has a place and none is too far. A deadline lies on the level of the highest
//! digit in which it differs from `elapsed`, in the slot of that digit; whatever lies on one level is due before all
//! that lies on the next, and the first taken slot of the lowest taken level holds the earliest timer. When time
//! passes a slot, its timers are due or go down to lower levels, at most seven times each.
//!
//! A slot of the lowest level is 65 µs wide; but the deadlines in it are exact, and nothing is due before its time.
//!
//! Putting a timer in and taking it out are constant time. A timer that has fired keeps its place until its owner
//! takes it out, so a key is never another's. No user's code runs in here but the comparison of wakers.

use std::task::Waker;

use crate::core::slab::Slab;

const LEVELS: usize = 8;
const DIGIT: u32 = 6;
const SLOTS: usize = 1 << DIGIT;
/// 2¹⁶ ns are a tick.
const TICK: u32 = 16;
/// No timer.
const NIL: u32 = u32::MAX;
/// The deadline that is never reached.
pub(crate) const NEVER: u64 = u64::MAX;

/// A timer.
#[derive(Debug)]
struct Entry {
    deadline: u64,
    /// Whom to wake; None when it has fired.
    waker: Option<Waker>,
    /// The neighbours in the ring of its list.
    next: u32,
    prev: u32,
    home: Home,
}

/// Where a timer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    /// In the slot of this number, counted through all levels.
    Slot(u16),
    /// Its time has come, and its waker is still there.
    Due,
    /// Its waker has been taken. It waits for its owner.
    Fired,
}

/// A ring of timers.
#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    /// No timer in it is earlier. Exact as long as none has been taken out.
    earliest: u64,
}

const EMPTY: List = List { head: NIL, earliest: NEVER };

/// See the module.
#[derive(Debug)]
pub(crate) struct Wheel {
    elapsed: u64,
    entries: Slab<Entry>,
    /// One bit for each slot of a level that has timers.
    taken: [u64; LEVELS],
    /// All levels' slots; made for the first timer, since most pools never have one.
    slots: Vec<List>,
    due: List,
}

/// What a timer's owner sees.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// It has fired, or is about to.
    Fired,
    /// It waits, and will wake this waker.
    Waiting,
    /// It waits, but with another waker.
    WaitingForAnother,
}

impl Wheel {
    pub(crate) fn new() -> Self {
        Wheel { elapsed: 0, entries: Slab::new(), taken: [0; LEVELS], slots: Vec::new(), due: EMPTY }
    }

    /// How many timers there are, those counted that have fired and that nobody has taken out.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Puts a timer in. It is due at `deadline`, or at once if that has passed.
    pub(crate) fn insert(&mut self, deadline: u64, waker: Waker) -> u32 {
        if self.slots.is_empty() {
            self.slots = vec![EMPTY; LEVELS * SLOTS];
        }
        let entry = Entry { deadline, waker: Some(waker), next: NIL, prev: NIL, home: Home::Fired };
        let key = self.entries.insert(entry);
        self.place(key, deadline);
        key
    }

    /// Takes a timer out; gives its waker if it has not fired. The caller drops that where no lock is held.
    pub(crate) fn remove(&mut self, key: u32) -> Option<Waker> {
        self.unlink(key);
        self.entries.remove(key).expect("a number is given back once").waker
    }

    /// Gives a timer another time. False: it has fired already, and is left alone.
    pub(crate) fn reset(&mut self, key: u32, deadline: u64) -> bool {
        if self.entries[key].home == Home::Fired {
            return false;
        }
        self.unlink(key);
        self.entries[key].deadline = deadline;
        self.place(key, deadline);
        true
    }

    pub(crate) fn look(&mut self, key: u32, waker: &Waker) -> Look {
        let entry = &mut self.entries[key];
        match &entry.waker {
            _ if entry.home == Home::Due => Look::Fired,
            None => Look::Fired,
            Some(noted) if noted.will_wake(waker) => Look::Waiting,
            Some(_) => Look::WaitingForAnother,
        }
    }

    /// Notes another waker. Gives the one that is not needed: the old one, or the new one if the timer has fired.
    pub(crate) fn set_waker(&mut self, key: u32, waker: Waker) -> Waker {
        match &mut self.entries[key].waker {
            Some(noted) => std::mem::replace(noted, waker),
            None => waker,
        }
    }

    /// When somebody should look again: no timer is due before. 0 if some are due now, [`NEVER`] if there are none.
    /// May be too early by timers that have been taken out.
    pub(crate) fn next(&self) -> u64 {
        if self.due.head != NIL {
            return 0;
        }
        self.first_slot().map_or(NEVER, |slot| self.slots[slot].earliest)
    }

    /// As [`next`](Self::next), but exact, by looking at each timer of one slot.
    pub(crate) fn next_exact(&mut self) -> u64 {
        if self.due.head != NIL {
            return 0;
        }
        let Some(slot) = self.first_slot() else { return NEVER };
        let head = self.slots[slot].head;
        let (mut at, mut earliest) = (head, NEVER);
        loop {
            let entry = &mut self.entries[at];
            earliest = earliest.min(entry.deadline);
            at = entry.next;
            if at == head {
                break;
            }
        }
        self.slots[slot].earliest = earliest;
        earliest
    }

    /// Time has passed: timers whose time has come become due. `now` may lag behind an earlier call's.
    pub(crate) fn advance(&mut self, now: u64) {
        if now <= self.elapsed || self.entries.is_empty() {
            self.elapsed = self.elapsed.max(now);
            return;
        }
        let (old, new) = (self.elapsed >> TICK, now >> TICK);
        // All slots whose time has begun, before the clock is set: the timers in them stand relative to the old one.
        let mut begun = EMPTY;
        for level in 0..LEVELS {
            let shift = DIGIT * level as u32;
            let all = (old >> shift >> DIGIT) != (new >> shift >> DIGIT);
            let passed = if all { u64::MAX } else { u64::MAX >> (SLOTS as u64 - 1 - ((new >> shift) & 63)) };
            let mut hit = self.taken[level] & passed;
            self.taken[level] &= !passed;
            while hit != 0 {
                let slot = level * SLOTS + hit.trailing_zeros() as usize;
                hit &= hit - 1;
                let list = std::mem::replace(&mut self.slots[slot], EMPTY);
                self.splice(&mut begun, list.head);
            }
        }
        self.elapsed = now;
        while begun.head != NIL {
            let key = begun.head;
            self.take_from(&mut begun, key);
            let deadline = self.entries[key].deadline;
            self.place(key, deadline);
        }
    }

    /// Takes the waker of a timer that is due. The caller wakes it where no lock is held.
    pub(crate) fn take_due(&mut self) -> Option<Waker> {
        let key = self.due.head;
        if key == NIL {
            return None;
        }
        self.unlink(key);
        #[cfg(mutant = "fired_place_is_freed")]
        return self.entries.remove(key).expect("a number is given back once").waker;
        #[cfg(not(mutant = "fired_place_is_freed"))]
        self.entries[key].waker.take()
    }

    /// Makes all timers due.
    pub(crate) fn expire_all(&mut self) {
        for slot in 0..self.slots.len() {
            let mut list = std::mem::replace(&mut self.slots[slot], EMPTY);
            while list.head != NIL {
                let key = list.head;
                self.take_from(&mut list, key);
                self.make_due(key);
            }
        }
        self.taken = [0; LEVELS];
    }

    // ----- lists -----------------------------------------------------------------------------------------------

    fn first_slot(&self) -> Option<usize> {
        let level = self.taken.iter().position(|taken| *taken != 0)?;
        Some(level * SLOTS + self.taken[level].trailing_zeros() as usize)
    }

    /// Puts an unlinked timer where it belongs.
    fn place(&mut self, key: u32, deadline: u64) {
        if deadline <= self.elapsed {
            return self.make_due(key);
        }
        let (now, then) = (self.elapsed >> TICK, deadline >> TICK);
        let level = (u64::BITS - 1 - ((now ^ then) | 1).leading_zeros()) / DIGIT;
        let slot = ((then >> (DIGIT * level)) & 63) as usize;
        self.taken[level as usize] |= 1 << slot;
        let slot = level as usize * SLOTS + slot;
        let mut list = self.slots[slot];
        self.push(&mut list, key, Home::Slot(slot as u16));
        list.earliest = list.earliest.min(deadline);
        self.slots[slot] = list;
    }

    fn make_due(&mut self, key: u32) {
        let mut due = self.due;
        self.push(&mut due, key, Home::Due);
        self.due = due;
    }

    /// Takes a timer out of whatever list it is in.
    fn unlink(&mut self, key: u32) {
        match self.entries[key].home {
            Home::Slot(slot) => {
                let slot = usize::from(slot);
                let mut list = self.slots[slot];
                self.take_from(&mut list, key);
                if list.head == NIL {
                    list = EMPTY;
                    self.taken[slot / SLOTS] &= !(1 << (slot % SLOTS));
                }
                self.slots[slot] = list;
            }
            Home::Due => {
                let mut due = self.due;
                self.take_from(&mut due, key);
                self.due = due;
            }
            Home::Fired => {}
        }
    }

    /// Adds a timer at the end of a ring.
    fn push(&mut self, list: &mut List, key: u32, home: Home) {
        let (next, prev) = if list.head == NIL {
            list.head = key;
            (key, key)
        } else {
            let head = list.head;
            let tail = std::mem::replace(&mut self.entries[head].prev, key);
            self.entries[tail].next = key;
            (head, tail)
        };
        let entry = &mut self.entries[key];
        (entry.next, entry.prev, entry.home) = (next, prev, home);
    }

    /// Takes a timer out of the ring that it is in.
    fn take_from(&mut self, list: &mut List, key: u32) {
        let entry = &mut self.entries[key];
        let (next, prev) = (entry.next, entry.prev);
        entry.home = Home::Fired;
        if next == key {
            list.head = NIL;
            return;
        }
        self.entries[prev].next = next;
        self.entries[next].prev = prev;
        if list.head == key {
            list.head = next;
        }
    }

    /// Adds a whole ring at the end of another. The timers' homes are out of date then.
    fn splice(&mut self, list: &mut List, head: u32) {
        if list.head == NIL {
            list.head = head;
            return;
        }
        let tail = std::mem::replace(&mut self.entries[list.head].prev, NIL);
        let new_tail = std::mem::replace(&mut self.entries[head].prev, tail);
        self.entries[tail].next = head;
        self.entries[new_tail].next = list.head;
        self.entries[list.head].prev = new_tail;
    }
}

#[cfg(all(test, not(filch_loom)))]
mod tests {
    use super::{Entry, Look, NEVER, Wheel};
    use crate::ground::rng::Rng;
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    /// Counts its wakes.
    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn random(rng: &Rng, bits: u32) -> u64 {
        let word = (rng.below(1 << 31) as u64) << 33 | (rng.below(1 << 31) as u64) << 2 | rng.below(4) as u64;
        word >> (64 - bits)
    }

    /// The wheel beside a sorted list of the same timers.
    struct Pair {
        wheel: Wheel,
        /// By deadline and key.
        model: BTreeMap<(u64, u32), Arc<Count>>,
        fired: Vec<u32>,
        now: u64,
    }

    impl Pair {
        fn new() -> Self {
            Pair { wheel: Wheel::new(), model: BTreeMap::new(), fired: Vec::new(), now: 0 }
        }

        fn later(&self, span: u64) -> u64 {
            self.now.saturating_add(span).min(NEVER - 1)
        }

        fn insert(&mut self, deadline: u64) -> u32 {
            let count = Arc::new(Count::default());
            let key = self.wheel.insert(deadline, Waker::from(count.clone()));
            assert!(self.model.insert((deadline, key), count).is_none());
            key
        }

        fn remove(&mut self, at: (u64, u32)) {
            let count = self.model.remove(&at).unwrap();
            let waker = self.wheel.remove(at.1).expect("it has not fired");
            assert!(waker.will_wake(&Waker::from(count)));
        }

        fn reset(&mut self, at: (u64, u32), deadline: u64) {
            let count = self.model.remove(&at).unwrap();
            assert!(self.wheel.reset(at.1, deadline));
            self.model.insert((deadline, at.1), count);
        }

        fn advance(&mut self, now: u64) {
            self.now = self.now.max(now);
            self.wheel.advance(now);
            let mut due = 0;
            while let Some(waker) = self.wheel.take_due() {
                waker.wake();
                due += 1;
            }
            let later = self.model.split_off(&(self.now + 1, 0));
            let gone = std::mem::replace(&mut self.model, later);
            assert_eq!(due, gone.len(), "at {now}");
            for ((deadline, key), count) in gone {
                assert_eq!(count.0.load(Ordering::Relaxed), 1, "the timer for {deadline} at {now}");
                assert_eq!(self.wheel.look(key, Waker::noop()), Look::Fired);
                assert!(!self.wheel.reset(key, deadline + 1));
                self.fired.push(key);
            }
            self.check();
        }

        fn check(&mut self) {
            let first = self.model.keys().next().map_or(NEVER, |(deadline, _)| *deadline);
            assert!(self.wheel.next() <= first, "would be slept through");
            assert_eq!(self.wheel.next_exact(), first);
            assert_eq!(self.wheel.next(), first, "a look makes it exact");
            assert_eq!(self.wheel.len(), self.model.len() + self.fired.len());
        }
    }

    #[test]
    fn agrees_with_a_sorted_list() {
        for seed in 0..60 {
            let rng = Rng::new(seed);
            let mut pair = Pair::new();
            // Short deadlines and long ones, dense and sparse, by the seed.
            let bits = 8 + (seed as u32 % 7) * 8;
            for _ in 0..3000 {
                let pick = |pair: &Pair, n: usize| *pair.model.keys().nth(n % pair.model.len()).unwrap();
                match rng.below(10) {
                    0..=4 => {
                        let width = 1 + rng.below(bits as usize) as u32;
                        let deadline = pair.later(1 + random(&rng, width));
                        pair.insert(deadline);
                    }
                    5 | 6 if !pair.model.is_empty() => {
                        let at = pick(&pair, rng.below(100));
                        pair.remove(at);
                    }
                    7 if !pair.model.is_empty() => {
                        let at = pick(&pair, rng.below(100));
                        let width = 1 + rng.below(bits as usize) as u32;
                        pair.reset(at, pair.later(1 + random(&rng, width)));
                    }
                    8 => {
                        if let Some(key) = pair.fired.pop() {
                            assert!(pair.wheel.remove(key).is_none());
                        }
                    }
                    _ => {
                        // To a timer exactly, just before one, or somewhere.
                        let first = pair.model.keys().next().map_or(pair.now, |at| at.0);
                        let now = match rng.below(4) {
                            0 => first,
                            1 => first.saturating_sub(1),
                            2 => pair.now.saturating_sub(5),
                            _ => pair.later(random(&rng, 1 + rng.below(bits as usize) as u32)),
                        };
                        pair.advance(now);
                    }
                }
            }
            pair.check();
            pair.advance(u64::MAX - 1);
        }
    }

    #[test]
    fn edges_of_all_levels() {
        // Around each power of two, from beginnings around each power of two: every carry and every wrap.
        for begin in (0..64).map(|bit| 1u64 << bit) {
            let mut pair = Pair::new();
            pair.advance(begin - 1);
            let mut deadlines: Vec<u64> = (0..64).map(|bit| begin.saturating_add(1 << bit)).collect();
            deadlines.extend((0..64).map(|bit| begin.saturating_add((1 << bit) - 1)));
            deadlines.extend([u64::MAX - 1, u64::MAX - 2]);
            deadlines.retain(|deadline| *deadline < NEVER);
            for deadline in &deadlines {
                pair.insert(*deadline);
            }
            deadlines.sort_unstable();
            for deadline in deadlines {
                pair.advance(deadline - 1);
                pair.advance(deadline);
            }
            assert!(pair.model.is_empty());
        }
    }

    #[test]
    fn one_tick_many_timers() {
        let mut pair = Pair::new();
        for deadline in (1..1000).rev() {
            pair.insert(deadline);
        }
        for now in [1, 2, 3, 500, 501, 999] {
            pair.advance(now);
        }
        assert!(pair.model.is_empty());
    }

    #[test]
    fn a_past_deadline_is_due_at_once() {
        let mut pair = Pair::new();
        pair.insert(3);
        pair.advance(1 << 40);
        let key = pair.insert(17);
        assert_eq!(pair.wheel.next(), 0);
        assert_eq!(pair.wheel.look(key, Waker::noop()), Look::Fired);
        // Taken out before anybody has woken it.
        pair.remove((17, key));
        assert!(pair.wheel.take_due().is_none());
        pair.insert(18);
        pair.advance(1 << 40);
    }

    #[test]
    fn never_is_never() {
        let mut wheel = Wheel::new();
        let key = wheel.insert(NEVER, Waker::noop().clone());
        wheel.advance(NEVER - 1);
        assert!(wheel.take_due().is_none());
        assert!(wheel.remove(key).is_some());
    }

    #[test]
    fn all_expire() {
        let mut pair = Pair::new();
        for bit in 0..64 {
            pair.insert(1 << bit);
        }
        pair.wheel.expire_all();
        for ((_, key), count) in std::mem::take(&mut pair.model) {
            assert_eq!(pair.wheel.look(key, Waker::noop()), Look::Fired);
            pair.wheel.take_due().unwrap().wake();
            assert!(count.0.load(Ordering::Relaxed) <= 1);
            pair.fired.push(key);
        }
        pair.check();
    }

    #[test]
    fn wakers_are_replaced() {
        let mut wheel = Wheel::new();
        let (a, b) = (Waker::from(Arc::new(Count::default())), Waker::from(Arc::new(Count::default())));
        let key = wheel.insert(10, a.clone());
        assert_eq!(wheel.look(key, &a), Look::Waiting);
        assert_eq!(wheel.look(key, &b), Look::WaitingForAnother);
        assert!(wheel.set_waker(key, b.clone()).will_wake(&a));
        assert_eq!(wheel.look(key, &b), Look::Waiting);
        wheel.advance(10);
        assert!(wheel.take_due().unwrap().will_wake(&b));
        assert!(wheel.set_waker(key, a.clone()).will_wake(&a), "not kept by a timer that has fired");
    }

    #[test]
    fn a_timer_is_forty_bytes() {
        assert_eq!(size_of::<Option<Entry>>(), 40);
    }
}
