//! Tasks: wakes, aborts, handles and the last reference against a run, with the real cell and state word.

use std::future::Future;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::core::task::{self, Header, Task, TaskRef, Why};
use crate::core::task_cell::{Cell, Fault, Scheduler};
use crate::core::task_list::TaskList;
use crate::core::task_state::{Completed, Duty, Rest, Start, State};
use crate::explore;
use crate::ground::sync::HandOver;
use crate::ground::unwind::Payload;

/// What all the tasks of a model share. loom reports an `Arc` of it that is never freed: so nothing may leak.
pub(crate) struct World {
    pub(crate) queue: Mutex<Vec<Task>>,
    list: TaskList,
    pub(crate) polls: AtomicUsize,
    pub(crate) ended: AtomicUsize,
    pub(crate) drops: AtomicUsize,
    wakers: Mutex<Vec<Waker>>,
    /// Written before a wake, without any order of its own.
    sent: AtomicUsize,
    /// Plain memory: written by a task before it ends, read by whoever sees that it has.
    result: HandOver<usize>,
}

impl World {
    pub(crate) fn new() -> Arc<World> {
        Arc::new(World {
            queue: Mutex::new(Vec::new()),
            list: TaskList::new(1),
            polls: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
            drops: AtomicUsize::new(0),
            wakers: Mutex::new(Vec::new()),
            sent: AtomicUsize::new(0),
            result: HandOver::new(),
        })
    }

    /// Runs what is queued, once.
    fn run(&self, closed: bool) -> usize {
        let tasks = std::mem::take(&mut *self.queue.lock().unwrap());
        let count = tasks.len();
        tasks.into_iter().for_each(|task| task.run(closed));
        count
    }

    fn run_all(&self, closed: bool) {
        while self.run(closed) > 0 {}
    }

    pub(crate) fn count(&self, of: fn(&World) -> &AtomicUsize) -> usize {
        of(self).load(Ordering::Relaxed)
    }
}

struct Model(Arc<World>);

impl Scheduler for Model {
    fn schedule(&self, task: Task, _: Why) {
        // Kept, because the task may be gone as soon as it is queued.
        let world = self.0.clone();
        world.queue.lock().unwrap().push(task);
    }

    fn list(&self, task: NonNull<Header>) -> Option<usize> {
        unsafe { self.0.list.insert(task, 0) }
    }

    fn unlist(&self, task: &Header, shard: usize) {
        unsafe { self.0.list.remove(task, shard) }
    }

    type Last = ();

    fn last(&self, _: &Header) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }

    fn report(&self, _: &Header, _: Payload) {
        panic!("nothing panics in these models");
    }
}

/// Rests until `ready` polls have been made, leaving its waker each time; counts its drop.
struct Rests {
    world: Arc<World>,
    polls: usize,
    ready: usize,
}

impl Future for Rests {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<usize> {
        self.world.polls.fetch_add(1, Ordering::Relaxed);
        if self.polls == self.ready {
            unsafe { self.world.result.write(7) };
            return Poll::Ready(7);
        }
        self.polls += 1;
        self.world.wakers.lock().unwrap().push(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Rests {
    fn drop(&mut self) {
        self.world.drops.fetch_add(1, Ordering::Relaxed);
    }
}

/// Ready once the message has been sent.
struct Receives(Arc<World>);

impl Future for Receives {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<usize> {
        let world = &self.0;
        world.polls.fetch_add(1, Ordering::Relaxed);
        // Relaxed on purpose: the wake itself has to bring it.
        if world.sent.load(Ordering::Relaxed) == 5 {
            return Poll::Ready(5);
        }
        let mut wakers = world.wakers.lock().unwrap();
        if wakers.is_empty() {
            wakers.push(context.waker().clone());
        }
        Poll::Pending
    }
}

pub(crate) fn spawn<F: Future>(world: &Arc<World>, future: F) -> TaskRef {
    let (task, handle) = unsafe { Cell::allocate(future, Model(world.clone()), 0) };
    world.queue.lock().unwrap().push(task);
    handle
}

pub(crate) fn take(handle: TaskRef) -> Result<usize, Fault> {
    let mut output = MaybeUninit::<Result<usize, Fault>>::uninit();
    unsafe {
        handle.take_output(output.as_mut_ptr().cast());
        output.assume_init()
    }
}

/// As a handle that is dropped.
pub(crate) fn leave(handle: TaskRef) {
    let Some(handle) = (unsafe { task::detach_quietly(handle, true) }) else { return };
    if let Some(complete) = unsafe { task::detach(handle, true) } {
        let _ = take(complete);
    }
}

/// What a model leaves must be nothing: the world's own count tells, for each task holds one.
pub(crate) fn end(world: &Arc<World>) {
    world.wakers.lock().unwrap().clear();
    world.run_all(true);
    assert_eq!(Arc::strong_count(world), 1, "a task has leaked, or a future");
}

fn take_waker(world: &World) -> Option<Waker> {
    world.wakers.lock().unwrap().pop()
}

#[test]
fn a_wake_beside_a_poll_is_not_lost() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world, Rests { world: world.clone(), polls: 0, ready: 1 });
        world.run(false);
        let waker = take_waker(&world).unwrap();
        let twin = waker.clone();
        let other = thread::spawn(move || waker.wake());
        twin.wake_by_ref();
        drop(twin);
        world.run(false);
        other.join().unwrap();
        world.run_all(false);
        assert_eq!(take(handle).ok(), Some(7));
        assert_eq!((world.count(|w| &w.drops), world.count(|w| &w.ended)), (1, 1));
        end(&world);
    });
}

