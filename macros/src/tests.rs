//! What users read when something is wrong, and at which place.

use proc_macro2::TokenStream;

use crate::args::Args;
use crate::expand;
use crate::function::Function;
use crate::kind::Kind::{self, Main, Test};

fn tokens(source: &str) -> TokenStream {
    source.parse().unwrap_or_else(|error| panic!("{source}: {error}"))
}

/// The error, and the source text that it is about.
fn complaint(kind: Kind, args: &str, item: &str) -> Option<(String, String)> {
    let outcome = syn::parse2::<Function>(tokens(item))
        .and_then(|function| function.check(kind))
        .and_then(|()| Args::parse(kind, tokens(args)));
    outcome.err().map(|error| (error.to_string(), error.span().source_text().unwrap_or_default()))
}

fn expansion(kind: Kind, args: &str, item: &str) -> String {
    expand::attribute(kind, tokens(args), tokens(item)).to_string()
}

fn assert_complaints(cases: &[(Kind, &str, &str, &str, &str)]) {
    for (kind, args, item, place, text) in cases {
        let (found, source) = complaint(*kind, args, item).unwrap_or_else(|| panic!("{kind} takes ({args}) {item}"));
        assert!(found.contains(text), "{kind} ({args}) {item}: {found}");
        assert_eq!(source, *place, "{kind} ({args}) {item}: {found}");
        let expanded = expansion(*kind, args, item);
        assert_eq!(expanded.matches("compile_error").count(), 1, "{expanded}");
    }
}

#[test]
fn wrong_functions() {
    assert_complaints(&[
        (Main, "", "fn main() {}", "fn", "write `async` here"),
        (Test, "", "pub(crate) fn test() {}", "fn", "`#[filch::test]` is for an `async fn`"),
        (Main, "", "struct Main;", "struct", "expected `async fn`"),
        (Main, "", "async fn main(a: u8, b: u8) {}", "a: u8, b: u8", "`main` has no arguments"),
        (Test, "", "async fn test(a: u8) {}", "a: u8", "a test has no arguments"),
        (Test, "", "async fn test(&self) {}", "&self", "a test has no arguments"),
        (Main, "", "async fn main<T>() {}", "<T>", "`main` cannot be generic"),
        (Test, "", "async fn test<'a, const N: usize>() {}", "<'a, const N: usize>", "a test cannot be generic"),
        (Test, "", "#[ignore] #[test] async fn test() {}", "#[test]", "leave this attribute out"),
        (Main, "", "async fn main();", ";", "body in braces"),
    ]);
}

#[test]
fn wrong_arguments() {
    let item = "async fn main() { let kept = 1; }";
    let case =
        |args, place, text| assert_complaints(&[(Main, args, item, place, text), (Test, args, item, place, text)]);
    case("workers = 3", "workers", "does not know `workers`, but `worker_threads`, `name`, `start_paused`, `flavor`");
    case("name = \"a\", name = \"b\"", "name", "given twice");
    case("worker_threads", "worker_threads", "needs a value; write it like this: `worker_threads = 4`");
    case("start_paused(true)", "start_paused", "needs a value");
    case("worker_threads = \"3\"", "\"3\"", "write it like this: `worker_threads = 4`");
    case("worker_threads = COUNT", "COUNT", "write it like this: `worker_threads = 4`");
    case("worker_threads = -1", "-1", "write it like this: `worker_threads = 4`");
    case("worker_threads = 0", "0", "one worker at least");
    case("name = 3", "3", "write it like this: `name = \"app\"`");
    case("start_paused = 1", "1", "write it like this: `start_paused = true`");
    case("flavor = multi_thread", "multi_thread", "write it like this: `flavor = \"multi_thread\"`");
    case("flavor = \"threads\"", "\"threads\"", "there is no flavor `threads`");
    case("multi_thread", "multi_thread", "given as `flavor = \"multi_thread\"`");
    case("crate = filch", "filch", "write it like this: `crate = \"path::to::filch\"`");
    case("crate = \"a::<b>\"", "\"a::<b>\"", "write it like this: `crate = \"path::to::filch\"`");
    case("name = \"a\" worker_threads = 3", "worker_threads", "expected `,`");
    for flavor in ["current_thread", "local"] {
        let (args, place) = (format!("flavor = \"{flavor}\""), format!("\"{flavor}\""));
        assert_complaints(&[
            (Main, &args, item, &place, "write `worker_threads = 1` for a pool of one worker, and give futures"),
            (Test, &args, item, &place, "leave `flavor` out for a pool of one worker, and give futures"),
        ]);
    }
}

#[test]
fn the_function_remains_beside_a_wrong_argument() {
    let expanded = expansion(Test, "workers = 3", "async fn name() { let kept = 1; }");
    assert!(expanded.contains("fn name ()") && expanded.contains("let kept = 1"), "{expanded}");
}

#[test]
fn attributes_stay_with_the_function() {
    let expanded = expansion(Test, "", "#[should_panic] async fn name() { #![allow(unused)] let kept = 1; }");
    let before = expanded.split("fn name").next().unwrap();
    for attribute in ["should_panic", "allow (unused)", ":: test"] {
        assert!(before.contains(attribute), "{expanded}");
    }
}

#[test]
fn what_is_allowed() {
    let every = "worker_threads = 3, name = \"a\", start_paused = false, flavor = \"multi_thread\", crate = \"a::b\",";
    for (kind, args, item) in [
        (Main, every, "async fn main() {}"),
        (Test, every, "async fn test() {}"),
        (Main, "", "pub async fn run<T: Fn(u8) -> u8>(&self, (a, b): (u8, T)) -> [u8; 2] where T: Copy { [a, b(a)] }"),
        (Main, "", "async unsafe extern \"C\" fn run() -> impl Iterator<Item = u8> { [].into_iter() }"),
        (Test, "", "#[should_panic] #[cfg(test)] async fn test() { #![allow(unused)] }"),
        (Main, "", "#[test] async fn run() {}"),
    ] {
        assert_eq!(complaint(kind, args, item), None);
        let expanded = expansion(kind, args, item);
        assert!(!expanded.contains("compile_error") && !expanded.contains("async fn"), "{expanded}");
    }
}
