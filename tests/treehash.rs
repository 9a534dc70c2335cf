//! Tests of the example `treehash`: what it prints is compared with digests computed here by a
//! plain serial walk, written from the description of the format and sharing no code with it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

// All of it but `main` is used or tested.
#[allow(dead_code)]
#[path = "../examples/treehash/main.rs"]
mod example;

// ---------------------------------------------------------------------------------------------
// The independent path

/// The digest of each directory under a top, by path relative to it.
type Digests = BTreeMap<PathBuf, [u8; 32]>;

/// Walks one entry after another, and reads each file as a whole.
fn serial(top: &Path) -> Digests {
    fn walk(top: &Path, relative: &Path, digests: &mut Digests) -> Option<[u8; 32]> {
        let mut entries = BTreeMap::new();
        for entry in fs::read_dir(top.join(relative)).ok()? {
            let entry = entry.ok()?;
            let kind = entry.file_type().unwrap();
            let (byte, digest) = if kind.is_symlink() {
                let text = fs::read_link(entry.path()).unwrap();
                let text = text.as_os_str().as_encoded_bytes();
                (b'l', Some(blake3::hash(text).into()))
            } else if kind.is_dir() {
                (b'd', walk(top, &relative.join(entry.file_name()), digests))
            } else if kind.is_file() {
                let bytes = fs::read(entry.path()).ok();
                (b'f', bytes.map(|bytes| blake3::hash(&bytes).into()))
            } else {
                (b's', Some([0; 32]))
            };
            let name = entry.file_name().as_encoded_bytes().to_vec();
            entries.insert(
                name,
                match digest {
                    Some(digest) => (byte, digest),
                    None => (b'!', [0; 32]),
                },
            );
        }
        let mut hasher = blake3::Hasher::new();
        for (name, (byte, digest)) in entries {
            hasher.update(&[byte]);
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(&name);
            hasher.update(&digest);
        }
        let digest = hasher.finalize().into();
        digests.insert(relative.to_owned(), digest);
        Some(digest)
    }
    let mut digests = Digests::new();
    walk(top, Path::new(""), &mut digests).expect("the top can be read");
    digests
}

