//! What `try_fold` and its like can stop on.

use std::convert::Infallible;
use std::ops::ControlFlow::{self, Break, Continue};
use std::task::Poll;

/// A value that says whether to go on: the standard library's `Try`, which is not stable. It cannot be named, and so
/// not be implemented, outside of this crate.
pub trait Try {
    /// What it holds if the loop goes on.
    type Output;

    /// What it holds if the loop ends.
    type Residual;

    /// The loop goes on.
    fn from_output(output: Self::Output) -> Self;

    /// The loop has ended.
    fn from_residual(residual: Self::Residual) -> Self;

    /// Which of the two.
    fn branch(self) -> ControlFlow<Self::Residual, Self::Output>;
}

impl<T> Try for Option<T> {
    type Output = T;
    type Residual = Option<Infallible>;

    fn from_output(output: T) -> Self {
        Some(output)
    }

    fn from_residual(_: Self::Residual) -> Self {
        None
    }

    fn branch(self) -> ControlFlow<Self::Residual, T> {
        self.map_or(Break(None), Continue)
    }
}

impl<T, E> Try for Result<T, E> {
    type Output = T;
    type Residual = Result<Infallible, E>;

    fn from_output(output: T) -> Self {
        Ok(output)
    }

    fn from_residual(residual: Self::Residual) -> Self {
        residual.map(|never| match never {})
    }

    fn branch(self) -> ControlFlow<Self::Residual, T> {
        self.map_or_else(|error| Break(Err(error)), Continue)
    }
}

impl<B, C> Try for ControlFlow<B, C> {
    type Output = C;
    type Residual = ControlFlow<B, Infallible>;

    fn from_output(output: C) -> Self {
        Continue(output)
    }

    fn from_residual(residual: Self::Residual) -> Self {
        match residual {
            Break(value) => Break(value),
            Continue(never) => match never {},
        }
    }

    fn branch(self) -> ControlFlow<Self::Residual, C> {
        match self {
            Break(value) => Break(Break(value)),
            Continue(output) => Continue(output),
        }
    }
}

impl<T, E> Try for Poll<Result<T, E>> {
    type Output = Poll<T>;
    type Residual = Result<Infallible, E>;

    fn from_output(output: Poll<T>) -> Self {
        output.map(Ok)
    }

    fn from_residual(residual: Self::Residual) -> Self {
        Poll::Ready(Result::from_residual(residual))
    }

    fn branch(self) -> ControlFlow<Self::Residual, Poll<T>> {
        match self {
            Poll::Pending => Continue(Poll::Pending),
            Poll::Ready(Ok(output)) => Continue(Poll::Ready(output)),
            Poll::Ready(Err(error)) => Break(Err(error)),
        }
    }
}

impl<T, E> Try for Poll<Option<Result<T, E>>> {
    type Output = Poll<Option<T>>;
    type Residual = Result<Infallible, E>;

    fn from_output(output: Poll<Option<T>>) -> Self {
        output.map(|ready| ready.map(Ok))
    }

    fn from_residual(residual: Self::Residual) -> Self {
        Poll::Ready(Some(Result::from_residual(residual)))
    }

    fn branch(self) -> ControlFlow<Self::Residual, Poll<Option<T>>> {
        match self {
            Poll::Pending => Continue(Poll::Pending),
            Poll::Ready(None) => Continue(Poll::Ready(None)),
            Poll::Ready(Some(Ok(output))) => Continue(Poll::Ready(Some(output))),
            Poll::Ready(Some(Err(error))) => Break(Err(error)),
        }
    }
}
