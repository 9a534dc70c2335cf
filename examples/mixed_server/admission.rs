//! Who is let in: so many requests may compute, or wait to, at the same time. What comes beyond that is sent away at
//! once, so that overload makes some requests fail rather than all of them slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the requests that are inside.
pub struct Admission {
    most: usize,
    inside: AtomicUsize,
    turned_away: AtomicUsize,
}

/// Being inside, until it is dropped.
pub struct Permit(Arc<Admission>);

impl Admission {
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Admission { most, inside: AtomicUsize::new(0), turned_away: AtomicUsize::new(0) })
    }

    /// Lets one in, if there is room. The one place that decides: a bound on the pool's own queues would go here.
    pub fn enter(self: &Arc<Self>) -> Option<Permit> {
        // Relaxed: the count guards no data.
        let grow = |inside| (inside < self.most).then_some(inside + 1);
        if self.inside.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow).is_ok() {
            return Some(Permit(self.clone()));
        }
        self.turned_away.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// How many are inside.
    pub fn inside(&self) -> usize {
        self.inside.load(Ordering::Relaxed)
    }

    /// How many found no room so far.
    pub fn turned_away(&self) -> usize {
        self.turned_away.load(Ordering::Relaxed)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::Relaxed);
    }
}
