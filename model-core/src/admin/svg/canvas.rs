//! SVG that is as large as what is drawn, with text at the left of its box and labels that stand out from their arrows.

use std::fmt::Write as _;

use layout::core::format::{ClipHandle, RenderBackend};
use layout::core::geometry::Point;
use layout::core::style::StyleAttr;

/// The size of a letter.
pub(super) const FONT: usize = 12;
/// How wide a letter may be; those of the font are.
pub(super) const LETTER: f64 = 7.4;
/// From a line to the next.
pub(super) const LINE: f64 = 16.0;
/// How far below the middle of a line its letters stand.
const RISE: f64 = 4.0;
/// Around the text of a box.
pub(super) const MARGIN: f64 = 10.0;
/// A line of text that stands for a rule across the box.
pub(super) const RULE: &str = "—";

const STYLE: &str = "\
<defs><marker id=\"end\" markerWidth=\"10\" markerHeight=\"7\" refX=\"10\" refY=\"3.5\" orient=\"auto\">\
<polygon points=\"0 0, 10 3.5, 0 7\"/></marker></defs>
<style>
text { font: 12px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
text.title { font-weight: bold; }
text.label { text-anchor: middle; fill: #333; stroke: white; stroke-width: 5px; stroke-linejoin: round; paint-order: stroke; }
path { fill: none; stroke: #333; }
</style>
";

/// What was drawn so far.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    boxes: String,
    arrows: String,
    /// Above all lines.
    labels: String,
    size: (f64, f64),
    /// The box whose text comes next.
    last: Option<(Point, Point)>,
}

impl Canvas {
    pub(super) fn finish(self) -> String {
        let Self {
            boxes,
            arrows,
            labels,
            size: (width, height),
            ..
        } = self;
        let (width, height) = ((width + MARGIN).ceil(), (height + MARGIN).ceil());
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" \
             height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n{STYLE}{arrows}{boxes}{labels}</svg>\n"
        )
    }

    /// Lines of text in a box, the first of which is its title.
    fn fill(&mut self, corner: Point, size: Point, text: &str) {
        let left = corner.x + MARGIN;
        let mut middle = corner.y + MARGIN + LINE / 2.0;
        for (number, line) in text.lines().enumerate() {
            if line == RULE {
                let rule = format_args!("<path d=\"M {:.1} {middle:.1} h {:.1}\"/>\n", corner.x, size.x);
                push(&mut self.boxes, rule);
            } else {
                let class = if number == 0 { " class=\"title\"" } else { "" };
                let (base, line) = (middle + RISE, escaped(line));
                let text = format_args!("<text{class} x=\"{left:.1}\" y=\"{base:.1}\">{line}</text>\n");
                push(&mut self.boxes, text);
            }
            middle += LINE;
        }
    }

    /// Lines of text around a point of an arrow.
    #[allow(clippy::cast_precision_loss, reason = "a few lines")]
    fn label(&mut self, at: Point, text: &str) {
        let mut base = at.y + RISE - (text.lines().count() as f64 - 1.0) * LINE / 2.0;
        for line in text.lines() {
            let (middle, line) = (at.x, escaped(line));
            let text =
                format_args!("<text class=\"label\" x=\"{middle:.1}\" y=\"{base:.1}\">{line}</text>\n");
            push(&mut self.labels, text);
            base += LINE;
        }
        self.reaches(at.x, base);
    }

    fn reaches(&mut self, x: f64, y: f64) {
        self.size = (self.size.0.max(x), self.size.1.max(y));
    }
}

impl RenderBackend for Canvas {
    fn draw_rect(&mut self, at: Point, size: Point, _: &StyleAttr, _: Option<String>, _: Option<ClipHandle>) {
        self.reaches(at.x + size.x, at.y + size.y);
        push(
            &mut self.boxes,
            format_args!(
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\" fill=\"white\" stroke=\"black\"/>\n",
                at.x, at.y, size.x, size.y,
            ),
        );
        self.last = Some((at, size));
    }

    /// A box is followed by its text; any other text is a label.
    fn draw_text(&mut self, at: Point, text: &str, _: &StyleAttr) {
        match self.last.take() {
            Some((corner, size)) => self.fill(corner, size, text),
            None => self.label(at, text),
        }
    }

    /// The first pair is where it begins and how it leaves, each other how it comes to a place, and the place.
    fn draw_arrow(
        &mut self,
        path: &[(Point, Point)],
        dashed: bool,
        _: (bool, bool),
        _: &StyleAttr,
        _: Option<String>,
        _: &str,
    ) {
        let Some(((start, leave), rest)) = path.split_first() else {
            return;
        };
        let mut leave = *leave;
        let mut drawn = format!("M {:.1} {:.1}", start.x, start.y);
        for (come, to) in rest {
            push(
                &mut drawn,
                format_args!(
                    " C {:.1} {:.1}, {:.1} {:.1}, {:.1} {:.1}",
                    leave.x, leave.y, come.x, come.y, to.x, to.y
                ),
            );
            for point in [come, to] {
                self.reaches(point.x, point.y);
            }
            // It goes on as it came.
            leave = Point::new(2.0 * to.x - come.x, 2.0 * to.y - come.y);
        }
        let dash = if dashed { " stroke-dasharray=\"5,5\"" } else { "" };
        push(
            &mut self.arrows,
            format_args!("<path d=\"{drawn}\"{dash} marker-end=\"url(#end)\"/>\n"),
        );
    }

    // The shapes that are used here have none of these.

    fn draw_line(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_circle(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn create_clip(&mut self, _: Point, _: Point, _: usize) -> ClipHandle {
        0
    }
}

fn push(text: &mut String, more: std::fmt::Arguments<'_>) {
    // A string takes what it is given.
    let _ = text.write_fmt(more);
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
