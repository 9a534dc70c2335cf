//! The asymmetric fence of the raid protocol: nearly free for the thread that passes it at every `join`, costly for
//! the rare thread that wants to be sure of what the first has seen.
//!
//! `light` orders nothing but the compiler; `heavy` makes every running thread of the process pass a full memory
//! barrier (`membarrier(2)`, private expedited). A `light` between a store and a load of one thread pairs with a
//! `heavy` between a store and a load of another exactly as two `fence(SeqCst)` would: at least one of the two
//! loads sees the other's store. Where the system has no such call, `heavy_works` is false and nobody raids.
//! Under loom both are `fence(SeqCst)`, which is what the pair stands for.

#[cfg(filch_loom)]
mod imp {
    use crate::ground::sync::{Ordering, fence};

    #[inline(always)]
    pub(crate) fn light() {
        fence(Ordering::SeqCst);
    }

    pub(crate) fn heavy() -> bool {
        #[cfg(not(mutant = "raid_without_fence"))]
        fence(Ordering::SeqCst);
        true
    }

    pub(crate) fn heavy_works() -> bool {
        true
    }
}

#[cfg(all(not(filch_loom), target_os = "linux"))]
mod imp {
    use std::sync::OnceLock;
    use std::sync::atomic::{Ordering, compiler_fence};

    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: the call takes two integers and touches no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    #[inline(always)]
    pub(crate) fn light() {
        compiler_fence(Ordering::SeqCst);
    }

    /// False if there was no barrier: a registered process can still be refused, by a filter that it has set up since.
    #[must_use]
    pub(crate) fn heavy() -> bool {
        compiler_fence(Ordering::SeqCst);
        let passed = membarrier(PRIVATE_EXPEDITED);
        compiler_fence(Ordering::SeqCst);
        passed
    }

    /// Whether `heavy` can be used. The first call registers the process; pools make it before they start a thread.
    pub(crate) fn heavy_works() -> bool {
        static WORKS: OnceLock<bool> = OnceLock::new();
        *WORKS.get_or_init(|| membarrier(REGISTER_PRIVATE_EXPEDITED) && membarrier(PRIVATE_EXPEDITED))
    }
}

#[cfg(all(not(filch_loom), not(target_os = "linux")))]
mod imp {
    use std::sync::atomic::{Ordering, compiler_fence};

    #[inline(always)]
    pub(crate) fn light() {
        compiler_fence(Ordering::SeqCst);
    }

    pub(crate) fn heavy() -> bool {
        false
    }

    pub(crate) fn heavy_works() -> bool {
        false
    }
}

pub(crate) use imp::{heavy, heavy_works, light};
