//! blake3: hashes by `update_rayon`, whose joins are nested down to a few chunks; against `update` on one thread, and
//! a published hash. None of our code runs in it, so we look at what processor time the workers have used. A task
//! naps beside it.

use blake3::{Hash, Hasher};
use programs::input::Numbers;
use programs::pulse;
use programs::threads::{self, Usage};
use rayon::prelude::*;

const BYTES: usize = 32 << 20;

fn in_parallel(input: &[u8]) -> Hash {
    Hasher::new().update_rayon(input).finalize()
}

fn main() {
    programs::run("blake3", || {
        // From the test vectors of BLAKE3's authors: no input.
        let empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(in_parallel(&[]).to_hex().as_str(), empty);

        let input: Vec<u8> = Numbers::new(7).take(BYTES / 8).flat_map(u64::to_le_bytes).collect();
        let serially = blake3::hash(&input);
        for length in [1, 1023, 1024, 1025, 16_385, 131_072, 1_000_001] {
            let part = &input[length..2 * length];
            assert_eq!(in_parallel(part), Hasher::new().update(part).finalize(), "{length} bytes");
        }
        let (main, workers) = Usage::of_workers(|| assert_eq!(in_parallel(&input), serially));
        let sum = workers.iter().sum();
        assert!(main * 4 <= sum, "the main thread waits, but used {main:?} while the workers used {workers:?}");

        // In pieces of odd lengths, so that each call begins inside of a chunk; and hashes inside of a loop.
        let mut hasher = Hasher::new();
        input.chunks(3_000_017).for_each(|piece| {
            hasher.update_rayon(piece);
        });
        assert_eq!(hasher.finalize(), serially);
        let files: Vec<&[u8]> = input.chunks(700_001).collect();
        let hashes: Vec<Hash> = files.par_iter().map(|file| in_parallel(file)).collect();
        assert!(hashes.into_iter().eq(files.iter().map(|file| blake3::hash(file))));

        let quick = pulse::stays_quick(|| assert_eq!(in_parallel(&input), serially));
        format!("update_rayon, nested too; {} ms on the workers; {quick}", threads::in_millis(&workers))
    });
}
