//! Collections of other kinds than the ordinary one: their documents are written once, and never in a transaction.

use super::reserved;

/// What kind of collection the documents of a model lie in, where it is not an ordinary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CollectionForm {
    /// Measurements, which the server packs together by source and time.
    TimeSeries(TimeSeriesSpec),
    /// A collection of fixed size: the oldest documents make room for new ones.
    Capped(CappedSpec),
}

impl CollectionForm {
    /// For messages.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::TimeSeries(_) => "a time series",
            Self::Capped(_) => "a capped collection",
        }
    }
}

/// How far apart the measurements of one source usually are: the server packs those of an hour (seconds), a day (minutes) or
/// thirty days (hours) together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Granularity {
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
}

impl Granularity {
    /// The server's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
        }
    }

    /// What the server's word stands for.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Seconds, Self::Minutes, Self::Hours]
            .into_iter()
            .find(|granularity| granularity.as_str() == word)
    }
}

/// A time series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeSeriesSpec {
    /// The stored name of the field with the instant of the measurement.
    pub time: &'static str,
    /// The stored names of the fields that tell whose measurement it is; in a tenant model the tenant goes first.
    pub source: &'static [&'static str],
    /// How far apart the measurements of one source usually are.
    pub granularity: Granularity,
    /// How many seconds after its instant a measurement is deleted; none: never.
    pub expire_after_seconds: Option<u64>,
}

impl TimeSeriesSpec {
    /// Measurements some seconds apart that are kept for ever.
    pub const fn new(time: &'static str, source: &'static [&'static str]) -> Self {
        Self {
            time,
            source,
            granularity: Granularity::Seconds,
            expire_after_seconds: None,
        }
    }

    /// How far apart the measurements of one source usually are.
    pub const fn granularity(mut self, granularity: Granularity) -> Self {
        self.granularity = granularity;
        self
    }

    /// How many seconds after its instant a measurement is deleted.
    pub const fn expire_after_seconds(mut self, seconds: u64) -> Self {
        self.expire_after_seconds = Some(seconds);
        self
    }

    /// The server's `metaField`: the one field that tells whose the measurement is, or the document that several are put
    /// together in.
    pub fn meta_field(&self) -> Option<&'static str> {
        match self.source {
            [] => None,
            [only] => Some(only),
            _ => Some(reserved::META),
        }
    }

    /// The fields that are put together in [`reserved::META`]; none if there is one, which needs no document around it.
    pub(crate) fn composed(&self) -> &'static [&'static str] {
        if self.source.len() > 1 { self.source } else { &[] }
    }

    /// The path by which the server finds the packs of a stored path of the source; none of any other.
    pub(crate) fn packed(&self, path: &str) -> Option<String> {
        let first = path.split('.').next().unwrap_or_default();
        self.composed()
            .contains(&first)
            .then(|| format!("{}.{path}", reserved::META))
    }
}

/// A collection of fixed size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CappedSpec {
    /// How many bytes of documents it holds at the most, a multiple of 256.
    pub size: u64,
    /// How many documents it holds at the most; none: as many as fit.
    pub max: Option<u64>,
}

impl CappedSpec {
    /// As many documents as fit into that many bytes, rounded up to a multiple of 256 as the server does.
    pub const fn new(size: u64) -> Self {
        Self {
            size: size.div_ceil(256).saturating_mul(256),
            max: None,
        }
    }

    /// At most that many documents.
    pub const fn max(mut self, documents: u64) -> Self {
        self.max = Some(documents);
        self
    }
}
