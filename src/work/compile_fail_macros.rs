//! What the attributes `#[filch::main]` and `#[filch::test]` must not let pass, each with a twin that differs only in
//! what is wrong and does compile. In which words it is refused, and at which place, is tested in `macros/src/tests.rs`.
//!
//! The examples are run as doc tests; there is nothing else here.

/// Both are for functions that are `async`.
///
/// ```compile_fail
/// #[filch::main]
/// fn main() {}
/// ```
///
/// ```
/// #[filch::main]
/// async fn main() {}
/// ```
///
/// ```compile_fail
/// #[filch::test]
/// fn test() {}
/// # fn main() {}
/// ```
///
/// ```
/// #[filch::test]
/// async fn test() {}
/// # fn main() {}
/// ```
mod not_async {}

/// `main` and tests have no arguments, of neither kind; other functions may.
///
/// ```compile_fail
/// #[filch::main]
/// async fn main(one: u8) {}
/// ```
///
/// ```compile_fail
/// #[filch::main]
/// async fn main<T>() {}
/// ```
///
/// ```
/// #[filch::main]
/// async fn run<T>(one: T) {}
/// # fn main() { run(1) }
/// ```
///
/// ```compile_fail
/// #[filch::test]
/// async fn test<T>() {}
/// # fn main() {}
/// ```
mod arguments_of_functions {}

/// The attributes' arguments are known ones, each once, with a value that means something.
///
/// ```compile_fail
/// #[filch::main(workers = 1)]
/// async fn main() {}
/// ```
///
/// ```compile_fail
/// #[filch::main(worker_threads = 0)]
/// async fn main() {}
/// ```
///
/// ```compile_fail
/// #[filch::main(worker_threads = 1, worker_threads = 1)]
/// async fn main() {}
/// ```
///
/// ```standalone_crate
/// #[filch::main(worker_threads = 1)]
/// async fn main() {}
/// ```
mod arguments_of_attributes {}

/// There is no runtime of one thread.
///
/// ```compile_fail
/// #[filch::test(flavor = "current_thread")]
/// async fn test() {}
/// # fn main() {}
/// ```
///
/// ```
/// #[filch::test(flavor = "multi_thread")]
/// async fn test() {}
/// # fn main() {}
/// ```
mod flavors {}

/// The body's value is of the type that the function returns.
///
/// ```compile_fail,E0308
/// #[filch::main]
/// async fn main() -> Result<(), u8> {}
/// ```
///
/// ```
/// #[filch::main]
/// async fn main() -> Result<(), u8> { Ok(()) }
/// ```
mod values {}
