//! Memory for what is spawned: blocks of a few sizes, kept for the next spawn instead of given back to the allocator.
//!
//! A spawned closure or task lives in one allocation, which is often made by one thread and freed by another: what
//! general allocators are slowest at. So each thread keeps two magazines of [`FULL`] blocks for each size, and takes
//! from and puts into the open one, without atomics. Full magazines pass between threads through the depot, a stack
//! under a lock that is taken once in [`FULL`] times at most; what the depot has no room for is freed. Nobody waits for
//! the lock: who finds it taken asks the allocator instead. (In a forked child it may be taken for ever.)
//!
//! Bounded: a thread keeps 2 × [`FULL`] blocks of each size at most, and frees them when it ends; the depot keeps
//! [`KEPT`] bytes of each size for all pools of the process. Larger values, and those of unusual alignment, go to the
//! allocator as ever. So does everything under loom and Miri, and with `--cfg filch_plain_blocks`: a sanitizer should
//! see each block freed.
//!
//! Source of the idea: Bonwick and Adams, "Magazines and Vmem" (2001); TBB's pools of small objects.

#[cfg(not(any(filch_loom, filch_plain_blocks, miri)))]
pub(crate) use kept::{free, new};
#[cfg(any(filch_loom, filch_plain_blocks, miri))]
pub(crate) use plain::{free, new};

#[cfg(any(filch_loom, filch_plain_blocks, miri))]
mod plain {
    use std::ptr::NonNull;

    /// Puts a value on the heap.
    pub(crate) fn new<T>(value: T) -> NonNull<T> {
        NonNull::from(Box::leak(Box::new(value)))
    }

    /// Frees the memory; the value in it is not dropped.
    ///
    /// # Safety
    /// Made by [`new`], freed once, and not used any more.
    pub(crate) unsafe fn free<T>(value: NonNull<T>) {
        // SAFETY: as promised; a ManuallyDrop of it has the same layout and drops nothing.
        drop(unsafe { Box::from_raw(value.as_ptr().cast::<std::mem::ManuallyDrop<T>>()) });
    }
}

#[cfg(not(any(filch_loom, filch_plain_blocks, miri)))]
mod kept {
    use std::alloc::{self, Layout};
    use std::cell::Cell;
    use std::mem::ManuallyDrop;
    use std::ptr::{self, NonNull};

    use crate::ground::sync::{AtomicUsize, Mutex, Ordering};

    /// The sizes: 24, 56, 88 … 248 bytes. With the word that common allocators add, multiples of 32.
    const CLASSES: usize = 8;
    const SMALLEST: usize = 24;
    const STEP: usize = 32;
    /// What `Block` needs, and all that common allocators give away for nothing.
    const ALIGN: usize = align_of::<Block>();

    /// Blocks in a full magazine.
    const FULL: usize = 32;
    /// Bytes of one size in the depot, at most.
    const KEPT: usize = 1 << 20;

    /// The index of the least size that holds a value of this layout.
    const fn class_of(layout: Layout) -> Option<usize> {
        let size = layout.size();
        if size == 0 || size > SMALLEST + STEP * (CLASSES - 1) || layout.align() > ALIGN {
            return None;
        }
        Some(size.saturating_sub(SMALLEST).div_ceil(STEP))
    }

    const fn layout(class: usize) -> Layout {
        match Layout::from_size_align(SMALLEST + STEP * class, ALIGN) {
            Ok(layout) => layout,
            Err(_) => unreachable!(),
        }
    }

    /// A block while it is free.
    struct Block {
        /// In its magazine.
        next: *mut Block,
        /// Of the first block of a magazine that lies in the depot: the first of the next one there.
        below: *mut Block,
    }
    const _: () = assert!(size_of::<Block>() <= SMALLEST);

    /// Puts a value on the heap.
    #[inline]
    pub(crate) fn new<T>(value: T) -> NonNull<T> {
        let Some(class) = (const { class_of(Layout::new::<T>()) }) else {
            return NonNull::from(Box::leak(Box::new(value)));
        };
        let block = match MAGAZINES.try_with(|magazines| magazines.0[class].take(class)) {
            Ok(block) => block,
            // The thread is ending.
            Err(_) => allocate(class),
        };
        let block = block.cast::<T>();
        // SAFETY: nobody else has the block, and it is large enough for a `T`, and aligned.
        unsafe { block.write(value) };
        block
    }