#[test]
fn a_wake_brings_what_was_done_before_it() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world, Receives(world.clone()));
        world.run(false);
        let waker = take_waker(&world).unwrap();
        // It is scheduled already when the message comes.
        waker.wake_by_ref();
        let sender = {
            let world = world.clone();
            thread::spawn(move || {
                world.sent.store(5, Ordering::Relaxed);
                waker.wake_by_ref();
                drop(waker);
            })
        };
        world.run(false);
        sender.join().unwrap();
        world.run_all(false);
        assert!(handle.header().state.is_complete(), "the wake has not brought what was done before it");
        assert_eq!(take(handle).ok(), Some(5));
        end(&world);
    });
}

#[test]
fn an_abort_beside_a_wake_ends_the_task_once() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world, Rests { world: world.clone(), polls: 0, ready: 1 });
        world.run(false);
        let waker = take_waker(&world).unwrap();
        let other = thread::spawn(move || waker.wake());
        handle.cancel();
        world.run(false);
        other.join().unwrap();
        world.run_all(false);
        assert!(handle.header().state.is_complete());
        let _ = take(handle);
        assert_eq!((world.count(|w| &w.drops), world.count(|w| &w.ended)), (1, 1));
        end(&world);
    });
}

#[test]
fn a_handle_dropped_while_the_task_ends() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world, Rests { world: world.clone(), polls: 0, ready: 0 });
        let other = thread::spawn(move || leave(handle));
        world.run(false);
        other.join().unwrap();
        assert_eq!((world.count(|w| &w.drops), world.count(|w| &w.ended)), (1, 1));
        end(&world);
    });
}

/// A waker that counts.
struct Bell {
    rung: AtomicUsize,
}

impl std::task::Wake for CountedBell {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.rung.fetch_add(1, Ordering::Release);
    }
}

struct CountedBell(Arc<Bell>);

#[test]
fn an_awaiter_is_woken_or_sees_the_end() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world, Rests { world: world.clone(), polls: 0, ready: 0 });
        let bells: Vec<_> = (0..2).map(|_| Arc::new(Bell { rung: AtomicUsize::new(0) })).collect();
        let runner = {
            let world = world.clone();
            thread::spawn(move || {
                world.run(false);
            })
        };
        let mut done = false;
        let mut last = 0;
        // The second poll has another waker: only that one counts then.
        for (i, bell) in bells.iter().enumerate() {
            let waker = Waker::from(std::sync::Arc::new(CountedBell(bell.clone())));
            done = unsafe { handle.header().poll_complete(&waker) };
            last = i;
            if done {
                assert_eq!(unsafe { world.result.read() }, 7);
                break;
            }
        }
        runner.join().unwrap();
        if !done {
            assert_eq!(bells[last].rung.load(Ordering::Acquire), 1, "the awaiter sleeps for ever");
        }
        assert_eq!(take(handle).ok(), Some(7));
        end(&world);
    });
}

