//! The fuse, and items that are counted: each is dropped once, or it shows.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicIsize, AtomicU8, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard};

use crate::support::{lock, plan};

// ----- the fuse ----------------------------------------------------------------------------------------------------

/// How many more calls there will be before the one that panics; below 0: it has panicked, or will not.
pub static FUSE: AtomicI64 = AtomicI64::new(-1);

/// Whether drops count, too.
pub static DROPS_BURN: AtomicBool = AtomicBool::new(false);

pub fn burn() {
    if FUSE.fetch_sub(1, SeqCst) == 0 {
        plan(1);
    }
}

// ----- items that are counted --------------------------------------------------------------------------------------

pub const MOST: usize = 1 << 16;
pub const NEVER: u8 = 0;
pub const LIVE: u8 = 1;
pub const DROPPED: u8 = 2;

/// What has become of each item.
pub static STATES: [AtomicU8; MOST] = [const { AtomicU8::new(NEVER) }; MOST];
pub static NEXT: AtomicU32 = AtomicU32::new(0);
pub static BAD: AtomicUsize = AtomicUsize::new(0);
/// For items that have no room for a number.
pub static LIVING: AtomicIsize = AtomicIsize::new(0);

/// The counters are for one test at a time.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    lock(&ALONE)
}

pub trait Item: Send + Sync + Clone + Ord + Hash + Debug + 'static {
    fn make(key: u32) -> Self;
    fn key(&self) -> u32;
}

pub const MAGIC: u64 = 0x5eed_1e55_c0ff_ee11;

/// An item with a number, and something that makes it large or over-aligned.
#[derive(Debug)]
pub struct Tracked<P> {
    id: u32,
    key: u32,
    check: u64,
    _load: P,
}

impl<P: Default> Tracked<P> {
    fn new(key: u32) -> Self {
        let id = NEXT.fetch_add(1, SeqCst);
        if STATES[id as usize].swap(LIVE, SeqCst) != NEVER {
            BAD.fetch_add(1, SeqCst);
        }
        Tracked { id, key, check: MAGIC ^ u64::from(id), _load: P::default() }
    }
}

impl<P> Drop for Tracked<P> {
    fn drop(&mut self) {
        // `check` is not reset: a second drop of the same memory should be told apart by the table.
        let sane = self.check == MAGIC ^ u64::from(self.id) && (self.id as usize) < MOST;
        let aligned = std::ptr::from_ref(self).is_aligned();
        if !sane || !aligned || STATES[self.id as usize].swap(DROPPED, SeqCst) != LIVE {
            BAD.fetch_add(1, SeqCst);
        }
        if DROPS_BURN.load(SeqCst) {
            burn();
        }
    }
}

impl<P: Default + Send + Sync + Debug + 'static> Item for Tracked<P> {
    fn make(key: u32) -> Self {
        Tracked::new(key)
    }

    fn key(&self) -> u32 {
        assert_eq!(STATES[self.id as usize].load(SeqCst), LIVE, "an item that has been dropped is used");
        self.key
    }
}

/// An item that has no size.
#[derive(Debug)]
pub struct Nothing(());

impl Nothing {
    fn new() -> Self {
        LIVING.fetch_add(1, SeqCst);
        Nothing(())
    }
}

impl Drop for Nothing {
    fn drop(&mut self) {
        LIVING.fetch_sub(1, SeqCst);
    }
}

impl Item for Nothing {
    fn make(_: u32) -> Self {
        Nothing::new()
    }

    fn key(&self) -> u32 {
        0
    }
}

macro_rules! comparable {
    ([$($generics:tt)*] $item:ty) => {
        impl<$($generics)*> Clone for $item {
            fn clone(&self) -> Self {
                burn();
                Self::make(self.key())
            }
        }
        impl<$($generics)*> PartialEq for $item {
            fn eq(&self, other: &Self) -> bool {
                burn();
                self.key() == other.key()
            }
        }
        impl<$($generics)*> Eq for $item {}
        impl<$($generics)*> PartialOrd for $item {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl<$($generics)*> Ord for $item {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                burn();
                self.key().cmp(&other.key())
            }
        }
        impl<$($generics)*> Hash for $item {
            fn hash<H: Hasher>(&self, state: &mut H) {
                burn();
                self.key().hash(state);
            }
        }
    };
}
comparable! { [P: Default + Send + Sync + Debug + 'static] Tracked<P> }
comparable! { [] Nothing }

/// Large, and over-aligned.
#[derive(Debug)]
#[repr(align(256))]
pub struct Page {
    _bytes: [u8; 4096],
}

impl Default for Page {
    fn default() -> Self {
        Page { _bytes: [0; 4096] }
    }
}

pub type Small = Tracked<()>;
pub type Large = Tracked<Page>;

pub fn forget_all() {
    let used = NEXT.swap(0, SeqCst) as usize;
    STATES[..used].iter().for_each(|state| state.store(NEVER, SeqCst));
    BAD.store(0, SeqCst);
    LIVING.store(0, SeqCst);
}

pub fn living() -> isize {
    let used = NEXT.load(SeqCst) as usize;
    STATES[..used].iter().filter(|state| state.load(SeqCst) == LIVE).count() as isize + LIVING.load(SeqCst)
}
