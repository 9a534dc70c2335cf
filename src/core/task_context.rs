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
const OUTSIDE: Turn = Turn { task: ptr::null(), marks: Marks::new(0, UNLIMITED) };

thread_local! {
    // Constant and without a destructor: reading it is one load.
    static CONTEXT: Cell<Turn> = const { Cell::new(OUTSIDE) };
}

/// Two words, so that it goes from call to call in registers: each poll saves one and restores it, and what is written
/// to memory in small pieces and read at once in large ones makes the processor wait.
#[derive(Clone, Copy)]
struct Turn {
    task: *const Header,
    marks: Marks,
}

/// What is left of a turn, and more, in one word.
#[derive(Clone, Copy)]
struct Marks(u64);

impl Marks {
    const REFUSED: u32 = 8;
    const YIELDED: u64 = 1 << 16;
    const LAYER: u32 = 32;

    const fn new(layer: u32, budget: u8) -> Self {
        Marks((layer as u64) << Marks::LAYER | budget as u64)
    }

    /// How many pieces of work lie below this one on the thread's stack.
    fn layer(self) -> u32 {
        (self.0 >> Marks::LAYER) as u32
    }

    fn budget(self) -> u8 {
        self.0 as u8
    }

    fn with_budget(self, budget: u8) -> Self {
        Marks(self.0 & !0xff | u64::from(budget))
    }

    /// How often [`refuse`] has put off somebody who has a waker of their own, since there was a whole budget.
    fn refused(self) -> u8 {
        (self.0 >> Marks::REFUSED) as u8
    }

    fn with_refused(self, refused: u8) -> Self {
        Marks(self.0 & !(0xff << Marks::REFUSED) | u64::from(refused) << Marks::REFUSED)
    }

    fn yielded(self) -> bool {
        self.0 & Marks::YIELDED != 0
    }

    fn with_yielded(self, yielded: bool) -> Self {
        Marks(if yielded { self.0 | Marks::YIELDED } else { self.0 & !Marks::YIELDED })
    }
}

/// While it lives, the current thread polls a task.
#[must_use]
pub(crate) struct Entered(Turn);

/// The current thread begins to poll `task`, and perhaps to drop its future.
#[inline]
pub(crate) fn enter(task: NonNull<Header>) -> Entered {
    let below = CONTEXT.get();
    CONTEXT.set(Turn { task: task.as_ptr(), marks: Marks::new(below.marks.layer() + 1, BUDGET) });
    Entered(below)
}

impl Entered {
    /// Whether the poll has ended in [`yield_turn`].
    #[inline]
    pub(crate) fn has_yielded(&self) -> bool {
        CONTEXT.get().marks.yielded()
    }

    #[inline]
    pub(crate) fn leave(self) {
        CONTEXT.set(self.0);
    }
}

fn set_marks(marks: Marks) {
    CONTEXT.set(Turn { marks, ..CONTEXT.get() });
}

/// Calls `f` with the task that the current thread is polling, if there is one.
pub(crate) fn with_current<R>(f: impl FnOnce(&Header) -> R) -> Option<R> {
    // SAFETY: whoever polls it has the right to run, which keeps it alive until it has left; `f` keeps nothing.
    unsafe { CONTEXT.get().task.as_ref() }.map(f)
}

/// The layer that the current thread runs on: what a frame has set for itself, such as task-locals, is not for other
/// work on top of it to see. It is taken back before the layer is left, so equal numbers mean the same piece of work.
pub(crate) fn layer() -> u32 {
    CONTEXT.get().marks.layer()
}

/// Whether any budget is left.
pub(crate) fn has_budget() -> bool {
    CONTEXT.get().marks.budget() > 0
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
    set_marks(turn.marks.with_yielded(true));
    true
}

/// Uses up a unit of the budget. Pending if there was none left: so is the caller's poll, which is repeated when others
/// have had their turn.
pub(crate) fn spend(context: &Context<'_>) -> Poll<()> {
    let marks = CONTEXT.get().marks;
    match marks.budget() {
        UNLIMITED => Poll::Ready(()),
        0 => refuse(context.waker()),
        left => {
            set_marks(marks.with_budget(left - 1));
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
        let marks = CONTEXT.get().marks;
        let refused = marks.refused() + 1;
        let (budget, refused) = if refused < BUDGET { (0, refused) } else { (BUDGET, 0) };
        set_marks(marks.with_budget(budget).with_refused(refused));
        waker.wake_by_ref();
    }
    Poll::Pending
}

/// Gives a unit back that [`spend`] has used up in this poll.
pub(crate) fn refund() {
    let marks = CONTEXT.get().marks;
    if marks.budget() < BUDGET {
        set_marks(marks.with_budget(marks.budget() + 1));
    }
}

/// The current thread begins something on top of a poll that is not a part of it.
#[inline]
pub(crate) fn outside() -> Entered {
    let below = CONTEXT.get();
    CONTEXT.set(Turn { task: ptr::null(), marks: Marks::new(below.marks.layer() + 1, UNLIMITED) });
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
            let marks = self.0.marks.with_yielded(CONTEXT.get().marks.yielded());
            CONTEXT.set(Turn { marks, ..self.0 });
        }
    }
    let outer = CONTEXT.get();
    let _restore = Restore(outer);
    set_marks(outer.marks.with_budget(UNLIMITED));
    f()
}
