//! The computations: a thumbnail of a picture, the hash of a body, a sort; with parallel loops inside.

use super::loops::{Loops, Reason};
use blake3::hazmat::{ChainingValue, HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root};
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage};

/// Debug builds compute some twenty times as long, so they are given less to do.
const DEBUG: bool = cfg!(debug_assertions);

/// The pictures that there are thumbnails of.
pub const PICTURES: usize = 4;
const WIDTH: u32 = if DEBUG { 128 } else { 640 };
const HEIGHT: u32 = WIDTH / 4 * 3;
/// A thumbnail's side is that of its picture divided by this.
const SHRINK: u32 = 4;

/// How many numbers are sorted.
pub const NUMBERS: usize = if DEBUG { 5_000 } else { 50_000 };

/// How long the bodies are that the load generator has hashed.
pub const BODY: usize = 256 << 10;

/// Up to so many bytes are hashed by one thread.
const LEAF: usize = 32 << 10;

/// Some JPEG pictures of waves and noise, no two the same.
pub fn pictures() -> Result<Vec<Vec<u8>>, Reason> {
    (0..PICTURES as u32).map(picture).collect()
}

fn picture(number: u32) -> Result<Vec<u8>, Reason> {
    let wave = |at: u32, length: f64| ((f64::from(at) / length).sin() * 90.0 + 128.0) as u8;
    let image = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let noise = (mix(u64::from(number) << 40 | u64::from(y) << 20 | u64::from(x)) % 32) as u8;
        image::Rgb([wave(x + number * 9, 17.0) ^ noise, wave(y, 23.0 + f64::from(number)), wave(x + y, 41.0)])
    });
    encode(&image)
}

fn encode(image: &RgbImage) -> Result<Vec<u8>, Reason> {
    let mut bytes = Vec::new();
    image.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 85))?;
    Ok(bytes)
}

/// Decodes a JPEG picture, and makes each pixel of its thumbnail the mean of some of it, the rows in parallel.
pub fn thumbnail<L: Loops>(picture: &[u8]) -> Result<Vec<u8>, Reason> {
    let image = image::load_from_memory_with_format(picture, ImageFormat::Jpeg)?.into_rgb8();
    let (width, height) = (image.width() / SHRINK, image.height() / SHRINK);
    if width == 0 || height == 0 {
        return Err("the picture is too small to be shrunk".into());
    }
    let mut small = vec![0; (width * height * 3) as usize];
    L::each_row(&mut small, width as usize * 3, |row, pixels| {
        for (column, pixel) in pixels.chunks_exact_mut(3).enumerate() {
            pixel.copy_from_slice(&mean(&image, column as u32 * SHRINK, row as u32 * SHRINK));
        }
    });
    encode(&RgbImage::from_raw(width, height, small).expect("as many bytes as it has"))
}

/// The mean colour of a square.
fn mean(image: &RgbImage, left: u32, top: u32) -> [u8; 3] {
    let mut sum = [0_u32; 3];
    for (y, x) in (top..top + SHRINK).flat_map(|y| (left..left + SHRINK).map(move |x| (y, x))) {
        for (sum, &part) in sum.iter_mut().zip(&image.get_pixel(x, y).0) {
            *sum += u32::from(part);
        }
    }
    sum.map(|sum| (sum / (SHRINK * SHRINK)) as u8)
}

/// The blake3 hash of `data` in hexadecimal digits. As blake3 is a tree, its halves are hashed in parallel.
pub fn hash<L: Loops>(data: &[u8]) -> String {
    let hash = if data.len() <= LEAF {
        blake3::hash(data)
    } else {
        let (left, right) = halves::<L>(data, 0);
        merge_subtrees_root(&left, &right, Mode::Hash)
    };
    hash.to_hex().to_string()
}

fn halves<L: Loops>(data: &[u8], offset: u64) -> (ChainingValue, ChainingValue) {
    let middle = left_subtree_len(data.len() as u64);
    let (left, right) = data.split_at(middle as usize);
    L::join(|| subtree::<L>(left, offset), || subtree::<L>(right, offset + middle))
}

fn subtree<L: Loops>(data: &[u8], offset: u64) -> ChainingValue {
    if data.len() <= LEAF {
        let mut hasher = blake3::Hasher::new();
        return hasher.set_input_offset(offset).update(data).finalize_non_root();
    }
    let (left, right) = halves::<L>(data, offset);
    merge_subtrees_non_root(&left, &right, Mode::Hash)
}

/// The numbers to sort: the same ones for the same seed.
pub fn numbers(seed: u64) -> Vec<u64> {
    (0..NUMBERS as u64).map(|place| mix(mix(seed) ^ place)).collect()
}

/// Sorts the numbers, and tells the smallest, the middle and the largest one, and the hash of all, in order.
pub fn sorted<L: Loops>(mut numbers: Vec<u64>) -> String {
    L::sort(&mut numbers);
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let at = |place: usize| numbers.get(place).copied().unwrap_or_default();
    let (middle, last) = (at(numbers.len() / 2), at(numbers.len().saturating_sub(1)));
    format!("{} {middle} {last} {}", at(0), hash::<L>(&bytes))
}

/// A good mix of the bits of `x` (the finaliser of SplitMix64, Steele, Lea and Flood 2014).
pub fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
