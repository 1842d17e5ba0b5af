//! XAES-256-GCM: AES-256-GCM with a 24-byte nonce.
//!
//! Source: <https://c2sp.org/XAES-256-GCM>, a composition of NIST SP 800-108 (KDF in counter mode with CMAC) and
//! NIST SP 800-38D (GCM). A random nonce of 24 bytes needs no count of the messages of a key across processes.

use aes::Aes256Enc;
use aes::cipher::consts::U12;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes_gcm::AesGcm;
use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::inout::InOutBuf;
use zeroize::Zeroizing;

use super::{CryptoError, Result};

/// The length of a nonce.
pub(crate) const NONCE_LEN: usize = 24;
/// The length of an authentication tag.
pub(crate) const TAG_LEN: usize = 16;

/// Neither GCM nor CMAC ever decrypts a block: without the schedule for that, there is half as much to make and to wipe.
type MessageCipher = AesGcm<Aes256Enc, U12>;

/// The part of XAES-256-GCM that depends on the key only: the AES-256 schedule and the CMAC subkey K1.
///
/// The key of a message depends on its nonce and is derived each time, never kept.
pub(crate) struct Xaes {
    cipher: Aes256Enc,
    k1: Zeroizing<[u8; 16]>,
}

impl core::fmt::Debug for Xaes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Xaes([REDACTED])")
    }
}

impl Xaes {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let cipher = Aes256Enc::new(key.into());
        let mut l = aes::Block::default();
        cipher.encrypt_block(&mut l);
        let l = Zeroizing::new(<[u8; 16]>::from(l));
        let k1 = Zeroizing::new(double(&l));
        Self { cipher, k1 }
    }

    /// Encrypts `buffer` in place and returns the tag.
    pub(crate) fn seal(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_LEN]> {
        let (head, tail) = halves(nonce)?;
        // Made where it is used: it is large, and would be copied on its way.
        let gcm = MessageCipher::new((&*self.derive(head)).into());
        gcm.encrypt_inout_detached(tail.into(), aad, InOutBuf::from(buffer))
            .map(Into::into)
            .map_err(|_| CryptoError::TooLarge)
    }

    /// Verifies the tag, then decrypts `buffer` in place; on an error the buffer is as it was.
    pub(crate) fn open(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<()> {
        let (head, tail) = halves(nonce)?;
        let gcm = MessageCipher::new((&*self.derive(head)).into());
        gcm.decrypt_inout_detached(tail.into(), aad, InOutBuf::from(buffer), tag.into())
            .map_err(|_| CryptoError::Tampered)
    }

    /// The message key: CMAC over `00 01 'X' 00 ‖ head` and `00 02 'X' 00 ‖ head`.
    ///
    /// Each input is exactly one block, so a CMAC is one AES call on the block xored with K1.
    fn derive(&self, head: &[u8; 12]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0u8; 32]);
        for (counter, half) in (1u8..).zip(key.chunks_exact_mut(16)) {
            let input = [0, counter, b'X', 0].into_iter().chain(head.iter().copied());
            for (out, (input, mask)) in half.iter_mut().zip(input.zip(self.k1.iter())) {
                *out = input ^ mask;
            }
            if let Ok(block) = half.try_into() {
                self.cipher.encrypt_block(block);
            }
        }
        key
    }
}

/// What the key of a message is derived by, and what is left of the nonce for AES-256-GCM.
fn halves(nonce: &[u8; NONCE_LEN]) -> Result<(&[u8; 12], &[u8; 12])> {
    // Both are a property of the types; there is no input that fails here.
    let (head, tail) = nonce.split_first_chunk::<12>().ok_or(CryptoError::Truncated)?;
    Ok((head, tail.first_chunk::<12>().ok_or(CryptoError::Truncated)?))
}

/// Doubles in GF(2^128) as CMAC does (NIST SP 800-38B, section 6.1), in constant time.
fn double(block: &[u8; 16]) -> [u8; 16] {
    let value = u128::from_be_bytes(*block);
    let carry = value >> 127;
    ((value << 1) ^ (carry * 0x87)).to_be_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        use core::fmt::Write as _;
        bytes.iter().fold(String::new(), |mut s, b| {
            let _ = write!(s, "{b:02x}");
            s
        })
    }

    fn sealed(key: u8, aad: &[u8]) -> String {
        let xaes = Xaes::new(&[key; 32]);
        let nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX";
        let mut buffer = b"XAES-256-GCM".to_vec();
        let tag = xaes.seal(nonce, aad, &mut buffer).unwrap();
        let text = hex(&[buffer.as_slice(), &tag].concat());
        xaes.open(nonce, aad, &mut buffer, &tag).unwrap();
        assert_eq!(buffer, b"XAES-256-GCM");
        text
    }

    #[test]
    fn c2sp_known_answers() {
        assert_eq!(
            sealed(1, b""),
            "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"
        );
        assert_eq!(
            sealed(3, b"c2sp.org/XAES-256-GCM"),
            "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"
        );
    }

    #[test]
    fn c2sp_intermediate_values() {
        let xaes = Xaes::new(&[1; 32]);
        assert_eq!(
            hex(&*xaes.derive(b"ABCDEFGHIJKL")),
            "c8612c9ed53fe43e8e005b828a1631a0bbcb6ab2f46514ec4f439fcfd0fa969b"
        );
        let xaes = Xaes::new(&[3; 32]);
        assert_eq!(
            hex(&*xaes.derive(b"ABCDEFGHIJKL")),
            "e9c621d4cdd9b11b00a6427ad7e559aeedd66b3857646677748f8ca796cb3fd8"
        );
    }

    #[test]
    fn a_failed_open_leaves_the_buffer() {
        let xaes = Xaes::new(&[7; 32]);
        let mut buffer = b"value".to_vec();
        let tag = xaes.seal(&[9; 24], b"", &mut buffer).unwrap();
        let sealed = buffer.clone();
        assert_eq!(
            xaes.open(&[9; 24], b"x", &mut buffer, &tag),
            Err(CryptoError::Tampered)
        );
        assert_eq!(buffer, sealed);
    }
}
