//! Paths into a document, as problems name them: `Tasks[0].Engine.Type`.

use std::fmt;

/// The way from the root of a document to one of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<Step>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into the value of this key.
    Key(String),
    /// Into the element at this index, from 0.
    Index(usize),
}

impl Path {
    /// The document itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// One key further.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.step(Step::Key(key.to_owned()))
    }

    /// One element further.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    /// Every step from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    fn step(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Reads what [`Display`](fmt::Display) writes. Anything else gives as many steps as could be read.
    pub fn parse(text: &str) -> Self {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (step, tail) = match next(rest) {
                Some(found) => found,
                None => break,
            };
            steps.push(step);
            rest = tail.strip_prefix('.').unwrap_or(tail);
        }
        Self(steps)
    }
}

fn next(text: &str) -> Option<(Step, &str)> {
    if let Some(quoted) = text.strip_prefix("[\"") {
        let mut key = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => key.push(characters.next()?.1),
                '"' => return Some((Step::Key(key), quoted[at + 1..].strip_prefix(']')?)),
                other => key.push(other),
            }
        }
        return None;
    }
    if let Some(index) = text.strip_prefix('[') {
        let (digits, tail) = index.split_once(']')?;
        return Some((Step::Index(digits.parse().ok()?), tail));
    }
    let end = text.find(['.', '[']).unwrap_or(text.len());
    (end > 0).then(|| (Step::Key(text[..end].to_owned()), &text[end..]))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if is_plain(key) => {
                    let dot = if position == 0 { "" } else { "." };
                    write!(f, "{dot}{key}")?;
                }
                Step::Key(key) => {
                    write!(f, "[\"{}\"]", key.replace('\\', "\\\\").replace('"', "\\\""))?;
                }
            }
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_back_what_it_writes() {
        for path in [
            Path::root(),
            Path::root().key("Tasks").index(0).key("Engine").key("Type"),
            Path::root().key("Labels").key("a.b/c").key("d"),
            Path::root().key("we\"ird]\\ key").index(3).index(4),
            Path::root().key(""),
        ] {
            assert_eq!(Path::parse(&path.to_string()), path, "{path}");
        }
        assert_eq!(Path::root().key("Tasks").index(0).key("Env").to_string(), "Tasks[0].Env");
    }

    #[test]
    fn any_text_can_be_parsed() {
        for text in ["[", "[\"", "[\"a", "[x]", "..", "a[", "[1", "\\"] {
            let _ = Path::parse(text);
        }
    }
}
