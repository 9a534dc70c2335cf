//! Terminal methods: what makes a loop run.

pub(crate) mod compare;
pub(crate) mod count;
pub(crate) mod extend;
pub(crate) mod extremes;
#[allow(unsafe_code)]
pub(crate) mod fill;
pub(crate) mod find_any;
pub(crate) mod find_ordered;
pub(crate) mod for_each;
pub(crate) mod for_each_with;
pub(crate) mod from;
pub(crate) mod pieces;
pub(crate) mod position;
pub(crate) mod product;
pub(crate) mod reduce;
pub(crate) mod routes;
pub(crate) mod strings;
pub(crate) mod sum;
pub(crate) mod try_for_each;
pub(crate) mod try_reduce;
pub(crate) mod until_none;
pub(crate) mod unzip;
