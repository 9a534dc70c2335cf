//! How threads wait, inside of their work and without any.

use std::time::Duration;

/// What a worker may run while it waits for the second arm of its `join`, when a thief has it.
///
/// ```
/// use filch::{Pool, WaitPolicy};
/// use std::sync::Mutex;
///
/// # fn main() -> Result<(), filch::BuildError> {
/// let pool = Pool::builder().workers(2).wait_policy(WaitPolicy::Leapfrog).build()?;
/// let sum = Mutex::new(0);
/// pool.scope(|s| {
///     for _ in 0..10 {
///         s.spawn(|_| {
///             // Nothing that wants this lock runs inside of the `join`; with `RunAnything` it might.
///             let mut sum = sum.lock().unwrap();
///             let (a, b) = filch::join(|| 1, || 2);
///             *sum += a + b;
///         });
///     }
/// });
/// assert_eq!(sum.into_inner().unwrap(), 30);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitPolicy {
    /// Only parts of the awaited arm; when there are none, the thread parks and a spare takes its seat. No unrelated
    /// closure runs inside your `join`, so a lock held across it cannot deadlock, and the stack is never deeper than
    /// that of the serial program. After Wagner and Calder's leapfrogging (1993).
    #[default]
    Leapfrog,
    /// Anything, as rayon does, and in rayon's order: own closures before broadcasts. No spares are needed, but for
    /// [`block_on`](crate::block_on) and [`blocking`](crate::blocking), so all closures run on the workers, by indices
    /// below their number, where nobody calls those. But a lock held across a `join` may deadlock, and the stack may
    /// become as deep as there is work to run. The [drop-in for rayon](crate#features) uses it.
    RunAnything,
}

/// How long idle threads look for work before they sleep.
///
/// ```
/// use filch::{IdlePolicy, Pool};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), filch::BuildError> {
/// // On a machine that others use too: go to sleep soon, and keep threads that were hard to get.
/// let policy = IdlePolicy::default().spin(Duration::from_micros(5)).keep_alive(Duration::from_secs(60));
/// assert_eq!((policy.spin.as_micros(), policy.keep_alive.as_secs()), (5, 60));
/// let pool = Pool::builder().workers(2).idle_policy(policy).build()?;
/// assert_eq!(pool.join(|| 1, || 2), (1, 2));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdlePolicy {
    /// How long a thread without work searches before it parks. Default: 20 µs. Shorter saves a little processor
    /// time and makes regions of less than a millisecond slower; longer helps on more than a hundred cores only.
    pub spin: Duration,
    /// How long a spare thread or a blocking thread without work is kept. Default: 5 s. A spare stays 20 ms at least,
    /// and longer where it is the only idle thread while others are at work and one of them blocks: it keeps watch over
    /// their forks.
    pub keep_alive: Duration,
}

impl Default for IdlePolicy {
    fn default() -> Self {
        IdlePolicy { spin: Duration::from_micros(20), keep_alive: Duration::from_secs(5) }
    }
}

impl IdlePolicy {
    /// The default policy with another time of searching.
    #[must_use]
    pub fn spin(mut self, spin: Duration) -> Self {
        self.spin = spin;
        self
    }

    /// The default policy with another life of idle spares.
    #[must_use]
    pub fn keep_alive(mut self, keep_alive: Duration) -> Self {
        self.keep_alive = keep_alive;
        self
    }
}
