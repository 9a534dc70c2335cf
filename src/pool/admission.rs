//! The bounds that a pool may have on queued closures and on tasks.
//!
//! Without a bound nothing is counted here, and the question whether there is one is all it costs. With one, every
//! closure and task takes a place, but only those are refused, or wait, that ask for leave: what a pool's own work
//! spawns would wait for itself.

use std::sync::Arc;
use std::task::Waker;

use crate::core::room::Room;
use crate::ground::sync::{AtomicU64, Ordering};
use crate::ground::unwind;
use crate::pool::builder::Config;
use crate::pool::shared::Shared;

/// What is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Closures that have been accepted and have not begun.
    Closures,
    /// Tasks whose futures have not been dropped.
    Tasks,
}

/// Whether a piece of work that is spawned has its place already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// It has asked for it.
    Given,
    /// It takes one, be there room or not.
    NotAsked,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Admission {
    closures: Option<Arc<Room>>,
    tasks: Option<Arc<Room>>,
    /// How often there was no room.
    refused: AtomicU64,
}

impl Admission {
    pub(crate) fn new(config: &Config) -> Self {
        let room = |most: usize| (most > 0).then(|| Arc::new(Room::new(most)));
        Admission {
            closures: room(config.most_queued_closures),
            tasks: room(config.most_tasks),
            refused: AtomicU64::new(0),
        }
    }

    /// The room, if there is a bound.
    #[inline]
    pub(crate) fn room(&self, kind: Kind) -> Option<&Room> {
        match kind {
            Kind::Closures => self.closures.as_deref(),
            Kind::Tasks => self.tasks.as_deref(),
        }
    }

    /// The same for work that may outlive its pool.
    #[inline]
    pub(crate) fn shared_room(&self, kind: Kind) -> Option<Arc<Room>> {
        match kind {
            Kind::Closures => self.closures.clone(),
            Kind::Tasks => self.tasks.clone(),
        }
    }

    /// Asks for a place: false if there is no room. Without a bound there always is.
    pub(crate) fn try_take(&self, kind: Kind) -> bool {
        let taken = self.room(kind).is_none_or(Room::try_take);
        if !taken {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// Takes a place, if the work has none and there is a bound.
    #[inline]
    pub(crate) fn take(&self, kind: Kind, leave: Leave) {
        if let Some(room) = self.room(kind) {
            if leave == Leave::NotAsked {
                room.take();
            }
        }
    }

    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// A closure has begun, or has been dropped unrun; or a task's future is gone.
    #[inline]
    pub(crate) fn make_room(&self, kind: Kind) {
        if let Some(room) = self.admission.room(kind) {
            self.wake_admitted(room.give_back());
        }
    }

    /// What was left in a queue of a closure that has been cancelled is out of it.
    pub(crate) fn husk_gone(&self) {
        if let Some(room) = self.admission.room(Kind::Closures) {
            self.wake_admitted(room.husk_gone());
        }
    }

    /// The pool takes no more work from outside: whoever waits for room gets the work back.
    pub(crate) fn close_rooms(&self) {
        for kind in [Kind::Closures, Kind::Tasks] {
            if let Some(room) = self.admission.room(kind) {
                self.wake_admitted(room.close());
            }
        }
    }

    /// Wakes those that have been let in, or sent away.
    pub(crate) fn wake_admitted(&self, wakers: Vec<Waker>) {
        for waker in wakers {
            if let Err(payload) = unwind::catch(|| waker.wake()) {
                self.report_panic(payload);
            }
        }
    }
}
