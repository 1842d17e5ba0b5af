//! Hashes of other schemes. bcrypt: `crypt(3)` of libxcrypt, by Perl, and the vectors of jBCrypt's tests; scrypt: RFC 7914,
//! section 12, and Python's `hashlib`; PBKDF2: Python's `hashlib`.

use std::time::{Duration, Instant};

use super::super::CryptoError::{self, MalformedHash};
use super::super::{Candidate, HashPolicy, Limits, PasswordHasher, Verdict};
use super::block_on;

const TYPED: &str = "correct horse";
const SALT: &str = "MDEyMzQ1Njc4OWFiY2RlZg";

fn verify(stored: &str, typed: &str) -> Result<Verdict, CryptoError> {
    let policy = HashPolicy {
        memory_kib: 64,
        passes: 1,
        ..HashPolicy::default()
    };
    let hasher = PasswordHasher::new(policy, Limits::default()).unwrap();
    block_on(hasher.verify(Some(stored), &Candidate::new(typed.to_owned())))
}

fn matches(stored: &str, typed: &str) {
    assert_eq!(
        verify(stored, typed),
        Ok(Verdict::Match { needs_rehash: true }),
        "{stored}"
    );
    assert_eq!(
        verify(stored, &format!("{typed}x")),
        Ok(Verdict::Mismatch),
        "{stored}"
    );
}

fn refused_at_once(stored: &str, expected: CryptoError) {
    let started = Instant::now();
    assert_eq!(verify(stored, TYPED), Err(expected), "{stored}");
    assert!(started.elapsed() < Duration::from_millis(500), "{stored}");
}

#[test]
fn bcrypt() {
    for prefix in ["2a", "2b", "2y"] {
        matches(
            &format!("${prefix}$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC"),
            TYPED,
        );
    }
    matches(
        "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i",
        "abc",
    );
    let alphabet = "abcdefghijklmnopqrstuvwxyz";
    matches(
        "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC",
        alphabet,
    );
    // bcrypt sees 72 bytes of a password, and ends at a NUL: neither is a way in.
    let stored = "$2b$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC";
    assert_eq!(verify(stored, "correct horse\0x"), Ok(Verdict::Mismatch));
    assert_eq!(verify(stored, &"x".repeat(73)), Ok(Verdict::Mismatch));
    refused_at_once(&stored.replace("$06$", "$16$"), CryptoError::HashPolicy);
    refused_at_once(&stored.replace("$06$", "$31$"), CryptoError::HashPolicy);
    for malformed in [
        &stored.replace("$06$", "$03$"),
        &stored.replace("$06$", "$-6$"),
        &stored[..59],
        "$2b$",
        "$2b$06$",
    ] {
        refused_at_once(malformed, MalformedHash);
    }
    refused_at_once(&format!("{}é", &stored[..58]), MalformedHash);
}

#[test]
fn scrypt() {
    let tail = format!("{SALT}$/jx4uMnBLEcnyBJyK5rKAfmnFbwMBoBPE5YY+OEpHOo");
    matches(&format!("$scrypt$ln=12,r=8,p=1${tail}"), TYPED);
    matches(
        "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw",
        "pleaseletmein",
    );
    for costs in [
        "ln=20,r=8,p=1",
        "ln=12,r=8,p=1000",
        "ln=31,r=8,p=1",
        "ln=64,r=1,p=1",
        "ln=4294967295,r=1,p=1",
        "ln=1,r=4294967295,p=1",
    ] {
        refused_at_once(&format!("$scrypt${costs}${tail}"), CryptoError::HashPolicy);
    }
    for costs in ["ln=12,r=8", "ln=12,r=8,p=0", "ln=-1,r=8,p=1", "x=1"] {
        refused_at_once(&format!("$scrypt${costs}${tail}"), MalformedHash);
    }
    refused_at_once(&format!("$scrypt$ln=12,r=8,p=1${SALT}"), MalformedHash);
}

#[test]
fn pbkdf2() {
    let tail = format!("{SALT}$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M");
    matches(&format!("$pbkdf2-sha256$i=1000,l=32${tail}"), TYPED);
    matches(&format!("$pbkdf2-sha256$i=1000${tail}"), TYPED);
    matches(
        &format!("$pbkdf2-sha512$i=1000,l=32${SALT}$OM0FAoIqCVK1sWtxDiffVlBejtLa+ks4TP71JiecwuQ"),
        TYPED,
    );
    matches(
        "$pbkdf2-sha256$i=80000$U29kaXVtQ2hsb3JpZGU$0LQuiDa2sKO5/1Ihl6YiZaSNJ73AEtcyYa3XFJk7Ba4g4V73aXK+0MSiFB1s8DuLF/zhVnEV1vf7TFD65kI9JA",
        "Password",
    );
    for costs in ["i=2000001", "i=4294967295"] {
        refused_at_once(&format!("$pbkdf2-sha256${costs}${tail}"), CryptoError::HashPolicy);
    }
    for costs in ["i=0", "l=32", "i=x"] {
        refused_at_once(&format!("$pbkdf2-sha256${costs}${tail}"), MalformedHash);
    }
}
