//! The vector inside of a collection, out on loan.

use std::mem;

/// A collection's items as a vector, as long as this lives; then they become the collection again. No memory is
/// allocated.
pub(crate) struct Lent<'a, T, C: From<Vec<T>>> {
    collection: &'a mut C,
    pub(crate) vec: Vec<T>,
}

impl<'a, T, C> Lent<'a, T, C>
where
    C: Default + From<Vec<T>> + Into<Vec<T>>,
{
    pub(crate) fn new(collection: &'a mut C) -> Self {
        Lent { vec: mem::take(collection).into(), collection }
    }
}

impl<T, C: From<Vec<T>>> Drop for Lent<'_, T, C> {
    fn drop(&mut self) {
        *self.collection = C::from(mem::take(&mut self.vec));
    }
}
