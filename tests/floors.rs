//! The house rules of `src/`: a file names only floors below its own or its own floor, `unsafe` stands only in the
//! modules that `lib.rs` lists, and no file grows beyond a few hundred lines.
//!
//! The rules are read from the source text by a small lexer of our own, which is tested at the end of this file: each
//! rule is shown a sample that breaks it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. A folder of `src/` is a floor; `lib.rs` stands above all of them.
const FLOORS: [&str; 6] = ["ground", "core", "pool", "work", "driver", "par"];

/// More lines than this are more than one idea.
const MOST_LINES: usize = 600;

// ----- the rules, on the real source -----------------------------------------------------------------------------

#[test]
fn every_folder_is_a_floor() {
    let mut folders = Vec::new();
    for entry in fs::read_dir(source_folder()).expect("src can be listed") {
        let entry = entry.expect("src can be listed");
        if entry.path().is_dir() {
            folders.push(entry.file_name().into_string().expect("folders have plain names"));
        } else {
            assert_eq!(entry.file_name(), "lib.rs", "only lib.rs lies outside of the floors");
        }
    }
    folders.sort();
    let mut floors = FLOORS.map(str::to_owned);
    floors.sort();
    assert_eq!(folders, floors);
}

#[test]
fn files_name_only_lower_floors() {
    let complaints: Vec<String> = floor_files().iter().flat_map(|(path, text)| climbs(path, text)).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn unsafe_code_is_where_lib_rs_says() {
    let files = floor_files();
    let lib = read("lib.rs");
    let mut complaints = Vec::new();
    if !has_deny(&lib) {
        complaints.push("lib.rs does not deny unsafe_code".to_owned());
    }
    let allowed: BTreeSet<String> = files
        .iter()
        .filter_map(|(path, text)| Some(allowed_in(path.strip_suffix("/mod.rs")?, text)))
        .flatten()
        .collect();
    for (path, text) in &files {
        complaints.extend(strays(path, text, allowed.contains(path)));
    }
    let listed = listed_in(&lib);
    let more = |path| format!("lib.rs does not list `{path}`, which may use unsafe");
    complaints.extend(allowed.difference(&listed).map(more));
    let less = |path| format!("lib.rs lists `{path}`, which may not use unsafe");
    complaints.extend(listed.difference(&allowed).map(less));
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn files_are_small() {
    let mut files = floor_files();
    files.push(("lib.rs".into(), read("lib.rs")));
    let complaints: Vec<String> = files.iter().filter_map(|(path, text)| too_long(path, text)).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

// ----- reading the source ----------------------------------------------------------------------------------------

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn read(path: &str) -> String {
    fs::read_to_string(source_folder().join(path)).unwrap_or_else(|error| panic!("src/{path}: {error}"))
}

/// All files of all floors, by their paths below `src/`.
fn floor_files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for floor in FLOORS {
        collect(floor, &mut files);
    }
    assert!(files.len() > FLOORS.len(), "the source is somewhere else");
    files
}

fn collect(folder: &str, files: &mut Vec<(String, String)>) {
    let mut names: Vec<String> = fs::read_dir(source_folder().join(folder))
        .expect("a floor is a folder")
        .map(|entry| entry.expect("a floor can be listed").file_name().into_string().expect("files have plain names"))
        .collect();
    names.sort();
    for name in names {
        let path = format!("{folder}/{name}");
        if source_folder().join(&path).is_dir() {
            collect(&path, files);
        } else if name.ends_with(".rs") {
            let text = read(&path);
            files.push((path, text));
        }
    }
}

// ----- the rules, on any text ------------------------------------------------------------------------------------

/// The module that a file is: `core/job.rs` is `core::job`, `core/mod.rs` is `core`.
fn module_of(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

fn height(floor: &str) -> Option<usize> {
    FLOORS.iter().position(|known| *known == floor)
}

/// What a file names above its own floor, or by way of the crate's root, where all floors meet.
fn climbs(path: &str, text: &str) -> Vec<String> {
    let module = module_of(path);
    let own = height(&module[0]).unwrap_or_else(|| panic!("{path} is on no floor"));
    let mut complaints = Vec::new();
    for named in paths_in(&module, &tokens(text)) {
        let shown = format!("crate::{}", named.join("::"));
        match named.first().map(|first| (first, height(first))) {
            None => complaints.push(format!("{path} names the crate's root")),
            Some((_, Some(floor))) if floor <= own => {}
            Some((first, Some(_))) => complaints.push(format!("{path} names {shown}: {first} is a floor above")),
            Some((_, None)) => complaints.push(format!("{path} names {shown}: not by its floor")),
        }
    }
    complaints
}

/// The modules of a floor that its `mod.rs` allows to use `unsafe`, as paths.
fn allowed_in(floor: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let mut allowed = Vec::new();
    for at in 0..words.len() {
        if words[at..].starts_with(&ALLOW) {
            let mut rest = &words[at + ALLOW.len()..];
            // Other attributes and the visibility may stand between the attribute and its module.
            while let ["#", "[", ..] = rest {
                rest = after(rest, "]");
            }
            rest = match rest {
                ["pub", "(", ..] => after(rest, ")"),
                ["pub", ..] => &rest[1..],
                _ => rest,
            };
            match rest {
                ["mod", name, ";", ..] => allowed.push(format!("{floor}/{name}.rs")),
                _ => panic!("{floor}/mod.rs allows unsafe_code for something that is not a module"),
            }
        }
    }
    allowed
}

fn after<'w>(words: &'w [&'w str], sign: &str) -> &'w [&'w str] {
    let end = words.iter().position(|word| *word == sign).expect("what is opened is closed");
    &words[end + 1..]
}

const ALLOW: [&str; 7] = ["#", "[", "allow", "(", "unsafe_code", ")", "]"];

/// What is wrong about `unsafe` in a file of a floor.
fn strays(path: &str, text: &str, allowed: bool) -> Option<String> {
    let tokens = tokens(text);
    let uses = tokens.iter().any(|token| token == "unsafe");
    let names_lint = tokens.iter().any(|token| token == "unsafe_code");
    if names_lint && !path.ends_with("/mod.rs") {
        return Some(format!("{path} speaks of unsafe_code: that is for the floor's mod.rs"));
    }
    match (uses, allowed) {
        (true, false) => Some(format!("{path} uses unsafe, but its floor's mod.rs does not allow it")),
        (false, true) => Some(format!("{path} may use unsafe, but does not")),
        _ => None,
    }
}

fn has_deny(lib: &str) -> bool {
    let tokens = tokens(lib);
    let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let lint_named = words.iter().filter(|word| **word == "unsafe_code").count();
    lint_named == 1 && words.windows(8).any(|w| w == ["#", "!", "[", "deny", "(", "unsafe_code", ")", "]"])
}

/// The files that the module documentation of `lib.rs` lists, in lines of the form "- `core/job.rs`: why".
fn listed_in(lib: &str) -> BTreeSet<String> {
    lib.lines()
        .filter_map(|line| line.trim_start().strip_prefix("//!")?.trim_start().strip_prefix("- `"))
        .filter_map(|rest| {
            let (path, why) = rest.split_once("`:")?;
            (path.ends_with(".rs") && !why.trim().is_empty()).then(|| path.to_owned())
        })
        .collect()
}

fn too_long(path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > MOST_LINES).then(|| format!("{path} has {lines} lines, more than {MOST_LINES}"))
}

// ----- paths -----------------------------------------------------------------------------------------------------

/// Every path of a text that begins with `crate`, `super` or `self`, resolved to one that begins at the crate's root.
fn paths_in(module: &[String], tokens: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    // Inline modules that are open, each with the depth of braces outside of it.
    let mut inline: Vec<(String, usize)> = Vec::new();
    let mut depth = 0;
    let word = |at: usize| tokens.get(at).map_or("", String::as_str);
    let mut at = 0;
    while at < tokens.len() {
        match word(at) {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if inline.last().is_some_and(|(_, outside)| *outside == depth) {
                    inline.pop();
                }
            }
            "mod" if word(at + 2) == "{" => {
                inline.push((word(at + 1).to_owned(), depth));
                at += 1;
            }
            // `$crate` stands in macros for users: it is their path into the crate, not ours.
            "crate" | "super" | "self" if word(at + 1) == "::" && (at == 0 || !["::", "$"].contains(&word(at - 1))) => {
                let here: Vec<String> = module.iter().cloned().chain(inline.iter().map(|m| m.0.clone())).collect();
                at = follow(tokens, at, here, &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads the path, or the tree of a `use`, that begins at a token; gives the place after it.
fn follow(tokens: &[String], mut at: usize, mut base: Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let word = |at: usize| tokens.get(at).map_or("", String::as_str);
    loop {
        match word(at) {
            "crate" => base.clear(),
            "super" => drop(base.pop()),
            "self" => {}
            "{" => {
                at += 1;
                while at < tokens.len() && word(at) != "}" {
                    at = if word(at) == "," { at + 1 } else { follow(tokens, at, base.clone(), found) };
                }
                return at + 1;
            }
            name => base.push(name.to_owned()),
        }
        at += 1;
        if word(at) != "::" {
            found.push(base);
            if word(at) == "as" {
                at += 2;
            }
            return at;
        }
        at += 1;
        if word(at) == "<" {
            // Arguments of a type: what they name is found on its own.
            found.push(base);
            return at;
        }
    }
}

// ----- words -----------------------------------------------------------------------------------------------------

/// The text's words and signs, without comments, strings, characters and lifetimes.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let next = chars.get(at + 1).copied().unwrap_or(' ');
        if c == '/' && next == '/' {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if c == '/' && next == '*' {
            at = after_block_comment(&chars, at);
        } else if c == '"' {
            at = after_string(&chars, at);
        } else if let Some(end) = after_prefixed_string(&chars, at) {
            at = end;
        } else if c == '\'' {
            at = after_quote(&chars, at);
        } else if c == '_' || c.is_alphabetic() {
            let start = at;
            while at < chars.len() && (chars[at] == '_' || chars[at].is_alphanumeric()) {
                at += 1;
            }
            out.push(chars[start..at].iter().collect());
        } else if c == ':' && next == ':' {
            out.push("::".into());
            at += 2;
        } else {
            if !c.is_whitespace() {
                out.push(c.into());
            }
            at += 1;
        }
    }
    out
}

fn after_block_comment(chars: &[char], start: usize) -> usize {
    let mut open = 0;
    let mut at = start;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => {
                open += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                open -= 1;
                at += 2;
                if open == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn after_string(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// After `r"…"`, `r#"…"#`, `b"…"`, `br"…"`, `c"…"` and the like, if one begins here.
fn after_prefixed_string(chars: &[char], start: usize) -> Option<usize> {
    let mut at = start;
    while matches!(chars.get(at), Some('r' | 'b' | 'c')) && at - start < 2 {
        at += 1;
    }
    let raw = chars[start..at].contains(&'r');
    let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
    if at == start || (!raw && hashes > 0) || chars.get(at + hashes) != Some(&'"') {
        return None;
    }
    if !raw {
        return Some(after_string(chars, at));
    }
    let mut end = at + hashes + 1;
    while end < chars.len() {
        let closed = chars[end] == '"' && chars[end + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
        if closed {
            return Some(end + 1 + hashes);
        }
        end += 1;
    }
    Some(end)
}

/// After a character, or a lifetime's quote and name.
fn after_quote(chars: &[char], start: usize) -> usize {
    if chars.get(start + 1) == Some(&'\\') {
        let mut at = start + 3;
        while at < chars.len() && chars[at] != '\'' {
            at += 1;
        }
        return at + 1;
    }
    if chars.get(start + 2) == Some(&'\'') {
        return start + 3;
    }
    let mut at = start + 1;
    while at < chars.len() && (chars[at] == '_' || chars[at].is_alphanumeric()) {
        at += 1;
    }
    at
}

// ----- the rules can fail ----------------------------------------------------------------------------------------

fn words(text: &str) -> String {
    tokens(text).join(" ")
}

#[test]
fn the_lexer_sees_code_only() {
    assert_eq!(words("a // crate::pool\nb"), "a b");
    assert_eq!(words("a /* unsafe /* unsafe */ unsafe */ b"), "a b");
    assert_eq!(words(r#"a("unsafe \" unsafe", b)"#), "a ( , b )");
    assert_eq!(
        words("a(r#\"unsafe \" unsafe\"#, r\"\\\", b\"unsafe\", br##\"\"#\"##, c\"x\", b)"),
        "a ( , , , , , b )"
    );
    assert_eq!(words("bar(b, r, crab)"), "bar ( b , r , crab )");
    assert_eq!(words("let c: &'a T = '\"'; 'x'; '\\''; b'\\n'; '\\u{0}'; d"), "let c : & T = ; ; ; b ; ; d");
    assert_eq!(words("//! unsafe\n#[doc = \"unsafe\"] x"), "# [ doc = ] x");
}

#[test]
fn a_climb_is_found() {
    let fine = [
        "use crate::ground::sync::Mutex;",
        "use crate::core::{job::{JobRef, self}, latch::Latch};",
        "use super::latch::Latch;",
        "pub(crate) fn f() { super::job::g() }",
        "pub(in crate::core) fn f() {}",
        "mod tests { use super::Rng; use super::super::latch; }",
        "// use crate::pool::Pool;\n/// [`crate::Pool`]\nfn f() {}",
        "use core::mem; use std::sync::Arc;",
        "const S: &str = \"crate::pool::x\";",
        "macro_rules! m { () => { $crate::task::x::<$crate::y>() } }",
    ];
    for text in fine {
        assert_eq!(climbs("core/sleep.rs", text), [""; 0], "{text}");
    }
    let bad = [
        "use crate::pool::shared::Shared;",
        "use crate::{ground::rng::Rng, work::join::join};",
        "use crate::{ground::{rng, sync}, core::{job, latch::{Latch, Waiter}}, pool};",
        "fn f() { crate::work::join::join(|| (), || ()); }",
        "fn f(x: &crate::pool::slot::Slot) {}",
        "use super::super::pool::slot::Slot;",
        "mod tests { use super::super::super::pool::slot::Slot; }",
        "use self::super::super::work;",
        "use crate::Pool;",
        "use crate::*;",
        "use super::super::*;",
        "fn f() { g::<crate::pool::slot::Slot>() }",
        "fn f() -> crate::core::job::Job::<crate::pool::slot::Slot> {}",
        "macro_rules! m { () => { crate::work::join } }",
        "pub use crate::{core as c, pool as p};",
    ];
    for text in bad {
        assert_eq!(climbs("core/sleep.rs", text).len(), 1, "{text}: {:?}", climbs("core/sleep.rs", text));
    }
    // After an inline module has been closed, `super` is the file's again.
    assert_eq!(climbs("core/sleep.rs", "mod a { mod b { } fn f() { { } } } use super::latch;"), [""; 0]);
    assert_eq!(climbs("core/sleep.rs", "mod a { } use super::super::pool;").len(), 1);
    assert_eq!(climbs("core/mod.rs", "use super::pool;").len(), 1);
    assert_eq!(climbs("ground/mod.rs", "use crate::core;").len(), 1);
    assert_eq!(climbs("work/join.rs", "use crate::pool; use crate::core; use crate::ground;"), [""; 0]);
}

#[test]
fn stray_unsafe_is_found() {
    assert_eq!(strays("core/a.rs", "fn f() { unsafe { g() } }", true), None);
    assert_eq!(strays("core/a.rs", "// unsafe\nfn unsafely() {}", false), None);
    assert!(strays("core/a.rs", "fn f() { unsafe { g() } }", false).is_some());
    assert!(strays("core/a.rs", "unsafe impl Send for A {}", false).is_some());
    assert!(strays("core/a.rs", "fn f() {} // unsafe", true).is_some());
    assert!(strays("core/a.rs", "#![allow(unsafe_code)] fn f() { unsafe {} }", true).is_some());
    assert!(strays("core/a.rs", "#[expect(unsafe_code)] fn f() { unsafe {} }", true).is_some());
}

#[test]
fn the_lists_are_read() {
    let module =
        "//! A floor.\n#[allow(unsafe_code)]\npub(crate) mod a;\nmod b;\n#[allow(unsafe_code)]\n#[cfg(unix)]\nmod c;";
    assert_eq!(allowed_in("core", module), ["core/a.rs", "core/c.rs"]);
    let lib =
        "//! Text.\n//! - `core/a.rs`: because.\n//! - `core/b.rs`:\n//! - `core/`: a floor.\n// - `core/d.rs`: no.\n";
    assert_eq!(listed_in(lib), BTreeSet::from(["core/a.rs".to_owned()]));
    assert!(has_deny("#![deny(unsafe_code)]"));
    assert!(!has_deny("#![warn(unsafe_code)]"));
    assert!(!has_deny("// #![deny(unsafe_code)]"));
    assert!(!has_deny("#![deny(unsafe_code)] #[allow(unsafe_code)] mod a;"));
}

#[test]
#[should_panic(expected = "not a module")]
fn unsafe_allowed_for_an_item_is_found() {
    allowed_in("core", "#[allow(unsafe_code)]\nfn f() {}\nmod a;");
}

#[test]
fn a_long_file_is_found() {
    assert!(too_long("core/a.rs", &"x\n".repeat(600)).is_none());
    assert!(too_long("core/a.rs", &"x\n".repeat(601)).is_some());
}
