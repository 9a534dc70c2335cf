//! The pipeline of `for_each_ordered` and `par_map_ordered`: blocks of items are taken from a source one after another,
//! made by many threads, and fed to a sink in order.
//!
//! # The protocol
//!
//! Three things are on the belt, under one lock that is held for some instructions only and never while foreign code
//! runs: the *source*, the *sink*, and the *row* of the blocks that have been taken and not yet fed, each made or being
//! made. Source and sink are taken in hand by who uses them, and put back.
//!
//! The work is done by *turns*. A turn does the first of these duties that it can do, until it can do none; then it
//! ends:
//!
//! 1. If the first block of the row has been made and the sink is there: feed it.
//! 2. If the source is there and not used up, and there is room in the row: take a block, put the source back, make
//!    the block.
//!
//! No turn waits for another. When one ends, the loop is over, or another turn goes on that will look again after all
//! that this one has seen. For source or sink are missing only while a turn has them in hand, and a first block that
//! has not been made is being made by a turn; if there is no room, there is a first block. So the last turn that ends
//! leaves a used-up source and an empty row. Whoever then finds that there is more to do than it can do alone, *calls*
//! for one more turn, as a job of the loop's scope: if the row is no more than half full when a block has been taken
//! or fed. (With a sink that is slower than all else, a thread so comes back for half of the row, and not for each
//! block.) There are no more turns than workers.
//!
//! So a thread waits for nothing but for the jobs that it has forked: the loop's caller for the scope, and foreign code
//! for its own loops and joins. Should a thread that waits so run another turn of the same loop meanwhile, that turn
//! finds what is below it on the stack in hand, and ends when it has no more to do. A pool of one worker takes, makes
//! and feeds block after block.
//!
//! A turn that unwinds stops the belt, as a sink does that wants no more: every turn ends when it is next without a
//! duty in hand. The scope waits for that, and passes the panic on; what is in the row is dropped with it.
//!
//! # Beginning
//!
//! A short loop should not cost a call. Until 20 µs have passed, the caller is alone, but for a fork, which costs
//! next to nothing, and whose only task is to end that, and to call: a thread that is hungry takes it. If it finds the
//! source in the caller's hand, there is nothing to call for yet; then the caller, which is not alone any more, does it
//! when it puts the source back, before it makes anything.
//!
//! # Sizes
//!
//! A block has as many items as are made in about 100 µs: much longer than a few passages of the lock, and short enough
//! that a thread without work at the end of the loop does not matter. It is made by a parallel loop of its own, lest a
//! block with suddenly long items stay with one thread. The row has room for eight blocks for each worker, so an item
//! may take eight times as long as the others before threads find nothing to do. It has room for 16,384 items at most.

use std::collections::VecDeque;
use std::mem;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::ground::sync::Mutex;
use crate::par::tries::Try;
use crate::pool::handle::on_current;
use crate::pool::shared::Shared;
use crate::work::join::join;
use crate::work::scope::{Scope, scope};

/// The most items of the row. Documented.
const MOST: usize = 16_384;
/// The most items of a block: some blocks of the shortest items make a row.
const MOST_OF_BLOCK: usize = MOST / 8;
/// Blocks of the row for each worker. Documented.
const BLOCKS: usize = 8;
/// How long it should take to make a block. Documented.
pub(crate) const BLOCK: Duration = Duration::from_micros(100);
/// How long the loop's caller goes on before it calls for others.
const ALONE: Duration = Duration::from_micros(20);

/// Where the blocks come from.
pub(crate) trait Source: Send {
    /// Items that have not been made.
    type Block: Send;

    /// The next `items` items, or fewer. `None`: there are no more.
    fn take(&mut self, items: usize) -> Option<Taken<Self::Block>>;
}

/// A block as it comes from the source.
pub(crate) struct Taken<B> {
    pub(crate) block: B,
    /// How many, at least one.
    pub(crate) items: usize,
    /// Whether the source is used up.
    pub(crate) last: bool,
}

/// Makes all of `source` and feeds it to `sink`, until that wants no more.
pub(crate) fn run<S, T, M, F, R>(mut source: S, make: &M, mut sink: F) -> R
where
    S: Source,
    T: Send,
    M: Fn(S::Block, &mut Vec<T>) + Sync,
    F: FnMut(T) -> R + Send,
    R: Try<Output = ()> + Send,
{
    let belt = Belt { state: Mutex::new(State::new(&mut source, &mut sink)), make };
    scope(|scope| {
        let (interrupted, ()) = join(|| belt.go_on(scope, Some(Instant::now())), || belt.join_in(scope));
        if interrupted {
            belt.go_on(scope, None);
        }
    });
    belt.state.into_inner().stopped_by.unwrap_or_else(|| R::from_output(()))
}

struct Belt<'b, S, M, F, T, R> {
    state: Mutex<State<'b, S, F, T, R>>,
    make: &'b M,
}

