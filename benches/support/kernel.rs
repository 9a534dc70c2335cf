//! A workload as data: how its input is made, what one run does, and how the result is checked.

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::fork::{Fork, Library};
use super::libraries::Serial;
use super::row::{Bout, Contender, Row, Unit};

/// One workload, written once for every library.
pub trait Kernel: Sync + 'static {
    /// The input, and whatever the run writes; all contenders of a row share it.
    type State: Send;
    type Output: Send;

    /// Makes the input. Called once per row, only when the row runs.
    fn state(&self) -> Self::State;

    /// Undoes what a run wrote. Not timed.
    fn reset(&self, _state: &mut Self::State) {}

    /// What a programmer without a pool would write.
    fn serial(&self, state: &mut Self::State) -> Self::Output;

    /// The same through `F`.
    fn parallel<F: Fork>(&self, handle: F::Handle<'_, '_>, state: &mut Self::State) -> Self::Output;

    /// Panics unless the result is right. Not timed.
    fn check(&self, state: &Self::State, output: Self::Output);

    /// How often a run repeats the kernel, inside one entry into the pool. More than one for kernels of microseconds.
    fn repeats(&self) -> u32 {
        1
    }
}

/// The input of a row, made by the first contender that runs.
type SharedState<K> = Rc<RefCell<Option<<K as Kernel>::State>>>;

/// Collects the contenders of one kernel into a [`Row`].
pub struct KernelRow<K: Kernel> {
    row: Row,
    kernel: Rc<K>,
    state: SharedState<K>,
}

impl<K: Kernel> KernelRow<K> {
    /// A row without contenders. `unit` is for one kernel; repeats are accounted for here.
    pub fn new(id: &'static str, title: String, unit: Unit, kernel: K) -> Self {
        let unit = unit.divided_by(f64::from(kernel.repeats()));
        KernelRow { row: Row::new(id, title, unit), kernel: Rc::new(kernel), state: Rc::default() }
    }

    /// Adds a remark that is printed under the table.
    pub fn note(mut self, note: &'static str) -> Self {
        self.row.note = note;
        self
    }

    /// Adds the plain serial program.
    pub fn serial(mut self) -> Self {
        let (kernel, state) = (Rc::clone(&self.kernel), Rc::clone(&self.state));
        let setup =
            move || -> Box<dyn Bout> { Box::new(SerialBout { kernel: Rc::clone(&kernel), state: Rc::clone(&state) }) };
        self.row.push(Contender::new(Serial::NAME, 1, setup));
        self
    }

    /// Adds a library, once per number of workers.
    pub fn library<L: Library>(mut self, workers: &[usize]) -> Self {
        for &workers in workers {
            let (kernel, state) = (Rc::clone(&self.kernel), Rc::clone(&self.state));
            let setup = move || -> Box<dyn Bout> {
                Box::new(LibraryBout {
                    library: L::start(workers),
                    kernel: Rc::clone(&kernel),
                    state: Rc::clone(&state),
                })
            };
            self.row.push(Contender::new(L::NAME, workers, setup));
        }
        self
    }

    /// Adds a contender that is not written against [`Fork`].
    pub fn contender(mut self, contender: Contender) -> Self {
        self.row.push(contender);
        self
    }

    pub fn build(self) -> Row {
        self.row
    }
}

struct SerialBout<K: Kernel> {
    kernel: Rc<K>,
    state: SharedState<K>,
}

impl<K: Kernel> Bout for SerialBout<K> {
    fn run(&mut self) -> Duration {
        let kernel = &*self.kernel;
        measure(kernel, &self.state, |state| {
            for _ in 1..kernel.repeats() {
                black_box(kernel.serial(state));
            }
            kernel.serial(state)
        })
    }
}

struct LibraryBout<L: Library, K: Kernel> {
    library: L,
    kernel: Rc<K>,
    state: SharedState<K>,
}

impl<L: Library, K: Kernel> Bout for LibraryBout<L, K> {
    fn wake(&mut self) {
        self.library.wake();
    }

    fn run(&mut self) -> Duration {
        let kernel = &*self.kernel;
        measure(kernel, &self.state, |state| {
            self.library.enter(|mut handle| {
                for _ in 1..kernel.repeats() {
                    black_box(kernel.parallel::<L>(L::again(&mut handle), state));
                }
                kernel.parallel::<L>(handle, state)
            })
        })
    }

    fn rest(&mut self) {
        self.library.rest();
    }
}

/// Times one run on a fresh state and checks its result.
fn measure<K: Kernel>(kernel: &K, state: &SharedState<K>, run: impl FnOnce(&mut K::State) -> K::Output) -> Duration {
    let mut state = state.borrow_mut();
    let state = state.get_or_insert_with(|| kernel.state());
    kernel.reset(state);
    let start = Instant::now();
    let output = run(state);
    let took = start.elapsed();
    kernel.check(state, output);
    took
}
