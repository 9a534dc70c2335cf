//! Random programs against a serial evaluation: trees of nested `join`, `scope`, tasks, CPU closures, blocking calls,
//! `block_on` and broadcasts, with panics here and there, on pools of one to eight workers, entered from several
//! threads at once. Every value must be right, every panic one that the serial program could have, and every closure
//! dropped exactly once. Seeds are fixed (`FILCH_SEED` shifts them); `FILCH_LONG=1` runs for minutes.

mod support;

use std::future::Future;
use std::panic;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use filch::{Pool, WaitPolicy};
use support::{Drops, Rng, Token, catch, long, note, plan, with_deadline};

/// A program.
enum Node {
    Leaf(u64),
    Panic(u64),
    Join(Arc<Node>, Arc<Node>),
    JoinContext(Arc<Node>, Arc<Node>),
    WorkerJoin(Arc<Node>, Arc<Node>),
    Scope(Vec<Arc<Node>>),
    ScopeNested(Vec<Arc<Node>>),
    ScopeFifo(Vec<Arc<Node>>),
    InPlace(Vec<Arc<Node>>),
    Cpu(Arc<Node>),
    Blocking(Arc<Node>),
    Tasks(Vec<Arc<Node>>),
    Broadcast(u64),
    Detached(u64),
    Yield(Arc<Node>),
    Install(usize, Arc<Node>),
}

/// What the serial program does: a value, or one of these panics.
type Expected = Result<u64, Vec<u64>>;

struct World {
    pools: Vec<Pool>,
    drops: Drops,
    detached: AtomicU64,
}

fn grow(rng: &mut Rng, depth: u32, panics: bool, pools: usize) -> Arc<Node> {
    let leaf = depth == 0 || rng.one_in(8);
    if leaf {
        let id = rng.below(1 << 20);
        return Arc::new(match rng.below(24) {
            0 if panics => Node::Panic(id),
            1 => Node::Broadcast(id),
            2 | 3 => Node::Detached(id),
            _ => Node::Leaf(id),
        });
    }
    let below = |rng: &mut Rng| grow(rng, depth - 1, panics, pools);
    let several = |rng: &mut Rng| {
        let count = if rng.one_in(12) { 40 } else { rng.below(5) };
        (0..count).map(|_| grow(rng, if count > 5 { 0 } else { depth - 1 }, panics, pools)).collect()
    };
    Arc::new(match rng.below(16) {
        0..=3 => Node::Join(below(rng), below(rng)),
        4 => Node::JoinContext(below(rng), below(rng)),
        5 => Node::WorkerJoin(below(rng), below(rng)),
        6 => Node::Scope(several(rng)),
        7 => Node::ScopeNested(several(rng)),
        8 => Node::ScopeFifo(several(rng)),
        9 => Node::InPlace(several(rng)),
        10 => Node::Cpu(below(rng)),
        11 => Node::Blocking(below(rng)),
        12 | 13 => Node::Tasks(several(rng)),
        14 if pools > 1 => Node::Install(rng.below(pools as u64) as usize, below(rng)),
        _ => Node::Yield(below(rng)),
    })
}

fn serial(node: &Node, workers: &[usize], here: Option<usize>) -> Expected {
    let each = |nodes: &[Arc<Node>], here| {
        let mut sum = 0u64;
        let mut panics = Vec::new();
        for node in nodes {
            match serial(node, workers, here) {
                Ok(value) => sum = sum.wrapping_add(value),
                Err(ids) => panics.extend(ids),
            }
        }
        if panics.is_empty() { Ok(sum) } else { Err(panics) }
    };
    match node {
        Node::Leaf(id) => Ok(work(*id)),
        Node::Panic(id) => Err(vec![*id]),
        Node::Join(a, b) | Node::JoinContext(a, b) | Node::WorkerJoin(a, b) => {
            let a = serial(a, workers, here)?;
            Ok(a.wrapping_mul(3).wrapping_add(serial(b, workers, here)?))
        }
        Node::Scope(nodes) | Node::ScopeNested(nodes) | Node::ScopeFifo(nodes) | Node::InPlace(nodes) => {
            each(nodes, here)
        }
        // Tasks are awaited in order, so the first panic in order is the one that comes through.
        Node::Tasks(nodes) => {
            let mut sum = 0u64;
            for node in nodes {
                sum = sum.wrapping_add(serial(node, workers, here)?);
            }
            Ok(sum)
        }
        Node::Cpu(node) | Node::Yield(node) => serial(node, workers, here),
        // A blocking thread is in no pool: what it evaluates goes to the pool that it is given.
        Node::Blocking(node) => serial(node, workers, here),
        Node::Broadcast(id) => Ok(work(*id).wrapping_mul(workers[here.expect("inside a pool")] as u64)),
        Node::Detached(_) => Ok(0),
        Node::Install(pool, node) => serial(node, workers, Some(*pool)),
    }
}