    /// Frees the memory; the value in it is not dropped.
    ///
    /// # Safety
    /// Made by [`new`], freed once, and not used any more.
    #[inline]
    pub(crate) unsafe fn free<T>(value: NonNull<T>) {
        let Some(class) = (const { class_of(Layout::new::<T>()) }) else {
            // SAFETY: made by a Box; a ManuallyDrop of it has the same layout and drops nothing.
            return drop(unsafe { Box::from_raw(value.as_ptr().cast::<ManuallyDrop<T>>()) });
        };
        let block = value.cast::<Block>();
        if cfg!(debug_assertions) {
            // Whoever still looks at it is to notice.
            // SAFETY: the block is ours, and of that size.
            unsafe { block.as_ptr().cast::<u8>().write_bytes(0x5a, layout(class).size()) };
        }
        // SAFETY: of this class, and ours.
        if MAGAZINES.try_with(|magazines| unsafe { magazines.0[class].put(class, block) }).is_err() {
            // SAFETY: as above.
            unsafe { deallocate(class, block) };
        }
    }

    #[cold]
    #[inline(never)]
    fn allocate(class: usize) -> NonNull<Block> {
        let layout = layout(class);
        // SAFETY: not of size 0.
        let block = unsafe { alloc::alloc(layout) };
        NonNull::new(block.cast()).unwrap_or_else(|| alloc::handle_alloc_error(layout))
    }

    /// # Safety
    /// The block is of this class, and the caller's.
    unsafe fn deallocate(class: usize, block: NonNull<Block>) {
        // SAFETY: `allocate` made it, with this layout.
        unsafe { alloc::dealloc(block.as_ptr().cast(), layout(class)) }
    }

    /// Frees a magazine, full or not.
    ///
    /// # Safety
    /// Its blocks are of this class, and the caller's.
    unsafe fn deallocate_all(class: usize, mut first: *mut Block) {
        while let Some(block) = NonNull::new(first) {
            // SAFETY: free blocks hold their links.
            first = unsafe { (*first).next };
            // SAFETY: passed on.
            unsafe { deallocate(class, block) };
        }
    }

    thread_local! {
        static MAGAZINES: Magazines = const { Magazines([const { Pair::new() }; CLASSES]) };
    }

    struct Magazines([Pair; CLASSES]);

    impl Drop for Magazines {
        fn drop(&mut self) {
            for (class, pair) in self.0.iter().enumerate() {
                for magazine in [&pair.open, &pair.full] {
                    // SAFETY: ours, and nobody gets at them any more.
                    unsafe { deallocate_all(class, magazine.replace(ptr::null_mut())) };
                }
            }
        }
    }

    /// The thread's magazines of one size.
    struct Pair {
        /// Its first block, or null.
        open: Cell<*mut Block>,
        /// How many it holds.
        count: Cell<usize>,
        /// The other one's first block: it is full, or empty (null).
        full: Cell<*mut Block>,
    }

    impl Pair {
        const fn new() -> Self {
            Pair { open: Cell::new(ptr::null_mut()), count: Cell::new(0), full: Cell::new(ptr::null_mut()) }
        }

        #[inline(always)]
        fn take(&self, class: usize) -> NonNull<Block> {
            match NonNull::new(self.open.get()) {
                Some(block) => self.pop(block),
                None => self.take_from_afar(class),
            }
        }

        /// # Safety
        /// The block is of this class, and the caller's.
        #[inline(always)]
        unsafe fn put(&self, class: usize, block: NonNull<Block>) {
            // More than once only if the allocator itself frees what was spawned.
            while self.count.get() == FULL {
                self.make_room(class);
            }
            // SAFETY: ours from here on.
            unsafe { block.write(Block { next: self.open.get(), below: ptr::null_mut() }) };
            self.open.set(block.as_ptr());
            self.count.set(self.count.get() + 1);
        }

        #[inline(always)]
        fn pop(&self, first: NonNull<Block>) -> NonNull<Block> {
            // SAFETY: the first block of our open magazine.
            self.open.set(unsafe { (*first.as_ptr()).next });
            self.count.set(self.count.get() - 1);
            first
        }

        /// The open magazine is empty.
        #[cold]
        #[inline(never)]
        fn take_from_afar(&self, class: usize) -> NonNull<Block> {
            let mut magazine = self.full.replace(ptr::null_mut());
            if magazine.is_null() {
                magazine = DEPOT[class].take();
            }
            match NonNull::new(magazine) {
                Some(first) => {
                    self.count.set(FULL);
                    self.pop(first)
                }
                None => allocate(class),
            }
        }

