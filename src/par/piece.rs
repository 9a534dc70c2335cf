//! Runs a piece of a loop on one thread, giving parts of it away to whoever is hungry.
//!
//! The piece is run in blocks of a few microseconds, all through one folder. While a block runs, the rest of the
//! piece is a private fork job in this frame, so that a thread which finds nothing else can raid it. Between blocks
//! the thread looks whether others search or sleep, and whether what is left is worth their while; then parts are cut
//! off the rest's end, one for each of them, and made public. A nested `join` or loop that is asked for forks finds
//! the rest as the oldest private job, and cuts parts off it in the same way ([`SplitFn`](crate::core::job::SplitFn)).
//!
//! A part lies on the heap, in a list in this frame; the newest part is the one next to the rest. At the end of the
//! rest the piece takes the newest part back, and goes on with it in the same folder, until one has been stolen: then
//! so have all older ones (see `fork_stack.md`), and it waits for each in turn and joins the results.
//!
//! Source of the idea: lazy splitting of ranges (Tzannes, Caragea, Barua, Vishkin, "Lazy Binary-Splitting", 2010),
//! here with the rest of the range as a private job, and blocks measured by the clock.

use std::cell::Cell;
use std::mem;
use std::ptr::NonNull;

use crate::core::fork_stack::Reclaimed;
use crate::core::job::{Arm, ForkJob, ForkRef, SplitFn};
use crate::ground::ticks::Ticks;
use crate::ground::unwind::{self, Payload};
use crate::par::pace::{self, Active, Pace};
use crate::par::plumbing::{Consumer, Folder};
use crate::par::stretch::{Block, Cut, Stretch};
use crate::pool::current;
use crate::pool::shared::Worth;
use crate::pool::slot::Slot;
use crate::work::join::join;

/// What is left of a piece. `Err`: cutting it has panicked, and whoever runs it goes on with that.
struct Rest<S, C> {
    stretch: Result<S, Payload>,
    consumer: C,
    pace: Pace,
}

impl<S, C> Rest<S, C> {
    fn unwrap(self) -> S {
        self.stretch.unwrap_or_else(|payload| unwind::resume(payload))
    }
}

impl<S: Stretch, C: Consumer<S::Item>> Arm for Rest<S, C> {
    type Out = C::Result;

    /// The owner may be busy with its item for ever, if that is a loop of its own; and this thread with the next. So a
    /// search begins in the middle.
    fn run_stolen(self) -> C::Result {
        let (consumer, pace) = (self.consumer, self.pace);
        let mut stretch = self.unwrap();
        if const { C::SEARCHES } && stretch.may_share() {
            match stretch.cut(1) {
                Cut::Two(near, far) => {
                    let (far, near) =
                        join(move || run_here(far, consumer, pace), move || run_here(near, consumer, pace));
                    return consumer.reduce(near, far);
                }
                Cut::One(all) => stretch = all,
            }
        }
        run_here(stretch, consumer, pace)
    }
}

/// Runs a piece on this thread.
fn run_here<S: Stretch, C: Consumer<S::Item>>(stretch: S, consumer: C, pace: Pace) -> C::Result {
    current::with(|slot| run(slot.expect("forks run on threads that have a slot"), stretch, consumer, pace))
}

/// A part of a loop that another thread may run: it was cut off where that thread should begin.
struct Away<S, C>(Rest<S, C>);

impl<S: Stretch, C: Consumer<S::Item>> Arm for Away<S, C> {
    type Out = C::Result;

    fn run_stolen(self) -> C::Result {
        let (consumer, pace) = (self.0.consumer, self.0.pace);
        run_here(self.0.unwrap(), consumer, pace)
    }
}

/// What stands beside the rest in its job.
#[repr(C)]
struct Beside<S: Stretch, C: Consumer<S::Item>> {
    // Must come first: see `ForkJob::as_splittable`.
    split: SplitFn,
    /// The newest part that has been cut off.
    parts: Cell<Option<NonNull<Part<S, C>>>>,
    /// Where the rest is.
    rest: Cell<Where>,
}

/// Where the rest of a loop is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    /// In the hands of `run`, or there is none.
    Here,
    /// On the fork stack, or on its way from there to a thief.
    Pushed,
    /// With a thief, who has not been waited for.
    Stolen,
}

type RestJob<S, C> = ForkJob<Rest<S, C>, Beside<S, C>>;

/// A part that has been cut off.
struct Part<S: Stretch, C: Consumer<S::Item>> {
    job: ForkJob<Away<S, C>>,
    older: Option<NonNull<Part<S, C>>>,
}

