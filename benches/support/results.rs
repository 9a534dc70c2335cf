//! Measured rows, and the statistics drawn from them: medians, spreads, and ratios taken round by round, so that a
//! machine that slows down for a while slows both sides of a ratio.

/// All samples of one contender, one per round, in the row's unit.
pub struct Line {
    pub name: &'static str,
    pub workers: usize,
    pub samples: Vec<f64>,
}

impl Line {
    pub fn median(&self) -> f64 {
        median(&self.samples)
    }

    pub fn min(&self) -> f64 {
        self.samples.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub fn max(&self) -> f64 {
        self.samples.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// Whether it did not end in time in most rounds.
    pub fn starves(&self) -> bool {
        self.median().is_infinite()
    }

    /// The median of the rounds' ratios to `base`; nothing when `base` measured zero or starves.
    pub fn ratio_to(&self, base: &Line) -> Option<f64> {
        if base.starves() {
            return None;
        }
        let pairs = self.samples.iter().zip(&base.samples);
        let ratios: Vec<f64> = pairs.map(|(mine, theirs)| mine / theirs).collect();
        let ratio = median(&ratios);
        (ratio.is_finite() || self.starves()).then_some(ratio)
    }
}

/// One measured row.
pub struct Measured {
    pub id: String,
    pub title: String,
    pub note: &'static str,
    pub unit: &'static str,
    pub lines: Vec<Line>,
}

impl Measured {
    /// The line of a contender; the serial program is there for every number of workers.
    pub fn line(&self, name: &str, workers: usize) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name && (line.workers == workers || name == "serial"))
    }

    /// The ratio of one contender to another at the same number of workers.
    pub fn ratio(&self, name: &str, base: &str, workers: usize) -> Option<f64> {
        self.line(name, workers)?.ratio_to(self.line(base, workers)?)
    }
}

/// The middle value, or the mean of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

/// Three significant digits, without an exponent; a word for what did not end.
pub fn three_digits(value: f64) -> String {
    if value.is_infinite() {
        return "starves".to_string();
    }
    let decimals = match value.abs() {
        0.0 => 0,
        v if v < 1.0 => 3,
        v if v < 10.0 => 2,
        v if v < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}
