//! How objects are shared out among the partitions of a batch (reference requester-api 8.1).

use regex::Regex;

/// How objects are shared out. What cannot be told apart goes to partition 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Partition {
    /// They are not: every partition gets all.
    #[default]
    None,
    /// Each by its key.
    Object,
    /// By what a regular expression finds in the key: its groups, or all of it if it has none.
    Regex(String),
    /// By some characters of the key behind the prefix, from the first up to the second, that one excluded.
    Substring(usize, usize),
    /// By a date in the key, which a regular expression finds.
    Date(String),
}

/// Gives the partition of an object by its key and the rest of it behind the prefix; none for all of them.
type Place<'a> = Box<dyn Fn(&str, &str) -> Option<u32> + 'a>;

impl Partition {
    /// Where objects belong if there are so many partitions.
    pub(crate) fn of(&self, partitions: u32) -> Place<'_> {
        let number = move |part: &str| if part.is_empty() { 0 } else { hash(part) % partitions.max(1) };
        match self {
            Self::None => Box::new(|_, _| None),
            Self::Object => Box::new(move |key, _| Some(number(key))),
            Self::Substring(from, to) => Box::new(move |_, rest| {
                let part: String = rest.chars().skip(*from).take(to - from).collect();
                Some(if part.chars().count() == to - from { number(&part) } else { 0 })
            }),
            Self::Regex(pattern) | Self::Date(pattern) => {
                let regex = Regex::new(pattern).ok();
                Box::new(move |_, rest| {
                    let Some(found) = regex.as_ref().and_then(|regex| regex.captures(rest)) else {
                        return Some(0);
                    };
                    let groups: Vec<&str> =
                        found.iter().skip(1).flatten().map(|group| group.as_str()).collect();
                    Some(match (groups.is_empty(), found.get(0)) {
                        (true, Some(all)) => number(all.as_str()),
                        _ => number(&groups.join("\0")),
                    })
                })
            }
        }
    }
}

/// What a date written in this layout of Go looks like, as a regular expression.
pub(crate) fn date_pattern(layout: &str) -> String {
    const PARTS: [(&str, &str); 6] = [
        ("2006", r"\d{4}"),
        ("01", r"\d{2}"),
        ("02", r"\d{2}"),
        ("15", r"\d{2}"),
        ("04", r"\d{2}"),
        ("05", r"\d{2}"),
    ];
    let (mut pattern, mut rest) = (String::new(), layout);
    while let Some(next) = rest.chars().next() {
        if let Some((part, digits)) = PARTS.into_iter().find(|(part, _)| rest.starts_with(part)) {
            pattern.push_str(digits);
            rest = &rest[part.len()..];
        } else {
            pattern.push_str(&regex::escape(&next.to_string()));
            rest = &rest[next.len_utf8()..];
        }
    }
    pattern
}

/// FNV-1a with 32 bits: the same everywhere and for ever.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(partition: &Partition, one: &str, other: &str) -> bool {
        let place = partition.of(1_000_000);
        place(one, one) == place(other, other)
    }

    #[test]
    fn what_is_alike_in_the_part_that_counts_is_together() {
        let regex = Partition::Regex(r"user-(\d+)".to_owned());
        assert!(same(&regex, "a/user-7/x", "b/user-7/y") && !same(&regex, "user-7", "user-8"));
        assert_eq!(regex.of(9)("nobody", "nobody"), Some(0));
        let substring = Partition::Substring(2, 4);
        assert!(same(&substring, "aabbcc", "xxbbyy") && !same(&substring, "aabbcc", "aabdcc"));
        assert_eq!(substring.of(9)("abc", "abc"), Some(0), "too short");
        let date = Partition::Date(date_pattern("2006-01-02"));
        assert!(same(&date, "logs/2026-11-26/a", "old/2026-11-26.gz"));
        assert!(!same(&date, "logs/2026-11-26/a", "logs/2026-11-27/a"));
        assert_eq!(Partition::None.of(4)("a", "a"), None);
        assert_eq!(hash("a"), 0xe40c_292c);
    }
}
