//! What is declared of the seal of a model's documents.

use super::legacy::Term;

/// The seal over a model's documents: identity, revision, everything secret, and the fields that are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealSpec {
    /// The stored names of the plain fields under it.
    pub fields: &'static [&'static str],
    /// How long documents without such a seal are read, if they are.
    pub unsealed: Option<Term>,
    /// Tells a seal over these fields from one over others: no more than that, since the fields themselves are under it.
    pub(crate) mark: u64,
}

impl SealSpec {
    /// A seal over these stored fields, which every document has.
    pub const fn new(fields: &'static [&'static str]) -> Self {
        Self {
            fields,
            unsealed: None,
            mark: mark(fields),
        }
    }

    /// Reads documents without it, for a while.
    pub const fn unsealed(mut self, term: Term) -> Self {
        self.unsealed = Some(term);
        self
    }
}

/// FNV-1a over the names, each closed by a NUL: a file format.
#[allow(
    clippy::indexing_slicing,
    reason = "a constant: a wrong index would not compile"
)]
const fn mark(fields: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut field = 0;
    while field < fields.len() {
        let name = fields[field].as_bytes();
        let mut byte = 0;
        while byte <= name.len() {
            let next = if byte < name.len() { name[byte] } else { 0 };
            hash = (hash ^ next as u64).wrapping_mul(0x0100_0000_01b3);
            byte += 1;
        }
        field += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::SealSpec;

    /// A file format; the first is the offset basis of FNV-1a, the second its value of `"a\0"`.
    #[test]
    fn marks() {
        assert_eq!(SealSpec::new(&[]).mark, 0xcbf2_9ce4_8422_2325);
        assert_eq!(SealSpec::new(&["a"]).mark, 0x089b_e207_b544_f1e4);
        assert_ne!(SealSpec::new(&["a", "b"]).mark, SealSpec::new(&["ab"]).mark);
        assert_ne!(SealSpec::new(&["a", "b"]).mark, SealSpec::new(&["b", "a"]).mark);
    }
}