/// Cuts a part off the rest; see [`SplitFn`].
///
/// # Safety
/// `data` is a private `RestJob<S, C>` that has an arm, and the current thread its owner.
unsafe fn split<S: Stretch, C: Consumer<S::Item>>(data: *const (), into: usize) -> Option<ForkRef> {
    // SAFETY: by the caller's promise.
    let job = unsafe { &*data.cast::<RestJob<S, C>>() };
    // SAFETY: private, so only its owner may look at it, which is here.
    let rest = unsafe { job.arm() };
    let stretch = mem::replace(&mut rest.stretch, Err(Box::new(())));
    // Foreign code: producers' `split_at`. If it unwinds, the payload takes the place of the rest.
    match stretch.and_then(|stretch| unwind::catch(|| stretch.cut(into))) {
        Ok(Cut::Two(left, right)) => {
            rest.stretch = Ok(left);
            let part = Away(Rest { stretch: Ok(right), consumer: rest.consumer, pace: rest.pace });
            let part = Box::new(Part { job: ForkJob::new(part), older: job.more().parts.get() });
            let part = NonNull::from(Box::leak(part));
            job.more().parts.set(Some(part));
            // SAFETY: the part stays on the heap until it is reclaimed or its latch is set: `Open::close` sees to that.
            Some(unsafe { part.as_ref().job.as_split_off() })
        }
        Ok(Cut::One(stretch)) => {
            rest.stretch = Ok(stretch);
            None
        }
        Err(payload) => {
            rest.stretch = Err(payload);
            None
        }
    }
}

/// The frame's side of the rest and the parts. Dropped when the piece unwinds: sees to it that all are done with.
struct Open<'f, S: Stretch, C: Consumer<S::Item>> {
    slot: &'f Slot,
    job: &'f RestJob<S, C>,
}

impl<S: Stretch, C: Consumer<S::Item>> Open<'_, S, C> {
    /// Leaves the rest where others can get at it.
    #[inline(always)]
    fn push(&self, stretch: S, consumer: C, pace: Pace) {
        let ticks = pace.ticks_for(stretch.items());
        // SAFETY: the job has no arm: none yet, or taken by `pop`.
        unsafe { self.job.refill(Rest { stretch: Ok(stretch), consumer, pace }) };
        // SAFETY: this thread's slot. The job stays in its frame until it is reclaimed or its latch is set: by `pop` on
        // return, by `Drop` on unwinding. Room is made in `share` if it is asked for.
        let (_, asked) = unsafe { self.slot.fork.push(self.job.as_splittable()) };
        self.job.more().rest.set(Where::Pushed);
        self.slot.share(asked, ticks);
    }

    /// Takes the rest back, if it has not been stolen.
    #[inline(always)]
    fn pop(&self) -> Option<S> {
        // SAFETY: the owner's pop for its push; what the block pushed it has popped.
        if unsafe { self.slot.fork.pop_or_reclaim() } == Reclaimed::Ours {
            self.job.more().rest.set(Where::Here);
            // SAFETY: reclaimed.
            let rest = unsafe { self.job.take() };
            return Some(rest.unwrap());
        }
        // If the piece unwinds before it has waited, the guard does.
        self.job.more().rest.set(Where::Stolen);
        None
    }

    /// Waits for the thief of the rest, which `pop` has found stolen.
    #[cold]
    fn wait_for_rest(&self) -> Result<C::Result, Payload> {
        // SAFETY: only a job that was made public can be stolen.
        self.slot.wait_for_fork(unsafe { self.job.header() });
        self.job.more().rest.set(Where::Here);
        // SAFETY: the latch is set, and this is the only call: the rest was `Stolen` before.
        unsafe { self.job.result() }
    }

    /// The newest part, out of the list: ours again, or what its thief has made of it.
    fn next_part(&self) -> Option<Taken<S, C>> {
        let part = self.job.more().parts.get()?;
        // SAFETY: leaked by `split`, on the list, and on the heap until it is freed below.
        let node = unsafe { part.as_ref() };
        self.job.more().parts.set(node.older);
        // SAFETY: the rest is not on the stack, and inner pieces and joins have ended; so if a private fork is left
        // it is older than the part. The newest public fork is then the part, or the part has been stolen.
        let taken = if unsafe { self.slot.fork.reclaim_part() } {
            // SAFETY: reclaimed.
            Taken::Back(unsafe { node.job.take() }.0)
        } else {
            // SAFETY: made public by `publish`, which has had it from `split`.
            self.slot.wait_for_fork(unsafe { node.job.header() });
            // SAFETY: the latch is set, and this is the only call: the part is off the list.
            Taken::Done(unsafe { node.job.result() })
        };
        // SAFETY: leaked by `split` from a box, and nobody else has it any more.
        drop(unsafe { Box::from_raw(part.as_ptr()) });
        Some(taken)
    }
}

