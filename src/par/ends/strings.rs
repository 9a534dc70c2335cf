//! Strings of what a parallel iterator yields: characters, and other strings.

use std::borrow::Cow;
use std::collections::LinkedList;
use std::ffi::{OsStr, OsString};

use crate::par::ends::extend::vec_list;
use crate::par::ends::pieces;
use crate::par::into::{FromParallelIterator, IntoParallelIterator, ParallelExtend};
use crate::par::iter::ParallelIterator;

/// Each piece makes a string, which takes less room than its characters.
impl ParallelExtend<char> for String {
    fn par_extend<I: IntoParallelIterator<Item = char>>(&mut self, par_iter: I) {
        let pieces: LinkedList<String> = pieces::pieces(par_iter.into_par_iter());
        self.reserve(pieces.iter().map(String::len).sum());
        self.extend(pieces);
    }
}

impl<'a> ParallelExtend<&'a char> for String {
    fn par_extend<I: IntoParallelIterator<Item = &'a char>>(&mut self, par_iter: I) {
        self.par_extend(par_iter.into_par_iter().map(|item| *item));
    }
}

macro_rules! from_strings {
    ($([$($life:lifetime)?] $item:ty => $string:ty as $str:ty;)*) => {$(
        impl<$($life)?> ParallelExtend<$item> for $string {
            fn par_extend<I: IntoParallelIterator<Item = $item>>(&mut self, par_iter: I) {
                let vecs = vec_list(par_iter.into_par_iter());
                self.reserve(vecs.iter().flatten().map(|part| AsRef::<$str>::as_ref(part).len()).sum());
                for vec in vecs {
                    self.extend(vec);
                }
            }
        }
    )*};
}

from_strings! {
    ['a] &'a str => String as str;
    [] String => String as str;
    [] Box<str> => String as str;
    ['a] Cow<'a, str> => String as str;
    ['a] &'a OsStr => OsString as OsStr;
    [] OsString => OsString as OsStr;
    ['a] Cow<'a, OsStr> => OsString as OsStr;
}

macro_rules! made_of {
    ($([$($life:lifetime)?] $item:ty => $string:ty;)*) => {$(
        impl<$($life)?> FromParallelIterator<$item> for $string {
            fn from_par_iter<I: IntoParallelIterator<Item = $item>>(par_iter: I) -> Self {
                let mut string = Self::default();
                string.par_extend(par_iter);
                string
            }
        }
    )*};
}

made_of! {
    [] char => String;
    ['a] &'a char => String;
    ['a] &'a str => String;
    [] String => String;
    [] Box<str> => String;
    ['a] Cow<'a, str> => String;
    ['a] &'a OsStr => OsString;
    [] OsString => OsString;
    ['a] Cow<'a, OsStr> => OsString;
}

macro_rules! boxed {
    ($([$($life:lifetime)?] $item:ty;)*) => {$(
        impl<$($life)?> FromParallelIterator<$item> for Box<str> {
            fn from_par_iter<I: IntoParallelIterator<Item = $item>>(par_iter: I) -> Self {
                String::from_par_iter(par_iter).into_boxed_str()
            }
        }
    )*};
}

boxed! {
    [] char;
    ['a] &'a char;
    ['a] &'a str;
    [] String;
    [] Box<str>;
    ['a] Cow<'a, str>;
}
