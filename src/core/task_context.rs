//! Which task the current thread is polling, and how much of its turn is left.

use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::task::Waker;

use crate::core::task::{self, Header};

/// How many units of budget a task has for one poll: after so many steps of our own futures that were ready at once,
/// the next one says that it is not, and the task goes to the end of the queue. The number is tokio's.
pub(crate) const BUDGET: u8 = 128;

/// Outside of tasks nothing runs out.
const UNLIMITED: u8 = u8::MAX;
const OUTSIDE: Turn = Turn { task: ptr::null(), layer: 0, budget: UNLIMITED, yielded: false };

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
    yielded: bool,
}

/// While it lives, the current thread polls a task.
#[must_use]
pub(crate) struct Entered(Turn);

/// The current thread begins to poll `task`, and perhaps to drop its future.
#[inline]
pub(crate) fn enter(task: NonNull<Header>) -> Entered {
    let below = CONTEXT.get();
    CONTEXT.set(Turn { task: task.as_ptr(), layer: below.layer + 1, budget: BUDGET, yielded: false });
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

/// The current poll is about to end so that others have their turn: the task is queued again when it does. It costs
/// less than a wake. False: `waker` is not the current task's own, so it must be woken instead.
pub(crate) fn yield_turn(waker: &Waker) -> bool {
    let turn = CONTEXT.get();
    if turn.task.is_null() || !task::is_waker_of(waker, turn.task) {
        return false;
    }
    CONTEXT.set(Turn { yielded: true, ..turn });
    true
}

/// Uses up a unit of the budget. False: there was none left, so the caller must not go on in this poll.
pub(crate) fn spend() -> bool {
    let turn = CONTEXT.get();
    match turn.budget {
        UNLIMITED => true,
        0 => {
            // Whoever polls again has let others go first, or will not, as an executor of another crate inside of this
            // poll: that must get on as well.
            CONTEXT.set(Turn { budget: BUDGET, ..turn });
            false
        }
        left => {
            CONTEXT.set(Turn { budget: left - 1, ..turn });
            true
        }
    }
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
