//! `timeline.png`: both score curves with threshold, intervals and what was not measured.

use std::path::Path;
use std::sync::Once;

use image::{ImageFormat, RgbImage};
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use super::output::{Batch, OutputError};
use crate::spotting::signal::ScoreSample;
use crate::spotting::{ExpressionKind, IntervalStatus};
use crate::timeline::Recording;

const WIDTH: u32 = 1600;
const HEIGHT: u32 = 760;

// Okabe–Ito, as in the window: bluish green for macro, reddish purple for micro.
const MACRO: RGBColor = RGBColor(0x00, 0x9E, 0x73);
const MICRO: RGBColor = RGBColor(0xCC, 0x79, 0xA7);
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const FAINT: RGBColor = RGBColor(0xE2, 0xE2, 0xE2);

/// Draws the recording's timeline, 1600×760.
///
/// # Errors
/// When drawing or writing fails.
pub fn write_timeline(
    path: &Path,
    title: &str,
    recording: &Recording,
    labels: [&str; 2],
    to: &mut Batch,
) -> Result<(), OutputError> {
    let failed = |reason: String| OutputError::Plot {
        path: path.to_owned(),
        reason,
    };
    fonts();
    let mut pixels = vec![255_u8; (WIDTH * HEIGHT * 3) as usize];
    {
        let root = BitMapBackend::with_buffer(&mut pixels, (WIDTH, HEIGHT)).into_drawing_area();
        draw(&root, title, recording, labels).map_err(|e| failed(e.to_string()))?;
        root.present().map_err(|e| failed(e.to_string()))?;
    }
    let picture =
        RgbImage::from_raw(WIDTH, HEIGHT, pixels).ok_or_else(|| failed("picture size".into()))?;
    let mut png = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|e| failed(e.to_string()))?;
    to.add(path, png.get_ref())
}

/// The window's own font, so that no system font is needed.
pub(crate) fn fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if register_font(
            "sans-serif",
            FontStyle::Normal,
            epaint_default_fonts::UBUNTU_LIGHT,
        )
        .is_err()
        {
            log::warn!("the built-in font could not be read; timeline.png has no text");
        }
    });
}

type Area<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;
type DrawResult = Result<(), Box<dyn std::error::Error>>;

fn draw(root: &Area<'_>, title: &str, recording: &Recording, labels: [&str; 2]) -> DrawResult {
    root.fill(&WHITE)?;
    let root = root.titled(title, ("sans-serif", 26).into_font().color(&INK))?;
    let halves = root.split_evenly((2, 1));
    for (area, (kind, label)) in halves
        .iter()
        .zip(ExpressionKind::BOTH.into_iter().zip(labels))
    {
        panel(area, recording, kind, label)?;
    }
    Ok(())
}

fn panel(area: &Area<'_>, recording: &Recording, kind: ExpressionKind, label: &str) -> DrawResult {
    let (name, color) = match kind {
        ExpressionKind::Macro => ("Macro-expressions", MACRO),
        ExpressionKind::Micro => ("Micro-expressions", MICRO),
    };
    let unit = if label.starts_with("control") {
        "strain (px per px)"
    } else {
        "network score (no unit)"
    };
    let none = Vec::new();
    let samples = recording.scores.get(&kind).unwrap_or(&none);
    let end = recording.end().secs().max(1e-3);
    let threshold = recording.thresholds.get(&kind).copied();
    let against = threshold.map_or(String::new(), |t| {
        format!("; threshold {t:.3}, on the smoothed curve")
    });
    let (low, high) = range(samples, threshold);
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .margin_right(28)
        .caption(
            format!("{name}: {label}{against}"),
            ("sans-serif", 18).into_font().color(&INK),
        )
        .x_label_area_size(42)
        .y_label_area_size(76)
        .build_cartesian_2d(0.0..end, low..high)?;
    chart
        .configure_mesh()
        .x_desc("time from the first frame (s)")
        .y_desc(unit)
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(FAINT)
        .axis_style(INK)
        .label_style(("sans-serif", 15).into_font().color(&INK))
        .axis_desc_style(("sans-serif", 16).into_font().color(&INK))
        .x_labels(14)
        .y_labels(5)
        .draw()?;

    for (from, to) in masked_spans(samples) {
        chart.draw_series([Rectangle::new(
            [(from, low), (to, high)],
            BLACK.mix(0.08).filled(),
        )])?;
    }
    for i in recording.intervals.iter().filter(|i| i.kind == kind) {
        let secs = |f: u64| recording.frame(f).map(|r| r.timestamp.secs());
        let (Some(from), Some(apex), Some(to)) = (secs(i.onset), secs(i.apex), secs(i.offset))
        else {
            continue;
        };
        let shade = if i.status == IntervalStatus::Rejected {
            0.06
        } else {
            0.22
        };
        chart.draw_series([Rectangle::new(
            [(from, low), (to, high)],
            color.mix(shade).filled(),
        )])?;
        chart.draw_series([Rectangle::new(
            [(from, low), (to, high)],
            color.stroke_width(1),
        )])?;
        chart.draw_series([TriangleMarker::new(
            (apex, low + 0.96 * (high - low)),
            -7,
            color.filled(),
        )])?;
    }
    for piece in unmasked_pieces(samples) {
        chart.draw_series(LineSeries::new(piece, color.stroke_width(2)))?;
    }
    if let Some(t) = threshold {
        chart.draw_series(DashedLineSeries::new(
            [(0.0, t), (end, t)],
            8,
            6,
            INK.stroke_width(1),
        ))?;
    }
    Ok(())
}

/// The y-range with some air; 0..1 where nothing was measured.
fn range(samples: &[ScoreSample], threshold: Option<f64>) -> (f64, f64) {
    let values = samples
        .iter()
        .filter(|s| s.masked.is_none())
        .map(|s| s.score)
        .chain(threshold);
    let (low, high) = values
        .filter(|v| v.is_finite())
        .fold((0.0_f64, f64::NEG_INFINITY), |(l, h), v| {
            (l.min(v), h.max(v))
        });
    if high <= low {
        (low, low + 1.0)
    } else {
        (low, high + 0.12 * (high - low))
    }
}

fn center(s: &ScoreSample) -> f64 {
    0.5 * (s.start.secs() + s.end.secs())
}

fn unmasked_pieces(samples: &[ScoreSample]) -> Vec<Vec<(f64, f64)>> {
    samples
        .split(|s| s.masked.is_some() || !s.score.is_finite())
        .filter(|piece| !piece.is_empty())
        .map(|piece| piece.iter().map(|s| (center(s), s.score)).collect())
        .collect()
}

fn masked_spans(samples: &[ScoreSample]) -> Vec<(f64, f64)> {
    samples
        .split(|s| s.masked.is_none())
        .filter_map(|piece| Some((center(piece.first()?), center(piece.last()?))))
        .collect()
}