#[test]
fn a_handle_goes_with_its_awaiter_while_the_task_ends() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world, Rests { world: world.clone(), polls: 0, ready: 0 });
        let bell = Arc::new(Bell { rung: AtomicUsize::new(0) });
        let runner = {
            let world = world.clone();
            thread::spawn(move || {
                world.run(false);
            })
        };
        let waker = Waker::from(std::sync::Arc::new(CountedBell(bell.clone())));
        let _ = unsafe { handle.header().poll_complete(&waker) };
        drop(waker);
        leave(handle);
        runner.join().unwrap();
        assert_eq!(Arc::strong_count(&bell), 1, "the awaiter's waker has leaked");
        assert!(bell.rung.load(Ordering::Relaxed) <= 1);
        end(&world);
    });
}

#[test]
fn a_task_awaits_another() {
    // The awaiter is one of our own tasks: its waker is kept as a pointer, without a box.
    explore(|| {
        let world = World::new();
        let awaited = spawn(&world, Rests { world: world.clone(), polls: 0, ready: 0 });
        let first = world.queue.lock().unwrap().pop().unwrap();
        let mut awaited = Some(ManuallyDrop::new(awaited));
        let awaiter = spawn(
            &world,
            std::future::poll_fn(move |context| {
                let handle = awaited.take().unwrap();
                if unsafe { handle.header().poll_complete(context.waker()) } {
                    return Poll::Ready(take(ManuallyDrop::into_inner(handle)).ok().unwrap());
                }
                awaited = Some(handle);
                Poll::Pending
            }),
        );
        let other = thread::spawn(move || first.run(false));
        world.run(false);
        other.join().unwrap();
        world.run_all(false);
        assert_eq!(take(awaiter).ok(), Some(7));
        end(&world);
    });
}

#[test]
fn the_last_reference_drops_a_future_that_nobody_can_wake() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world, Rests { world: world.clone(), polls: 0, ready: 1 });
        world.run(false);
        let waker = take_waker(&world).unwrap();
        let other = thread::spawn(move || drop(waker));
        leave(handle);
        other.join().unwrap();
        world.run_all(false);
        assert_eq!((world.count(|w| &w.polls), world.count(|w| &w.drops), world.count(|w| &w.ended)), (1, 1, 1));
        end(&world);
    });
}

#[test]
fn a_closing_list_reaches_every_task() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world, Rests { world: world.clone(), polls: 0, ready: 1 });
        let closer = {
            let world = world.clone();
            thread::spawn(move || world.list.close())
        };
        world.run(false);
        closer.join().unwrap();
        world.run_all(false);
        assert!(handle.header().state.is_complete(), "the task rests in a pool that has closed");
        assert!(take(handle).is_err());
        assert_eq!((world.count(|w| &w.drops), world.count(|w| &w.ended)), (1, 1));
        end(&world);
    });
}

#[test]
fn a_task_wakes_while_its_future_is_dropped() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world, Rests { world: world.clone(), polls: 0, ready: 1 });
        world.run(false);
        let waker = take_waker(&world).unwrap();
        let waking = thread::spawn(move || {
            waker.wake_by_ref();
            waker.wake();
        });
        handle.cancel();
        world.run_all(true);
        waking.join().unwrap();
        world.run_all(true);
        assert!(take(handle).is_err());
        assert_eq!((world.count(|w| &w.drops), world.count(|w| &w.ended)), (1, 1));
        end(&world);
    });
}

#[test]
fn a_closing_list_against_the_last_waker_and_the_handle() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world, Rests { world: world.clone(), polls: 0, ready: 1 });
        world.run(false);
        let waker = take_waker(&world).unwrap();
        let closing = {
            let world = world.clone();
            thread::spawn(move || world.list.close())
        };
        let dropping = thread::spawn(move || drop(waker));
        leave(handle);
        world.run(false);
        closing.join().unwrap();
        dropping.join().unwrap();
        world.run_all(true);
        assert_eq!((world.count(|w| &w.drops), world.count(|w| &w.ended)), (1, 1));
        end(&world);
    });
}

