//! Facets made in memory, as the server makes them.

use std::cmp::Ordering;

use bson::RawDocument;

use super::group::{Groups, Share};
use super::{matches, order_by, sort_key};
use crate::error::{Error, Result};
use crate::query::facet::{Branch, Picked};

/// How many documents more than it needs a branch keeps before it throws the last ones away.
const SPARE: usize = 1_000;

/// What one document adds to a branch.
#[derive(Debug)]
pub(crate) enum FacetShare {
    Rows(Vec<Share>),
    Picked(Option<Vec<u8>>),
}

/// The branches so far.
#[derive(Debug)]
pub(crate) struct Facets<'b> {
    branches: Vec<State<'b>>,
}

#[derive(Debug)]
enum State<'b> {
    Rows(Groups<'b>),
    Picked(Kept<'b>),
}

impl<'b> Facets<'b> {
    pub(crate) fn new(branches: &'b [Branch]) -> Self {
        let branches = branches.iter().map(|branch| match branch {
            Branch::Rows(grouping) => State::Rows(Groups::new(grouping)),
            Branch::Picked(picked) => State::Picked(Kept::new(picked)),
        });
        Self {
            branches: branches.collect(),
        }
    }

    /// What a document adds.
    pub(crate) fn shares(&self, document: &[u8]) -> Vec<FacetShare> {
        let shares = self.branches.iter().map(|branch| match branch {
            State::Rows(groups) => FacetShare::Rows(groups.shares(document)),
            State::Picked(kept) => FacetShare::Picked(kept.admits(document).then(|| document.to_vec())),
        });
        shares.collect()
    }

    /// # Errors
    /// `Invalid` for an order by several arrays.
    pub(crate) fn add(&mut self, shares: Vec<FacetShare>) -> Result<()> {
        for (branch, share) in self.branches.iter_mut().zip(shares) {
            match (branch, share) {
                (State::Rows(groups), FacetShare::Rows(shares)) => {
                    for share in shares {
                        groups.add(share);
                    }
                }
                (State::Picked(kept), FacetShare::Picked(Some(document))) => kept.add(document)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The documents of each branch.
    pub(crate) fn results(self) -> Result<Vec<Vec<Vec<u8>>>> {
        let results = self.branches.into_iter().map(|branch| match branch {
            State::Rows(groups) => groups.rows(),
            State::Picked(kept) => kept.result(),
        });
        results.collect()
    }
}

/// The documents that a branch picks.
#[derive(Debug)]
struct Kept<'b> {
    picked: &'b Picked,
    documents: Vec<Vec<u8>>,
    /// How many can be needed.
    wanted: usize,
}

impl<'b> Kept<'b> {
    fn new(picked: &'b Picked) -> Self {
        let wanted = picked
            .limit
            .map_or(u64::MAX, |limit| limit.saturating_add(picked.skip));
        Self {
            picked,
            documents: Vec::new(),
            wanted: usize::try_from(wanted).unwrap_or(usize::MAX),
        }
    }

    fn admits(&self, document: &[u8]) -> bool {
        let full = self.picked.sort.is_empty() && self.documents.len() >= self.wanted;
        !full
            && RawDocument::from_bytes(document).is_ok_and(|document| matches(&self.picked.filter, document))
    }

    fn add(&mut self, document: Vec<u8>) -> Result<()> {
        self.documents.push(document);
        if self.documents.len() > self.wanted.saturating_mul(2).saturating_add(SPARE) {
            self.sort()?;
        }
        Ok(())
    }

    /// In order, and no more than can be needed.
    fn sort(&mut self) -> Result<()> {
        let order = &self.picked.sort;
        if !order.is_empty() {
            let several = |_| Error::violation("sort", "sort", "no order goes by several arrays");
            let keys = self
                .documents
                .iter()
                .map(|document| sort_key(document, order).map_err(several));
            let keys = keys.collect::<Result<Vec<_>>>()?;
            let mut places: Vec<usize> = (0..keys.len()).collect();
            places.sort_by(|a, b| match (keys.get(*a), keys.get(*b)) {
                (Some(a), Some(b)) => order_by(order, a, b),
                _ => Ordering::Equal,
            });
            let mut documents = std::mem::take(&mut self.documents);
            let wanted = places.iter().take(self.wanted);
            self.documents = wanted
                .filter_map(|place| documents.get_mut(*place).map(std::mem::take))
                .collect();
        }
        self.documents.truncate(self.wanted);
        Ok(())
    }

    fn result(mut self) -> Result<Vec<Vec<u8>>> {
        self.sort()?;
        let skip = usize::try_from(self.picked.skip).unwrap_or(usize::MAX);
        self.documents.drain(..skip.min(self.documents.len()));
        Ok(self.documents)
    }
}
