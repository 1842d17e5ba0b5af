//! Names of indexes.

use super::declared::Key;

/// The most bytes of a name that every server admits.
const LONGEST: usize = 127;

/// The name as the server would make it of the keys, and then the options: an index whose options change gets another
/// name, so that it can be built while the old one still serves.
pub(super) fn of(keys: &[Key], options: &[String]) -> String {
    let keys = keys.iter().map(Key::label);
    fit(keys.chain(options.iter().cloned()).collect::<Vec<_>>().join("_"))
}

/// `wanted`, or a numbered form of it that is not among `taken`.
pub(super) fn free(wanted: &str, taken: &[&str]) -> String {
    let numbered = (2_u32..).map(|number| fit(format!("{wanted}_{number}")));
    std::iter::once(wanted.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(&name.as_str()))
        .unwrap_or_default()
}

/// Cuts a name that is too long, and puts a digest of the whole in the place of the rest.
pub(super) fn fit(name: String) -> String {
    if name.len() <= LONGEST {
        return name;
    }
    let digest = format!("_{:016x}", fnv1a(name.as_bytes()));
    let mut end = LONGEST - digest.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or_default().to_owned() + &digest
}

/// FNV-1a with 64 bits: the standard library's hasher is not the same from one release to the next.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
