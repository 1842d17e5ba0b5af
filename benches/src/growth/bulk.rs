//! What one document of many costs, by how many there are.

use std::time::Instant;

use model_core::ModelExt;
use model_core::prelude::*;
use model_tests::server;

use super::{LIMIT, context};
use crate::document::{Widget, WidgetPatch, row};
use crate::report::{self, Row};
use crate::statistics::median;

/// The least number of documents, that all others are compared to.
const LEAST: u32 = 1_000;

/// Microseconds for each document.
#[derive(Debug, Default)]
struct Costs {
    create: Vec<f64>,
    update: Vec<f64>,
    delete: Vec<f64>,
}

/// `create_many`, `update_many` and `delete_many` of a thousand documents, ten thousand, and so on up to `most`, each in turns
/// with a thousand.
///
/// # Panics
/// If there is no server.
pub async fn bulk(most: u32) -> Vec<Row> {
    let sizes: Vec<u32> = (0..)
        .map(|power| LEAST * 10_u32.pow(power))
        .take_while(|size| *size <= most)
        .collect();
    // Connections and caches.
    measure(LEAST, &mut Costs::default()).await;
    let mut all: Vec<(u32, Costs, Costs)> = Vec::new();
    for &size in &sizes[1..] {
        let (mut least, mut costs) = (Costs::default(), Costs::default());
        for _ in 0..(100_000 / size).clamp(1, 5) {
            // Before and after: the machine is not as fast all the time.
            small(&mut least).await;
            measure(size, &mut costs).await;
            small(&mut least).await;
        }
        all.push((size, least, costs));
    }
    let mut rows = Vec::new();
    for verb in ["create_many", "update_many", "delete_many"] {
        let of = |costs: &Costs| match verb {
            "create_many" => median(&costs.create),
            "update_many" => median(&costs.update),
            _ => median(&costs.delete),
        };
        for (size, least, costs) in &all {
            let name = format!("{verb} of {size}, to {LEAST}");
            rows.push(Row::exact(name, "us each", of(costs), of(least)).at_most(LIMIT));
        }
    }
    report::show(rows).collect()
}

async fn small(costs: &mut Costs) {
    for _ in 0..5 {
        measure(LEAST, costs).await;
    }
}

async fn measure(size: u32, costs: &mut Costs) {
    let database = server::fresh_database().await;
    let ctx = context(&database).await;
    let each = |start: Instant| start.elapsed().as_secs_f64() * 1e6 / f64::from(size);

    let start = Instant::now();
    let made = Widget::create_many(&ctx, (0..size).map(|number| row(number).into_new()))
        .await
        .unwrap();
    costs.create.push(each(start));
    assert_eq!(made.len(), size as usize);
    drop(made);

    let start = Instant::now();
    let patch = WidgetPatch {
        score: Set(0.5),
        ..Default::default()
    };
    let report = Widget::update_many(&ctx, |widget| widget.enabled.eq(true), patch)
        .await
        .unwrap();
    costs.update.push(each(start));
    assert_eq!(report.written, u64::from(size));

    let start = Instant::now();
    let report = Widget::delete_many(&ctx, |widget| widget.enabled.eq(true))
        .await
        .unwrap();
    costs.delete.push(each(start));
    assert_eq!(report.written, u64::from(size));
    server::drop_database(database).await;
}
