//! Ids and names of tasks, for those who ask. They stand beside the tasks and not in them, because most tasks are never
//! asked, and a task at rest should be small.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::core::task::Header;
use crate::ground::sync::{AtomicU64, Mutex, Ordering};

const SHARDS: usize = 16;

struct Note {
    id: u64,
    name: Option<Arc<str>>,
}

static NOTES: [Mutex<BTreeMap<usize, Note>>; SHARDS] = [const { Mutex::new(BTreeMap::new()) }; SHARDS];
static NEXT: AtomicU64 = AtomicU64::new(1);

fn with<R>(task: &Header, f: impl FnOnce(&mut Note) -> R) -> R {
    let key = std::ptr::from_ref(task).addr();
    let mut notes = shard(key).lock();
    let note = notes.entry(key).or_insert_with(|| {
        task.state.set_noted();
        // Relaxed: only the numbers' being different matters.
        Note { id: NEXT.fetch_add(1, Ordering::Relaxed), name: None }
    });
    f(note)
}

fn shard(key: usize) -> &'static Mutex<BTreeMap<usize, Note>> {
    // The allocator's alignment leaves the lowest bits without information.
    &NOTES[(key >> 6) % SHARDS]
}

/// The task's id, given now if nobody has asked before.
pub(crate) fn id(task: &Header) -> u64 {
    with(task, |note| note.id)
}

/// Names the task.
pub(crate) fn set_name(task: &Header, name: Arc<str>) {
    let old = with(task, |note| note.name.replace(name));
    drop(old);
}

pub(crate) fn name(task: &Header) -> Option<Arc<str>> {
    if !task.state.is_noted() {
        return None;
    }
    with(task, |note| note.name.clone())
}

/// The task's memory is about to be freed.
#[cold]
pub(crate) fn forget(task: &Header) {
    let key = std::ptr::from_ref(task).addr();
    let note = shard(key).lock().remove(&key);
    drop(note);
}
