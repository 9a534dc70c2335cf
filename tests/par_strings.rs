//! Parallel iterators over strings yield what std's iterators do.

#[path = "support/par.rs"]
mod par;
mod support;

use filch::prelude::*;
use par::{few, gather};
use support::{Rng, note, pool, with_deadline};

/// Strings of many lengths, of `char`s of one to four bytes, rich and poor in separators.
fn strings() -> Vec<String> {
    let mut rng = Rng(7);
    let alphabets: [&[char]; 5] = [
        &['a', 'b', ' ', '\n'],
        &[' ', '\n', '\r', ','],
        &['é', '中', '😀', 'a', ',', '\u{2003}', ' '],
        &['😀', '😁'],
        &['x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', ',', '\r', '\n', '\u{85}'],
    ];
    let mut strings = vec![String::new(), "\r\n".into(), "a\r\nb\r".into(), "\n\n".into(), "no".into(), ",".into()];
    strings.push(format!("{},{}", "y".repeat(5000), "z".repeat(3000)));
    strings.push(format!("{},", "y".repeat(5000)));
    strings.push(format!(",{}", "中".repeat(3000)));
    for alphabet in alphabets {
        for len in [1, 2, 3, 5, 8, 17, 100, 1001, 20_000] {
            strings.push((0..len).map(|_| alphabet[rng.below(alphabet.len() as u64) as usize]).collect());
        }
    }
    strings
}

/// In pools of several sizes, for each string.
fn each(check: impl Fn(&str) + Send + Sync + 'static) {
    with_deadline(100, move || {
        for workers in [1, 2, 4, 8] {
            let pool = pool(workers);
            for (number, string) in strings().iter().enumerate() {
                note(format!("{workers} workers, string {number}"));
                pool.install(|| check(string));
            }
        }
    });
}

#[test]
fn units() {
    each(|s| {
        assert_eq!(gather(s.par_chars()), s.chars().collect::<Vec<_>>());
        assert_eq!(gather(s.par_char_indices()), s.char_indices().collect::<Vec<_>>());
        assert_eq!(gather(s.par_bytes()), s.bytes().collect::<Vec<_>>());
        assert_eq!(gather(s.par_encode_utf16()), s.encode_utf16().collect::<Vec<_>>());
    });
}

/// Every iterator that takes a pattern, against std's.
macro_rules! patterns {
    ($s:expr, $pattern:expr) => {{
        let s: &str = $s;
        assert_eq!(gather(s.par_split($pattern)), s.split($pattern).collect::<Vec<_>>());
        assert_eq!(gather(s.par_split_inclusive($pattern)), s.split_inclusive($pattern).collect::<Vec<_>>());
        assert_eq!(gather(s.par_split_terminator($pattern)), s.split_terminator($pattern).collect::<Vec<_>>());
        assert_eq!(gather(s.par_matches($pattern)), s.matches($pattern).collect::<Vec<_>>());
        assert_eq!(gather(s.par_match_indices($pattern)), s.match_indices($pattern).collect::<Vec<_>>());
    }};
}

#[test]
fn patterns_of_all_kinds() {
    each(|s| {
        patterns!(s, ',');
        patterns!(s, '😀');
        patterns!(s, [',', '中']);
        patterns!(s, &[' ', 'é']);
        patterns!(s, &['a', '😁', '\n'][..]);
        patterns!(s, |c: char| c.len_utf8() == 3);
        patterns!(s, char::is_whitespace);
        patterns!(s, |_: char| true);
        patterns!(s, |_: char| false);
    });
}

#[test]
fn lines_and_words() {
    each(|s| {
        // As rayon, and unlike std, a last line loses its `\r` even if no `\n` follows.
        let lines = s.split_terminator('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        assert_eq!(gather(s.par_lines()), lines.collect::<Vec<_>>());
        assert_eq!(gather(s.par_split_whitespace()), s.split_whitespace().collect::<Vec<_>>());
        assert_eq!(gather(s.par_split_ascii_whitespace()), s.split_ascii_whitespace().collect::<Vec<_>>());
    });
}

#[test]
fn a_full_folder_gets_no_more() {
    with_deadline(60, || {
        pool(1).install(|| {
            let text = "a,b,".repeat(1000);
            for most in [1, 2, 3] {
                // The first piece's items are the first of all.
                let firsts = few(text.par_split(','), most);
                assert_eq!(firsts[0], "a");
                assert!(firsts.len() <= most * 1000, "{} items", firsts.len());
                assert_eq!(few(text.par_chars(), most)[0], 'a');
                assert_eq!(few(text.par_lines(), most), [text.as_str()]);
            }
        });
    });
}

#[test]
fn drains_of_strings() {
    with_deadline(60, || {
        for workers in [1, 4] {
            pool(workers).install(|| {
                for range in [0..0, 0..3, 3..9, 2..2, 0..12, 9..12] {
                    let whole = "a中éxyz中b".to_owned();
                    if !whole.is_char_boundary(range.start) || !whole.is_char_boundary(range.end.min(whole.len())) {
                        continue;
                    }
                    let range = range.start..range.end.min(whole.len());
                    let (mut ours, mut std) = (whole.clone(), whole.clone());
                    let taken = gather(ours.par_drain(range.clone()));
                    assert_eq!(taken, std.drain(range.clone()).collect::<Vec<_>>());
                    assert_eq!(ours, std);
                    // Not run: the `char`s go all the same.
                    let mut ours = whole.clone();
                    drop(ours.par_drain(range));
                    assert_eq!(ours, std);
                }
                let mut long = "né".repeat(50_000);
                assert_eq!(gather(long.par_drain(3..)).len(), 99_998);
                assert_eq!(long, "né");
            });
        }
    });
}

#[test]
fn drains_of_strings_between_chars_only() {
    let split = std::panic::catch_unwind(|| {
        let mut string = "é".to_owned();
        drop(string.par_drain(1..));
    });
    assert!(split.is_err());
    let beyond = std::panic::catch_unwind(|| {
        let mut string = "é".to_owned();
        drop(string.par_drain(..3));
    });
    assert!(beyond.is_err());
}

#[test]
fn parts_of_a_drained_string_are_dropped_when_the_loop_panics() {
    with_deadline(60, || {
        let mut string = "abcdef".repeat(1000);
        let result = support::catch(|| {
            string.par_drain(1..5999).for_each(|c| {
                if c == 'c' {
                    support::plan(1);
                }
            });
        });
        assert_eq!(result, Err(1));
        assert_eq!(string, "af");
    });
}