fn count_detached(node: &Node) -> u64 {
    match node {
        Node::Detached(_) => 1,
        Node::Leaf(_) | Node::Panic(_) | Node::Broadcast(_) => 0,
        Node::Join(a, b) | Node::JoinContext(a, b) | Node::WorkerJoin(a, b) => count_detached(a) + count_detached(b),
        Node::Scope(nodes)
        | Node::ScopeNested(nodes)
        | Node::ScopeFifo(nodes)
        | Node::InPlace(nodes)
        | Node::Tasks(nodes) => nodes.iter().map(|node| count_detached(node)).sum(),
        Node::Cpu(node) | Node::Yield(node) | Node::Blocking(node) | Node::Install(_, node) => count_detached(node),
    }
}

fn work(id: u64) -> u64 {
    let mut rng = Rng(id);
    // Mostly nothing, now and then long enough to be raided.
    let rounds = if id % 64 == 0 { 20_000 } else { id % 50 };
    (0..rounds).fold(id, |sum, _| sum.wrapping_add(rng.next()))
}

fn eval(world: &Arc<World>, here: usize, node: &Arc<Node>) -> u64 {
    let _alive = world.drops.token();
    let token = || world.drops.token();
    match &**node {
        Node::Leaf(id) => work(*id),
        Node::Panic(id) => plan(*id),
        Node::Join(a, b) => {
            let (ta, tb) = (token(), token());
            let (a, b) = filch::join(|| with(ta, || eval(world, here, a)), || with(tb, || eval(world, here, b)));
            a.wrapping_mul(3).wrapping_add(b)
        }
        Node::JoinContext(a, b) => {
            let (ta, tb) = (token(), token());
            let (a, b) = filch::join_context(
                |c| {
                    assert!(!c.migrated());
                    with(ta, || eval(world, here, a))
                },
                |_| with(tb, || eval(world, here, b)),
            );
            a.wrapping_mul(3).wrapping_add(b)
        }
        Node::WorkerJoin(a, b) => filch::with_worker(|w| {
            let (ta, tb) = (token(), token());
            let (a, b) = w.join(
                |w| {
                    assert_eq!(Some(w.index()), filch::current_thread_index());
                    with(ta, || eval(world, here, a))
                },
                |w| {
                    assert_eq!(Some(w.index()), filch::current_thread_index());
                    with(tb, || eval(world, here, b))
                },
            );
            a.wrapping_mul(3).wrapping_add(b)
        }),
        Node::Scope(nodes) => summed(|sum| {
            filch::scope(|s| {
                for node in nodes {
                    let t = token();
                    s.spawn(move |_| add(sum, with(t, || eval(world, here, node))));
                }
            });
        }),
        Node::ScopeNested(nodes) => summed(|sum| filch::scope(|s| nested(s, world, here, nodes, sum))),
        Node::ScopeFifo(nodes) => summed(|sum| {
            filch::scope_fifo(|s| {
                for node in nodes {
                    let t = token();
                    s.spawn_fifo(move |_| add(sum, with(t, || eval(world, here, node))));
                }
            });
        }),
        Node::InPlace(nodes) => summed(|sum| {
            filch::in_place_scope(|s| {
                for node in nodes {
                    let t = token();
                    s.spawn(move |_| add(sum, with(t, || eval(world, here, node))));
                }
            });
        }),
        Node::Cpu(node) => {
            let job = owned(world, here, node);
            got(filch::block_on(filch::spawn_cpu(job)))
        }
        Node::Blocking(node) => {
            let (world2, node) = (world.clone(), node.clone());
            let t = token();
            got(filch::spawn_blocking(move || with(t, || world2.pools[here].install(|| eval(&world2, here, &node))))
                .join())
        }
        Node::Tasks(nodes) => filch::block_on(async {
            let handles: Vec<_> = nodes.iter().map(|node| filch::spawn(task(world, here, node))).collect();
            let mut outcomes = Vec::new();
            for handle in handles {
                outcomes.push(handle.await);
            }
            outcomes.into_iter().map(got).fold(0, u64::wrapping_add)
        }),
        Node::Broadcast(id) => filch::broadcast(|_| work(*id)).into_iter().fold(0, u64::wrapping_add),
        Node::Detached(id) => {
            let (world2, id, t) = (world.clone(), *id, token());
            let job = move || {
                with(t, || work(id));
                world2.detached.fetch_add(1, Ordering::SeqCst);
            };
            if id % 2 == 0 {
                filch::spawn_detached(job)
            } else {
                filch::spawn_fifo(job)
            }
            0
        }
        Node::Yield(node) => {
            let _ = filch::yield_now();
            let value = eval(world, here, node);
            let _ = filch::yield_local();
            value
        }
        Node::Install(pool, node) => world.pools[*pool].install(|| eval(world, *pool, node)),
    }
}

