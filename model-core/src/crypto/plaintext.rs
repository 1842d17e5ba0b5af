//! What was sealed or will be, in the clear.

use core::fmt;
use core::ops::{Deref, DerefMut, Range};

/// Bytes in the clear, of any length; overwritten when dropped.
///
/// `Zeroizing<Vec<u8>>` does the same a byte at a time, which takes longer than to decrypt them. Two of them are compared
/// like other bytes: in a time that tells how much of them is alike.
///
/// ```
/// use model_core::crypto::Plaintext;
/// let plain = Plaintext::from(b"hunter2".to_vec());
/// assert_eq!(format!("{plain:?}"), "[REDACTED]");
/// assert_eq!(&plain[..], b"hunter2");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Plaintext(Vec<u8>);

impl Plaintext {
    /// Keeps a part; what is cut off stays in the room of this value, and is overwritten with it.
    pub(in crate::crypto) fn keep(&mut self, part: Range<usize>) {
        let length = part.len();
        self.0.copy_within(part, 0);
        self.0.truncate(length);
    }
}

impl From<Vec<u8>> for Plaintext {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Plaintext {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Plaintext {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Plaintext {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// Overwrites all the room that the bytes have, also what is beyond their length, and leaves it empty.
pub(crate) fn wipe(bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.resize(bytes.capacity(), 0);
    // Without it the compiler may leave out what nobody reads before it is freed.
    zeroize::optimization_barrier(bytes.as_slice());
    bytes.clear();
}