impl<S, M, F, T, R> Belt<'_, S, M, F, T, R>
where
    S: Source,
    T: Send,
    M: Fn(S::Block, &mut Vec<T>) + Sync,
    F: FnMut(T) -> R + Send,
    R: Try<Output = ()> + Send,
{
    /// Somebody is hungry, or the caller has been alone for long enough.
    fn join_in<'s>(&'s self, scope: &Scope<'s>) {
        let wanted = {
            let mut state = self.state.lock();
            // If the caller has the source in hand, it is the caller who calls when it puts that back.
            state.alone = false;
            state.admit()
        };
        if wanted {
            self.call(scope);
        }
    }

    /// Calls for another turn, which has been admitted.
    fn call<'s>(&'s self, scope: &Scope<'s>) {
        scope.spawn(move |scope| {
            self.go_on(scope, None);
        });
    }

    /// A turn. The caller's first one is interrupted when it has been on for a while: then it says so.
    fn go_on<'s>(&'s self, scope: &Scope<'s>, first_since: Option<Instant>) -> bool {
        let unwinding = Unwinding(&self.state);
        let mut interrupted = false;
        while !interrupted {
            let duty = self.state.lock().duty();
            match duty {
                Duty::Feed(sink, mut block) => {
                    let items = block.len();
                    let stopped_by = feed(&mut *sink, &mut block).err();
                    let wanted = {
                        let mut state = self.state.lock();
                        state.fed(sink, block, items, stopped_by);
                        state.admit()
                    };
                    if wanted {
                        self.call(scope);
                    }
                }
                Duty::Take(source, size) => {
                    let taken = source.take(size);
                    let (taken, wanted) = {
                        let mut state = self.state.lock();
                        (state.taken(source, taken), state.admit())
                    };
                    if wanted {
                        self.call(scope);
                    }
                    let Some((taken, number, mut made)) = taken else { continue };
                    let began = Instant::now();
                    (self.make)(taken.block, &mut made);
                    let time = began.elapsed();
                    self.state.lock().made(number, made, time);
                }
                Duty::Nothing => break,
            }
            interrupted = first_since.is_some_and(|since| since.elapsed() >= ALONE);
        }
        mem::forget(unwinding);
        interrupted
    }
}

/// Empties `block` into the sink. What the sink says if it wants no more is the error.
fn feed<T, R: Try<Output = ()>>(mut sink: impl FnMut(T) -> R, block: &mut Vec<T>) -> Result<(), R> {
    for item in block.drain(..) {
        if let ControlFlow::Break(residual) = sink(item).branch() {
            return Err(R::from_residual(residual));
        }
    }
    Ok(())
}

/// Stops the belt if a turn unwinds.
struct Unwinding<'u, 'b, S, F, T, R>(&'u Mutex<State<'b, S, F, T, R>>);

impl<S, F, T, R> Drop for Unwinding<'_, '_, S, F, T, R> {
    fn drop(&mut self) {
        self.0.lock().stopped = true;
    }
}

/// What a turn has to do next.
enum Duty<'b, S, F, T> {
    /// To feed the block to the sink.
    Feed(&'b mut F, Vec<T>),
    /// To take a block of so many items from the source, and to make it.
    Take(&'b mut S, usize),
    /// The turn is over.
    Nothing,
}

/// What lies on the belt.
struct State<'b, S, F, T, R> {
    /// Unless a turn has it in hand, or it is used up.
    source: Option<&'b mut S>,
    /// Unless a turn has it in hand.
    sink: Option<&'b mut F>,
    /// From the block that is fed next; `None` is being made.
    row: VecDeque<Option<Vec<T>>>,
    /// The number of the row's first block.
    first: usize,
    /// Items that have been taken and not fed: of the row, and of the block that is being fed.
    items: usize,
    /// How many items the next block should have.
    size: usize,
    /// Whether nobody has come yet to join the caller in: then there are no calls.
    alone: bool,
    /// Turns that have been called and have not ended.
    turns: usize,
    /// The most turns.
    workers: usize,
    stopped: bool,
    /// What the sink has said if it wants no more.
    stopped_by: Option<R>,
    /// Used memory for blocks.
    spare: Vec<Vec<T>>,
}

impl<'b, S, F, T, R> State<'b, S, F, T, R> {
    /// With the caller's turn.
    fn new(source: &'b mut S, sink: &'b mut F) -> Self {
        State {
            source: Some(source),
            sink: Some(sink),
            row: VecDeque::new(),
            first: 0,
            items: 0,
            size: 1,
            alone: true,
            turns: 1,
            workers: on_current(Shared::most_at_once),
            stopped: false,
            stopped_by: None,
            spare: Vec::new(),
        }
    }

