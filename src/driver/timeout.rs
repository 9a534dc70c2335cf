//! Waiting for a future, but not for ever.

use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::core::task_context::poll_until;
use crate::driver::instant::Instant;
use crate::driver::sleep::{Sleep, sleep, sleep_until};

/// Awaits `future` for at most `duration`, counted from this call.
///
/// The future is asked first: if it is ready its output is taken, even if the time is over. If it is not in time the
/// result is [`Elapsed`], and the future is dropped with the `Timeout`; pass `&mut future` (pinned) to keep it. A
/// future that does not return from its poll cannot be timed out; one that uses up the task's
/// [budget](crate::task::consume_budget) in each poll can.
///
/// # Errors
/// [`Elapsed`] if the time was over first.
///
/// ```
/// use filch::time::{Duration, sleep, timeout};
///
/// filch::block_on(async {
///     assert_eq!(timeout(Duration::from_secs(5), async { 7 }).await, Ok(7));
///     assert!(timeout(Duration::from_millis(1), sleep(Duration::from_secs(5))).await.is_err());
/// });
/// ```
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F::IntoFuture> {
    Timeout { future: future.into_future(), delay: sleep(duration) }
}

/// Awaits `future` until a moment; else as [`timeout`].
///
/// # Errors
/// [`Elapsed`] if the moment came first.
///
/// ```
/// use filch::time::{Duration, Instant, timeout_at};
///
/// filch::block_on(async {
///     let deadline = Instant::now() + Duration::from_millis(1);
///     assert!(timeout_at(deadline, std::future::pending::<()>()).await.is_err());
/// });
/// ```
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F::IntoFuture> {
    Timeout { future: future.into_future(), delay: sleep_until(deadline) }
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    ///
    /// ```
    /// use filch::time::{Duration, sleep, timeout};
    /// filch::block_on(async {
    ///     let mut patient = timeout(Duration::from_secs(60), sleep(Duration::from_secs(30)));
    ///     // What is awaited can be reached: here, to wait for less.
    ///     assert!(!patient.get_ref().is_elapsed());
    ///     *patient.get_mut() = sleep(Duration::from_millis(1));
    ///     assert_eq!(patient.await, Ok(()));
    ///
    ///     let unused = timeout(Duration::from_secs(60), async { 7 });
    ///     assert_eq!(unused.into_inner().await, 7);
    /// });
    /// ```
    #[derive(Debug)]
    #[must_use = "a timeout does nothing unless it is awaited"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        delay: Sleep,
    }
}

impl<F> Timeout<F> {
    /// The future that is awaited.
    pub fn get_ref(&self) -> &F {
        &self.future
    }

    /// The future that is awaited.
    pub fn get_mut(&mut self) -> &mut F {
        &mut self.future
    }

    /// Gives the future back.
    pub fn into_inner(self) -> F {
        self.future
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let delay = Pin::new(this.delay);
        poll_until(
            context,
            |context| this.future.poll(context).map(Ok),
            |context| delay.poll(context).map(|()| Err(Elapsed(()))),
        )
    }
}

/// The time was over first.
#[derive(Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline has passed")
    }
}

impl Error for Elapsed {}

/// As [`io::ErrorKind::TimedOut`].
impl From<Elapsed> for io::Error {
    fn from(elapsed: Elapsed) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, elapsed)
    }
}
