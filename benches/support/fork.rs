//! Fork-join as the workloads see it: one trait, so that each workload is written once and every contender runs the
//! same source. All of it is static dispatch and inlines away; what is left in the machine code is the library's own
//! call.

/// A way to run two closures, or many, possibly in parallel.
///
/// `Handle` is what a library hands to the code inside its pool: nothing where it finds its worker by itself (rayon,
/// filch's free functions), a reference to the worker or scope where that travels as an argument. The second lifetime
/// is for chili, whose handle is a `&'x mut Scope<'y>`.
pub trait Fork: Sized + 'static {
    type Handle<'x, 'y>
    where
        'y: 'x;

    /// Runs both arms, possibly in parallel, and returns both results.
    fn join<'x, 'y: 'x, A: Send, B: Send>(
        handle: Self::Handle<'x, 'y>,
        left: impl for<'a, 'b> FnOnce(Self::Handle<'a, 'b>) -> A + Send,
        right: impl for<'a, 'b> FnOnce(Self::Handle<'a, 'b>) -> B + Send,
    ) -> (A, B);

    /// The same handle again, for code that forks more than once.
    fn again<'s, 'x: 's, 'y: 'x>(handle: &'s mut Self::Handle<'x, 'y>) -> Self::Handle<'s, 'y>;

    /// Runs `each` on every item, one job per item: a scope with a spawn per item where the library has scopes, and
    /// otherwise (here) joins of halves.
    fn fan_out<T: Send, E>(handle: Self::Handle<'_, '_>, items: &mut [T], each: &E)
    where
        E: for<'a, 'b> Fn(Self::Handle<'a, 'b>, &mut T) + Sync,
    {
        match items {
            [] => {}
            [item] => each(handle, item),
            _ => {
                let (left, right) = items.split_at_mut(items.len() / 2);
                Self::join(handle, |h| Self::fan_out(h, left, each), |h| Self::fan_out(h, right, each));
            }
        }
    }
}

/// A library with a pool of its own size, made for one row of the table and dropped after it.
pub trait Library: Fork {
    /// The contender's name in the table.
    const NAME: &'static str;

    /// Starts a pool on which `workers` threads compute, counting the thread that enters it where it takes part.
    fn start(workers: usize) -> Self;

    /// Runs `body` inside the pool and returns its result.
    fn enter<R: Send>(&self, body: impl for<'x, 'y> FnOnce(Self::Handle<'x, 'y>) -> R + Send) -> R;

    /// Called before the contender's turn, outside the measured time.
    fn wake(&self) {}

    /// Called after the contender's turn, so that it does not disturb the others.
    fn rest(&self) {}
}
