//! What a task can go through, as five independent axes, and what must be counted for each combination: computed, not
//! listed. `task_play.rs` plays a combination; `task_matrix.rs` compares the two.

/// Who spawns the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A task of the same pool.
    Worker,
    /// A thread of no pool.
    Outside,
    /// A task of another pool.
    OtherPool,
}

/// What becomes of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    AtOnce,
    /// Pending so many times, and woken each time.
    AfterWakes(usize),
    PanicsAtOnce,
    PanicsAfterTwoWakes,
    /// Ready after one wake; then its future's destructor panics.
    FutureDropPanics,
    /// Ready after one wake, with an output whose destructor panics.
    OutputDropPanics,
    AbortedUnpolled,
    /// By itself, while it is polled.
    AbortedInside,
    /// By another thread, while it is polled.
    AbortedInPoll,
    /// The same, and that poll is ready: its output counts.
    AbortedInPollReady,
    /// The same, and that poll panics.
    AbortedInPollPanics,
    AbortedAtRest,
    /// And its future's destructor panics.
    AbortedAtRestDropPanics,
    AbortedWhenDone,
    /// At rest, when its pool ends.
    ShutDown,
    /// At rest, until nobody is left who could wake it.
    NeverWoken,
}

/// What becomes of its handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handle {
    Awaited,
    Joined,
    /// With counting wakers.
    PolledByHand,
    /// Before the first poll.
    Detached,
    /// After the first poll, before the end.
    DroppedBefore,
    DroppedAfter,
    /// Each abort is two; and joined.
    AbortedTwice,
    /// An abort handle is there until long after the end; the handle is joined.
    AbortHandleKept,
    /// The handle is detached, an abort handle used when all is over.
    AbortHandleUsed,
    /// The handle is detached, an abort handle dropped after the first poll, before the end if there is a moment.
    AbortHandleDropped,
    Forgotten,
}

/// What is done with the task's wakers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wakers {
    /// None is ever cloned: it wakes itself while it is polled.
    Borrowed,
    /// Woken by reference, and kept beyond the end.
    Kept,
    /// The same, and woken again when all is over, by reference and by value.
    WokenLate,
    /// The future holds one too, and wakes itself with it in its destructor, by reference and by value.
    WokenInDrop,
    /// Each wake is two.
    Twice,
    ByValue,
    ByRef,
    /// Twenty clones, one of which is woken.
    Cloned,
    /// Woken by reference and dropped on a thread of no pool, as the last of them.
    Foreign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    pub origin: Origin,
    pub fate: Fate,
    pub handle: Handle,
    pub wakers: Wakers,
    pub workers: usize,
}

pub const FATES: [Fate; 17] = [
    Fate::AtOnce,
    Fate::AfterWakes(1),
    Fate::AfterWakes(5),
    Fate::PanicsAtOnce,
    Fate::PanicsAfterTwoWakes,
    Fate::FutureDropPanics,
    Fate::OutputDropPanics,
    Fate::AbortedUnpolled,
    Fate::AbortedInside,
    Fate::AbortedInPoll,
    Fate::AbortedInPollReady,
    Fate::AbortedInPollPanics,
    Fate::AbortedAtRest,
    Fate::AbortedAtRestDropPanics,
    Fate::AbortedWhenDone,
    Fate::ShutDown,
    Fate::NeverWoken,
];

pub const HANDLES: [Handle; 11] = [
    Handle::Awaited,
    Handle::Joined,
    Handle::PolledByHand,
    Handle::Detached,
    Handle::DroppedBefore,
    Handle::DroppedAfter,
    Handle::AbortedTwice,
    Handle::AbortHandleKept,
    Handle::AbortHandleUsed,
    Handle::AbortHandleDropped,
    Handle::Forgotten,
];

pub const WAKERS: [Wakers; 9] = [
    Wakers::Borrowed,
    Wakers::Kept,
    Wakers::WokenLate,
    Wakers::WokenInDrop,
    Wakers::Twice,
    Wakers::ByValue,
    Wakers::ByRef,
    Wakers::Cloned,
    Wakers::Foreign,
];

/// Every combination for one origin, the impossible ones too.
pub fn cases(origin: Origin, workers: usize) -> impl Iterator<Item = Case> {
    FATES.into_iter().flat_map(move |fate| {
        HANDLES.into_iter().flat_map(move |handle| {
            WAKERS.into_iter().map(move |wakers| Case { origin, fate, handle, wakers, workers })
        })
    })
}

/// What the last poll does, if there is one that does more than to be pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    Ready,
    Panics,
    /// It never comes: something else ends the task.
    Missing,
}

impl Fate {
    /// Polls that end pending.
    pub fn pending(self) -> usize {
        match self {
            Fate::AtOnce | Fate::PanicsAtOnce | Fate::AbortedUnpolled => 0,
            Fate::AbortedInPollReady | Fate::AbortedInPollPanics => 0,
            Fate::AfterWakes(wakes) => wakes,
            Fate::PanicsAfterTwoWakes => 2,
            Fate::FutureDropPanics | Fate::OutputDropPanics | Fate::AbortedWhenDone => 1,
            Fate::AbortedInside | Fate::AbortedInPoll | Fate::AbortedAtRest | Fate::AbortedAtRestDropPanics => 1,
            Fate::ShutDown | Fate::NeverWoken => 1,
        }
    }

