//! Plays one combination of `task_model.rs` step by step, so that it comes out the same each time, and counts.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use filch::{AbortHandle, JoinError, JoinHandle};

use crate::support::{Event, catch, lock, note, plan, planned};
use crate::task_arena::{Arena, Helper, tag, until};
use crate::task_model::{Case, Counts, Fate, Handle, Last, Origin, Outcome, Place, Wakers};

/// What the task under test leaves behind.
#[derive(Default)]
struct Record {
    polls: AtomicUsize,
    poll_tags: Mutex<Vec<usize>>,
    future_drops: Mutex<Vec<usize>>,
    outputs_made: AtomicUsize,
    output_drops: Mutex<Vec<usize>>,
    /// A waker from each poll.
    shelf: Mutex<Vec<Waker>>,
    aborter: Mutex<Option<AbortHandle>>,
    gate: Event,
}

struct Subject {
    case: Case,
    record: Arc<Record>,
    polls: usize,
    own: Option<Waker>,
}

pub struct Output {
    record: Arc<Record>,
    panics: bool,
}

const OF_POLL: u64 = 1;
const OF_DROP: u64 = 2;

impl Future for Subject {
    type Output = Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Output> {
        self.polls += 1;
        let Subject { case, ref record, polls, .. } = *self;
        let record = record.clone();
        lock(&record.poll_tags).push(tag());
        if case.wakers != Wakers::Borrowed {
            lock(&record.shelf).push(context.waker().clone());
        }
        if case.wakers == Wakers::WokenInDrop {
            self.own = Some(context.waker().clone());
        }
        if case.fate == Fate::AbortedInside {
            let aborter = lock(&record.aborter).take().expect("it is polled once");
            (0..case.aborts_at_once()).for_each(|_| aborter.abort());
        }
        // Now the other side may look.
        record.polls.fetch_add(1, Ordering::SeqCst);
        if case.is_gated() && polls == 1 {
            record.gate.wait();
        }
        if polls <= case.fate.pending() {
            if case.wakers == Wakers::Borrowed && case.fate.last() != Last::Missing {
                context.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        match case.fate.last() {
            Last::Ready => {
                record.outputs_made.fetch_add(1, Ordering::SeqCst);
                Poll::Ready(Output { record, panics: case.fate == Fate::OutputDropPanics })
            }
            Last::Panics => plan(OF_POLL),
            // A poll too many; it has been counted.
            Last::Missing => Poll::Pending,
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        lock(&self.record.future_drops).push(tag());
        if let Some(waker) = self.own.take() {
            waker.wake_by_ref();
            waker.wake();
        }
        if self.case.fate.future_drop_panics() && !thread::panicking() {
            plan(OF_DROP);
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        lock(&self.record.output_drops).push(tag());
        if self.panics && !thread::panicking() {
            plan(OF_DROP);
        }
    }
}

/// A waker that counts.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

type Received = Result<Output, JoinError>;

/// What the handle has become.
enum Holding {
    Nothing,
    Handle(JoinHandle<Output>),
    Abort(AbortHandle),
    Both(JoinHandle<Output>, AbortHandle),
    /// Somebody else waits for it.
    Waiting(mpsc::Receiver<Received>),
}

/// What all combinations share.
pub struct Stage {
    arena: Arena,
    other: Arena,
    foreign: Helper,
    joiner: Helper,
}

impl Stage {
    pub fn new(workers: usize, lane: bool) -> Self {
        let (arena, other) = (Arena::new(workers, lane), Arena::new(1, lane));
        Stage { arena, other, foreign: Helper::new(), joiner: Helper::new() }
    }

    /// Plays the case and counts. A wrong step in between panics, and names the case.
    pub fn play(&self, case: Case) -> Counts {
        struct Named(Case);
        impl Drop for Named {
            fn drop(&mut self) {
                if thread::panicking() {
                    eprintln!("in {:?}", self.0);
                }
            }
        }
        let _named = Named(case);
        note(format!("{case:?}"));
        let own = case.ends_its_pool().then(|| Arena::new(case.workers, self.arena.lane));
        let arena = own.as_ref().unwrap_or(&self.arena);
        let (panics, elsewhere, schedules) = (arena.panics(), self.other.panics(), arena.schedules());
        let mut play = Play {
            case,
            stage: self,
            arena,
            record: Arc::default(),
            bells: [Arc::default(), Arc::default()],
            holding: Holding::Nothing,
            aborter: None,
        };
        play.begin();
        play.go_on();
        play.end();
        let outcome = play.take();
        play.afterwards();
        if own.is_none() {
            // Whatever was still about to happen happens.
            drop(arena.plug());
            until(|| arena.pool.stats().live_tasks == 0);
        }
        drop(self.other.plug());
        let place = |tags: &Mutex<Vec<usize>>| lock(tags).iter().map(|&tag| play.place(tag)).collect::<Vec<_>>();
        let Record { polls, poll_tags, future_drops, outputs_made, output_drops, shelf, aborter, .. } = &*play.record;
        assert!(place(poll_tags).iter().all(|&place| place == Place::Pool), "polled outside of its pool");
        assert!(lock(shelf).is_empty() && lock(aborter).is_none(), "the play has left something");
        for bell in &play.bells {
            assert_eq!(Arc::strong_count(bell), 1, "the awaiter's waker has not been dropped");
        }
        Counts {
            polls: polls.load(Ordering::SeqCst),
            future_drops: place(future_drops),
            outputs_made: outputs_made.load(Ordering::SeqCst),
            output_drops: place(output_drops),
            outcome,
            panics: arena.panics() - panics,
            panics_elsewhere: self.other.panics() - elsewhere,
            wakes: play.bells[0].0.load(Ordering::SeqCst),
            old_wakes: play.bells[1].0.load(Ordering::SeqCst),
            live_tasks: arena.pool.stats().live_tasks,
            schedules: arena.schedules().zip(schedules).map(|(now, before)| now - before),
        }
    }

    /// Polls of the express lane so far, plugs included.
    pub fn lane_polls(&self) -> u64 {
        self.arena.pool.stats().express_polls
    }

    /// The pools go on to work.
    pub fn still_works(&self) {
        for arena in [&self.arena, &self.other] {
            assert_eq!(arena.pool.install(|| filch::join(|| 1, || 2)), (1, 2));
            assert_eq!(arena.pool.spawn(async { filch::spawn_cpu(|| 3).await.unwrap() }).join().unwrap(), 3);
            assert_eq!(arena.pool.broadcast(|_| ()).len(), arena.pool.num_workers());
        }
    }
}

struct Play<'s> {
    case: Case,
    stage: &'s Stage,
    arena: &'s Arena,
    record: Arc<Record>,
    bells: [Arc<Bell>; 2],
    holding: Holding,
    /// Who aborts the task, if somebody does.
    aborter: Option<AbortHandle>,
}

impl Play<'_> {
    fn place(&self, tag: usize) -> Place {
        match tag {
            0 => Place::Outside,
            tag if tag == self.arena.tag => Place::Pool,
            tag if tag == self.stage.other.tag => Place::OtherPool,
            tag => panic!("a thread of a strange pool, {tag}"),
        }
    }

    fn polls(&self) -> usize {
        self.record.polls.load(Ordering::SeqCst)
    }

    fn future_is_there(&self) -> bool {
        lock(&self.record.future_drops).is_empty()
    }

    /// All up to the first poll.
    fn begin(&mut self) {
        let plug = self.arena.plug();
        let future = Subject { case: self.case, record: self.record.clone(), polls: 0, own: None };
        let handle = match self.case.origin {
            Origin::Outside => self.arena.pool.spawn(future),
            Origin::Worker => plug.run(move || filch::spawn(future)),
            Origin::OtherPool => {
                let pool = self.arena.pool.clone();
                self.stage.other.in_task(move || pool.spawn(future))
            }
        };
        if self.case.fate.aborts() {
            self.aborter = Some(handle.abort_handle());
        }
        self.holding = self.hold(handle);
        match self.case.fate {
            Fate::AbortedUnpolled => {
                self.abort();
                self.let_go();
            }
            Fate::AbortedInside => *lock(&self.record.aborter) = self.aborter.take(),
            _ => {}
        }
    }

    fn hold(&self, mut handle: JoinHandle<Output>) -> Holding {
        match self.case.handle {
            Handle::Awaited => {
                let (done, result) = mpsc::channel();
                let awaiter = async move { done.send(handle.await).unwrap_or_else(|_| panic!("the test has gone")) };
                match self.case.awaiter() {
                    Place::Pool => self.arena.spawn_aside(awaiter).detach(),
                    _ => self.stage.other.spawn_aside(awaiter).detach(),
                }
                Holding::Waiting(result)
            }
            Handle::Joined => Holding::Waiting(self.stage.joiner.start(move || handle.join())),
            Handle::PolledByHand | Handle::DroppedBefore | Handle::DroppedAfter => {
                for bell in [0, 1, 1, 0, 0] {
                    assert!(poll_by_hand(&mut handle, &self.bells[bell]).is_none(), "it has not begun");
                }
                Holding::Handle(handle)
            }
            Handle::Detached => {
                handle.detach();
                Holding::Nothing
            }
            Handle::AbortedTwice => Holding::Handle(handle),
            Handle::AbortHandleKept => {
                let abort = handle.abort_handle();
                assert_eq!(abort.id(), handle.id());
                Holding::Both(handle, abort)
            }
            Handle::AbortHandleUsed | Handle::AbortHandleDropped => {
                let abort = handle.abort_handle();
                drop(handle);
                Holding::Abort(abort)
            }
            Handle::Forgotten => {
                mem::forget(handle);
                Holding::Nothing
            }
        }
    }

    fn abort(&mut self) {
        let aborter = self.aborter.take().expect("it is aborted at one point");
        (0..self.case.aborts_at_once()).for_each(|_| aborter.abort());
    }

    /// What is to go in the course of it goes.
    fn let_go(&mut self) {
        match self.case.handle {
            Handle::DroppedBefore | Handle::AbortHandleDropped => self.holding = Holding::Nothing,
            _ => {}
        }
    }

    /// From the first poll to the last.
    fn go_on(&mut self) {
        let fate = self.case.fate;
        if self.case.is_gated() {
            self.during_the_first();
        }
        for poll in 1..=fate.pending() {
            until(|| self.polls() >= poll);
            if self.case.is_gated() && poll == 1 {
                // All has been done, and what goes on wakes itself.
                continue;
            }
            if fate.last() == Last::Missing {
                self.rest();
            } else if poll == 1 && matches!(self.case.handle, Handle::DroppedBefore | Handle::AbortHandleDropped) {
                // It rests: what goes, goes without its being polled.
                let plug = self.arena.plug();
                self.let_go();
                assert!(self.future_is_there(), "dropped though it can be woken");
                drop(plug);
            }
            if fate.last() != Last::Missing {
                self.wake();
            }
        }
    }

    /// While it is polled for the first time.
    fn during_the_first(&mut self) {
        until(|| self.polls() == 1);
        self.let_go();
        if self.case.fate.aborts_in_poll() && self.case.fate != Fate::AbortedInside {
            self.abort();
        }
        if self.case.fate.aborts_in_poll() {
            self.wake();
        }
        assert!(self.future_is_there(), "dropped while it is polled");
        self.record.gate.set();
    }

    /// It rests, and is not woken.
    fn rest(&mut self) {
        let fate = self.case.fate;
        let plug = self.arena.plug();
        let gone = self.case.ends_without_rest();
        let live = if gone { 0 } else { self.case.live_at_rest() };
        assert_eq!(self.arena.pool.stats().live_tasks, plug.tasks() + live);
        assert_eq!(self.future_is_there(), !gone, "the last reference is the end, and nothing else");
        self.let_go();
        match fate {
            Fate::ShutDown => {}
            Fate::NeverWoken => self.drop_wakers(),
            _ => self.abort(),
        }
        assert_eq!(self.future_is_there(), !gone, "dropped by somebody else than its pool");
        drop(plug);
        if self.case.rests_for_ever() {
            drop(self.arena.plug());
            assert!(self.future_is_there(), "somebody has a reference still");
            until(|| self.arena.pool.stats().live_tasks == 1);
        }
    }

    /// Wakes the task from its last pending poll.
    fn wake(&self) {
        let newest = || lock(&self.record.shelf).pop().expect("each poll has left a waker");
        match self.case.wakers {
            Wakers::Borrowed => {}
            Wakers::Kept | Wakers::WokenLate => {
                let waker = lock(&self.record.shelf).last().cloned().expect("each poll has left a waker");
                waker.wake_by_ref();
            }
            Wakers::WokenInDrop | Wakers::ByRef => newest().wake_by_ref(),
            Wakers::Twice => {
                let waker = newest();
                // In a poll they count as one anyhow.
                let plug = (!self.case.fate.aborts_in_poll()).then(|| self.arena.plug());
                waker.wake_by_ref();
                waker.wake_by_ref();
                drop(plug);
            }
            Wakers::ByValue => newest().wake(),
            Wakers::Cloned => {
                let clones = vec![newest(); 20];
                clones[10].wake_by_ref();
            }
            Wakers::Foreign => {
                let waker = newest();
                self.stage.foreign.start(move || waker.wake_by_ref()).recv().unwrap();
            }
        }
    }

    fn drop_wakers(&self) {
        let wakers = mem::take(&mut *lock(&self.record.shelf));
        match self.case.wakers {
            Wakers::Cloned => drop(vec![wakers; 20]),
            Wakers::Foreign => self.stage.foreign.start(move || drop(wakers)).recv().unwrap(),
            _ => drop(wakers),
        }
    }

    /// Waits until the task has ended.
    fn end(&mut self) {
        if self.case.ends_its_pool() {
            if self.case.workers == 1 {
                self.arena.pool.shutdown()
            } else {
                self.arena.pool.shutdown_now()
            }
            assert_eq!(self.arena.pool.stats().live_tasks, 0);
        }
        until(|| self.arena.pool.stats().live_tasks == 0);
        match &self.holding {
            Holding::Handle(handle) | Holding::Both(handle, _) => until(|| handle.is_finished()),
            Holding::Abort(handle) => until(|| handle.is_finished()),
            Holding::Nothing | Holding::Waiting(_) => {}
        }
        if self.case.fate == Fate::AbortedWhenDone {
            self.abort();
        }
    }

    /// What the handle gives, if somebody wants it.
    fn take(&mut self) -> Option<Outcome> {
        let received = match mem::replace(&mut self.holding, Holding::Nothing) {
            Holding::Waiting(result) => result.recv().unwrap(),
            Holding::Both(handle, abort) => {
                self.holding = Holding::Abort(abort);
                join(handle)
            }
            Holding::Handle(mut handle) => match self.case.handle {
                Handle::PolledByHand => {
                    until(|| self.bells[0].0.load(Ordering::SeqCst) > 0);
                    poll_by_hand(&mut handle, &self.bells[1]).expect("it is finished")
                }
                Handle::AbortedTwice => {
                    handle.abort();
                    handle.abort();
                    join(handle)
                }
                _ => {
                    until(|| self.bells[0].0.load(Ordering::SeqCst) > 0);
                    match self.case.dropper() {
                        Place::Outside => drop(handle),
                        Place::Pool => self.arena.in_task(move || drop(handle)),
                        Place::OtherPool => self.stage.other.in_task(move || drop(handle)),
                    }
                    return None;
                }
            },
            Holding::Abort(abort) => {
                if self.case.handle == Handle::AbortHandleUsed {
                    abort.abort();
                    abort.abort();
                }
                return None;
            }
            Holding::Nothing => return None,
        };
        Some(match received {
            Ok(output) => {
                let dropped = catch(|| drop(output));
                assert_eq!(dropped.is_err(), self.case.fate == Fate::OutputDropPanics);
                Outcome::Value
            }
            Err(error) if error.is_cancelled() && !error.is_panic() => Outcome::Cancelled,
            Err(error) => {
                assert_eq!(planned(error.into_panic()), OF_POLL);
                Outcome::Panic
            }
        })
    }

    /// What is left of wakers and handles is used and dropped, long after the end.
    fn afterwards(&mut self) {
        let wakers = mem::take(&mut *lock(&self.record.shelf));
        let by_ref = |wakers: &[Waker]| wakers.iter().for_each(Waker::wake_by_ref);
        match self.case.wakers {
            Wakers::Borrowed => assert!(wakers.is_empty()),
            Wakers::Kept | Wakers::WokenInDrop => {}
            Wakers::WokenLate => {
                by_ref(&wakers);
                wakers.into_iter().for_each(Waker::wake);
            }
            Wakers::Twice => {
                by_ref(&wakers);
                by_ref(&wakers);
            }
            Wakers::ByValue => wakers.into_iter().for_each(Waker::wake),
            Wakers::ByRef => by_ref(&wakers),
            Wakers::Cloned => by_ref(&vec![wakers; 20].concat()),
            Wakers::Foreign => {
                // As the last one, if no handle is left: the memory is freed there.
                let drops = move || {
                    by_ref(&wakers);
                    drop(wakers);
                };
                self.stage.foreign.start(drops).recv().unwrap();
            }
        }
        if let Holding::Abort(abort) = mem::replace(&mut self.holding, Holding::Nothing) {
            assert!(abort.is_finished());
            abort.abort();
        }
    }
}

fn join(handle: JoinHandle<Output>) -> Received {
    let id = handle.id();
    let received = handle.join();
    if let Err(error) = &received {
        assert_eq!(error.id(), id);
    }
    received
}

fn poll_by_hand(handle: &mut JoinHandle<Output>, bell: &Arc<Bell>) -> Option<Received> {
    let waker = Waker::from(bell.clone());
    match Pin::new(handle).poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(received) => Some(received),
        Poll::Pending => None,
    }
}
