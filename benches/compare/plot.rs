//! Growth curves as SVG. Must not know what grows.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use crate::curve::Curve;

const SIZE: (u32, u32) = (640, 300);

/// Writes one curve: sizes on a logarithmic axis, costs from zero on.
pub fn draw(file: &Path, curve: &Curve, points: &[(f64, f64)]) -> Result<()> {
    let mut svg = String::new();
    picture(&mut svg, curve, points)
        .map_err(|error| anyhow!("while drawing {}: {error}", curve.name))?;
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(file, svg + "\n")?;
    Ok(())
}

fn picture(
    svg: &mut String,
    curve: &Curve,
    points: &[(f64, f64)],
) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let first = points.first().map_or(1.0, |(x, _)| *x);
    let last = points.last().map_or(10.0, |(x, _)| *x);
    let most = points.iter().map(|(_, y)| *y).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(&area)
        .caption(curve.what, ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d((first..last).log_scale(), 0.0..most * 1.15)?;
    chart
        .configure_mesh()
        .x_desc(curve.along)
        .y_desc(curve.title)
        .light_line_style(WHITE)
        .draw()?;
    let blue = RGBColor(0x1f, 0x5f, 0xb4);
    chart.draw_series(LineSeries::new(
        points.iter().copied(),
        blue.stroke_width(2),
    ))?;
    chart.draw_series(
        points
            .iter()
            .map(|point| Circle::new(*point, 3, blue.filled())),
    )?;
    area.present()?;
    Ok(())
}
