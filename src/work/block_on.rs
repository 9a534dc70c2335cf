//! Waiting for a future from a thread that is not polled itself.

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::core::parker::Parker;
use crate::core::poll_bell::PollBell;
use crate::core::task_context;
use crate::pool::awake::{self, Polling};
use crate::pool::current;
use crate::pool::enter::park_without_slot;
use crate::pool::handle::Handle;
use crate::pool::section;
use crate::pool::shared::Shared;

/// Wakes a thread that blocks on a future.
struct Bell(PollBell);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.ring(awake::polls());
    }
}

/// Ends a bell's service: a wake that comes now asks for nothing.
struct End<'b>(&'b PollBell);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.end(awake::polls());
    }
}

/// Runs a future to its end on the current thread, and returns its output.
///
/// It may be called anywhere: on a thread of no pool, on a worker, inside a task or a `join`, even in a pool of one
/// worker. A thread of a pool that blocks here hands its seat to another, and makes public what it holds for others to
/// run. Where `.await` is possible it is better: it costs no thread.
///
/// The future need not be `Send`. Inside it, [`spawn`](crate::spawn) uses the [current](crate::Handle::current) pool of
/// the calling thread.
///
/// # Panics
/// If the future does.
///
/// ```
/// let value = filch::block_on(async { filch::spawn(async { 6 * 7 }).await });
/// assert_eq!(value.unwrap(), 42);
/// ```
pub fn block_on<F: IntoFuture>(future: F) -> F::Output {
    block_on_for(None, future)
}

/// [`block_on`], with the pool whose timers the thread keeps while it parks, if it is of none itself.
fn block_on_for<F: IntoFuture>(home: Option<&Shared>, future: F) -> F::Output {
    let mut future = pin!(future.into_future());
    let mut output = None;
    poll_until_done(home, &mut |context| match future.as_mut().poll(context) {
        Poll::Ready(ready) => {
            output = Some(ready);
            true
        }
        Poll::Pending => false,
    });
    output.expect("it is polled until it is done")
}

/// Calls `poll`, and blocks as long as it says that it is not done. Compiled once for all futures.
fn poll_until_done(home: Option<&Shared>, poll: &mut dyn FnMut(&mut Context<'_>) -> bool) {
    if current::is_out() {
        return section::back(|| poll_until_done(home, poll));
    }
    current::with(|slot| {
        let parker = slot.map_or_else(|| Arc::new(Parker::new()), |slot| slot.parker.clone());
        let bell = Arc::new(Bell(PollBell::new(parker)));
        let waker = Waker::from(bell.clone());
        let bell = &bell.0;
        let mut context = Context::from_waker(&waker);
        awake::polls().begin();
        let _end = End(bell);
        loop {
            let _polling = Polling::new();
            // The budget of a task around us is for its own poll, which this is a part of that cannot end early.
            if task_context::unlimited(|| poll(&mut context)) {
                return;
            }
            if bell.take() {
                continue;
            }
            match slot {
                None => park_without_slot(home, bell.parker(), &mut || !bell.take()),
                Some(slot) => {
                    // Nothing is run on top meanwhile, whatever the pool's way of waiting: what waits here may be what
                    // the other work waits for, and there may be very many of us.
                    let _absence = slot.shared().absence();
                    slot.park_apart_from_all(&mut || !bell.take());
                }
            }
        }
    })
}

impl Handle {
    /// Runs a future to its end on the current thread, inside this pool: tasks that it spawns with the free functions
    /// go to this pool. See [`block_on`].
    ///
    /// If the thread is not one of the pool's it becomes a guest for the time of each poll; if no seat is free then,
    /// it polls without one. On a worker of another pool, which is no guest anywhere, the free functions keep to that
    /// other pool.
    ///
    /// After the end of the pool it polls without a seat: what asks for the pool's threads there (`spawn`, `join`, a
    /// parallel loop …) panics, and timers are the global pool's.
    ///
    /// # Panics
    /// If the future does.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(2).build()?;
    /// let threads = pool.block_on(async { filch::spawn(async { filch::current_num_threads() }).await });
    /// assert_eq!(threads.unwrap(), 2);
    /// # Ok(()) }
    /// ```
    pub fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        if current::is_inside(&self.shared) {
            return block_on(future);
        }
        let mut future = pin!(future.into_future());
        block_on_for(
            Some(&self.shared),
            std::future::poll_fn(|context| {
                // The guest leaves before the thread parks, so it never keeps a seat that it does not use. A pool that
                // has ended has none: with a slot what forks here would pass by the gate.
                let guest = if self.shared.is_done() { None } else { self.shared.try_guest() };
                let output = current::host(&self.shared, || future.as_mut().poll(context));
                drop(guest);
                output
            }),
        )
    }
}
