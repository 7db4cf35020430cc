//! Mode and owner of what a guest makes, as a job asks for them.

use std::{collections::BTreeMap, fmt, str::FromStr};

/// Mode and owner of what a guest makes in a mount. Where nothing is asked for, it is made as the node makes files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ownership {
    /// Of files.
    pub file: Option<FileMode>,
    /// Of files with these names, in whatever directory. A file that is renamed gets its new name's.
    pub named: BTreeMap<String, FileMode>,
    /// Of directories.
    pub dir: Option<FileMode>,
    /// Who has them, if the node's owner allows it.
    pub owner: Option<Owner>,
}

/// Who may read, write and execute: nine bits, written as `chmod` takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileMode(u32);

/// Why a text is no mode, as the end of a sentence that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAMode(pub &'static str);

impl FileMode {
    /// The nine bits.
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl FromStr for FileMode {
    type Err = NotAMode;

    /// Octal digits, after `0`, `0o` or nothing: people write `0600`, YAML 1.2 `0o600`, and `600` is meant so, too.
    ///
    /// A mode that gives others more than the owner is refused: it is nearly always `0644` that some program wrote
    /// as the decimal number 420.
    fn from_str(text: &str) -> Result<Self, NotAMode> {
        let digits = text.trim();
        let digits = digits.strip_prefix("0o").unwrap_or(digits);
        if digits.is_empty() || digits.len() > 5 || !digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte))
        {
            return Err(NotAMode("is not a mode of octal digits"));
        }
        let bits = u32::from_str_radix(digits, 8).map_err(|_| NotAMode("is not a mode of octal digits"))?;
        if bits > 0o777 {
            return Err(NotAMode("has more than the nine bits of reading, writing and executing"));
        }
        let (owner, group, others) = (bits >> 6, bits >> 3 & 7, bits & 7);
        if (group | others) & !owner != 0 {
            return Err(NotAMode("gives others more than the owner"));
        }
        Ok(Self(bits))
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// Whose a file is: names or numbers that the node looks up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// A user's name or number.
    pub user: String,
    /// A group's; none means the user's own.
    pub group: Option<String>,
}

/// The text is not `USER[:GROUP]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnOwner;

impl FromStr for Owner {
    type Err = NotAnOwner;

    /// `USER[:GROUP]`, as `chown` takes it.
    fn from_str(text: &str) -> Result<Self, NotAnOwner> {
        let plain = |name: &str| {
            !name.is_empty() && !name.chars().any(|c| c == ':' || c.is_whitespace() || c.is_control())
        };
        let text = text.trim();
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        if !plain(user) || !group.is_none_or(plain) {
            return Err(NotAnOwner);
        }
        Ok(Self { user: user.to_owned(), group: group.map(str::to_owned) })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.group {
            Some(group) => write!(f, "{}:{group}", self.user),
            None => f.write_str(&self.user),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_read_as_octal_however_it_is_written() {
        for text in ["0600", "600", "0o600", " 0600 "] {
            assert_eq!(text.parse::<FileMode>().map(FileMode::bits), Ok(0o600), "{text}");
        }
        assert_eq!("0755".parse::<FileMode>().unwrap().to_string(), "0755");
    }

    #[test]
    fn what_is_no_plain_mode_is_refused() {
        for text in ["", "0o", "rw-------", "0680", "4755", "01777", "0x1ff", "-600", "00000600"] {
            assert!(text.parse::<FileMode>().is_err(), "{text}");
        }
        // 0644, 0600, 0755, 0640, 0660 and 0400 as decimal numbers.
        for text in ["420", "384", "493", "416", "432", "256"] {
            assert!(text.parse::<FileMode>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_owner_is_a_user_and_perhaps_a_group() {
        assert_eq!("nginx".parse::<Owner>().unwrap().to_string(), "nginx");
        assert_eq!("101:nginx".parse::<Owner>().unwrap().to_string(), "101:nginx");
        for text in ["", ":", "a:", ":b", "a:b:c", "a b"] {
            assert!(text.parse::<Owner>().is_err(), "{text}");
        }
    }
}