    pub fn last(self) -> Last {
        match self {
            Fate::AtOnce | Fate::AfterWakes(_) | Fate::AbortedWhenDone => Last::Ready,
            Fate::FutureDropPanics | Fate::OutputDropPanics | Fate::AbortedInPollReady => Last::Ready,
            Fate::PanicsAtOnce | Fate::PanicsAfterTwoWakes | Fate::AbortedInPollPanics => Last::Panics,
            _ => Last::Missing,
        }
    }

    /// Somebody calls abort.
    pub fn aborts(self) -> bool {
        self.aborts_in_poll() || self.aborts_at_rest() || matches!(self, Fate::AbortedUnpolled | Fate::AbortedWhenDone)
    }

    pub fn aborts_in_poll(self) -> bool {
        let inside = matches!(self, Fate::AbortedInside | Fate::AbortedInPoll);
        inside || matches!(self, Fate::AbortedInPollReady | Fate::AbortedInPollPanics)
    }

    pub fn aborts_at_rest(self) -> bool {
        matches!(self, Fate::AbortedAtRest | Fate::AbortedAtRestDropPanics)
    }

    pub fn future_drop_panics(self) -> bool {
        matches!(self, Fate::FutureDropPanics | Fate::AbortedAtRestDropPanics)
    }
}

impl Handle {
    /// Somebody waits for the handle, and gets what it gives.
    pub fn is_received(self) -> bool {
        match self {
            Handle::Awaited | Handle::Joined | Handle::PolledByHand => true,
            Handle::AbortedTwice | Handle::AbortHandleKept => true,
            Handle::Detached | Handle::DroppedBefore | Handle::DroppedAfter => false,
            Handle::AbortHandleUsed | Handle::AbortHandleDropped | Handle::Forgotten => false,
        }
    }

    /// It is gone before the task has ended, so the pool keeps house.
    pub fn is_gone_early(self) -> bool {
        matches!(self, Handle::Detached | Handle::DroppedBefore | Handle::AbortHandleUsed | Handle::AbortHandleDropped)
    }
}

/// Why there is no such case, if there is none.
pub fn impossible(case: &Case) -> Option<&'static str> {
    let Case { fate, handle, wakers, .. } = *case;
    if fate == Fate::AbortedUnpolled && wakers != Wakers::Borrowed {
        return Some("a task that is never polled shows nobody its waker");
    }
    let ends_at_once = fate.pending() == 0 && fate != Fate::AbortedUnpolled && !fate.aborts_in_poll();
    if handle == Handle::DroppedBefore && ends_at_once {
        return Some("its first poll is its last: nothing can be done between the two");
    }
    if handle == Handle::AbortedTwice && !fate.aborts() && fate != Fate::ShutDown {
        return Some("nobody aborts it: two aborts would be another fate");
    }
    if fate == Fate::ShutDown && !case.has_reference_at_rest() {
        return Some("without a reference it ends as soon as it rests: it is not there when the pool ends");
    }
    if fate == Fate::NeverWoken {
        if handle.is_received() || handle == Handle::DroppedAfter {
            return Some("who waits for the handle holds a reference, and would wait for ever");
        }
        if handle == Handle::AbortHandleUsed {
            return Some("an abort handle that is used at rest is another fate");
        }
        if matches!(wakers, Wakers::Kept | Wakers::WokenLate) {
            return Some("a waker that is kept beyond the end is a reference: there would be no end");
        }
        if matches!(wakers, Wakers::Twice | Wakers::ByValue | Wakers::ByRef) {
            return Some("a task that is never woken is not woken in any way");
        }
    }
    None
}

/// The reasons of [`impossible`]: each must be met.
pub const REASONS: usize = 8;

/// Where something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On a thread of the task's pool.
    Pool,
    OtherPool,
    Outside,
}

/// What a handle gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Value,
    Panic,
    Cancelled,
}

/// All that is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub polls: usize,
    /// One for each drop.
    pub future_drops: Vec<Place>,
    pub outputs_made: usize,
    pub output_drops: Vec<Place>,
    pub outcome: Option<Outcome>,
    /// Contained by the task's pool.
    pub panics: u64,
    pub panics_elsewhere: u64,
    /// Wakes of the waker that the handle was last polled with by hand, and of the one before.
    pub wakes: usize,
    pub old_wakes: usize,
    pub live_tasks: u64,
    /// How often it was queued. Counted in builds with debug assertions.
    pub schedules: Option<u64>,
}

impl Case {
    /// Whether a handle or a waker is left when the task rests after its first poll, all that is done by then done.
    fn has_reference_at_rest(&self) -> bool {
        let gone = matches!(self.handle, Handle::Detached | Handle::DroppedBefore | Handle::AbortHandleDropped);
        !gone || self.wakers != Wakers::Borrowed
    }