enum Taken<S, C: Consumer<S::Item>>
where
    S: Stretch,
{
    Back(Rest<S, C>),
    Done(Result<C::Result, Payload>),
}

impl<S: Stretch, C: Consumer<S::Item>> Drop for Open<'_, S, C> {
    /// The piece has unwound, or is at its end: the rest and the parts are dropped unrun, or awaited.
    #[inline]
    fn drop(&mut self) {
        if self.job.more().rest.get() != Where::Here || self.job.more().parts.get().is_some() {
            self.close();
        }
    }
}

impl<S: Stretch, C: Consumer<S::Item>> Open<'_, S, C> {
    #[cold]
    #[inline(never)]
    fn close(&mut self) {
        debug_assert!(std::thread::panicking(), "a piece that ends has joined the results of all its parts");
        // SAFETY: as in `pop`.
        let popped = |slot: &Slot| unsafe { slot.fork.pop_or_reclaim() } == Reclaimed::Ours;
        match self.job.more().rest.get() {
            Where::Here => {}
            Where::Pushed if popped(self.slot) => {
                self.job.more().rest.set(Where::Here);
                // SAFETY: reclaimed. Its drop is foreign code: a panic in it, while we unwind, ends the process, as for
                // any drop.
                drop(unsafe { self.job.take() });
            }
            Where::Pushed | Where::Stolen => {
                unwind::drop_quietly(self.wait_for_rest());
            }
        }
        while let Some(taken) = self.next_part() {
            match taken {
                Taken::Back(rest) => drop(rest),
                Taken::Done(lost) => {
                    unwind::drop_quietly(lost);
                }
            }
        }
    }
}

/// Runs a block. Where the folder is larger than the registers that it would lie in, as a function of its own: in the
/// midst of all else that goes on in a piece, compilers take the eight sums of an array apart, and join them again in
/// pairs that lie across the vectors.
#[inline(always)]
fn fold<S: Stretch, C: Consumer<S::Item>>(block: Block<S::Producer>, folder: C::Folder) -> C::Folder {
    #[inline(never)]
    fn apart<S: Stretch, C: Consumer<S::Item>>(block: Block<S::Producer>, folder: C::Folder) -> C::Folder {
        S::fold(block, folder)
    }
    if const { size_of::<C::Folder>() > 0 } { apart::<S, C>(block, folder) } else { S::fold(block, folder) }
}