fn hex(digest: &[u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

// ---------------------------------------------------------------------------------------------
// Running the example

struct Output {
    status: u8,
    out: String,
    err: String,
}

fn run(arguments: &[&str], directory: &Path) -> Output {
    let arguments = arguments.iter().map(OsString::from).chain(["--".into(), directory.into()]);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = example::treehash(arguments, &mut out, &mut err);
    Output {
        status,
        out: String::from_utf8(out).expect("UTF-8, whatever the names"),
        err: String::from_utf8(err).expect("UTF-8, whatever the names"),
    }
}

impl Output {
    /// The lines with the digests of directories: digest and path.
    fn directories(&self) -> Vec<(&str, &str)> {
        self.out
            .lines()
            .take_while(|line| !line.is_empty())
            .map(|line| line.split_once("  ").expect("digest and path"))
            .collect()
    }

    /// What follows the title of a line of the summary.
    fn line(&self, title: &str) -> &str {
        self.out
            .lines()
            .find_map(|line| line.strip_prefix(title))
            .unwrap_or_else(|| panic!("no line {title} in:\n{}", self.out))
            .trim()
    }

    /// The digest of the tree.
    fn total(&self) -> &str {
        self.line("total ")
    }

    /// The lines below the one with the title.
    fn below(&self, title: &str) -> Vec<&str> {
        self.out
            .lines()
            .skip_while(|line| !line.starts_with(title))
            .skip(1)
            .take_while(|line| line.starts_with(' '))
            .map(str::trim)
            .collect()
    }
}

/// Runs the example with several numbers of workers and compares with the serial path.
#[track_caller]
fn agrees(top: &Path) -> Output {
    let expected = serial(top);
    let mut last = None;
    for workers in ["1", "2", "5"] {
        let output = run(&["--no-progress", "--workers", workers], top);
        assert_eq!(output.err, "");
        assert_eq!(output.total(), hex(&expected[Path::new("")]));
        let lines: Vec<_> = expected.iter().map(|(path, digest)| (hex(digest), example::text::path(path))).collect();
        let printed: Vec<_> =
            output.directories().into_iter().map(|(digest, path)| (digest.to_owned(), path.to_owned())).collect();
        // In the same order too: a map of paths is sorted by their components.
        assert_eq!(printed, lines);
        last = Some(output);
    }
    last.unwrap()
}

/// A tree that can be read as a whole.
#[track_caller]
fn agrees_in_full(top: &Path) -> Output {
    let output = agrees(top);
    assert_eq!(output.status, 0, "{}", output.out);
    assert!(!output.out.contains("unreadable"), "{}", output.out);
    output
}

// ---------------------------------------------------------------------------------------------
// Making trees

/// A small generator of numbers that look random (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 8);
        while bytes.len() < len {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(len);
        bytes
    }

    /// A length: mostly short, now and then several blocks, often just around a border.
    fn len(&mut self) -> usize {
        let around = |random: &mut Self, border: u64| (border + random.below(3)).saturating_sub(1);
        (match self.below(12) {
            0 => 0,
            1..=7 => self.below(3000),
            8 => around(self, 1024),
            9 => around(self, 128 << 10),
            10 => around(self, 1 << 20),
            _ => self.below(6 << 20),
        }) as usize
    }

    fn name(&mut self) -> String {
        const PARTS: [&str; 8] = ["a", "b-", "Z", "é", " ", ".x", "日本", "#"];
        let parts = 1 + self.below(4);
        let name: String = (0..parts).map(|_| PARTS[self.below(8) as usize]).collect();
        // Neither `.` nor a name that a link or file of the same directory has by chance.
        format!("{name}{}", self.below(1000))
    }

    /// Fills a directory with files, links and directories.
    fn fill(&mut self, directory: &Path, depth: u64) {
        for _ in 0..self.below(9) {
            let path = directory.join(self.name());
            if path.symlink_metadata().is_ok() {
                continue;
            }
            match self.below(8) {
                0..=1 if depth > 0 => {
                    fs::create_dir(&path).unwrap();
                    self.fill(&path, depth - 1);
                }
                2 => symlink(&self.name(), &path),
                _ => {
                    let len = self.len();
                    fs::write(&path, self.bytes(len)).unwrap();
                }
            }
        }
    }
}

#[cfg(unix)]
fn symlink(text: &str, path: &Path) {
    std::os::unix::fs::symlink(text, path).unwrap();
}

#[cfg(not(unix))]
fn symlink(text: &str, path: &Path) {
    // Links need a privilege here: a file will do.
    fs::write(path, text).unwrap();
}

fn temporary() -> TempDir {
    tempfile::tempdir().unwrap()
}

// ---------------------------------------------------------------------------------------------
// Trees

#[test]
fn empty_directory_is_the_hash_of_nothing() {
    let top = temporary();
    let output = agrees_in_full(top.path());
    assert_eq!(output.total(), blake3::hash(b"").to_hex().as_str());
    assert_eq!(output.directories().len(), 1);
}

#[test]
fn format_is_as_documented() {
    // By hand, so that a misreading shared by both paths would show.
    let top = temporary();
    fs::write(top.path().join("a"), "hello").unwrap();
    fs::create_dir(top.path().join("B")).unwrap();
    let mut bytes = Vec::new();
    bytes.extend_from_slice(b"d\x01\0\0\0\0\0\0\0B");
    bytes.extend_from_slice(blake3::hash(b"").as_bytes());
    bytes.extend_from_slice(b"f\x01\0\0\0\0\0\0\0a");
    bytes.extend_from_slice(blake3::hash(b"hello").as_bytes());
    let output = agrees_in_full(top.path());
    assert_eq!(output.total(), blake3::hash(&bytes).to_hex().as_str());
    assert_eq!(output.line("read "), "5 bytes in 1 file, 2 directories, 0 symbolic links");
}

#[test]
fn random_trees() {
    for seed in 0..12 {
        let top = temporary();
        let mut random = Random(seed);
        random.fill(top.path(), 4);
        random.fill(top.path(), 4);
        agrees_in_full(top.path());
    }
}

#[test]
fn files_of_all_lengths() {
    const BLOCK: usize = 1 << 20;
    let top = temporary();
    let mut random = Random(1);
    let mut total = 0;
    let mut borders = vec![1024, 16 << 10, 128 << 10, 256 << 10, 512 << 10];
    borders.extend([1, 2, 3, 4, 5, 7, 8].map(|blocks| blocks * BLOCK));
    for border in borders {
        for len in [border - 1, border, border + 1] {
            fs::write(top.path().join(len.to_string()), random.bytes(len)).unwrap();
            total += len;
        }
    }
    fs::write(top.path().join("none"), "").unwrap();
    let output = agrees_in_full(top.path());
    assert!(output.line("read ").starts_with(&format!("{total} bytes")));
}

#[test]
fn one_file_of_many_blocks() {
    let top = temporary();
    fs::write(top.path().join("big"), Random(2).bytes((100 << 20) + 12345)).unwrap();
    agrees_in_full(top.path());
}

#[test]
fn buffers_stay_within_their_limit() {
    let top = temporary();
    let mut random = Random(3);
    for directory in 0..20 {
        let directory = top.path().join(directory.to_string());
        fs::create_dir(&directory).unwrap();
        for file in 0..3 {
            fs::write(directory.join(file.to_string()), random.bytes(2 << 20)).unwrap();
        }
        fs::write(directory.join("small"), random.bytes(1000)).unwrap();
    }
    let output = agrees_in_full(top.path());
    let words: Vec<_> = output.line("buffers ").split([' ', ',']).collect();
    let used: usize = words[0].parse().unwrap();
    // `5 used of at most 20, 1024 KiB each`: four for each of the five workers.
    assert_eq!(words[5], "20");
    assert!((1..=20).contains(&used), "{used} buffers");
}

#[test]
fn five_thousand_small_files() {
    let top = temporary();
    let mut random = Random(4);
    for index in 0..5000 {
        let len = random.below(300) as usize;
        fs::write(top.path().join(format!("file {index}")), random.bytes(len)).unwrap();
    }
    let output = agrees_in_full(top.path());
    assert!(output.line("read ").contains(" in 5000 files, 1 directory,"));
}

#[test]
fn two_hundred_levels() {
    let top = temporary();
    let mut path = top.path().to_owned();
    for level in 0..200 {
        path.push(format!("level {level}"));
        fs::create_dir(&path).unwrap();
        fs::write(path.join("file"), level.to_string()).unwrap();
    }
    let output = agrees_in_full(top.path());
    assert_eq!(output.directories().len(), 201);
}

#[test]
fn many_directories() {
    let top = temporary();
    for index in 0..1000 {
        let path = top.path().join(format!("{}/{}", index % 10, index));
        fs::create_dir_all(&path).unwrap();
        if index % 3 == 0 {
            fs::write(path.join("file"), index.to_string()).unwrap();
        }
    }
    agrees_in_full(top.path());
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let top = temporary();
    let inner = top.path().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::write(inner.join("file"), "contents").unwrap();
    symlink("..", &inner.join("loop to the parent"));
    symlink(".", &inner.join("loop to itself"));
    symlink("self", &inner.join("self"));
    symlink("nowhere", &top.path().join("dangling"));
    symlink("inner/file", &top.path().join("to a file"));
    symlink("/", &top.path().join("to the root"));
    let output = agrees_in_full(top.path());
    assert_eq!(output.line("read "), "8 bytes in 1 file, 2 directories, 6 symbolic links");

    // Only the directory asked for may itself be a link.
    let elsewhere = temporary();
    let link = elsewhere.path().join("link");
    std::os::unix::fs::symlink(top.path(), &link).unwrap();
    let followed = run(&["--no-progress"], &link);
    assert_eq!(followed.total(), output.total());
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let top = temporary();
    let name = |bytes: &[u8]| top.path().join(std::ffi::OsStr::from_bytes(bytes));
    fs::create_dir(name(b"\xff\xfe")).unwrap();
    fs::write(name(b"\xff\xfe/\x80"), "1").unwrap();
    fs::write(name(b"\xf0\x28\x8c\x28"), "2").unwrap();
    fs::create_dir(name(b"new\nline\x1b[31m")).unwrap();
    fs::create_dir(name(b"not a new\\nline")).unwrap();
    // Sorted by bytes, `b` is before `\xc3\xa9`, which is before `\xff`.
    fs::write(name("é".as_bytes()), "3").unwrap();
    fs::write(name(b"b"), "4").unwrap();
    std::os::unix::fs::symlink(name(b"\xff\xfe"), name(b"link\xff")).unwrap();
    let output = agrees_in_full(top.path());
    let paths: Vec<_> = output.directories().iter().map(|line| line.1).collect();
    let expected = [".", r"new\nline\u{1b}[31m", r"not a new\\nline", r"\xff\xfe"];
    assert_eq!(paths, expected);
}

#[cfg(unix)]
#[test]
fn special_files_are_skipped() {
    use std::os::unix::net::UnixListener;
    let top = temporary();
    fs::write(top.path().join("file"), "contents").unwrap();
    let _listener = UnixListener::bind(top.path().join("socket")).unwrap();
    // Opening the pipe to read it would wait for ever.
    let pipe = std::process::Command::new("mkfifo").arg(top.path().join("pipe")).status();
    let output = agrees(top.path());
    assert_eq!(output.status, 0);
    let mut expected = vec!["socket: socket"];
    if pipe.is_ok_and(|status| status.success()) {
        expected.insert(0, "pipe: named pipe");
    }
    assert_eq!(output.below("skipped "), expected);
}

// ---------------------------------------------------------------------------------------------
// What cannot be read

#[cfg(unix)]
#[test]
fn unreadable_entries_are_reported() {
    use std::os::unix::fs::PermissionsExt;
    let top = temporary();
    let secret = top.path().join("secret");
    let closed = top.path().join("closed");
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::write(top.path().join("open"), "contents").unwrap();
    fs::write(&secret, "secret").unwrap();
    fs::write(top.path().join("secret and big"), vec![1; 3 << 20]).unwrap();
    fs::create_dir(&closed).unwrap();
    fs::write(closed.join("file"), "never seen").unwrap();
    mode(&secret, 0);
    mode(&top.path().join("secret and big"), 0);
    mode(&closed, 0);
    if fs::read(&secret).is_ok() {
        // Root reads everything. So let somebody else run this test.
        return as_nobody("unreadable_entries_are_reported");
    }
    let output = agrees(top.path());
    let denied = io::Error::from_raw_os_error(libc::EACCES).to_string();
    assert_eq!(
        output.below("unreadable "),
        ["closed", "secret", "secret and big"].map(|name| format!("{name}: {denied}"))
    );
    assert_eq!(output.status, 1);
    assert!(output.line("read ").starts_with("8 bytes in 1 file"));

    let output = run(&["--no-progress"], &closed);
    assert_eq!(output.status, 2);
    assert_eq!(output.out, "");
    assert!(output.err.contains(&denied), "{}", output.err);

    // For the temporary directory to be removed.
    mode(&closed, 0o700);
}

/// Runs a test of this file as a user without rights, if that is possible at all.
#[cfg(unix)]
fn as_nobody(test: &str) {
    use std::os::unix::process::CommandExt;
    let nobody = 65534;
    // The test program may be where nobody else may look: give them a copy.
    let place = temporary();
    let program = place.path().join("program");
    let prepared = std::env::current_exe()
        .and_then(|this| fs::copy(this, &program))
        .and_then(|_| std::os::unix::fs::chown(place.path(), Some(nobody), Some(nobody)))
        .and_then(|_| std::os::unix::fs::chown(&program, Some(nobody), Some(nobody)));
    let child = prepared.and_then(|()| {
        std::process::Command::new(&program)
            .args(["--exact", test])
            .env("TMPDIR", place.path())
            .current_dir(place.path())
            .uid(nobody)
            .gid(nobody)
            .output()
    });
    match child {
        Ok(output) => assert!(
            output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed"),
            "{output:?}"
        ),
        Err(error) => eprintln!("skipped: running as root, and not as nobody: {error}"),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn files_that_are_not_as_long_as_listed_are_reported() {
    // These have a length of 0 and contents all the same, as if they had grown.
    let top = Path::new("/proc/sys/kernel/random");
    if !top.join("boot_id").exists() {
        return eprintln!("skipped: no {}", top.display());
    }
    let output = run(&["--no-progress"], top);
    assert_eq!(output.status, 1);
    let reason = "boot_id: changed size while being read (it was 0 bytes long)";
    assert!(output.below("unreadable ").contains(&reason), "{}", output.out);
}

#[test]
fn files_that_change_are_noticed() {
    use example::listing::list;
    use example::reason::Reason;
    use example::source::{Source, read_whole};
    let top = temporary();
    let path = top.path().join("file");
    let listed = |len: usize| {
        fs::write(&path, vec![7; len]).unwrap();
        list(top.path()).unwrap().files.remove(0)
    };

    let entry = listed(1000);
    let mut buffer = [0; 1000];
    assert!(read_whole(&path, &entry, &mut buffer).is_ok());
    assert_eq!(buffer, [7; 1000]);
    for len in [0, 999, 1001] {
        // Written to, and not created again.
        fs::write(&path, vec![8; len]).unwrap();
        let result = read_whole(&path, &entry, &mut buffer);
        assert!(matches!(result, Err(Reason::Resized { listed: 1000 })));
    }

    // A file read in blocks, which changes while it is open.
    let entry = listed(3000);
    let source = Source::open(&path, &entry).unwrap();
    let mut block = [0; 1000];
    for offset in [0, 1000, 2000] {
        assert!(source.read_block(offset, &mut block).is_ok());
    }
    fs::write(&path, vec![8; 3001]).unwrap();
    assert!(source.read_block(1000, &mut block).is_ok());
    let grown = source.read_block(2000, &mut block);
    assert!(matches!(grown, Err(Reason::Resized { listed: 3000 })));
    fs::write(&path, vec![8; 1500]).unwrap();
    let shrunk = source.read_block(1000, &mut block);
    assert!(matches!(shrunk, Err(Reason::Resized { listed: 3000 })));

    fs::remove_file(&path).unwrap();
    assert!(matches!(
        read_whole(&path, &entry, &mut [0; 3000]),
        Err(Reason::Io(error)) if error.kind() == io::ErrorKind::NotFound
    ));
}

#[cfg(unix)]
#[test]
fn entries_that_are_replaced_are_noticed() {
    use example::listing::list;
    use example::reason::Reason;
    use example::source::read_whole;
    let top = temporary();
    let path = top.path().join("file");
    fs::write(&path, "contents").unwrap();
    let entry = list(top.path()).unwrap().files.remove(0);
    let read = || read_whole(&path, &entry, &mut [0; 8]);

    let other = top.path().join("other");
    fs::write(&other, "contents").unwrap();
    fs::rename(&other, &path).unwrap();
    assert!(matches!(read(), Err(Reason::Replaced)));

    fs::remove_file(&path).unwrap();
    symlink("/dev/zero", &path);
    assert!(matches!(read(), Err(Reason::Io(_))));

    fs::remove_file(&path).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(&path).status();
    if pipe.is_ok_and(|status| status.success()) {
        assert!(matches!(read(), Err(Reason::Replaced)));
    }

    let link = top.path().join("link");
    symlink(".", &link);
    assert!(matches!(list(&link), Err(Reason::Replaced)));
}

#[test]
fn trees_that_change_while_they_are_hashed_do_no_harm() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let top = temporary();
    let stop = AtomicBool::new(false);
    // However this test ends, the thread must.
    struct Stop<'a>(&'a AtomicBool);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    std::thread::scope(|scope| {
        let _stop = Stop(&stop);
        scope.spawn(|| {
            let mut random = Random(5);
            while !stop.load(Ordering::Relaxed) {
                let directory = top.path().join(random.below(8).to_string());
                let file = directory.join(random.below(8).to_string());
                // Any of these may fail; that is the point.
                let _ = match random.below(8) {
                    0 => fs::remove_dir_all(&directory),
                    1 | 2 => fs::create_dir_all(&directory),
                    3 => fs::remove_file(&file),
                    _ => {
                        let len = random.len();
                        fs::write(&file, random.bytes(len))
                    }
                };
            }
        });
        for _ in 0..30 {
            let output = run(&["--no-progress"], top.path());
            assert!(output.status < 2, "{}", output.err);
            assert!(!output.out.contains("not finished"), "{}", output.out);
        }
    });
}

// ---------------------------------------------------------------------------------------------
// Hashing

#[test]
fn hashes_in_parallel_are_those_of_blake3() {
    use example::subtree::{LEAF, Merger, chaining_value, hash, hash_each};
    let data = Random(6).bytes(9 * LEAF + 5);
    let mut lens: Vec<_> = (0..=9).flat_map(|n| [n * LEAF, n * LEAF + 1]).collect();
    lens.extend([1, 1024, LEAF - 1, 5 * LEAF - 1, data.len()]);
    for &len in &lens {
        let data = &data[..len];
        assert_eq!(hash(data), *blake3::hash(data).as_bytes(), "{len} bytes");
        for block in [1024, 4096, LEAF, 2 * LEAF] {
            let mut merger = Merger::default();
            for (index, part) in data.chunks(block).enumerate() {
                merger.push(chaining_value(part, (index * block) as u64));
            }
            let expected = (len > block).then(|| *blake3::hash(data).as_bytes());
            assert_eq!(merger.finish(), expected, "{len} bytes in {block}");
        }
    }
    let spans: Vec<_> = lens.iter().map(|&len| data.len() - len..data.len()).collect();
    let digests = hash_each(&data, &spans);
    for (span, digest) in spans.into_iter().zip(digests) {
        assert_eq!(digest, *blake3::hash(&data[span]).as_bytes());
    }
    assert!(hash_each(&data, &[]).is_empty());
}

#[test]
fn plans_cover_all_files_once_and_fit_the_buffer() {
    use example::limits::{BATCH, BLOCK};
    use example::listing::{FileEntry, list};
    use example::plan::{Job, plan};
    let top = temporary();
    fs::write(top.path().join("any"), "").unwrap();
    let identity = list(top.path()).unwrap().files.remove(0).identity;
    let mut random = Random(7);
    for _ in 0..300 {
        let files: Vec<_> = (0..random.below(300))
            .map(|_| FileEntry {
                name: "file".into(),
                len: match random.below(40) {
                    0 => u64::MAX,
                    1..5 => BLOCK as u64 - 1 + random.below(3),
                    _ => random.below(40_000),
                },
                identity,
            })
            .collect();
        let mut next = 0;
        for job in plan(&files) {
            let range = job.range();
            assert_eq!(range.start, next);
            assert!(!range.is_empty());
            next = range.end;
            match job {
                Job::Batch(range) => {
                    assert!(range.len() <= BATCH);
                    let bytes: u64 = files[range].iter().map(|file| file.len).sum();
                    assert!(bytes <= BLOCK as u64);
                }
                Job::Big(index) => assert!(files[index].len > BLOCK as u64),
            }
        }
        assert_eq!(next, files.len());
    }
}

// ---------------------------------------------------------------------------------------------
// The command line

#[test]
fn directories_are_followed_by_what_is_in_them() {
    let top = temporary();
    for path in ["b", "a-b", "a/c/d", "a/c.d", "a.c"] {
        fs::create_dir_all(top.path().join(path)).unwrap();
    }
    let output = agrees_in_full(top.path());
    let paths: Vec<_> = output.directories().iter().map(|line| line.1).collect();
    // Sorted as plain text, `a-b` would come between `a` and `a/c`.
    let joined = |parts: &[&str]| example::text::path(&parts.iter().collect::<PathBuf>());
    let expected = [
        joined(&[]),
        joined(&["a"]),
        joined(&["a", "c"]),
        joined(&["a", "c", "d"]),
        joined(&["a", "c.d"]),
        joined(&["a-b"]),
        joined(&["a.c"]),
        joined(&["b"]),
    ];
    assert_eq!(paths, expected);
}

#[test]
fn output_is_the_same_each_time() {
    let top = temporary();
    Random(8).fill(top.path(), 4);
    let stable = || {
        let output = run(&["--no-progress"], top.path());
        let lines = output.out.lines();
        lines
            .filter(|line| !line.starts_with("time ") && !line.starts_with("buffers "))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let first = stable();
    for _ in 0..5 {
        assert_eq!(stable(), first);
    }
}

#[test]
fn comparison_says_what_it_compares() {
    let top = temporary();
    Random(9).fill(top.path(), 3);
    let output = run(&["--compare", "--workers=3", "--no-progress"], top.path());
    assert_eq!((output.status, &*output.err), (0, ""));
    assert!(output.line("compare ").contains("warm-up"));
    let lines = output.below("compare ");
    assert!(lines[0].starts_with("3 workers"));
    assert!(lines[1].starts_with("1 worker "));
    assert!(lines[2].contains("times as fast"));
    assert_eq!(lines.len(), 3, "the digests are the same: {lines:?}");
    assert!(output.line("time ").ends_with("3 workers"));
}

#[test]
fn summary_only_leaves_the_directories_out() {
    let top = temporary();
    fs::create_dir(top.path().join("directory")).unwrap();
    let full = run(&["--no-progress"], top.path());
    let output = run(&["--summary-only", "--no-progress"], top.path());
    assert_eq!(output.status, 0);
    assert!(output.out.starts_with("total "));
    assert_eq!(output.total(), full.total());
    assert_eq!(full.directories().len(), 2);
    // With a progress bar, on a terminal or not, the output is the same.
    let bar = run(&["-s"], top.path());
    assert_eq!((bar.total(), &*bar.err), (full.total(), ""));
}

#[test]
fn arguments() {
    use example::args::{Command, HELP, Options, parse};
    let parse = |arguments: &[&str]| parse(arguments.iter().map(OsString::from));
    let plain = || Options { directory: ".".into(), workers: 0, compare: false, summary_only: false, progress: true };
    assert_eq!(parse(&[]).unwrap(), Command::Hash(plain()));
    let all = Options { directory: "-dir".into(), workers: 7, compare: true, summary_only: true, progress: false };
    let given = ["-csw7", "--no-progress", "--", "-dir"];
    assert_eq!(parse(&given).unwrap(), Command::Hash(all));
    assert_eq!(parse(&["x", "--help"]).unwrap(), Command::Help);
    for wrong in [
        &["a", "b"][..],
        &["--workers"],
        &["--workers", "-1"],
        &["--workers=many"],
        &["--workers", "1025"],
        &["--workers", "99999999999999999999"],
        &["--nonsense"],
    ] {
        assert!(parse(wrong).is_err(), "{wrong:?}");
    }

    let program = |arguments: &[&str]| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
        let status = example::treehash(arguments, &mut out, &mut err);
        (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    };
    assert_eq!(program(&["-h"]), (0, HELP.to_owned(), String::new()));
    let (status, out, err) = program(&["--workers", "x"]);
    assert_eq!((status, &*out), (2, ""));
    assert!(err.starts_with("treehash: ") && err.contains("--help"), "{err}");
}

#[test]
fn tops_that_are_no_directory_are_refused() {
    let top = temporary();
    let file = top.path().join("file");
    fs::write(&file, "contents").unwrap();
    for path in [file, top.path().join("missing")] {
        let output = run(&["--no-progress"], &path);
        assert_eq!((output.status, &*output.out), (2, ""));
        assert!(output.err.starts_with("treehash: "), "{}", output.err);
    }
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    struct Full(io::ErrorKind);
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let top = temporary();
    let status = |kind| {
        let arguments = ["--no-progress".into(), top.path().into()];
        example::treehash(arguments, &mut Full(kind), &mut io::sink())
    };
    assert_eq!(status(io::ErrorKind::StorageFull), 2);
    // The reader has gone.
    assert_eq!(status(io::ErrorKind::BrokenPipe), 0);
}
