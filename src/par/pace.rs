//! How long the items of a loop take, and how many make a block.
//!
//! A loop begins with one item and lets its blocks grow until one takes a few microseconds. What it has learnt is kept
//! for the next loop of the same kind on the same thread (the same closures, that is, the same code), which need not
//! grow for as long, and knows from the beginning whether it is worth waking others for.
//!
//! Memory errs: the same code may get items that are a million times as long. So the first block of a loop is a small
//! part of it, however short it was the last time, and what the block has taken says how to go on. Only for loops of a
//! microsecond is the clock too dear. If they have a few items only, half of these lie on the fork stack while the
//! other half runs, and a thread that asks for forks meanwhile makes the rest be measured. If they have more, they are
//! looked at after the first eight and, if they have many, in the middle; what is left meanwhile is in nobody's reach,
//! for to put it on the fork stack costs more than to look. So if only later items are slow, at worst half of the loop,
//! or as many as have no look in the middle, run one after the other. But every so often short loops, too, are measured
//! from end to end, and the next time after one during which somebody has asked for forks. A kind that runs inside of
//! itself is not remembered at all: its short loops say nothing about its long ones.
//!
//! What the looks cost, in nanoseconds, measured on 100 items that take 80 and on 200 that take 135: one, with two
//! readings of the clock and one more block, 11 and 12; with the rest on the fork stack, 16 and 17; one more in the
//! middle, 20 (so it is left out) and 15, if the halves are equal, else up to 23; looks after blocks each of which is
//! twice as long as the one before, 32 and 37. A block more without a look costs as much as half a look, so there is
//! little to be saved there; to compare with the look of the loop before, in place of one at the start, saves 1 to 4.

use std::cell::Cell;

use crate::pool::shared::Worth;

/// By how much a block may be longer than the one before.
const GROWTH: usize = 32;
/// Loops that are remembered, for each thread.
const REMEMBERED: usize = 64;
/// One in this many short loops is measured.
const MEASURED: u8 = 31;
/// Short loops of fewer items than this are halved, and not looked at.
const MANY: usize = 32;
/// Short loops of more items are looked at after so many.
const FIRST: usize = 8;
/// If as many are left then, they are looked at in the middle, too.
const HALVED: usize = 128;
/// The first block of a brief loop whose time is taken is one in so many parts of it.
const PROBE: usize = 8;
/// Blocks are multiples of so many items, if they have as many.
const EVEN: usize = 64;
/// A loop of so many full blocks has the time to begin with smaller ones.
const AMPLE: f32 = 16.0;

/// What is known of a loop's items.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Ticks for one item; 0: not known yet.
    per_item: f32,
    /// Items in the next block.
    block: usize,
    /// It is known to be over in no time.
    brief: bool,
    /// It is known to be so short that the clock is not worth looking at.
    blind: bool,
    /// It is known to be so short that it is looked at once or twice: see `trust`.
    wary: bool,
    /// See `set_alone`.
    alone: bool,
}

impl Pace {
    pub(crate) fn unknown() -> Pace {
        Pace { per_item: 0.0, block: 1, brief: false, blind: false, wary: false, alone: false }
    }

    #[inline]
    pub(crate) fn block(&self) -> usize {
        self.block
    }

    /// Whether the loop is known to be over in no time.
    #[inline]
    pub(crate) fn is_brief(&self) -> bool {
        self.brief
    }

    /// Whether the clock is not looked at.
    #[inline]
    pub(crate) fn is_blind(&self) -> bool {
        self.blind
    }

    /// Whether it is looked at once or twice only, and its rest is kept in hand.
    #[inline]
    pub(crate) fn is_wary(&self) -> bool {
        self.wary
    }

    /// The block of a wary loop has taken `ticks`, and as many items are `left`: whether it seems to be as short as ever.
    #[inline]
    pub(crate) fn trust(&mut self, ticks: u64, left: usize, worth: &Worth) -> bool {
        self.wary = ticks <= 2 * worth.a_guess;
        self.block = if left < HALVED { left } else { left / 2 / FIRST * FIRST };
        self.wary
    }

    /// Nobody keeps watch over the pool: that this thread is asked for forks says nothing.
    #[inline]
    pub(crate) fn set_alone(&mut self, alone: bool) {
        self.alone = alone;
    }

    /// Whether somebody who asks this thread for forks may be hungry.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        !self.alone
    }

    /// It was not so short.
    pub(crate) fn set_long(&mut self) {
        self.blind = false;
    }

    /// How many ticks as many items should take; 0 if that is not known.
    #[inline]
    pub(crate) fn ticks_for(&self, items: usize) -> u64 {
        (self.per_item * items as f32) as u64
    }

    /// A block of `items` has taken `ticks`.
    #[inline]
    pub(crate) fn learn(&mut self, items: usize, ticks: u64, worth: &Worth) {
        let per_item = ticks as f32 / items.max(1) as f32;
        if ticks >= worth.a_guess {
            self.per_item = per_item;
        }
        self.block = even(block_of(per_item, worth).min(items.saturating_mul(GROWTH)));
    }
}

