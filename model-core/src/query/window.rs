//! Windows of time: dates put together by the hour, the week, the month.

use std::fmt;

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};

/// Milliseconds since 1970 at the beginning of 2000, from where windows are counted.
const EPOCH: i64 = 946_684_800_000;
const SECOND: i64 = 1_000;
const DAY: i64 = 86_400 * SECOND;
/// The first Monday of 2000, from where weeks are counted.
const MONDAY: i64 = EPOCH + 2 * DAY;
const MINUTES_A_DAY: i32 = 1_440;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// A length of time that dates are put together by, for [`Group::by_window`](super::Group::by_window).
///
/// Windows are counted from the beginning of the year 2000, in UTC unless another offset is given; weeks begin on Monday. So
/// five minutes begin at :00, :05 and so on, and two documents are in one window whoever asks.
///
/// ```
/// use model_core::query::Window;
/// let quarter_hours = Window::minutes(15);
/// let days_in_tokyo = Window::days(1).at_offset(9 * 60);
/// # let _ = (quarter_hours, days_in_tokyo);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Window {
    unit: Unit,
    size: u32,
    /// Minutes east of UTC.
    offset: i32,
}

impl Window {
    const fn new(unit: Unit, size: u32) -> Self {
        Self {
            unit,
            size,
            offset: 0,
        }
    }

    /// That many seconds.
    pub const fn seconds(size: u32) -> Self {
        Self::new(Unit::Second, size)
    }

    /// That many minutes.
    pub const fn minutes(size: u32) -> Self {
        Self::new(Unit::Minute, size)
    }

    /// That many hours.
    pub const fn hours(size: u32) -> Self {
        Self::new(Unit::Hour, size)
    }

    /// That many days.
    pub const fn days(size: u32) -> Self {
        Self::new(Unit::Day, size)
    }

    /// That many weeks, which begin on Monday.
    pub const fn weeks(size: u32) -> Self {
        Self::new(Unit::Week, size)
    }

    /// That many months.
    pub const fn months(size: u32) -> Self {
        Self::new(Unit::Month, size)
    }

    /// That many quarters of a year.
    pub const fn quarters(size: u32) -> Self {
        Self::new(Unit::Quarter, size)
    }

    /// That many years.
    pub const fn years(size: u32) -> Self {
        Self::new(Unit::Year, size)
    }

    /// Counted by the clock of a place whose time is that many minutes ahead of UTC, or behind it, all year round.
    pub const fn at_offset(mut self, minutes_east: i32) -> Self {
        self.offset = minutes_east;
        self
    }

    /// Whether there are such windows.
    pub(crate) fn is_valid(self) -> bool {
        self.size > 0 && self.offset.abs() < MINUTES_A_DAY
    }

    /// The server's word for the unit.
    #[cfg(feature = "mongo")]
    pub(crate) fn unit(self) -> &'static str {
        match self.unit {
            Unit::Second => "second",
            Unit::Minute => "minute",
            Unit::Hour => "hour",
            Unit::Day => "day",
            Unit::Week => "week",
            Unit::Month => "month",
            Unit::Quarter => "quarter",
            Unit::Year => "year",
        }
    }

    #[cfg(feature = "mongo")]
    pub(crate) fn size(self) -> u32 {
        self.size
    }

    /// The offset as the server reads it: `+09:00`.
    #[cfg(feature = "mongo")]
    pub(crate) fn offset(self) -> String {
        let (sign, minutes) = (if self.offset < 0 { '-' } else { '+' }, self.offset.abs());
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// The beginning of the window that a date lies in, both in milliseconds since 1970; none beyond the calendar.
    pub(crate) fn start(self, millis: i64) -> Option<i64> {
        let offset = i64::from(self.offset) * 60 * SECOND;
        let local = millis.checked_add(offset)?;
        let size = i64::from(self.size);
        let start = match self.unit {
            Unit::Second => floor(local, EPOCH, size * SECOND)?,
            Unit::Minute => floor(local, EPOCH, size * 60 * SECOND)?,
            Unit::Hour => floor(local, EPOCH, size * 3_600 * SECOND)?,
            Unit::Day => floor(local, EPOCH, size * DAY)?,
            Unit::Week => floor(local, MONDAY, size.checked_mul(7 * DAY)?)?,
            Unit::Month => month(local, size)?,
            Unit::Quarter => month(local, size * 3)?,
            Unit::Year => month(local, size * 12)?,
        };
        start.checked_sub(offset)
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Window({} {:?}, {} min)", self.size, self.unit, self.offset)
    }
}

fn floor(at: i64, from: i64, length: i64) -> Option<i64> {
    let since = at.checked_sub(from)?;
    from.checked_add(since.checked_div_euclid(length)?.checked_mul(length)?)
}

/// The beginning of the months that `at` lies in.
fn month(at: i64, months: i64) -> Option<i64> {
    let date = DateTime::<Utc>::from_timestamp_millis(at)?;
    let since = (i64::from(date.year()) - 2_000) * 12 + i64::from(date.month0());
    let first = since.checked_div_euclid(months)?.checked_mul(months)?;
    let year = i32::try_from(2_000 + first.div_euclid(12)).ok()?;
    let month = u32::try_from(first.rem_euclid(12)).ok()? + 1;
    let start = NaiveDate::from_ymd_opt(year, month, 1)?.and_hms_opt(0, 0, 0)?;
    Some(start.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::Window;

    fn start(window: Window, at: &str) -> String {
        let at: DateTime<Utc> = at.parse().unwrap();
        let start = window.start(at.timestamp_millis()).unwrap();
        DateTime::from_timestamp_millis(start).unwrap().to_rfc3339()
    }

    /// What MongoDB 6.0.5 answers to `$dateTrunc`.
    #[test]
    fn windows_are_those_of_the_server() {
        let weeks = Window::weeks(2).at_offset(120);
        assert_eq!(start(weeks, "1999-12-31T23:00:00Z"), "1999-12-19T22:00:00+00:00");
    }

    #[test]
    fn windows_begin_where_the_calendar_says() {
        let at = "2026-03-01T09:07:31.250Z";
        assert_eq!(start(Window::seconds(30), at), "2026-03-01T09:07:30+00:00");
        assert_eq!(start(Window::minutes(5), at), "2026-03-01T09:05:00+00:00");
        assert_eq!(start(Window::hours(6), at), "2026-03-01T06:00:00+00:00");
        assert_eq!(start(Window::days(1), at), "2026-03-01T00:00:00+00:00");
        assert_eq!(start(Window::weeks(1), at), "2026-02-23T00:00:00+00:00");
        assert_eq!(start(Window::months(1), at), "2026-03-01T00:00:00+00:00");
        assert_eq!(start(Window::quarters(1), at), "2026-01-01T00:00:00+00:00");
        assert_eq!(start(Window::years(10), at), "2020-01-01T00:00:00+00:00");
        assert_eq!(
            start(Window::days(1).at_offset(-600), at),
            "2026-02-28T10:00:00+00:00"
        );
    }

    #[test]
    fn before_the_epoch_windows_do_not_turn_round() {
        assert_eq!(
            start(Window::days(7), "1999-12-31T23:59:59Z"),
            "1999-12-25T00:00:00+00:00"
        );
        assert_eq!(
            start(Window::months(5), "1999-12-31T23:59:59Z"),
            "1999-08-01T00:00:00+00:00"
        );
        assert!(Window::days(1).start(i64::MIN).is_none());
        assert!(!Window::days(0).is_valid() && !Window::days(1).at_offset(1_440).is_valid());
    }
}