fn with<R>(token: Token, f: impl FnOnce() -> R) -> R {
    let _token = token;
    f()
}

fn summed(f: impl FnOnce(&AtomicU64)) -> u64 {
    let sum = AtomicU64::new(0);
    f(&sum);
    sum.into_inner()
}

fn add(sum: &AtomicU64, value: u64) {
    sum.fetch_add(value, Ordering::Relaxed);
}

/// Every job spawns the next one.
fn nested<'s>(s: &filch::Scope<'s>, world: &'s Arc<World>, here: usize, nodes: &'s [Arc<Node>], sum: &'s AtomicU64) {
    if let [first, rest @ ..] = nodes {
        let t = world.drops.token();
        s.spawn(move |s| {
            nested(s, world, here, rest, sum);
            add(sum, with(t, || eval(world, here, first)));
        });
    }
}

fn owned(world: &Arc<World>, here: usize, node: &Arc<Node>) -> impl FnOnce() -> u64 + Send + 'static {
    let (world, node, t) = (world.clone(), node.clone(), world.drops.token());
    move || with(t, || eval(&world, here, &node))
}

fn task(world: &Arc<World>, here: usize, node: &Arc<Node>) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    let job = owned(world, here, node);
    Box::pin(async move {
        support::yield_once().await;
        job()
    })
}

fn got(outcome: Result<u64, filch::JoinError>) -> u64 {
    outcome.unwrap_or_else(|error| panic::resume_unwind(error.into_panic()))
}

fn check(outcome: Result<u64, u64>, expected: &Expected, what: &str) {
    match (outcome, expected) {
        (Ok(value), Ok(right)) => assert_eq!(value, *right, "{what}"),
        (Err(id), Err(ids)) => assert!(ids.contains(&id), "{what}: panicked with {id}, not one of {ids:?}"),
        (Ok(value), Err(ids)) => panic!("{what}: {value} instead of one of the panics {ids:?}"),
        (Err(id), Ok(value)) => panic!("{what}: panicked with {id} instead of giving {value}"),
    }
}

fn run(seed: u64, pools: usize) {
    note(format!("stress with {pools} pools, seed {seed}; repeat with FILCH_SEED={seed}"));
    let mut rng = Rng(seed);
    let workers: Vec<usize> = (0..pools).map(|_| 1 + rng.below(8) as usize).collect();
    let policy = if rng.one_in(4) { WaitPolicy::RunAnything } else { WaitPolicy::Leapfrog };
    let build = |workers: &usize| Pool::builder().workers(*workers).wait_policy(policy).build().expect("threads");
    let drops = Drops::default();
    let world = Arc::new(World {
        pools: workers.iter().map(build).collect(),
        drops: drops.clone(),
        detached: AtomicU64::new(0),
    });
    let panics = rng.one_in(2);
    let depth = 3 + rng.below(4) as u32;
    let roots: Vec<_> = (0..1 + rng.below(3)).map(|_| grow(&mut rng, depth, panics, pools)).collect();
    let what = format!("seed {seed}, workers {workers:?}, {policy:?}");
    thread::scope(|threads| {
        for (i, root) in roots.iter().enumerate() {
            let (world, workers, what, way) = (&world, &workers, &what, rng.below(6));
            threads.spawn(move || {
                let pool = &world.pools[0];
                let expected = serial(root, workers, Some(0));
                let outcome = catch(|| match way {
                    0 | 1 => pool.install(|| eval(world, 0, root)),
                    2 => pool.install_on_worker(|| eval(world, 0, root)),
                    3 => pool.scope(|_| eval(world, 0, root)),
                    4 => got(pool.spawn(task(world, 0, root)).join()),
                    _ => got(pool.spawn_cpu(owned(world, 0, root)).join()),
                });
                check(outcome, &expected, &format!("{what}, root {i}, way {way}"));
            });
        }
    });
    for pool in &world.pools {
        pool.shutdown();
    }
    if !panics {
        let spawned: u64 = roots.iter().map(|root| count_detached(root)).sum();
        assert_eq!(world.detached.load(Ordering::SeqCst), spawned, "{what}: detached closures");
    }
    drop(world);
    drops.assert_all_dropped(&what);
}

fn run_for(pools: usize, seconds: u64) {
    let seconds = if long() { seconds * 40 } else { seconds };
    let first = std::env::var("FILCH_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    with_deadline(60 + seconds * 2, move || {
        let began = Instant::now();
        let mut seed = first;
        while began.elapsed() < Duration::from_secs(seconds) {
            run(seed, pools);
            seed += 1;
        }
        println!("{pools} pools: seeds {first}..{seed}");
        assert!(seed - first > 5, "only {} programs in {seconds} s", seed - first);
    });
}

#[test]
fn random_programs_on_one_pool() {
    run_for(1, 4);
}

#[test]
fn random_programs_on_three_pools() {
    run_for(3, 3);
}
