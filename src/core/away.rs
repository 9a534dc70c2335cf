//! A thread that blocks hands its seat over. What only it would run is made public first; then the seat comes free;
//! then somebody is fetched for it, if there is work. When the wait is over the thread goes on at once, seat or no
//! seat. Why nothing is left behind is in `sleep.md`, "Leaving a seat inside of work".

/// A thread that may hold a seat: the single steps. All are called on that thread.
pub(crate) trait Seated {
    /// Makes its private forks public, and tells others.
    fn publish_forks(&self);
    /// Puts the task in its next slot where others take it, and tells them.
    fn flush_next(&self);
    /// Whether it has a seat to give.
    fn holds_seat(&self) -> bool;
    /// Gives the seat up.
    fn leave_seat(&self);
    /// Fetches a thread for the seat, if there is work.
    fn pass_seat(&self);
    /// Takes a seat again, free or not.
    fn take_seat(&self);
}

/// While it lives, the thread has given its seat up.
#[must_use]
pub(crate) struct Away<'s, S: Seated>(&'s S);

impl<'s, S: Seated> Away<'s, S> {
    /// For a thread that holds a seat, and has flushed its next slot.
    pub(crate) fn new(thread: &'s S) -> Self {
        #[cfg(not(mutant = "seat_kept"))]
        thread.leave_seat();
        // Before anything that may unwind.
        let away = Away(thread);
        // After the seat is free, or whoever is fetched finds none.
        #[cfg(not(mutant = "seat_not_passed"))]
        thread.pass_seat();
        away
    }
}

impl<S: Seated> Drop for Away<'_, S> {
    fn drop(&mut self) {
        self.0.take_seat();
    }
}

/// Runs `f`, which blocks for something that this thread's own forks have no part in.
pub(crate) fn without_seat<S: Seated, R>(thread: &S, f: impl FnOnce() -> R) -> R {
    #[cfg(not(mutant = "next_kept"))]
    thread.flush_next();
    let _away = thread.holds_seat().then(|| Away::new(thread));
    f()
}

/// Runs `f`, which blocks for anything.
pub(crate) fn block<S: Seated, R>(thread: &S, f: impl FnOnce() -> R) -> R {
    #[cfg(not(mutant = "forks_kept"))]
    thread.publish_forks();
    without_seat(thread, f)
}