#[inline]
fn block_of(per_item: f32, worth: &Worth) -> usize {
    ((worth.a_look as f32 / per_item.max(0.001)) as usize).max(1)
}

/// Code that works on several items at a time has none left over at the end of such a block.
#[inline]
fn even(block: usize) -> usize {
    if block >= EVEN { block - block % EVEN } else { block.max(1) }
}

/// What is remembered of one kind of loop.
#[derive(Clone, Copy)]
struct Memory {
    /// Which kind: the address of its code. Two kinds may share one, and then each other's memories.
    kind: usize,
    /// Ticks for one item; 0: nothing is remembered.
    per_item: f32,
    /// How often in a row it was not measured.
    unmeasured: u8,
    /// It runs on this thread now.
    active: bool,
    /// It has been found inside of itself.
    nests: bool,
}

impl Memory {
    const fn of(kind: usize) -> Memory {
        Memory { kind, per_item: 0.0, unmeasured: 0, active: false, nests: false }
    }
}

thread_local! {
    static MEMORY: [Cell<Memory>; REMEMBERED] = const { [const { Cell::new(Memory::of(0)) }; REMEMBERED] };
}

#[inline]
fn with_memory<R>(kind: usize, f: impl FnOnce(&Cell<Memory>) -> R) -> R {
    MEMORY.with(|memory| f(&memory[(kind >> 4) % REMEMBERED]))
}

/// How a loop of this kind begins. `items`: how many there are, if that is known.
#[inline]
pub(crate) fn recall(kind: usize, items: Option<usize>, worth: &Worth) -> Pace {
    with_memory(kind, |cell| {
        let mut memory = cell.get();
        if memory.kind != kind || memory.per_item <= 0.0 {
            return Pace::unknown();
        }
        let ticks = items.map_or(f32::MAX, |items| memory.per_item * items as f32);
        let brief = ticks <= worth.a_look as f32;
        let short = ticks <= (2 * worth.a_guess) as f32 && memory.unmeasured < MEASURED;
        let wary = short && items.is_some_and(|items| items >= MANY);
        let blind = short && !wary;
        if short {
            memory.unmeasured += 1;
            cell.set(memory);
        }
        let full = || block_of(memory.per_item, worth);
        let block = match items {
            Some(_) if wary => FIRST,
            Some(items) if blind => items.div_ceil(2),
            Some(items) if brief => items / PROBE,
            Some(_) if ticks <= AMPLE * worth.a_look as f32 => full() / GROWTH,
            Some(_) => full() / GROWTH / GROWTH,
            None => 1,
        };
        Pace { per_item: memory.per_item, block: even(block), brief, blind, wary, alone: false }
    })
}

/// A loop of this kind, while it lives, on this thread.
pub(crate) struct Active {
    kind: usize,
    /// Whether it was noted.
    noted: bool,
}

impl Active {
    #[inline]
    pub(crate) fn new(kind: usize) -> Active {
        with_memory(kind, |cell| {
            let mut memory = cell.get();
            if memory.kind != kind {
                if memory.active {
                    return Active { kind, noted: false };
                }
                memory = Memory::of(kind);
            } else if memory.active {
                cell.set(Memory { nests: true, per_item: 0.0, ..memory });
                return Active { kind, noted: false };
            }
            cell.set(Memory { active: true, ..memory });
            Active { kind, noted: true }
        })
    }

    /// The loop has ended: `items` took `ticks` in all. Hiccups make a mean too long, and the last block may have been
    /// short: the smaller of the two is kept.
    #[inline]
    pub(crate) fn remember(&self, pace: &Pace, items: usize, ticks: u64, worth: &Worth) {
        let mean = ticks as f32 / items.max(1) as f32;
        let per_item = if ticks >= worth.a_guess && pace.per_item > 0.0 { mean.min(pace.per_item) } else { mean };
        if self.noted {
            with_memory(self.kind, |cell| {
                let memory = cell.get();
                if !memory.nests {
                    cell.set(Memory { per_item: per_item.max(0.001), unmeasured: 0, ..memory });
                }
            });
        }
    }

    /// It was not as short as it should have been: half of it has been stolen.
    #[cold]
    pub(crate) fn forget(&self) {
        if self.noted {
            with_memory(self.kind, |cell| cell.set(Memory { per_item: 0.0, ..cell.get() }));
        }
    }
}

impl Active {
    /// The items of the loop are over on this thread: what runs here from now on does not run inside of one.
    #[inline]
    pub(crate) fn end(&mut self) {
        if self.noted {
            self.noted = false;
            with_memory(self.kind, |cell| cell.set(Memory { active: false, ..cell.get() }));
        }
    }
}

impl Drop for Active {
    #[inline]
    fn drop(&mut self) {
        self.end();
    }
}
