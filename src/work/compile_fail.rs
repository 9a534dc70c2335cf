//! What the compiler must not let pass about scopes' futures, each with a twin that differs only in what is wrong and
//! does compile. (`par/compile_fail.rs` has those about loops.)
//!
//! The examples are run as doc tests; there is nothing else here.

/// The reference to the scope that [`spawn_future_with`](crate::Scope::spawn_future_with) gives does not leave the
/// future: not into the frame around the scope,
///
/// ```compile_fail,E0521
/// let kept = &std::sync::Mutex::new(None);
/// filch::scope(|s| {
///     s.spawn_future_with(|s| Box::pin(async move { *kept.lock().unwrap() = Some(s) })).detach();
/// });
/// ```
///
/// ```
/// let kept = &std::sync::Mutex::new(None);
/// filch::scope(|s| {
///     s.spawn_future_with(|s| Box::pin(async move { *kept.lock().unwrap() = Some(format!("{s:?}")) })).detach();
/// });
/// ```
mod scope_into_the_frame {}

/// not in the future's output,
///
/// ```compile_fail
/// filch::scope(|s| {
///     let handle = s.spawn_future_with(|s| Box::pin(async move { s }));
///     handle.detach();
/// });
/// ```
///
/// ```
/// filch::scope(|s| {
///     let handle = s.spawn_future_with(|s| Box::pin(async move { drop(s) }));
///     handle.detach();
/// });
/// ```
mod scope_as_output {}

/// and not into another future or closure, which may live longer.
///
/// ```compile_fail,E0521
/// filch::scope(|s| {
///     s.spawn_future_with(|s| Box::pin(async move { s.spawn_future(async move { drop(s) }).detach() })).detach();
/// });
/// ```
///
/// ```compile_fail,E0521
/// filch::scope(|s| {
///     s.spawn_future_with(|s| Box::pin(async move { s.spawn(move |_| drop(s)) })).detach();
/// });
/// ```
///
/// ```
/// filch::scope(|s| {
///     s.spawn_future_with(|s| Box::pin(async move { s.spawn_future(async move { drop(()) }).detach() })).detach();
///     s.spawn_future_with(|s| Box::pin(async move { s.spawn(move |s| drop(s)) })).detach();
/// });
/// ```
mod scope_into_another {}

/// Nor does the reference to the scope that its body has go into a future: the scope might be shorter than `'scope`.
///
/// ```compile_fail,E0521
/// filch::scope(|s| {
///     s.spawn_future(async { s.spawn(|_| ()) }).detach();
/// });
/// ```
///
/// ```
/// filch::scope(|s| {
///     s.spawn_future_with(|s| Box::pin(async { s.spawn(|_| ()) })).detach();
/// });
/// ```
mod body_into_a_future {}

/// A future of a scope borrows from around the scope, and not from within its body or the closure that makes it.
///
/// ```compile_fail,E0597
/// filch::scope(|s| {
///     let within = 5;
///     s.spawn_future_with(|_| Box::pin(async { drop(&within) })).detach();
/// });
/// ```
///
/// ```compile_fail,E0373
/// filch::scope(|s| {
///     s.spawn_future_with(|_| {
///         let within = 5;
///         Box::pin(async { drop(&within) })
///     })
///     .detach();
/// });
/// ```
///
/// ```
/// let around = 5;
/// filch::scope(|s| {
///     s.spawn_future_with(|_| Box::pin(async { drop(&around) })).detach();
///     s.spawn_future_with(|_| {
///         let within = 5;
///         Box::pin(async move { drop(&within) })
///     })
///     .detach();
/// });
/// ```
mod what_it_borrows {}

/// It is `Send`, as what other threads poll.
///
/// ```compile_fail
/// filch::scope(|s| {
///     s.spawn_future_with(|_| {
///         let here = std::rc::Rc::new(());
///         Box::pin(async move { drop(here) })
///     })
///     .detach();
/// });
/// ```
///
/// ```
/// filch::scope(|s| {
///     s.spawn_future_with(|_| {
///         let here = std::sync::Arc::new(());
///         Box::pin(async move { drop(here) })
///     })
///     .detach();
/// });
/// ```
mod not_send {}