/// Runs a piece from its beginning.
pub(crate) fn run<S, C>(slot: &Slot, mut stretch: S, consumer: C, mut pace: Pace) -> C::Result
where
    S: Stretch,
    C: Consumer<S::Item>,
{
    let more = Beside { split: split::<S, C>, parts: Cell::new(None), rest: Cell::new(Where::Here) };
    let job = RestJob::<S, C>::vacant(more);
    let open = Open { slot, job: &job };
    let mut active = Active::new(kind::<S, C>());
    let worth = &slot.shared().worth;

    let mut done = Done(None);
    if stretch.may_share() && stretch.can_be_cut() && slot.has_takers(pace.ticks_for(stretch.items())) {
        // Equal shares for all from the beginning. (What cannot be cut would be given away whole, to and fro.)
        open.push(stretch, consumer, pace);
        match open.pop() {
            Some(rest) => stretch = rest,
            None => {
                done.add(consumer, open.wait_for_rest().unwrap_or_else(|payload| unwind::resume(payload)));
                return finish(&open, consumer, pace, done, None);
            }
        }
    }
    // How many items the folder may still take.
    let mut room = stretch.share();
    let limited = room != usize::MAX;
    let (mut block, mut rest) = stretch.front(pace.block(), room);
    let mut items = block.items;
    let mut folder = consumer.into_folder(block.take_place());
    if consumer.full() || folder.full() {
        drop((block, rest));
        // Parts may have been given away above.
        return finish(&open, consumer, pace, done, Some(folder));
    }
    let mut all_items = 0;
    let mut began = if pace.is_blind() { None } else { Some(Ticks::now()) };
    let mut before = began;
    loop {
        let wary = pace.is_wary();
        let pushed = !wary && rest.as_ref().is_some_and(S::may_share);
        let kept = match rest {
            Some(rest) if pushed => {
                open.push(rest, consumer, pace);
                None
            }
            rest => {
                if rest.is_some() && !wary {
                    // There may be older forks here, and others may need the seat.
                    slot.share(slot.fork.unanswered(), 0);
                }
                rest
            }
        };
        // In one place, so that there is one copy of the loop.
        folder = fold::<S, C>(block, folder);
        let next = if pushed {
            let Some(rest) = open.pop() else {
                if pace.is_blind() {
                    active.forget();
                }
                // While it waits, this thread runs other parts of the loop: not inside of an item.
                active.end();
                done.add(consumer, folder.complete());
                done.add(consumer, open.wait_for_rest().unwrap_or_else(|payload| unwind::resume(payload)));
                return finish(&open, consumer, pace, done, None);
            };
            Some(rest)
        } else {
            kept
        };
        if wary && next.is_none() && pace.is_watched() {
            // Not looked at any more. But if it was long, somebody may have become hungry.
            if slot.fork.unanswered() {
                active.forget();
            }
        } else if let Some(earlier) = before {
            let now = Ticks::now();
            let ticks = now.since(earlier);
            let left = next.as_ref().map_or(0, S::items);
            if !wary || !pace.trust(ticks, left, worth) {
                pace.learn(items, ticks, worth);
            }
            before = Some(now);
            all_items += items;
        } else if slot.fork.unanswered() && pace.is_watched() {
            // Somebody is hungry: perhaps it takes longer than it should.
            pace.set_long();
            active.forget();
            began = Some(Ticks::now());
            before = began;
        }
        room = room.saturating_sub(items);
        if folder.full() {
            drop(next);
            active.end();
            return finish(&open, consumer, pace, done, Some(folder));
        }
        let stretch = match next {
            Some(stretch) => stretch,
            None => {
                if let (Some(began), Some(now)) = (began, before) {
                    if all_items > 0 && !pace.is_wary() {
                        active.remember(&pace, all_items, now.since(began), worth);
                    }
                }
                active.end();
                match open.next_part() {
                    None => {
                        done.add(consumer, folder.complete());
                        return done.unwrap();
                    }
                    Some(Taken::Back(part)) => {
                        if limited {
                            // Folders have equal shares of each stretch.
                            room = 0;
                        }
                        active = Active::new(kind::<S, C>());
                        before = before.map(|_| Ticks::now());
                        part.unwrap()
                    }
                    Some(Taken::Done(result)) => {
                        done.add(consumer, folder.complete());
                        done.add(consumer, result.unwrap_or_else(|payload| unwind::resume(payload)));
                        return finish(&open, consumer, pace, done, None);
                    }
                }
            }
        };
        // Parts may have been cut off so that what the folder would leave is too little.
        let fresh = room == 0 || !stretch.suits(room);
        if fresh {
            room = stretch.share();
        }
        (block, rest) = stretch.front(pace.block(), room);
        items = block.items;
        if fresh {
            done.add(consumer, folder.complete());
            folder = consumer.into_folder(block.take_place());
        } else {
            folder.advance(block.take_place());
        }
    }
}

/// The parts that are left, when their items do not go into the folder any more: because it is full, or because what
/// came before them has been stolen.
#[cold]
#[inline(never)]
fn finish<S, C>(
    open: &Open<'_, S, C>,
    consumer: C,
    pace: Pace,
    mut done: Done<C::Result>,
    folder: Option<C::Folder>,
) -> C::Result
where
    S: Stretch,
    C: Consumer<S::Item>,
{
    let full = folder.is_some();
    if let Some(folder) = folder {
        done.add(consumer, folder.complete());
    }
    while let Some(taken) = open.next_part() {
        match taken {
            // Nothing that comes after a full folder is wanted by this piece.
            Taken::Back(part) if full => drop(part),
            Taken::Back(part) => {
                let result = run(open.slot, part.unwrap(), consumer, pace);
                done.add(consumer, result);
            }
            Taken::Done(result) => {
                done.add(consumer, result.unwrap_or_else(|payload| unwind::resume(payload)));
            }
        }
    }
    done.unwrap()
}

/// The results so far, from left to right.
struct Done<R>(Option<R>);

impl<R> Done<R> {
    #[inline(always)]
    fn add<T, C: Consumer<T, Result = R>>(&mut self, consumer: C, result: R) {
        self.0 = Some(match self.0.take() {
            Some(before) => consumer.reduce(before, result),
            None => result,
        });
    }

    fn unwrap(self) -> R {
        self.0.expect("every piece has a folder")
    }
}

