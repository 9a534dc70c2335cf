//! Values that belong to a task.
//!
//! The value lies in the future that [`LocalKey::scope`] makes. While that future is polled, a thread-local place
//! points to it; so the value moves with its task from thread to thread, and nobody else finds it. What runs on top
//! of the poll without belonging to it (another task, which a waiting thread runs meanwhile) is on another
//! layer (`core/task_context.rs`), where the place counts as empty.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll};
use std::thread;

use pin_project_lite::pin_project;

use crate::core::task_context;

/// Declares values that belong to tasks: see [`LocalKey`](crate::task::LocalKey).
///
/// The grammar is that of tokio's macro: any number of statics, with attributes and visibility.
///
/// ```
/// filch::task_local! {
///     /// The request that is being served.
///     pub static REQUEST: u64;
///     static USER: String;
/// }
/// let greeting = filch::block_on(REQUEST.scope(7, async {
///     USER.scope("Ada".to_owned(), async { format!("{} {}", USER.get(), REQUEST.get()) }).await
/// }));
/// assert_eq!(greeting, "Ada 7");
/// ```
#[macro_export]
macro_rules! task_local {
    () => {};
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty; $($rest:tt)*) => {
        $crate::task_local!($(#[$attribute])* $visibility static $name: $type);
        $crate::task_local!($($rest)*);
    };
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty) => {
        $(#[$attribute])*
        $visibility static $name: $crate::task::LocalKey<$type> = {
            ::std::thread_local! {
                static PLACE: $crate::task::LocalPlace<$type> = const { $crate::task::LocalPlace::new() };
            }
            $crate::task::LocalKey { place: PLACE }
        };
    };
}

/// A value that belongs to a task, declared by [`task_local!`](crate::task_local).
///
/// [`scope`](Self::scope) gives a future its value; inside, [`with`](Self::with) and [`get`](Self::get) find it,
/// wherever and by whatever thread the future is polled. Tasks that are [spawned](crate::spawn) inside do not inherit
/// it: give them a scope of their own.
///
/// Closures that are given to the pool ([`join`](crate::join), [`scope`](crate::scope()),
/// [`install`](crate::Pool::install)) may run on the thread of the task that gave them, or on another; only in the
/// first case do they find the value. Read it before, and hand it down.
///
/// For a value of a thread use [`std::thread_local!`]; where an argument will do, an argument is better.
///
/// The names and meaning are tokio's. One thing is allowed here that panics there: to open a scope, or to poll one,
/// inside of [`with`](Self::with).
///
/// # Cost
/// Opening a scope costs nothing; each poll of it stores a pointer and restores one. Reading is two loads.
///
/// ```
/// filch::task_local! {
///     static NUMBER: u32;
/// }
/// filch::block_on(NUMBER.scope(1, async {
///     assert_eq!(NUMBER.get(), 1);
///     NUMBER.scope(2, async { assert_eq!(NUMBER.get(), 2) }).await;
///     assert_eq!(NUMBER.get(), 1);
///     filch::spawn(async { assert!(NUMBER.try_get().is_err()) }).await.unwrap();
/// }));
/// ```
pub struct LocalKey<T: 'static> {
    // For the macro. Whatever a caller puts here is a thread-local place that only this module can fill.
    #[doc(hidden)]
    pub place: thread::LocalKey<LocalPlace<T>>,
}

/// Where a thread finds the value of the task that it polls. For the macro only.
#[doc(hidden)]
pub struct LocalPlace<T>(Cell<Found<T>>);

/// A value, and the layer that it was set on. Null if there is none.
struct Found<T> {
    value: *const T,
    layer: u32,
}

impl<T> Clone for Found<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Found<T> {}

impl<T> LocalPlace<T> {
    /// An empty place.
    #[doc(hidden)]
    #[allow(clippy::new_without_default)] // Not for users.
    pub const fn new() -> Self {
        LocalPlace(Cell::new(Found { value: ptr::null(), layer: 0 }))
    }
}

/// The task has no value for this key: see [`LocalKey::try_with`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct AccessError {}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task-local has no value here")
    }
}

impl std::error::Error for AccessError {}

const UNSET: &str =
    "filch: the task-local has no value here; it is set inside of LocalKey::scope, and spawned tasks do not inherit it";

