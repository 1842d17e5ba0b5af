//! The drawing as a picture.

use std::collections::HashMap;

use layout::backends::svg::SVGWriter;
use layout::core::base::Orientation;
use layout::core::color::Color;
use layout::core::geometry::Point;
use layout::core::style::StyleAttr;
use layout::std_shapes::shapes::{Arrow, Element, ShapeKind};
use layout::topo::layout::VisualGraph;

use super::graph::{Drawn, Graph};

/// The size of a letter.
const FONT: usize = 12;

/// Draws models as boxes and references as arrows.
pub(super) fn draw(graph: &Graph) -> String {
    let mut picture = VisualGraph::new(Orientation::LeftToRight);
    let mut nodes = HashMap::new();
    for model in &graph.models {
        let text = text(model);
        let size = size(&text);
        let look = StyleAttr::new(Color::fast("black"), 1, Some(Color::fast("white")), 6, FONT);
        let shape = ShapeKind::new_box(&text);
        let element = Element::create(shape, look, Orientation::LeftToRight, size);
        nodes.insert(model.name, picture.add_node(element));
    }
    for reference in &graph.references {
        if let (Some(from), Some(to)) = (nodes.get(reference.from), nodes.get(reference.to)) {
            picture.add_edge(Arrow::simple(&reference.field), *from, *to);
        }
    }
    let mut svg = SVGWriter::new();
    picture.do_it(false, false, false, &mut svg);
    svg.finalize()
}

fn text(model: &Drawn) -> String {
    let mut lines = vec![format!(
        "{} ({}, version {})",
        model.name, model.collection, model.version
    )];
    lines.push("—".repeat(12));
    lines.extend(model.fields.iter().cloned());
    if !model.indexes.is_empty() {
        lines.push("—".repeat(12));
        lines.extend(model.indexes.iter().cloned());
    }
    lines.join("\n")
}

/// How large a box for the text has to be, at a guess: the library does not know the letters.
#[allow(clippy::cast_precision_loss, reason = "boxes are small")]
fn size(text: &str) -> Point {
    let (width, height) = (
        text.lines().map(|line| line.chars().count()).max().unwrap_or(0),
        text.lines().count(),
    );
    let letter = FONT as f64;
    Point::new(
        width as f64 * letter * 0.62 + 20.0,
        height as f64 * letter * 1.25 + 20.0,
    )
}