    /// The next duty of a turn, which ends if there is none.
    fn duty(&mut self) -> Duty<'b, S, F, T> {
        if !self.stopped {
            if let Some(Some(_)) = self.row.front() {
                if let Some(sink) = self.sink.take() {
                    let block = self.row.pop_front().flatten().expect("it has been looked at");
                    self.first += 1;
                    return Duty::Feed(sink, block);
                }
            }
            if self.row.len() < BLOCKS * self.workers && self.items + self.size <= MOST {
                if let Some(source) = self.source.take() {
                    return Duty::Take(source, self.size);
                }
            }
        }
        self.turns -= 1;
        Duty::Nothing
    }

    /// The source comes back, with a block or without. Gives the block's number, and memory for what is made of it.
    fn taken<B>(&mut self, source: &'b mut S, taken: Option<Taken<B>>) -> Option<(Taken<B>, usize, Vec<T>)> {
        let taken = taken?;
        if !taken.last {
            self.source = Some(source);
        }
        self.items += taken.items;
        self.row.push_back(None);
        Some((taken, self.first + self.row.len() - 1, self.spare.pop().unwrap_or_default()))
    }

    /// A block has been made.
    fn made(&mut self, number: usize, block: Vec<T>, time: Duration) {
        self.learn(block.len(), time);
        self.row[number - self.first] = Some(block);
    }

    /// The sink comes back, with the block that it has been fed, or what it has left of it.
    fn fed(&mut self, sink: &'b mut F, block: Vec<T>, items: usize, stopped_by: Option<R>) {
        self.sink = Some(sink);
        self.spare.push(block);
        self.items -= items;
        self.stopped |= stopped_by.is_some();
        self.stopped_by = stopped_by;
    }

    /// Whether there should be another turn, which then counts.
    fn admit(&mut self) -> bool {
        let wanted = !self.alone
            && self.source.is_some()
            && !self.stopped
            && self.turns < self.workers
            && 2 * self.row.len() <= BLOCKS * self.workers
            && 2 * self.items <= MOST;
        self.turns += usize::from(wanted);
        wanted
    }

    /// A block of `items` has taken `time`.
    fn learn(&mut self, items: usize, time: Duration) {
        // What was begun with another size, or was the last, says little.
        if items >= self.size && time < BLOCK / 2 {
            let factor = if time < BLOCK / 8 { 4 } else { 2 };
            self.size = (factor * items).min(MOST_OF_BLOCK);
        } else if time > 2 * BLOCK {
            self.size = self.size.min(items / 2).max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has as many blocks taken as there is room for. Gives their number.
    fn fill(state: &mut State<'_, (), (), u8, ()>) -> usize {
        state.turns += 1;
        let mut blocks = 0;
        while let Duty::Take(source, items) = state.duty() {
            state.taken(source, Some(Taken { block: (), items, last: false }));
            blocks += 1;
        }
        blocks
    }

    #[test]
    fn there_is_room_for_some_blocks_and_some_items() {
        for workers in [1, 2, 100] {
            for size in [1, 10, 2048] {
                let (mut source, mut sink) = ((), ());
                let mut state: State<'_, (), (), u8, ()> = State::new(&mut source, &mut sink);
                (state.workers, state.size) = (workers, size);
                let most = (8 * workers).min(16_384 / size);
                assert_eq!(fill(&mut state), most);
                // A block that has been fed makes room for one.
                for number in 0..3 {
                    state.made(number, vec![0; size], BLOCK);
                    let Duty::Feed(sink, block) = state.duty() else { panic!("the first block has been made") };
                    assert_eq!(block.len(), size);
                    state.fed(sink, Vec::new(), size, None);
                    assert_eq!(fill(&mut state), 1);
                }
            }
        }
    }

    #[test]
    fn turns_are_called_while_half_of_the_row_is_free() {
        let (mut source, mut sink) = ((), ());
        let mut state: State<'_, (), (), u8, ()> = State::new(&mut source, &mut sink);
        state.workers = 4;
        assert!(!state.admit());
        // Somebody comes while the caller takes a block.
        let Duty::Take(source, items) = state.duty() else { panic!("there is a source") };
        state.alone = false;
        assert!(!state.admit());
        state.taken(source, Some(Taken { block: (), items, last: false }));
        assert!((0..3).all(|_| state.admit()) && !state.admit());
        state.turns = 1;
        assert_eq!(fill(&mut state), 31);
        assert!(!state.admit());
        for number in 0..16 {
            assert!(!state.admit());
            state.made(number, vec![0], BLOCK);
            let Duty::Feed(sink, block) = state.duty() else { panic!("the first block has been made") };
            state.fed(sink, block, 1, None);
        }
        assert!(state.admit());
        state.stopped = true;
        assert!(!state.admit() && matches!(state.duty(), Duty::Nothing));
    }

    #[test]
    fn blocks_grow_to_their_bound_and_shrink_again() {
        let (mut source, mut sink) = ((), ());
        let mut state: State<'_, (), (), u8, ()> = State::new(&mut source, &mut sink);
        for _ in 0..20 {
            state.learn(state.size, Duration::ZERO);
        }
        assert_eq!(state.size, 2048);
        state.learn(2048, BLOCK);
        // A last block may be short, and one of before too.
        state.learn(1, Duration::ZERO);
        assert_eq!(state.size, 2048);
        for _ in 0..20 {
            state.learn(state.size, 10 * BLOCK);
        }
        assert_eq!(state.size, 1);
        state.learn(1, BLOCK / 4);
        assert_eq!(state.size, 2);
    }
}