        /// The open magazine is full: opens another, which is empty.
        #[cold]
        #[inline(never)]
        fn make_room(&self, class: usize) {
            let full = self.full.replace(self.open.replace(ptr::null_mut()));
            self.count.set(0);
            if !full.is_null() {
                // SAFETY: it was ours.
                unsafe { DEPOT[class].put(class, full) };
            }
        }
    }

    static DEPOT: [Depot; CLASSES] = [const { Depot::new() }; CLASSES];

    /// Full magazines of one size.
    struct Depot {
        /// How many there are. A hint for those who do not hold the lock.
        count: AtomicUsize,
        /// The first block of the topmost, or null.
        top: Mutex<Top>,
    }

    struct Top(*mut Block);

    // SAFETY: free blocks are nobody's: whoever takes a magazine out owns it.
    unsafe impl Send for Top {}

    impl Depot {
        const fn new() -> Self {
            Depot { count: AtomicUsize::new(0), top: Mutex::new(Top(ptr::null_mut())) }
        }

        /// A full magazine, or null.
        fn take(&self) -> *mut Block {
            // Relaxed: a guess.
            if self.count.load(Ordering::Relaxed) == 0 {
                return ptr::null_mut();
            }
            let Some(mut top) = self.top.try_lock() else { return ptr::null_mut() };
            let magazine = top.0;
            if !magazine.is_null() {
                // SAFETY: in the depot, whose lock we hold.
                top.0 = unsafe { (*magazine).below };
                self.count.store(self.count.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
            }
            magazine
        }

        /// # Safety
        /// A full magazine of this class, the caller's.
        unsafe fn put(&self, class: usize, magazine: *mut Block) {
            if let Some(mut top) = self.top.try_lock() {
                let count = self.count.load(Ordering::Relaxed);
                if (count + 1) * FULL * layout(class).size() <= KEPT {
                    // SAFETY: ours until the lock is free again.
                    unsafe { (*magazine).below = top.0 };
                    top.0 = magazine;
                    self.count.store(count + 1, Ordering::Relaxed);
                    return;
                }
            }
            // SAFETY: passed on.
            unsafe { deallocate_all(class, magazine) };
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn classes_hold_what_they_are_for() {
            for size in 1..=248 {
                let class = class_of(Layout::from_size_align(size, 8).unwrap()).unwrap();
                assert!(layout(class).size() >= size);
                assert!(class == 0 || layout(class - 1).size() < size, "no smaller one would do: {size}");
            }
            for (size, align) in [(0, 1), (249, 8), (64, 16), (4096, 4096)] {
                assert_eq!(class_of(Layout::from_size_align(size, align).unwrap()), None);
            }
        }

        #[test]
        fn a_freed_block_comes_back_to_its_thread() {
            std::thread::spawn(|| {
                let first = new([1u64; 9]);
                // SAFETY: made above; freed once.
                unsafe { free(first) };
                let second = new([2u64; 11]);
                assert_eq!(first.as_ptr().addr(), second.as_ptr().addr());
                // SAFETY: as above.
                unsafe { free(second) };
            })
            .join()
            .unwrap();
        }

        #[test]
        fn values_stay_whole_on_their_way_between_threads() {
            // More than the depot keeps.
            const EACH: usize = 20_000;
            struct Parcel(NonNull<(usize, usize)>);
            // SAFETY: nobody else has it.
            unsafe impl Send for Parcel {}
            std::thread::scope(|threads| {
                for thread in 0..3 {
                    let (send, receive) = std::sync::mpsc::channel();
                    threads.spawn(move || {
                        for i in 0..EACH {
                            send.send(Parcel(new((thread, i)))).unwrap();
                        }
                    });
                    threads.spawn(move || {
                        let all: Vec<Parcel> = receive.iter().collect();
                        for (i, Parcel(value)) in all.into_iter().enumerate() {
                            // SAFETY: handed over to us; freed once.
                            unsafe {
                                assert_eq!(value.read(), (thread, i));
                                free(value);
                            }
                        }
                    });
                }
            });
            assert!(DEPOT[0].count.load(Ordering::Relaxed) * FULL * layout(0).size() <= KEPT);
        }
    }
}
