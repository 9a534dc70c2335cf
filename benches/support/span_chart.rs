//! Times that spread, as a picture: for each group one line per contender from the least of its figures to the
//! greatest, with a mark at each of them, on a logarithmic axis.

use std::io;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::results::Measured;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type DrawResult = Result<(), Box<dyn std::error::Error>>;

const WIDTH: i32 = 1040;
const TOP: i32 = 84;
const LINE: i32 = 15;
const GAP: i32 = 30;
const LEFT: i32 = 180;
const RIGHT: i32 = 1010;

/// What is drawn.
pub struct SpanChart<'a> {
    pub title: &'a str,
    /// Which of a group's figures are the marks of a line, in their order, and what the head says about them.
    pub legend: &'a str,
    pub groups: Vec<Group<'a>>,
    /// The contenders, with a colour each.
    pub series: &'a [(&'static str, [u8; 3])],
    /// The axis, in powers of ten of a microsecond.
    pub decades: (i32, i32),
}

/// A part with a title.
pub struct Group<'a> {
    pub title: String,
    /// The rows of the marks, and by how much their figures are multiplied to be microseconds.
    pub rows: Vec<&'a Measured>,
    pub to_us: f64,
}

impl SpanChart<'_> {
    /// Writes the picture.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        self.draw(path).map_err(|error| io::Error::other(error.to_string()))
    }

    fn draw(&self, path: &Path) -> DrawResult {
        let height = TOP + self.groups.iter().map(|group| self.height(group)).sum::<i32>() + 30;
        let root = SVGBackend::new(path, (WIDTH as u32, height as u32)).into_drawing_area();
        root.fill(&WHITE)?;
        root.draw(&Text::new(self.title, (16, 22), label(16, HPos::Left)))?;
        root.draw(&Text::new(self.legend, (16, 46), label(12, HPos::Left)))?;
        self.axis(&root, height - 24)?;
        let mut y = TOP;
        for group in &self.groups {
            self.group(&root, group, y)?;
            y += self.height(group);
        }
        root.present()?;
        Ok(())
    }

    fn height(&self, group: &Group<'_>) -> i32 {
        self.lines(group).len() as i32 * LINE + GAP
    }

    /// The contenders of a group, with their marks in microseconds.
    fn lines(&self, group: &Group<'_>) -> Vec<(&'static str, [u8; 3], Vec<f64>)> {
        let line = |&(name, color): &(&'static str, [u8; 3])| {
            let mark = |row: &&Measured| row.lines.iter().find(|line| line.name == name).map(|line| line.median());
            let marks: Option<Vec<f64>> = group.rows.iter().map(mark).collect();
            let marks: Vec<f64> = marks?.into_iter().map(|mark| mark * group.to_us).collect();
            marks.iter().all(|mark| mark.is_finite()).then_some((name, color, marks))
        };
        self.series.iter().filter_map(line).collect()
    }

    fn axis(&self, root: &Area<'_>, bottom: i32) -> DrawResult {
        for decade in self.decades.0..=self.decades.1 {
            let x = self.place(10_f64.powi(decade));
            root.draw(&PathElement::new([(x, TOP - 10), (x, bottom)], BLACK.mix(0.15)))?;
            let text = match decade {
                ..3 => format!("{} µs", 10_f64.powi(decade)),
                3..6 => format!("{} ms", 10_f64.powi(decade - 3)),
                6.. => format!("{} s", 10_f64.powi(decade - 6)),
            };
            root.draw(&Text::new(text, (x, bottom + 10), label(11, HPos::Center)))?;
        }
        Ok(())
    }

    fn group(&self, root: &Area<'_>, group: &Group<'_>, top: i32) -> DrawResult {
        root.draw(&Text::new(group.title.as_str(), (16, top), label(13, HPos::Left)))?;
        for (number, (name, [red, green, blue], marks)) in self.lines(group).into_iter().enumerate() {
            let y = top + LINE + number as i32 * LINE;
            let color = RGBColor(red, green, blue);
            root.draw(&Text::new(name, (LEFT - 10, y), label(11, HPos::Right)))?;
            let places: Vec<i32> = marks.iter().map(|&mark| self.place(mark)).collect();
            let ends = places.iter().min().zip(places.iter().max());
            let (from, to) = ends.ok_or("a line without marks")?;
            root.draw(&PathElement::new([(*from, y), (*to, y)], color.stroke_width(2)))?;
            for (mark, &x) in places.iter().enumerate() {
                // The first mark is the usual case and is filled; the rest are the exceptions.
                let style = if mark == 0 { color.filled() } else { color.stroke_width(1) };
                root.draw(&Circle::new((x, y), 4, style))?;
            }
        }
        Ok(())
    }

    /// The place of a time on the axis; what lies outside is drawn at its end.
    fn place(&self, microseconds: f64) -> i32 {
        let (low, high) = (f64::from(self.decades.0), f64::from(self.decades.1));
        let share = (microseconds.max(1e-9).log10().clamp(low, high) - low) / (high - low);
        LEFT + (share * f64::from(RIGHT - LEFT)) as i32
    }
}

fn label(size: i32, horizontal: HPos) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size)).pos(Pos::new(horizontal, VPos::Center))
}
