//! The attributes `#[filch::main]` and `#[filch::test]`. They are documented in
//! [filch](https://docs.rs/filch/latest/filch/), with whose feature `macros` they come; what follows is what they make
//! of a function. This package is not for direct use.
//!
//! What is generated names filch's public items only, by the path that the argument `crate` gives, or `::filch`.
#![warn(missing_docs)]

mod args;
mod expand;
mod function;
mod kind;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

use crate::kind::Kind;

// The documentation of both is shown below that of the re-exports in filch, too.

/// # What it expands to
///
/// `#[filch::main] async fn main() -> R { … }` becomes
///
/// ```text
/// fn main() -> R {
///     let body = async move { … };
///     ::filch::block_on(body)
/// }
/// ```
///
/// and arguments put `::filch::PoolBuilder::new() … .build_global()` before the last line.
#[proc_macro_attribute]
pub fn main(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Main, args.into(), item.into()).into()
}

/// # What it expands to
///
/// `#[filch::test] async fn name() -> R { … }` becomes
///
/// ```text
/// #[test]
/// fn name() -> R {
///     let body = async move { … };
///     let pool = match ::filch::PoolBuilder::new().workers(1).build() { … };
///     pool.block_on(body)
/// }
/// ```
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Test, args.into(), item.into()).into()
}
