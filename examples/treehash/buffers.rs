//! A limited number of buffers, each used again and again.

use super::limits::BLOCK;
use async_lock::{Semaphore, SemaphoreGuardArc};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// The buffers. They come into being when first needed.
pub struct Buffers {
    permits: Arc<Semaphore>,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    buffers: Vec<Vec<u8>>,
    made: usize,
}

impl Buffers {
    /// At most `limit` buffers of [`BLOCK`] bytes.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Buffers { permits: Arc::new(Semaphore::new(limit)), idle: Mutex::default() })
    }

    /// A buffer for the caller alone, as soon as there is one.
    pub async fn lease(self: &Arc<Self>) -> Lease {
        let permit = self.permits.acquire_arc().await;
        let buffer = self.with(|idle| {
            idle.buffers.pop().unwrap_or_else(|| {
                idle.made += 1;
                vec![0; BLOCK]
            })
        });
        Lease { buffer, home: self.clone(), _permit: permit }
    }

    /// How many buffers were made: no more than were ever in use at the same time.
    pub fn made(&self) -> usize {
        self.with(|idle| idle.made)
    }

    fn with<T>(&self, change: impl FnOnce(&mut Idle) -> T) -> T {
        // Nothing that runs under the lock leaves it half done.
        change(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A buffer in use. Dropping it lets the next one have it.
pub struct Lease {
    buffer: Vec<u8>,
    home: Arc<Buffers>,
    // Given back last: fields are dropped after `drop` has run.
    _permit: SemaphoreGuardArc,
}

impl Deref for Lease {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.buffer
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.buffer
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        self.home.with(|idle| idle.buffers.push(buffer));
    }
}
