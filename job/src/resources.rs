//! What a task asks of a node, and what a node has to give.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Amounts of what a node shares out. Zero means none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Processor time in thousandths of a core.
    pub cpu_millis: u64,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Disk space in bytes.
    pub disk_bytes: u64,
    /// Number of GPUs.
    pub gpus: u64,
}

impl Resources {
    /// Whether `wanted` can be taken from these.
    pub fn covers(&self, wanted: &Resources) -> bool {
        self.shortages(wanted).is_empty()
    }

    /// Names each amount of which `wanted` asks more than there is.
    pub fn shortages(&self, wanted: &Resources) -> Vec<Shortage> {
        [
            ("CPU", wanted.cpu_millis, self.cpu_millis),
            ("Memory", wanted.memory_bytes, self.memory_bytes),
            ("Disk", wanted.disk_bytes, self.disk_bytes),
            ("GPU", wanted.gpus, self.gpus),
        ]
        .into_iter()
        .filter(|(_, wanted, available)| wanted > available)
        .map(|(resource, wanted, available)| Shortage { resource, wanted, available })
        .collect()
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(&self, other: &Resources) -> Resources {
        Resources {
            cpu_millis: self.cpu_millis.saturating_add(other.cpu_millis),
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
            disk_bytes: self.disk_bytes.saturating_add(other.disk_bytes),
            gpus: self.gpus.saturating_add(other.gpus),
        }
    }

    /// What is left after taking `other`; nothing goes below zero.
    #[must_use]
    pub fn minus(&self, other: &Resources) -> Resources {
        Resources {
            cpu_millis: self.cpu_millis.saturating_sub(other.cpu_millis),
            memory_bytes: self.memory_bytes.saturating_sub(other.memory_bytes),
            disk_bytes: self.disk_bytes.saturating_sub(other.disk_bytes),
            gpus: self.gpus.saturating_sub(other.gpus),
        }
    }
}

/// One resource of which there is not enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// `CPU`, `Memory`, `Disk` or `GPU`.
    pub resource: &'static str,
    /// In thousandths of a core, bytes, or pieces.
    pub wanted: u64,
    /// In the same unit.
    pub available: u64,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wanted, available) = match self.resource {
            "CPU" => (cpu(self.wanted), cpu(self.available)),
            "GPU" => (self.wanted.to_string(), self.available.to_string()),
            _ => (bytes(self.wanted), bytes(self.available)),
        };
        write!(f, "{} {wanted} wanted, {available} available", self.resource)
    }
}

fn cpu(millis: u64) -> String {
    format!("{}", millis as f64 / 1000.0)
}

/// A byte count for people, in powers of 1000: `512 MB`.
pub fn bytes(count: u64) -> String {
    let mut amount = count as f64;
    let mut units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"].into_iter();
    let mut unit = units.next().unwrap_or("B");
    for larger in units {
        if amount < 1000.0 {
            break;
        }
        amount /= 1000.0;
        unit = larger;
    }
    if amount.fract() < 0.05 || unit == "B" {
        format!("{amount:.0} {unit}")
    } else {
        format!("{amount:.1} {unit}")
    }
}

/// Reads an amount of CPU: `500m` (thousandths of a core, whole numbers) or `0.5` (cores). In thousandths.
pub fn parse_cpu(text: &str) -> Result<u64, NotAQuantity> {
    let clean = clean(text);
    let wrong = || NotAQuantity { text: text.to_owned(), form: "`500m` or `0.5`" };
    if let Some(millis) = clean.strip_suffix('m') {
        return millis.parse().map_err(|_| wrong());
    }
    match clean.parse::<f64>() {
        Ok(cores) if cores.is_finite() && (0.0..=1e6).contains(&cores) => Ok((cores * 1000.0) as u64),
        _ => Err(wrong()),
    }
}

/// Reads an amount of bytes: a decimal number and an optional unit, `512MB` (powers of 1000) or `1Gi` (of 1024).
pub fn parse_bytes(text: &str) -> Result<u64, NotAQuantity> {
    let clean = clean(text);
    let wrong = || NotAQuantity { text: text.to_owned(), form: "`512MB` or `1Gi`" };
    let end = clean.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',')).unwrap_or(clean.len());
    let (number, unit) = clean.split_at(end);
    let number: f64 = number.replace(',', "").parse().map_err(|_| wrong())?;
    let (base, letter) = match unit.strip_suffix('b').unwrap_or(unit) {
        "" => (1.0, ""),
        unit => match unit.strip_suffix('i') {
            Some(letter) => (1024.0_f64, letter),
            None => (1000.0, unit),
        },
    };
    let power =
        ["", "k", "m", "g", "t", "p", "e"].iter().position(|known| *known == letter).ok_or_else(wrong)?;
    let total = number * base.powi(i32::try_from(power).unwrap_or(0));
    if total.is_finite() && total < u64::MAX as f64 { Ok(total as u64) } else { Err(wrong()) }
}

/// Reads a number of GPUs.
pub fn parse_gpus(text: &str) -> Result<u64, NotAQuantity> {
    clean(text).parse().map_err(|_| NotAQuantity { text: text.to_owned(), form: "`1`" })
}

/// The text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an amount like {form}")]
pub struct NotAQuantity {
    text: String,
    form: &'static str,
}

/// Lower case and without white space, as amounts are stored (reference 1.4).
pub fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_without_i_are_powers_of_ten_and_with_i_of_two() {
        for (text, expected) in [
            ("512Mb", 512_000_000),
            ("512 MB", 512_000_000),
            ("1Gi", 1 << 30),
            ("1gib", 1 << 30),
            ("1.5k", 1500),
            ("1,000", 1000),
            ("7b", 7),
        ] {
            assert_eq!(parse_bytes(text), Ok(expected), "{text}");
        }
        for text in ["", "x", "1x", "-1", "1kk"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn millicores_are_whole_numbers() {
        assert_eq!(parse_cpu("500m"), Ok(500));
        assert_eq!(parse_cpu("0.5"), Ok(500));
        assert!(parse_cpu("1.5m").is_err());
        assert!(parse_cpu("-1").is_err());
    }

    #[test]
    fn a_shortage_names_both_amounts() {
        let have = Resources { memory_bytes: 100_000_000, ..Resources::default() };
        let want = Resources { memory_bytes: 512_000_000, ..Resources::default() };
        assert_eq!(have.shortages(&want)[0].to_string(), "Memory 512 MB wanted, 100 MB available");
    }
}
