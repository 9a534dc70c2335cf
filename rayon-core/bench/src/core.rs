//! Which core this program's rayon has. The script says at build time which it asked for; rayon is asked when the
//! program runs. Cargo ignores a patch that fits nothing, and then the two differ.

/// A rayon-core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    Rayon,
    Filch,
}

impl Core {
    pub fn in_words(self) -> &'static str {
        match self {
            Core::Rayon => "rayon",
            Core::Filch => "filch",
        }
    }

    /// The core of this name.
    pub fn named(name: &str) -> Option<Core> {
        [Core::Rayon, Core::Filch].into_iter().find(|core| core.in_words() == name)
    }

    /// Told apart without a name that the original lacks: its limit on threads is 65535, filch's is less.
    fn here() -> Core {
        if rayon::max_num_threads() >= 1 << 15 { Core::Rayon } else { Core::Filch }
    }
}

/// What was asked for at build time.
const ASKED_FOR: Option<&str> = option_env!("BENCH_CORE");

/// The core, if it is the one that was asked for.
pub fn check() -> Result<Core, String> {
    let (here, asked) = (Core::here(), ASKED_FOR.and_then(Core::named));
    match asked {
        Some(asked) if asked == here => Ok(here),
        Some(asked) => Err(format!("built for {}'s core, but this is {}'s", asked.in_words(), here.in_words())),
        None => Err("built without BENCH_CORE=rayon or =filch: use the script `run`".to_string()),
    }
}
