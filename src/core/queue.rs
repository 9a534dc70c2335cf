//! Work-stealing queues behind one face: crossbeam's deques and injector, or, under loom, a locked deque with the
//! same meaning (loom cannot see into crossbeam's).

#[cfg(not(filch_loom))]
mod imp {
    use crossbeam_deque as cb;

    /// How many are taken at once, where that is wanted.
    const SOME: usize = 32;

    /// The owner's end of a deque.
    pub(crate) struct Deque<T>(cb::Worker<T>);
    /// The other end, for anybody.
    pub(crate) struct Stealer<T>(cb::Stealer<T>);
    /// A queue that anybody may push to and take from, first in, first out.
    pub(crate) struct Injector<T>(cb::Injector<T>);

    impl<T> Deque<T> {
        /// The owner takes the newest.
        pub(crate) fn new_lifo() -> Self {
            Deque(cb::Worker::new_lifo())
        }

        /// The owner takes the oldest.
        pub(crate) fn new_fifo() -> Self {
            Deque(cb::Worker::new_fifo())
        }

        pub(crate) fn stealer(&self) -> Stealer<T> {
            Stealer(self.0.stealer())
        }

        pub(crate) fn push(&self, item: T) {
            self.0.push(item);
        }

        pub(crate) fn pop(&self) -> Option<T> {
            self.0.pop()
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.is_empty()
        }
    }

    impl<T> Stealer<T> {
        /// Takes the oldest. None only if the deque was empty at some moment during the call.
        pub(crate) fn steal(&self) -> Option<T> {
            // `steal` pins an epoch even on an empty deque: look first.
            if self.0.is_empty() {
                return None;
            }
            loop {
                match self.0.steal() {
                    cb::Steal::Success(item) => return Some(item),
                    cb::Steal::Empty => return None,
                    cb::Steal::Retry => std::hint::spin_loop(),
                }
            }
        }

        /// Takes the oldest, and moves some more, at most half of what there is, to the end of `into`.
        pub(crate) fn steal_some(&self, into: &Deque<T>) -> Option<T> {
            if self.0.is_empty() {
                return None;
            }
            loop {
                match self.0.steal_batch_with_limit_and_pop(&into.0, SOME) {
                    cb::Steal::Success(item) => return Some(item),
                    cb::Steal::Empty => return None,
                    cb::Steal::Retry => std::hint::spin_loop(),
                }
            }
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.is_empty()
        }
    }

    impl<T> Injector<T> {
        pub(crate) fn new() -> Self {
            Injector(cb::Injector::new())
        }

        /// Takes the oldest, and moves some more, at most half of what there is, to the end of `into`.
        pub(crate) fn steal_some(&self, into: &Deque<T>) -> Option<T> {
            if self.0.is_empty() {
                return None;
            }
            loop {
                match self.0.steal_batch_with_limit_and_pop(&into.0, SOME) {
                    cb::Steal::Success(item) => return Some(item),
                    cb::Steal::Empty => return None,
                    cb::Steal::Retry => std::hint::spin_loop(),
                }
            }
        }

        pub(crate) fn push(&self, item: T) {
            self.0.push(item);
        }

        pub(crate) fn steal(&self) -> Option<T> {
            if self.0.is_empty() {
                return None;
            }
            loop {
                match self.0.steal() {
                    cb::Steal::Success(item) => return Some(item),
                    cb::Steal::Empty => return None,
                    cb::Steal::Retry => std::hint::spin_loop(),
                }
            }
        }

        pub(crate) fn len(&self) -> usize {
            self.0.len()
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.is_empty()
        }
    }
}

#[cfg(filch_loom)]
mod imp {
    use crate::ground::sync::Mutex;
    use loom::sync::Arc;
    use std::collections::VecDeque;

    pub(crate) struct Deque<T>(Arc<Mutex<VecDeque<T>>>, bool);
    pub(crate) struct Stealer<T>(Arc<Mutex<VecDeque<T>>>);
    pub(crate) struct Injector<T>(Mutex<VecDeque<T>>);

    impl<T> Deque<T> {
        pub(crate) fn new_lifo() -> Self {
            Deque(Arc::new(Mutex::new(VecDeque::new())), true)
        }

        pub(crate) fn new_fifo() -> Self {
            Deque(Arc::new(Mutex::new(VecDeque::new())), false)
        }

        pub(crate) fn stealer(&self) -> Stealer<T> {
            Stealer(self.0.clone())
        }

        pub(crate) fn push(&self, item: T) {
            self.0.lock().push_back(item);
        }

        pub(crate) fn pop(&self) -> Option<T> {
            let mut queue = self.0.lock();
            if self.1 { queue.pop_back() } else { queue.pop_front() }
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.lock().is_empty()
        }
    }

    impl<T> Stealer<T> {
        pub(crate) fn steal(&self) -> Option<T> {
            self.0.lock().pop_front()
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.lock().is_empty()
        }
    }

    impl<T> Injector<T> {
        pub(crate) fn new() -> Self {
            Injector(Mutex::new(VecDeque::new()))
        }

        pub(crate) fn push(&self, item: T) {
            self.0.lock().push_back(item);
        }

        pub(crate) fn steal(&self) -> Option<T> {
            self.0.lock().pop_front()
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.lock().is_empty()
        }
    }
}

pub(crate) use imp::{Deque, Injector, Stealer};