#[test]
fn an_abort_a_wake_and_a_closing_list() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world, Rests { world: world.clone(), polls: 0, ready: 2 });
        world.run(false);
        let waker = take_waker(&world).unwrap();
        let second = handle.clone();
        let closing = {
            let world = world.clone();
            thread::spawn(move || world.list.close())
        };
        let aborting = thread::spawn(move || {
            waker.wake();
            second.cancel();
        });
        world.run(false);
        leave(handle);
        closing.join().unwrap();
        aborting.join().unwrap();
        world.run_all(true);
        assert_eq!((world.count(|w| &w.drops), world.count(|w| &w.ended)), (1, 1));
        end(&world);
    });
}

#[test]
fn wakers_of_a_changing_awaiter_do_not_leak() {
    explore(|| {
        let world = World::new();
        let handle = spawn(&world, Rests { world: world.clone(), polls: 0, ready: 0 });
        let bells: Vec<_> = (0..2).map(|_| Arc::new(Bell { rung: AtomicUsize::new(0) })).collect();
        let runner = {
            let world = world.clone();
            thread::spawn(move || {
                world.run(false);
            })
        };
        let done = bells.iter().any(|bell| {
            let waker = Waker::from(std::sync::Arc::new(CountedBell(bell.clone())));
            unsafe { handle.header().poll_complete(&waker) }
        });
        if done {
            assert_eq!(take(handle).ok(), Some(7));
        } else {
            leave(handle);
        }
        runner.join().unwrap();
        assert!(bells.iter().all(|bell| Arc::strong_count(bell) == 1), "a waker has leaked");
        end(&world);
    });
}

/// The bare state word of a task that yields once, and then rests or ends.
struct Yields {
    state: State,
    queued: AtomicUsize,
    freed: AtomicUsize,
    completed: AtomicUsize,
    /// Written by whoever has the right to run, or frees: loom reports two at once.
    memory: HandOver<u32>,
}

impl Yields {
    fn carry_out(&self, duty: Duty) {
        match duty {
            Duty::Nothing => {}
            Duty::Schedule => {
                self.queued.fetch_add(1, Ordering::AcqRel);
            }
            Duty::Free => self.free(),
        }
    }

    fn free(&self) {
        unsafe { self.memory.write(0) };
        self.freed.fetch_add(1, Ordering::Relaxed);
    }

    fn finish(&self) {
        unsafe { self.memory.write(1) };
        self.completed.fetch_add(1, Ordering::Relaxed);
        match self.state.complete(self.state.wanted()) {
            Completed::Left => {}
            Completed::Free => self.free(),
            Completed::DropOutput => self.carry_out(self.state.drop_ref()),
            Completed::Wake => unreachable!("nobody awaits it"),
        }
    }

    /// Runs it until it rests or ends. `first`: it yields once.
    fn run(&self, mut first: bool) {
        while self.queued.load(Ordering::Acquire) > 0 {
            self.queued.fetch_sub(1, Ordering::AcqRel);
            let mut resumed = false;
            loop {
                if self.state.start(resumed) == Start::Cancel {
                    return self.finish();
                }
                unsafe { self.memory.write(2) };
                if std::mem::take(&mut first) {
                    resumed = true;
                    continue;
                }
                match self.state.rest(None) {
                    Rest::Resting => break,
                    Rest::Again => resumed = false,
                    Rest::Cancel => return self.finish(),
                }
            }
        }
    }
}

#[test]
fn a_task_that_has_yielded_is_woken_aborted_and_left() {
    explore(|| {
        let task = Arc::new(Yields {
            state: State::new(0),
            queued: AtomicUsize::new(1),
            freed: AtomicUsize::new(0),
            completed: AtomicUsize::new(0),
            memory: HandOver::new(),
        });
        // For the waker.
        task.state.add_ref();
        let waker = {
            let task = task.clone();
            thread::spawn(move || {
                task.carry_out(task.state.wake_by_ref());
                task.carry_out(task.state.wake());
            })
        };
        let handle = {
            let task = task.clone();
            thread::spawn(move || {
                task.carry_out(task.state.cancel());
                match task.state.drop_handle() {
                    Some(duty) => task.carry_out(duty),
                    None => task.carry_out(task.state.drop_ref()),
                }
            })
        };
        task.run(true);
        waker.join().unwrap();
        handle.join().unwrap();
        task.run(false);
        let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        assert_eq!((count(&task.completed), count(&task.freed), count(&task.queued)), (1, 1, 0));
    });
}
