use std::time::{Duration, Instant};
fn fib(n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (a, b) = filch::join(|| fib(n - 1), || fib(n - 2));
    a + b
}
#[test]
fn fib_works() {
    let t = Instant::now();
    assert_eq!(fib(30), 832040);
    println!("{:?}", t.elapsed());
}
#[test]
fn cold_pair() {
    let pool = filch::Pool::builder().workers(2).build().unwrap();
    std::thread::sleep(Duration::from_millis(100));
    for _ in 0..3 {
        let t = Instant::now();
        pool.join(|| spin(100), || spin(100));
        println!("cold pair {:?}", t.elapsed());
        for _ in 0..10_000 {
            pool.join(|| (), || ());
        }
    }
    let t = Instant::now();
    pool.scope(|s| {
        for _ in 0..8 {
            s.spawn(|_| spin(50));
        }
    });
    println!("scope 8x50 {:?}", t.elapsed());
}
fn spin(ms: u64) {
    let t = Instant::now();
    while t.elapsed() < Duration::from_millis(ms) {
        std::hint::spin_loop();
    }
}
#[test]
fn tasks() {
    let pool = filch::Pool::builder().workers(2).build().unwrap();
    let h = pool.spawn(async {
        let a = filch::spawn(async { 1 }).await.unwrap();
        let b = filch::spawn_cpu(|| fib(20)).await.unwrap();
        let c = filch::spawn_blocking(|| 3).await.unwrap();
        a + b + c
    });
    assert_eq!(h.join().unwrap(), 1 + 6765 + 3);
    let x = filch::broadcast(|c| c.index());
    println!("{x:?}");
    pool.shutdown();
}
