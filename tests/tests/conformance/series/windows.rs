//! Windows of time: rows for each hour, day or month, of measurements and of ordinary documents.

use model_core::ModelExt;
use model_core::prelude::*;
use model_core::query::{Group, Window};

use super::{Campaign, Ctx, Desk, Meter, NewCampaign, Spending, at, desk, spending};
use crate::harness::on_both_stores;

#[derive(Clone, PartialEq, Embedded)]
struct PerHour {
    campaign: String,
    hour: DateTime<Utc>,
    n: i64,
    total: i64,
    mean: Option<f64>,
    least: i64,
    most: i64,
    first: i64,
    last: i64,
}

#[derive(Clone, PartialEq, Embedded)]
struct Start {
    at: Option<DateTime<Utc>>,
    n: i64,
}

async fn fill(desk: &Desk) {
    for (n, time) in ["08:59:59.999", "09:00:00", "09:20:00", "09:59:59.999", "10:00:00"]
        .iter()
        .enumerate()
    {
        let cents = i64::try_from(n).unwrap() * 10;
        let time = format!("2026-03-01T{time}Z");
        Spending::create(&desk.ctx, spending("one", &time, cents))
            .await
            .unwrap();
        Spending::create(&desk.ctx, spending("two", &time, cents + 1))
            .await
            .unwrap();
        let mut shut = spending("one", &time, 1_000_000);
        shut.optional.open = Some(false);
        Spending::create(&desk.ctx, shut).await.unwrap();
        Spending::create(&desk.rival, spending("one", &time, 7_000))
            .await
            .unwrap();
    }
}

async fn hours(ctx: &Ctx) -> Vec<PerHour> {
    Spending::query(ctx)
        .filter(|s| s.campaign.eq("one") & s.cents.lt(500_000))
        .sort(|s| s.at.asc())
        .group::<PerHour>(|s, row| {
            Group::by(&row.campaign, &s.campaign)
                .and_by_window(&row.hour, &s.at, Window::hours(1))
                .count(&row.n)
                .sum(&row.total, &s.cents)
                .avg(&row.mean, &s.cents)
                .min(&row.least, &s.cents)
                .max(&row.most, &s.cents)
                .first(&row.first, &s.cents)
                .last(&row.last, &s.cents)
        })
        .sort(|row| row.hour.asc())
        .await
        .unwrap()
}

/// The beginnings of the windows, each with how many lie in it.
async fn starts(ctx: &Ctx, window: Window) -> Vec<(String, i64)> {
    let rows = Campaign::query(ctx)
        .group::<Start>(|c, row| Group::by_window(&row.at, &c.started, window).count(&row.n))
        .sort(|row| row.at.asc())
        .await
        .unwrap();
    rows.into_iter()
        .map(|row| (row.at.unwrap().to_rfc3339(), row.n))
        .collect()
}

on_both_stores! {
    /// What a dashboard asks: inside of the tenant, of what may be read.
    async fn each_hour_of_a_campaign(stage: Stage) {
        let desk = desk(stage).await;
        fill(&desk).await;
        let job = desk.ctx.dangerously_bypass_permissions("report");
        let other = desk.db.context(TenantId::new("acme").unwrap(), Meter { all: false });
        // Read and judged here; made by the store.
        for ctx in [&other, &job] {
            let rows = hours(ctx).await;
            let hour = |time: &str, n, total, mean, least, most| PerHour {
                campaign: "one".into(), hour: at(time), n, total, mean: Some(mean), least, most, first: least, last: most,
            };
            assert_eq!(rows, [
                hour("2026-03-01T08:00:00Z", 1, 0, 0.0, 0, 0),
                hour("2026-03-01T09:00:00Z", 3, 60, 20.0, 10, 30),
                hour("2026-03-01T10:00:00Z", 1, 40, 40.0, 40, 40),
            ]);
        }
        let whole = Spending::query(&job)
            .group::<Start>(|s, row| Group::by_window(&row.at, &s.at, Window::days(1)).count(&row.n))
            .filter(|row| row.n.gt(1))
            .await
            .unwrap();
        assert_eq!(whole, [Start { at: Some(at("2026-03-01T00:00:00Z")), n: 15 }]);
    }

    /// Ordinary models too; both stores cut time alike, before 2000 as after.
    async fn every_unit_and_offset(stage: Stage) {
        let desk = desk(stage).await;
        for time in ["1999-12-31T23:00:00Z", "2000-01-01T00:00:00Z", "2026-02-28T23:30:00.500Z", "2026-03-01T00:30:00Z"] {
            Campaign::create(&desk.ctx, NewCampaign { started: at(time), budget: 1 }).await.unwrap();
        }
        let job = desk.ctx.dangerously_bypass_permissions("report");
        let windows = [
            Window::seconds(45), Window::minutes(7), Window::hours(5), Window::days(3), Window::weeks(2), Window::months(5),
            Window::quarters(1), Window::years(3),
        ];
        for window in windows {
            for offset in [0, 120, -570] {
                let window = window.at_offset(offset);
                // Read and judged here; made by the store.
                assert_eq!(starts(&desk.ctx, window).await, starts(&job, window).await, "{window:?}");
            }
        }
        let months = starts(&job, Window::months(1).at_offset(60)).await;
        let expected = [("1999-12-31T23:00:00+00:00", 2), ("2026-02-28T23:00:00+00:00", 2)];
        assert_eq!(months, expected.map(|(start, n)| (start.to_owned(), n)));
        let week = starts(&job, Window::weeks(1)).await;
        assert_eq!(week.last().unwrap(), &("2026-02-23T00:00:00+00:00".to_owned(), 2), "weeks begin on Monday");
    }

    async fn an_empty_window_is_refused(stage: Stage) {
        let desk = desk(stage).await;
        for window in [Window::hours(0), Window::hours(1).at_offset(1_440)] {
            let rows = Campaign::query(&desk.ctx).group::<Start>(|c, row| Group::by_window(&row.at, &c.started, window).count(&row.n));
            assert!(rows.await.unwrap_err().is_invalid());
        }
    }
}