    /// The task is at rest and would be for ever: it takes the end of its pool to end it.
    pub fn rests_for_ever(&self) -> bool {
        self.fate == Fate::NeverWoken && (self.handle == Handle::Forgotten || self.wakers == Wakers::WokenInDrop)
    }

    /// The pool ends in the course of it.
    pub fn ends_its_pool(&self) -> bool {
        self.fate == Fate::ShutDown || self.rests_for_ever()
    }

    /// The first poll waits until the other side has done something.
    pub fn is_gated(&self) -> bool {
        let goes_on_alone = self.wakers == Wakers::Borrowed && self.fate.last() != Last::Missing;
        let done_meanwhile = matches!(self.handle, Handle::DroppedBefore | Handle::AbortHandleDropped);
        self.fate.aborts_in_poll() || (self.fate.pending() > 0 && goes_on_alone && done_meanwhile)
    }

    /// Who drops a handle after the end: like who has spawned the task, if that is still there.
    pub fn dropper(&self) -> Place {
        match self.origin {
            Origin::Worker if self.ends_its_pool() => Place::Outside,
            Origin::Worker => Place::Pool,
            Origin::Outside => Place::Outside,
            Origin::OtherPool => Place::OtherPool,
        }
    }

    pub fn aborts_at_once(&self) -> usize {
        if self.handle == Handle::AbortedTwice { 2 } else { 1 }
    }

    /// What must be counted when all is over.
    pub fn expected(&self) -> Counts {
        let Case { fate, handle, .. } = *self;
        let (mut panics, mut panics_elsewhere) = (0, 0);
        // The future: its destructor's panic is nobody's but the pool's.
        panics += u64::from(fate.future_drop_panics());
        // The output, if there is one: it lies with whoever holds the handle at the end.
        let made = usize::from(fate.last() == Last::Ready);
        let mut output_drops = Vec::new();
        if made == 1 && handle != Handle::Forgotten {
            let place = match handle {
                _ if handle.is_received() => Place::Outside,
                Handle::DroppedAfter => self.dropper(),
                _ => Place::Pool,
            };
            if fate == Fate::OutputDropPanics && !handle.is_received() {
                panics += u64::from(place == Place::Pool);
                panics_elsewhere += u64::from(place == Place::OtherPool);
            }
            output_drops.push(place);
        }
        // The panic of a poll is the handle's; the pool's if the handle is gone by then, or that of the pool where it
        // is dropped without a look.
        panics += u64::from(fate.last() == Last::Panics && handle.is_gone_early());
        if fate.last() == Last::Panics && handle == Handle::DroppedAfter {
            panics += u64::from(self.dropper() == Place::Pool);
            panics_elsewhere += u64::from(self.dropper() == Place::OtherPool);
        }
        let outcome = handle.is_received().then_some(match fate.last() {
            Last::Ready => Outcome::Value,
            Last::Panics => Outcome::Panic,
            Last::Missing => Outcome::Cancelled,
        });
        let polls =
            if fate == Fate::AbortedUnpolled { 0 } else { fate.pending() + usize::from(fate.last() != Last::Missing) };
        Counts {
            polls,
            future_drops: vec![Place::Pool],
            outputs_made: made,
            output_drops,
            outcome,
            panics,
            panics_elsewhere,
            wakes: usize::from(matches!(handle, Handle::PolledByHand | Handle::DroppedAfter)),
            old_wakes: 0,
            live_tasks: 0,
            schedules: cfg!(debug_assertions).then(|| self.schedules()),
        }
    }

    /// How often it is queued: once because it is new, once for each rest that something ends, be it a wake (or several
    /// at the same time), an abort, the end of the pool or of the last reference. Not for what comes while it is polled
    /// for the last time, nor afterwards.
    fn schedules(&self) -> u64 {
        let ended_at_rest = self.fate.last() == Last::Missing
            && self.fate != Fate::AbortedUnpolled
            && !self.fate.aborts_in_poll()
            && !self.ends_without_rest();
        let woken = if self.fate.last() == Last::Missing { 0 } else { self.fate.pending() as u64 };
        1 + woken + u64::from(ended_at_rest)
    }

    /// After its poll nobody could wake or abort it: it ends there and then.
    pub fn ends_without_rest(&self) -> bool {
        self.fate == Fate::NeverWoken && self.wakers == Wakers::Borrowed && self.handle == Handle::Detached
    }

    /// Tasks that are alive while this one rests, without the plugs.
    pub fn live_at_rest(&self) -> u64 {
        1 + u64::from(self.handle == Handle::Awaited && self.awaiter() == Place::Pool)
    }

    /// Where a task awaits the handle, if one does.
    pub fn awaiter(&self) -> Place {
        if self.origin == Origin::Worker && !self.ends_its_pool() { Place::Pool } else { Place::OtherPool }
    }
}
