//! [`ParallelString`].

use crate::par::sources::chars::{Bytes, CharIndices, Chars, EncodeUtf16};
use crate::par::sources::lines::{Lines, SplitAsciiWhitespace, SplitWhitespace};
use crate::par::sources::matches::{MatchIndices, Matches};
use crate::par::sources::pattern::Pattern;
use crate::par::sources::str_split::{Split, SplitInclusive, SplitTerminator};

/// What is done with strings in parallel.
///
/// What a string is searched for may be a `char`, `[char; N]`, `&[char]`, `&[char; N]` or a closure
/// `Fn(char) -> bool + Sync + Send`.
///
/// None of the iterators is indexed: how many items a string has is not known before it has been read.
pub trait ParallelString {
    /// The string itself.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// /// A line of a log, of which the time at its beginning is no part.
    /// struct Entry(String);
    ///
    /// impl ParallelString for Entry {
    ///     fn as_parallel_string(&self) -> &str {
    ///         &self.0["12:34:56 ".len()..]
    ///     }
    /// }
    ///
    /// let entry = Entry("12:34:56 disk is full".to_owned());
    /// assert_eq!(entry.par_split_whitespace().count(), 3);
    /// ```
    fn as_parallel_string(&self) -> &str;

    /// The `char`s.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let longest = "to be".par_chars().max();
    /// assert_eq!(longest, Some('t'));
    /// ```
    fn par_chars(&self) -> Chars<'_> {
        Chars::new(self.as_parallel_string())
    }

    /// The `char`s, each with the index at which it begins.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let places: Vec<_> = "aßb".par_char_indices().collect();
    /// assert_eq!(places, [(0, 'a'), (1, 'ß'), (3, 'b')]);
    /// ```
    fn par_char_indices(&self) -> CharIndices<'_> {
        CharIndices::new(self.as_parallel_string())
    }

    /// The bytes. Those of a string that need not be told from other bytes are better had from
    /// `as_bytes().par_iter()`, which is indexed.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// assert_eq!("abc".par_bytes().map(u32::from).sum::<u32>(), 97 + 98 + 99);
    /// ```
    fn par_bytes(&self) -> Bytes<'_> {
        Bytes::new(self.as_parallel_string())
    }

    /// The string in UTF-16.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// assert_eq!("a\u{1d11e}".par_encode_utf16().count(), 3);
    /// ```
    fn par_encode_utf16(&self) -> EncodeUtf16<'_> {
        EncodeUtf16::new(self.as_parallel_string())
    }

    /// The pieces between matches. There is one more than there are matches.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let fields: Vec<&str> = "a,b;;c".par_split([',', ';']).collect();
    /// assert_eq!(fields, ["a", "b", "", "c"]);
    /// ```
    fn par_split<P: Pattern>(&self, separator: P) -> Split<'_, P> {
        Split::new(self.as_parallel_string(), separator)
    }

    /// The pieces that end with a match, and what is left after the last.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let lines: Vec<&str> = "one\ntwo".par_split_inclusive('\n').collect();
    /// assert_eq!(lines, ["one\n", "two"]);
    /// ```
    fn par_split_inclusive<P: Pattern>(&self, separator: P) -> SplitInclusive<'_, P> {
        SplitInclusive::new(self.as_parallel_string(), separator)
    }

    /// [`par_split`](Self::par_split), without the last piece if it is empty.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let parts: Vec<&str> = "a;b;".par_split_terminator(';').collect();
    /// assert_eq!(parts, ["a", "b"]);
    /// ```
    fn par_split_terminator<P: Pattern>(&self, terminator: P) -> SplitTerminator<'_, P> {
        SplitTerminator::new(self.as_parallel_string(), terminator)
    }

    /// The lines, without what ends them: `\n` or `\r\n`. A last line without `\n` loses its `\r` too.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let longest = "some\nlines\r\n".par_lines().map(|line| line.len()).max();
    /// assert_eq!(longest, Some(5));
    /// ```
    fn par_lines(&self) -> Lines<'_> {
        Lines::new(self.as_parallel_string())
    }

    /// The words, between any amount of white space.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// assert_eq!(" how  many ".par_split_whitespace().count(), 2);
    /// ```
    fn par_split_whitespace(&self) -> SplitWhitespace<'_> {
        SplitWhitespace::new(self.as_parallel_string())
    }

    /// The words, between any amount of white space that is ASCII.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// assert_eq!(" two  words ".par_split_ascii_whitespace().count(), 2);
    /// ```
    fn par_split_ascii_whitespace(&self) -> SplitAsciiWhitespace<'_> {
        SplitAsciiWhitespace::new(self.as_parallel_string())
    }

    /// The matches.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let digits: String = "a1b23".par_matches(char::is_numeric).collect();
    /// assert_eq!(digits, "123");
    /// ```
    fn par_matches<P: Pattern>(&self, pattern: P) -> Matches<'_, P> {
        Matches::new(self.as_parallel_string(), pattern)
    }

    /// The matches, each with the index at which it begins.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let found: Vec<(usize, &str)> = "1, 2, 3".par_match_indices(|c: char| c.is_numeric()).collect();
    /// assert_eq!(found, [(0, "1"), (3, "2"), (6, "3")]);
    /// ```
    fn par_match_indices<P: Pattern>(&self, pattern: P) -> MatchIndices<'_, P> {
        MatchIndices::new(self.as_parallel_string(), pattern)
    }
}

impl ParallelString for str {
    #[inline]
    fn as_parallel_string(&self) -> &str {
        self
    }
}