impl<T: 'static> LocalKey<T> {
    /// Gives a future a value for this key: whoever asks while the future is polled, or dropped, finds it.
    ///
    /// A scope inside of a scope hides the outer value. The value is dropped with the future that is returned; or take
    /// it out by [`take_value`](TaskLocalFuture::take_value).
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> TaskLocalFuture<T, F> {
        TaskLocalFuture { key: self, value: Some(value), future: Some(future) }
    }

    /// Gives a closure a value for this key, and runs it at once.
    ///
    /// # Panics
    /// If the closure does; the value of the scope outside is restored then, too.
    ///
    /// ```
    /// filch::task_local! {
    ///     static NUMBER: u32;
    /// }
    /// assert_eq!(NUMBER.sync_scope(5, || NUMBER.get() + 1), 6);
    /// assert!(NUMBER.try_get().is_err());
    /// ```
    pub fn sync_scope<F, R>(&'static self, value: T, f: F) -> R
    where
        F: FnOnce() -> R,
    {
        self.set(Some(&value), f)
    }

    /// Runs `f` with the value.
    ///
    /// # Panics
    /// If there is none; [`try_with`](Self::try_with) does not.
    ///
    /// ```
    /// filch::task_local! {
    ///     static USER: String;
    /// }
    /// let length = filch::block_on(USER.scope("Ada".to_owned(), async { USER.with(|user| user.len()) }));
    /// assert_eq!(length, 3);
    /// ```
    #[track_caller]
    pub fn with<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        match self.try_with(f) {
            Ok(result) => result,
            Err(AccessError {}) => panic!("{UNSET}"),
        }
    }

    /// Runs `f` with the value, if there is one.
    ///
    /// # Errors
    /// [`AccessError`] outside of any [`scope`](Self::scope) of this key, and where its value has been
    /// [taken](TaskLocalFuture::take_value).
    ///
    /// ```
    /// filch::task_local! {
    ///     static USER: String;
    /// }
    /// fn greet() -> String {
    ///     USER.try_with(|user| format!("Hello, {user}")).unwrap_or("Who is there?".to_owned())
    /// }
    /// assert_eq!(greet(), "Who is there?");
    /// assert_eq!(USER.sync_scope("Ada".to_owned(), greet), "Hello, Ada");
    /// ```
    pub fn try_with<F, R>(&'static self, f: F) -> Result<R, AccessError>
    where
        F: FnOnce(&T) -> R,
    {
        let found = self.place.with(|place| place.0.get());
        if found.layer != task_context::layer() {
            return Err(AccessError {});
        }
        // SAFETY: null, or set by `set`, which has borrowed the value for as long as it stands here. `set` is still
        // running further down this thread's stack, so it outlives `f`, which cannot keep the reference; also if `f`
        // unwinds. What it calls may point the place elsewhere, but cannot end that borrow.
        let value = unsafe { found.value.as_ref() };
        value.map(f).ok_or(AccessError {})
    }

    /// Lets the place point to a value while `f` runs.
    fn set<R>(&'static self, value: Option<&T>, f: impl FnOnce() -> R) -> R {
        struct Restore<T: 'static>(&'static LocalKey<T>, Found<T>);
        impl<T: 'static> Drop for Restore<T> {
            fn drop(&mut self) {
                self.0.place.with(|place| place.0.set(self.1));
            }
        }
        let found = Found { value: value.map_or(ptr::null(), ptr::from_ref), layer: task_context::layer() };
        let _restore = Restore(self, self.place.with(|place| place.0.replace(found)));
        f()
    }
}

impl<T: Clone + 'static> LocalKey<T> {
    /// A clone of the value.
    ///
    /// # Panics
    /// If there is none; [`try_get`](Self::try_get) does not.
    #[track_caller]
    pub fn get(&'static self) -> T {
        self.with(T::clone)
    }

    /// A clone of the value, if there is one.
    ///
    /// # Errors
    /// [`AccessError`] as [`try_with`](Self::try_with).
    pub fn try_get(&'static self) -> Result<T, AccessError> {
        self.try_with(T::clone)
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

pin_project! {
    /// A future with a value for a [`LocalKey`]: see [`LocalKey::scope`].
    ///
    /// # Panics
    /// When it is polled again after it was ready.
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct TaskLocalFuture<T: 'static, F> {
        key: &'static LocalKey<T>,
        value: Option<T>,
        // None when it has ended. It goes before the value, and while the value can be found.
        #[pin]
        future: Option<F>,
    }

    impl<T: 'static, F> PinnedDrop for TaskLocalFuture<T, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                this.key.set(this.value.as_ref(), || this.future.set(None));
            }
        }
    }
}

impl<T: 'static, F> TaskLocalFuture<T, F> {
    /// Takes the value out. None if that has been done before.
    ///
    /// If the future has not ended, it goes on without a value.
    ///
    /// ```
    /// use std::cell::Cell;
    /// use std::pin::pin;
    ///
    /// filch::task_local! {
    ///     static COUNT: Cell<u32>;
    /// }
    /// let mut counting = pin!(COUNT.scope(Cell::new(0), async {
    ///     COUNT.with(|count| count.set(count.get() + 1));
    /// }));
    /// filch::block_on(counting.as_mut());
    /// assert_eq!(counting.take_value(), Some(Cell::new(1)));
    /// ```
    pub fn take_value(self: Pin<&mut Self>) -> Option<T> {
        self.project().value.take()
    }
}

impl<T: 'static, F: Future> Future for TaskLocalFuture<T, F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        assert!(this.future.is_some(), "filch: a TaskLocalFuture has been polled after it was ready");
        this.key.set(this.value.as_ref(), || {
            let output = this.future.as_mut().as_pin_mut().map_or(Poll::Pending, |future| future.poll(context));
            if output.is_ready() {
                this.future.set(None);
            }
            output
        })
    }
}

impl<T: fmt::Debug, F> fmt::Debug for TaskLocalFuture<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLocalFuture").field("value", &self.value).finish_non_exhaustive()
    }
}
