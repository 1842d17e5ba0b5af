//! How much code runs, as a processor fetches it: by its lines of 64 bytes, from a profile of callgrind with an entry for each
//! instruction (`--dump-instr=yes`).

use std::collections::HashMap;

/// What a processor fetches at once, in bytes: 64 on x86-64 and on most ARM.
const LINE: u64 = 64;

/// How often something in each line of code ran, by object file and line.
pub(super) struct Code(HashMap<(String, u64), u64>);

impl Code {
    /// Of a profile without compressed names and positions.
    pub(super) fn of(profile: &str) -> Self {
        let mut lines = HashMap::new();
        let mut object = String::new();
        // The line after `calls=` is what the called function does, which is counted there.
        let mut is_call = false;
        for line in profile.lines() {
            if std::mem::take(&mut is_call) {
                continue;
            }
            if let Some(name) = line.strip_prefix("ob=") {
                name.clone_into(&mut object);
            } else if line.starts_with("calls=") {
                is_call = true;
            } else if let Some((address, count)) = executed(line) {
                let most = lines.entry((object.clone(), address / LINE)).or_insert(0);
                *most = count.max(*most);
            }
        }
        Self(lines)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes of the lines that ran at least every second of so many more times than in `shorter`.
    pub(super) fn each_time(&self, shorter: &Self, times: u64) -> u64 {
        let ran = |(line, count): &(&(String, u64), &u64)| {
            let before = shorter.0.get(*line).copied().unwrap_or_default();
            2 * count.saturating_sub(before) >= times
        };
        self.0.iter().filter(ran).count() as u64 * LINE
    }
}

/// `0x1a2b 17 200`: the address of an instruction, its line of source, and how often it ran.
fn executed(line: &str) -> Option<(u64, u64)> {
    let mut words = line.strip_prefix("0x")?.split(' ');
    let address = u64::from_str_radix(words.next()?, 16).ok()?;
    Some((address, words.nth(1)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::Code;

    const SHORTER: &str =
        "ob=/probe\nfn=main\n0x1000 1 3\ncalls=1 0x2000 9\n0x1044 1 900\nfn=work\n0x2000 9 10\n";

    #[test]
    fn what_runs_each_time_counts_by_its_lines() {
        // What a call takes as a whole is no code of the caller.
        let longer = SHORTER
            .replace("1 900", "1 1800")
            .replace("9 10", "9 20\n0x203f 9 2\n0x2040 9 20\n0x2080 9 4\n0x2084 9 4");
        let (shorter, longer) = (Code::of(SHORTER), Code::of(&longer));
        // The start and what is rare are left out. A line ran as often as what ran most in it.
        assert_eq!(longer.each_time(&shorter, 10), 2 * 64);
        assert_eq!(longer.each_time(&shorter, 8), 3 * 64);
        assert_eq!(shorter.each_time(&shorter, 1), 0);
    }

    #[test]
    fn the_same_place_of_two_objects_is_two_lines() {
        let both = "ob=/probe\n0x1000 1 8\nob=/lib\n0x1000 1 8\n";
        assert_eq!(Code::of(both).each_time(&Code::of(""), 8), 2 * 64);
    }
}
