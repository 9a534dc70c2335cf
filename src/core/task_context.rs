//! Which task the current thread is polling, and how much of its turn is left.

use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::task::{Context, Poll, Waker};

use crate::core::task::{self, Header};

/// How many units of budget a task has for one poll: after so many steps of our own futures that were ready at once,
/// all others say that they are not until the poll is over, and the task goes to the end of the queue. The number is
/// tokio's.
pub(crate) const BUDGET: u8 = 128;

/// Outside of tasks nothing runs out.
const UNLIMITED: u8 = u8::MAX;
const OUTSIDE: Turn = Turn { task: ptr::null(), layer: 0, budget: UNLIMITED, refused: 0, yielded: false };

thread_local! {
    // Constant and without a destructor: reading it is one load.
    static CONTEXT: Cell<Turn> = const { Cell::new(OUTSIDE) };
}

#[derive(Clone, Copy)]
struct Turn {
    task: *const Header,
    /// How many pieces of work lie below this one on the thread's stack.
    layer: u32,
    budget: u8,
    /// How often [`refuse`] has put off somebody who has a waker of their own, since there was a whole budget.
    refused: u8,
    yielded: bool,
}

/// While it lives, the current thread polls a task.
#[must_use]
pub(crate) struct Entered(Turn);

/// The current thread begins to poll `task`, and perhaps to drop its future.
#[inline]
pub(crate) fn enter(task: NonNull<Header>) -> Entered {
    let below = CONTEXT.get();
    CONTEXT.set(Turn { task: task.as_ptr(), layer: below.layer + 1, budget: BUDGET, refused: 0, yielded: false });
    Entered(below)
}

impl Entered {
    /// Whether the poll has ended in [`yield_turn`].
    #[inline]
    pub(crate) fn has_yielded(&self) -> bool {
        CONTEXT.get().yielded
    }

    #[inline]
    pub(crate) fn leave(self) {
        CONTEXT.set(self.0);
    }
}

/// Calls `f` with the task that the current thread is polling, if there is one.
pub(crate) fn with_current<R>(f: impl FnOnce(&Header) -> R) -> Option<R> {
    // SAFETY: whoever polls it has the right to run, which keeps it alive until it has left; `f` keeps nothing.
    unsafe { CONTEXT.get().task.as_ref() }.map(f)
}

/// The layer that the current thread runs on: what a frame has set for itself, such as task-locals, is not for other
/// work on top of it to see. It is taken back before the layer is left, so equal numbers mean the same piece of work.
pub(crate) fn layer() -> u32 {
    CONTEXT.get().layer
}

/// Whether any budget is left.
pub(crate) fn has_budget() -> bool {
    CONTEXT.get().budget > 0
}

/// The caller's poll is about to end so that others have their turn, and is to be repeated then.
pub(crate) fn give_way(waker: &Waker) {
    if !yield_turn(waker) {
        waker.wake_by_ref();
    }
}

/// The current poll is about to end so that others have their turn: the task is queued again when it does. It costs
/// less than a wake. False: `waker` is not the current task's own, so it must be woken instead.
fn yield_turn(waker: &Waker) -> bool {
    let turn = CONTEXT.get();
    if turn.task.is_null() || !task::is_waker_of(waker, turn.task) {
        return false;
    }
    CONTEXT.set(Turn { yielded: true, ..turn });
    true
}

/// Uses up a unit of the budget. Pending if there was none left: so is the caller's poll, which is repeated when others
/// have had their turn.
pub(crate) fn spend(context: &Context<'_>) -> Poll<()> {
    let turn = CONTEXT.get();
    match turn.budget {
        UNLIMITED => Poll::Ready(()),
        0 => refuse(context.waker()),
        left => {
            CONTEXT.set(Turn { budget: left - 1, ..turn });
            Poll::Ready(())
        }
    }
}

/// As [`spend`], but nothing is used up yet.
pub(crate) fn poll_budget(context: &Context<'_>) -> Poll<()> {
    if has_budget() { Poll::Ready(()) } else { refuse(context.waker()) }
}

/// The budget is used up, and stays so until the poll of the task is over, however often and by whom it is asked for.
///
/// But whoever has a waker of their own may be an executor of another crate inside of this poll, that polls until it
/// has got on and lets the poll end only then; or a part of the task, such as futures' `FuturesUnordered`, which ends
/// the poll like all others. They cannot be told apart. So each of those refusals counts, and as many of them as a
/// budget has units bring a new budget: an executor gets on, and a part has in one poll no more units on top of the
/// budget than it was refused.
#[cold]
fn refuse(waker: &Waker) -> Poll<()> {
    if !yield_turn(waker) {
        let turn = CONTEXT.get();
        let refused = turn.refused + 1;
        let (budget, refused) = if refused < BUDGET { (0, refused) } else { (BUDGET, 0) };
        CONTEXT.set(Turn { budget, refused, ..turn });
        waker.wake_by_ref();
    }
    Poll::Pending
}

/// Gives a unit back that [`spend`] has used up in this poll.
pub(crate) fn refund() {
    let turn = CONTEXT.get();
    if turn.budget < BUDGET {
        CONTEXT.set(Turn { budget: turn.budget + 1, ..turn });
    }
}

/// The current thread begins something on top of a poll that is not a part of it.
#[inline]
pub(crate) fn outside() -> Entered {
    let below = CONTEXT.get();
    CONTEXT.set(Turn { layer: below.layer + 1, ..OUTSIDE });
    Entered(below)
}

/// So many closures may be dropped inside of each other's destructors.
const MOST_NESTED: u32 = 32;

thread_local! {
    static NESTED: Cell<u32> = const { Cell::new(0) };
}

/// While it lives, the current thread drops a closure that it has cancelled.
pub(crate) struct Nested(());

/// About to drop a closure, which may hold the handle of another, and so on: None if they are nested too deeply for the
/// stack.
pub(crate) fn nest() -> Option<Nested> {
    let nested = NESTED.get();
    (nested < MOST_NESTED).then(|| {
        NESTED.set(nested + 1);
        Nested(())
    })
}

impl Drop for Nested {
    fn drop(&mut self) {
        NESTED.set(NESTED.get() - 1);
    }
}

/// Polls `future` and, if it is not ready, `end`, which says that it is to be waited for no longer.
///
/// What `future` has used up in this poll does not count for `end`: else a future that uses up the whole budget in each
/// of its polls could never be ended. If there was none before, both wait. The rule is tokio's.
#[inline]
pub(crate) fn poll_until<T>(
    context: &mut Context<'_>,
    future: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    end: impl FnOnce(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    let had_budget = has_budget();
    let output = future(context);
    if output.is_ready() {
        return output;
    }
    if had_budget && !has_budget() { unlimited(|| end(context)) } else { end(context) }
}

/// Runs `f` without a limit: for a closure, and for a wait inside of a poll, such as `block_on`.
pub(crate) fn unlimited<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(Turn);
    impl Drop for Restore {
        fn drop(&mut self) {
            // A future in there may have been polled with the outer task's own waker, and yielded.
            CONTEXT.set(Turn { yielded: CONTEXT.get().yielded, ..self.0 });
        }
    }
    let outer = CONTEXT.get();
    let _restore = Restore(outer);
    CONTEXT.set(Turn { budget: UNLIMITED, ..outer });
    f()
}
