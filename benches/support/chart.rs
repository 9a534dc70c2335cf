//! The table as a picture: for each workload at two workers (or whatever the base ran with), one bar per contender with
//! its time as a multiple of the base's, on a logarithmic axis. Bars to the left of the line are faster than the base,
//! which is rayon or whom the report names.

use std::io;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::report::Report;
use super::results::{Measured, three_digits};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type DrawResult = Result<(), Box<dyn std::error::Error>>;

const WIDTH: i32 = 1040;
const TOP: i32 = 76;
const BAR: i32 = 13;
const GAP: i32 = 10;
const LEFT: i32 = 370;
const RIGHT: i32 = 980;
/// The axis spans from a 32nd of the base's time to 8 times it; longer bars are cut, their number says how long.
const DOUBLINGS: (f64, f64) = (-5.0, 3.0);

/// The bars of one workload.
struct Group<'a> {
    title: &'a str,
    workers: usize,
    bars: Vec<(usize, f64)>,
}

/// Writes the chart; an empty table gives an empty chart.
pub fn write(path: &Path, rows: &[Measured], report: &Report) -> io::Result<()> {
    let groups: Vec<Group> = rows.iter().filter_map(|row| group(row, report)).collect();
    draw(path, &groups, report).map_err(|error| io::Error::other(error.to_string()))
}

fn group<'a>(row: &'a Measured, report: &Report) -> Option<Group<'a>> {
    let base = row.lines.iter().filter(|line| line.name == report.chart_base);
    // At two workers where there is such a line, else at the number closest to it.
    let workers = base.map(|line| line.workers).min_by_key(|w| w.abs_diff(2))?;
    let ratio = |name: &str| row.ratio(name, report.chart_base, workers);
    let bars = report.series.iter().enumerate().filter_map(|(series, (name, _))| Some((series, ratio(name)?)));
    Some(Group { title: &row.title, workers, bars: bars.collect() })
}

fn draw(path: &Path, groups: &[Group<'_>], report: &Report) -> DrawResult {
    let height: i32 = groups.iter().map(group_height).sum::<i32>() + TOP + 30;
    let root = SVGBackend::new(path, (WIDTH as u32, height as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    draw_head(&root, report)?;
    draw_axis(&root, report.chart_base, height - 24)?;
    let mut y = TOP;
    for group in groups {
        draw_group(&root, group, report, y)?;
        y += group_height(group);
    }
    root.present()?;
    Ok(())
}

fn group_height(group: &Group<'_>) -> i32 {
    group.bars.len() as i32 * BAR + GAP
}

fn draw_head(root: &Area<'_>, report: &Report) -> DrawResult {
    let base = report.chart_base;
    let title = format!("Time as a multiple of {base}'s with as many workers (shorter is faster, logarithmic)");
    root.draw(&Text::new(title, (16, 22), label(16, HPos::Left, VPos::Center)))?;
    let mut x = 16;
    for &(name, color) in report.series {
        root.draw(&Rectangle::new([(x, 42), (x + 12, 52)], paint(color).filled()))?;
        let at = (x + 17, 47);
        root.draw(&Text::new(name, at, label(12, HPos::Left, VPos::Center)))?;
        x += 40 + name.len() as i32 * 7;
    }
    Ok(())
}

fn draw_axis(root: &Area<'_>, base: &str, bottom: i32) -> DrawResult {
    for doubling in DOUBLINGS.0 as i32..=DOUBLINGS.1 as i32 {
        let ratio = 2_f64.powi(doubling);
        let x = x_of(ratio);
        let color = if doubling == 0 { BLACK.to_rgba() } else { BLACK.mix(0.12) };
        root.draw(&PathElement::new([(x, TOP - 8), (x, bottom)], color))?;
        let text = match doubling {
            0 => base.to_string(),
            _ if doubling < 0 => format!("1/{}", 1 << -doubling),
            _ => format!("{ratio} ×"),
        };
        let at = (x, bottom + 10);
        root.draw(&Text::new(text, at, label(11, HPos::Center, VPos::Center)))?;
    }
    Ok(())
}

fn draw_group(root: &Area<'_>, group: &Group<'_>, report: &Report, top: i32) -> DrawResult {
    let plural = if group.workers == 1 { "" } else { "s" };
    let title = format!("{}, {} worker{plural}", group.title, group.workers);
    let middle = top + group.bars.len() as i32 * BAR / 2;
    let style = label(12, HPos::Right, VPos::Center);
    root.draw(&Text::new(title, (LEFT - 14, middle), style))?;
    for (place, &(series, ratio)) in group.bars.iter().enumerate() {
        let y = top + place as i32 * BAR;
        // Bars start at the left edge, so that a shorter bar is a faster contender.
        let x = x_of(ratio);
        let bar = [(LEFT, y), (x, y + BAR - 2)];
        root.draw(&Rectangle::new(bar, paint(report.series[series].1).filled()))?;
        // On white, or the line of the axis would run through the digits.
        let text = three_digits(ratio);
        let width = 4 + text.len() as i32 * 6;
        root.draw(&Rectangle::new([(x + 2, y + 1), (x + width, y + BAR - 3)], WHITE.filled()))?;
        let at = (x + 4, y + BAR / 2 - 1);
        root.draw(&Text::new(text, at, label(10, HPos::Left, VPos::Center)))?;
    }
    Ok(())
}

fn paint([red, green, blue]: [u8; 3]) -> RGBColor {
    RGBColor(red, green, blue)
}

/// The place of a ratio on the axis.
fn x_of(ratio: f64) -> i32 {
    let (low, high) = DOUBLINGS;
    let share = (ratio.log2().clamp(low, high) - low) / (high - low);
    LEFT + (share * f64::from(RIGHT - LEFT)) as i32
}

fn label(size: i32, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size)).pos(Pos::new(horizontal, vertical))
}
