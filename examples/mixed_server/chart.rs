//! The chart: latency against load, for the pings on the left and for the requests that compute on the right.

use super::latencies::{Latencies, SHARES};
use super::loops::Reason;
use super::run::Row;
use plotters::coord::Shift;
use plotters::prelude::*;
use std::path::Path;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const SIZE: (u32, u32) = (1160, 560);

/// One for each server, in the order in which they come.
const COLOURS: [RGBColor; 2] = [RGBColor(200, 60, 30), RGBColor(40, 90, 190)];

/// Which latencies of a row.
type Which = fn(&Row) -> &Latencies;

pub fn write(path: &Path, rows: &[Row]) -> Result<(), Reason> {
    draw(path, rows).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn draw(path: &Path, rows: &[Row]) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let title = "Latency against load: p50 thin, p99 thick, p99.9 dashed";
    let root = root.titled(title, ("sans-serif", 20))?;
    let kinds: [(&str, Which); 2] =
        [("/ping", |row| &row.measured.ping), ("thumbnail, hash, sort", |row| &row.measured.computing)];
    for (area, (title, which)) in root.split_evenly((1, 2)).iter().zip(kinds) {
        panel(area, title, rows, which)?;
    }
    root.present()?;
    Ok(())
}

fn panel(area: &Area<'_>, title: &str, rows: &[Row], which: Which) -> Result<(), Box<dyn std::error::Error>> {
    let shown = || rows.iter().flat_map(|row| SHARES.iter().filter_map(move |&share| millis(row, which, share)));
    let most = shown().fold(10.0, f64::max);
    let least = shown().fold(1.0, f64::min).max(1e-3);
    let width = rows.iter().map(|row| row.per_second).fold(1.0, f64::max) * 1.05;
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 16))
        .margin(14)
        .x_label_area_size(42)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..width, (least * 0.7..most * 1.5).log_scale())?;
    let number = |number: &f64| format!("{number}");
    chart
        .configure_mesh()
        .light_line_style(BLACK.mix(0.04))
        .x_desc("requests a second")
        .y_desc("milliseconds")
        .x_label_formatter(&number)
        .y_label_formatter(&number)
        .draw()?;
    for (server, colour) in servers(rows).into_iter().zip(COLOURS) {
        let line = |share| -> Vec<(f64, f64)> {
            let rows = rows.iter().filter(|row| row.server == server);
            let mut line: Vec<_> = rows.filter_map(|row| Some((row.per_second, millis(row, which, share)?))).collect();
            line.sort_by(|a, b| a.0.total_cmp(&b.0));
            line
        };
        let [half, most, nearly_all] = SHARES.map(line);
        chart.draw_series(LineSeries::new(half, colour.stroke_width(1)))?;
        let dots = most.iter().map(|&place| Circle::new(place, 3, colour.filled()));
        chart.draw_series(dots)?;
        let sample = move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3));
        chart.draw_series(LineSeries::new(most, colour.stroke_width(3)))?.label(server).legend(sample);
        chart.draw_series(DashedLineSeries::new(nearly_all, 6, 4, colour.stroke_width(1)))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    Ok(())
}

/// Their names, in the order in which they come first.
fn servers(rows: &[Row]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for row in rows {
        if !names.contains(&row.server) {
            names.push(row.server);
        }
    }
    names
}

fn millis(row: &Row, which: Which, share: f64) -> Option<f64> {
    Some(which(row).percentile(share)?.as_secs_f64() * 1e3)
}
