//! Drawings: the ratios of one run as bars, and what became of each over the runs that were kept.

use std::collections::BTreeMap;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::FontTransform;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Row;
use super::keep::Run;

/// The height of one bar with its gap, in pixels.
const BAR: i32 = 18;
/// Where the bars begin, and how wide the ratio 1 is.
const LEFT: i32 = 330;
const ONE: f64 = 360.0;
/// The ratio at which a bar is cut off.
const MOST: f64 = 1.6;
const WIDTH: i32 = LEFT + 700;

const INK: RGBColor = RGBColor(40, 40, 40);
const WITHIN: RGBColor = RGBColor(111, 168, 137);
const OVER: RGBColor = RGBColor(208, 106, 92);
const PLAIN: RGBColor = RGBColor(150, 165, 185);

/// A ratio's place on the horizontal axis.
#[allow(clippy::cast_possible_truncation, reason = "pixels")]
fn at(ratio: f64) -> i32 {
    LEFT + (ratio.clamp(0.0, MOST) * ONE) as i32
}

/// The rows that are ratios to the bare driver or to what one would write by hand: a bar each, with the interval as a line
/// through its end, the limit as a stroke, the aim as a dot.
///
/// # Panics
/// If the file cannot be written.
pub(super) fn ratios(run: &Run, file: &Path) {
    let height = (i32::try_from(run.rows.len()).expect("a few hundred rows") + 4) * BAR;
    let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
    let area = SVGBackend::new(file, size).into_drawing_area();
    let drawn = (|| {
        area.fill(&WHITE)?;
        let title = format!("{} {}: ours to theirs; left is faster", run.date, run.commit);
        area.draw(&Text::new(title, (12, 8), label(14)))?;
        area.draw(&PathElement::new(
            [(at(1.0), 2 * BAR), (at(1.0), height - BAR)],
            INK.mix(0.35).stroke_width(1),
        ))?;
        let mut top = 2 * BAR;
        for row in &run.rows {
            bar(&area, row, top)?;
            top += BAR;
        }
        area.present()
    })();
    drawn.expect("the drawing can be written");
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

fn bar(area: &Area<'_>, row: &Row, top: i32) -> Drawn {
    let middle = top + BAR / 2 - 1;
    let color = match row.limit {
        None => PLAIN,
        Some(_) if row.is_over(0.0) => OVER,
        Some(_) => WITHIN,
    };
    let name = format!("{} · {}", row.name, row.unit);
    area.draw(&Text::new(
        name,
        (LEFT - 8, middle),
        label(11).pos(Pos::new(HPos::Right, VPos::Center)),
    ))?;
    area.draw(&Rectangle::new(
        [(LEFT, top + 2), (at(row.ratio), top + BAR - 4)],
        color.filled(),
    ))?;
    if let Some((low, high)) = row.interval {
        area.draw(&PathElement::new(
            [(at(low), middle), (at(high), middle)],
            INK.stroke_width(2),
        ))?;
    }
    if let Some(limit) = row.limit {
        area.draw(&PathElement::new(
            [(at(limit), top), (at(limit), top + BAR - 2)],
            INK.stroke_width(2),
        ))?;
    }
    if let Some(aim) = row.aim {
        area.draw(&Circle::new((at(aim), middle), 3, INK.filled()))?;
    }
    let end = row.interval.map_or(row.ratio, |(_, high)| high);
    area.draw(&Text::new(
        format!("{:.3}", row.ratio),
        (at(end.max(row.limit.unwrap_or_default())) + 8, middle),
        label(11).pos(Pos::new(HPos::Left, VPos::Center)),
    ))
}

fn label(size: i32) -> TextStyle<'static> {
    let font = ("sans-serif", size).into_font().transform(FontTransform::None);
    font.color(&INK)
}

/// What is counted, which repeats, over all runs: a line for each row.
///
/// # Panics
/// If the file cannot be written.
pub(super) fn history(runs: &[Run], file: &Path) {
    let mut lines: BTreeMap<&str, Vec<(usize, f64)>> = BTreeMap::new();
    for (number, run) in runs.iter().enumerate() {
        for row in run.rows.iter().filter(|row| row.unit == "instructions") {
            lines.entry(&row.name).or_default().push((number, row.ratio));
        }
    }
    let area = SVGBackend::new(file, (WIDTH.unsigned_abs(), 420)).into_drawing_area();
    let drawn: Result<(), Box<dyn std::error::Error>> = (|| {
        area.fill(&WHITE)?;
        let last = runs.len().saturating_sub(1).max(1);
        let mut chart = ChartBuilder::on(&area)
            .caption("instructions, ours to theirs, run by run", label(14))
            .margin(12)
            .x_label_area_size(26)
            .y_label_area_size(40)
            .build_cartesian_2d(0..last, 0.0..1.3)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(runs.len())
            .x_label_formatter(&|number| {
                runs.get(*number)
                    .map_or_else(String::new, |run| run.commit.clone())
            })
            .draw()?;
        for (number, (name, points)) in lines.iter().enumerate() {
            let color = Palette99::pick(number).to_rgba();
            chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, color.filled())))?;
            chart
                .draw_series([PathElement::new(points.clone(), color.stroke_width(2))])?
                .label(*name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], color));
        }
        chart
            .configure_series_labels()
            .label_font(label(10))
            .background_style(WHITE.mix(0.8))
            .draw()?;
        area.present()?;
        Ok(())
    })();
    drawn.expect("the drawing can be written");
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Row;
    use super::super::keep::Run;

    #[test]
    fn rows_and_runs_are_drawn() {
        let run = |commit: &str, ratio| Run {
            commit: commit.to_owned(),
            date: "2026-11-21".to_owned(),
            rustc: String::new(),
            processors: 2,
            rows: vec![
                Row::exact("get by id", "instructions", ratio, 1.0)
                    .at_most(1.1)
                    .aims_at(1.05),
                Row::sampled("get by id", "wall us", &[1.0, 1.2, 1.1], &[1.0, 1.0, 1.1]),
            ],
        };
        let folder = std::env::temp_dir().join(format!("model-benches-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (ratios, history) = (folder.join("ratios.svg"), folder.join("history.svg"));
        super::ratios(&run("abc1234", 0.9), &ratios);
        super::history(&[run("abc1234", 0.9), run("def5678", 0.8)], &history);
        let (ratios, history) = (
            fs::read_to_string(ratios).unwrap(),
            fs::read_to_string(history).unwrap(),
        );
        fs::remove_dir_all(&folder).unwrap();
        assert!(
            ratios.contains("get by id · wall us") && ratios.contains("0.900"),
            "{ratios}"
        );
        assert!(
            history.contains("def5678") && history.contains("get by id"),
            "{history}"
        );
    }
}
