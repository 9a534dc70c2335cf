//! Guards that cancel a token when they are dropped.

use std::mem;

use crate::work::cancel::CancellationToken;

/// Cancels its token when it is dropped: see [`CancellationToken::drop_guard`].
#[derive(Debug)]
#[must_use = "a dropped guard cancels its token at once"]
pub struct DropGuard {
    /// None only when disarmed.
    token: Option<CancellationToken>,
}

/// Cancels the token that it borrows when it is dropped: see [`CancellationToken::drop_guard_ref`].
#[derive(Debug)]
#[must_use = "a dropped guard cancels its token at once"]
pub struct DropGuardRef<'t> {
    token: &'t CancellationToken,
}

impl DropGuard {
    pub(crate) fn new(token: CancellationToken) -> Self {
        DropGuard { token: Some(token) }
    }

    /// The token that the guard will cancel.
    ///
    /// ```
    /// let guard = filch::CancellationToken::new().drop_guard();
    /// let child = guard.token().child_token();
    /// drop(guard);
    /// assert!(child.is_cancelled());
    /// ```
    pub fn token(&self) -> &CancellationToken {
        self.token.as_ref().expect("it is taken out only where the guard is consumed")
    }

    /// Gives the token back, uncancelled. Other guards of the same token stay armed.
    ///
    /// ```
    /// let guard = filch::CancellationToken::new().drop_guard();
    /// let token = guard.disarm();
    /// assert!(!token.is_cancelled());
    /// ```
    pub fn disarm(mut self) -> CancellationToken {
        self.token.take().expect("a guard is disarmed once, because that consumes it")
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            token.cancel();
        }
    }
}

impl<'t> DropGuardRef<'t> {
    pub(crate) fn new(token: &'t CancellationToken) -> Self {
        DropGuardRef { token }
    }

    /// The token that the guard will cancel.
    ///
    /// ```
    /// let token = filch::CancellationToken::new();
    /// let guard = token.drop_guard_ref();
    /// assert!(!guard.token().is_cancelled());
    /// ```
    pub fn token(&self) -> &CancellationToken {
        self.token
    }

    /// Gives the token back, uncancelled. Other guards of the same token stay armed.
    ///
    /// ```
    /// fn transfer(token: &filch::CancellationToken, commit: bool) {
    ///     // Whatever ends this early cancels what has been begun for it.
    ///     let guard = token.drop_guard_ref();
    ///     if commit {
    ///         guard.disarm();
    ///     }
    /// }
    /// let token = filch::CancellationToken::new();
    /// transfer(&token, true);
    /// assert!(!token.is_cancelled());
    /// transfer(&token, false);
    /// assert!(token.is_cancelled());
    /// ```
    pub fn disarm(self) -> &'t CancellationToken {
        let token = self.token;
        mem::forget(self);
        token
    }
}

impl Drop for DropGuardRef<'_> {
    fn drop(&mut self) {
        self.token.cancel();
    }
}