/// The number of a kind of loop, for [`pace`].
#[inline]
fn kind<S, C>() -> usize
where
    S: Stretch,
    C: Consumer<S::Item>,
{
    run::<S, C> as fn(&Slot, S, C, Pace) -> C::Result as usize
}

/// Runs a loop.
#[inline]
pub(crate) fn start<S, C>(slot: &Slot, stretch: S, consumer: C) -> C::Result
where
    S: Stretch,
    C: Consumer<S::Item>,
{
    let pace = recall(&stretch, &consumer);
    run(slot, stretch, consumer, pace)
}

/// What is remembered of loops like this one.
#[inline]
pub(crate) fn recall<S, C>(stretch: &S, _: &C) -> Pace
where
    S: Stretch,
    C: Consumer<S::Item>,
{
    pace::recall(kind::<S, C>(), stretch.len(), Worth::any())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::ticks;
    use crate::par::into::IntoParallelIterator;
    use crate::par::iter::ParallelIterator;
    use crate::par::place::Place;
    use crate::pool::handle::Pool;

    /// Asks its own thread for forks in every item, and takes the time from block to block.
    #[derive(Clone, Copy)]
    struct Asking;

    struct Blocks {
        last: Ticks,
        gaps: Vec<u64>,
        answers: usize,
    }

    impl Consumer<u32> for Asking {
        type Folder = Blocks;
        type Result = Blocks;

        fn into_folder(self, _: Place) -> Blocks {
            Blocks { last: Ticks::now(), gaps: Vec::new(), answers: 0 }
        }

        fn reduce(self, mut left: Blocks, right: Blocks) -> Blocks {
            left.gaps.extend(right.gaps);
            Blocks { answers: left.answers + right.answers, ..left }
        }
    }

    impl Folder<u32> for Blocks {
        type Result = Blocks;

        /// Some ten nanoseconds.
        fn consume(mut self, item: u32) -> Blocks {
            std::hint::black_box((0..8).fold(item, |hash, i| hash.rotate_left(5).wrapping_mul(0x9e37_79b9) ^ i));
            current::with(|slot| {
                let fork = &slot.expect("loops run inside").fork;
                self.answers += usize::from(!fork.unanswered());
                fork.request();
            });
            self
        }

        fn complete(self) -> Blocks {
            self
        }

        fn advance(&mut self, _: Place) {
            let now = Ticks::now();
            self.gaps.push(now.since(self.last));
            self.last = now;
        }
    }

    /// Who asks a thread that runs a loop of quick items is not heard later than after 100 µs.
    #[test]
    fn requests_are_looked_at_every_few_microseconds() {
        let pool = Pool::builder().workers(1).build().expect("a thread for a test");
        let most = 100 * ticks::per_microsecond();
        let medians = (0..10).map(|_| {
            let mut blocks = pool.install(|| (0..500_000u32).into_par_iter().drive(Asking, Place::whole()));
            assert!(blocks.answers > 1, "nobody has looked");
            assert!(blocks.gaps.len() > 20, "{} blocks", blocks.gaps.len());
            blocks.gaps.sort_unstable();
            blocks.gaps[blocks.gaps.len() / 2]
        });
        let medians: Vec<u64> = medians.collect();
        assert!(medians.iter().any(|median| *median <= most), "{medians:?} ticks, {most} at most");
    }

    /// The same by a clock of our own, for items of all kinds: after a few blocks each takes the time of a look, or of
    /// an item.
    #[test]
    fn blocks_take_the_time_of_a_look() {
        let worth = &Worth { a_look: 5_000, a_hand: 3_000, a_wake: 40_000, a_guess: 500 };
        for per_item in [1, 2, 10, 300, 4_999, 5_000, 5_001, 1_000_000] {
            let mut pace = Pace::unknown();
            for block in 0..20 {
                let ticks = per_item * pace.block() as u64;
                assert!(ticks <= worth.a_look.max(per_item), "block {block} of items of {per_item} takes {ticks}");
                assert!(block < 4 || 2 * ticks >= worth.a_look, "block {block} of items of {per_item} takes {ticks}");
                pace.learn(pace.block(), ticks, worth);
            }
            // They get slower, or quicker, by a hundred times.
            for changed in [100 * per_item, per_item.div_ceil(100)] {
                pace.learn(pace.block(), changed * pace.block() as u64, worth);
                pace.learn(pace.block(), changed * pace.block() as u64, worth);
                assert!(
                    changed * pace.block() as u64 <= worth.a_look.max(changed),
                    "items of {per_item}, then {changed}"
                );
            }
        }
    }
}
