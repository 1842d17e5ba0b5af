//! The drawing as a picture: the library says where things lie, [`canvas`] how they look.

mod canvas;

use std::collections::HashMap;

use layout::core::base::Orientation;
use layout::core::color::Color;
use layout::core::geometry::Point;
use layout::core::style::{LineStyleKind, StyleAttr};
use layout::std_shapes::shapes::{Arrow, Element, ShapeKind};
use layout::topo::layout::VisualGraph;

use self::canvas::{Canvas, FONT, LETTER, LINE, MARGIN, RULE};
use super::graph::{Bond, Drawn, Graph, Reference};

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
    for (first, more) in bundles(&graph.references) {
        if let (Some(from), Some(to)) = (nodes.get(first.from), nodes.get(first.to)) {
            let labels: Vec<String> = more.iter().map(|reference| reference.label()).collect();
            let mut arrow = Arrow::simple(&labels.join("\n"));
            if more.iter().all(|reference| reference.bond == Bond::Guessed) {
                arrow.line_style = LineStyleKind::Dashed;
            }
            picture.add_edge(arrow, *from, *to);
        }
    }
    let mut canvas = Canvas::default();
    picture.do_it(false, false, false, &mut canvas);
    canvas.finish()
}

/// The references by the two models that they join: their arrows would lie on each other. One to the own model is in its box.
fn bundles(references: &[Reference]) -> Vec<(&Reference, Vec<&Reference>)> {
    let mut bundles: Vec<(&Reference, Vec<&Reference>)> = Vec::new();
    for reference in references
        .iter()
        .filter(|reference| reference.from != reference.to)
    {
        let ends = (reference.from, reference.to);
        match bundles
            .iter_mut()
            .find(|(first, _)| (first.from, first.to) == ends)
        {
            Some((_, more)) => more.push(reference),
            None => bundles.push((reference, vec![reference])),
        }
    }
    bundles
}

fn text(model: &Drawn) -> String {
    let title = format!("{} ({}, version {})", model.name, model.collection, model.version);
    let mut lines = vec![title.as_str(), RULE];
    lines.extend(model.fields.iter().map(String::as_str));
    if !model.indexes.is_empty() {
        lines.push(RULE);
        lines.extend(model.indexes.iter().map(String::as_str));
    }
    lines.join("\n")
}

/// How large a box for the text has to be, at a guess: nobody knows the letters here.
#[allow(clippy::cast_precision_loss, reason = "boxes are small")]
fn size(text: &str) -> Point {
    let (width, height) = (
        text.lines().map(|line| line.chars().count()).max().unwrap_or(0),
        text.lines().count(),
    );
    Point::new(
        width as f64 * LETTER + 2.0 * MARGIN,
        height as f64 * LINE + 2.0 * MARGIN,
    )
}
