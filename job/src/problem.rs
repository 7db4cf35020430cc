//! What is wrong with a job, where, and the way out: one shape for every stage from text to spec.

use std::fmt;

use crate::document::Document;

/// One thing that is wrong (or, as a warning, worth knowing), and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path into the document: `Tasks[0].Engine.Type`. Empty for the whole.
    pub path: String,
    /// Line and column, from 1, when the document came from text.
    pub at: Option<(usize, usize)>,
    /// A lowercase fragment that names the thing. Never the value of a template variable.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
}

/// Everything that is wrong with a document; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problem {
    /// A problem at this path of the document.
    pub fn new(path: impl fmt::Display, message: impl Into<String>) -> Self {
        Self { path: path.to_string(), at: None, message: message.into(), hint: None }
    }

    /// The same with the way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a place, if there is one.
    #[must_use]
    pub fn at(mut self, place: Option<(usize, usize)>) -> Self {
        self.at = place;
        self
    }

    /// For a terminal: the problem, the line of the job file with a caret under the column, and the hint.
    ///
    /// `source` is the job file as written, before any variable was filled in.
    pub fn show(&self, file: &str, source: &str) -> String {
        let mut text = file.to_owned();
        if let Some((line, column)) = self.at {
            text.push_str(&format!(":{line}:{column}"));
        }
        text.push_str(": ");
        text.push_str(&self.subject());
        if let Some((line, column)) = self.at
            && let Some(written) = source.lines().nth(line.saturating_sub(1))
        {
            let number = line.to_string();
            let (excerpt, caret) = excerpt(written, column);
            text.push_str(&format!("\n {number} | {excerpt}"));
            text.push_str(&format!("\n {:width$} | {:caret$}^", "", "", width = number.len()));
        }
        if let Some(hint) = &self.hint {
            text.push_str("\nhint: ");
            text.push_str(&hint.replace('\n', "\n      "));
        }
        text
    }

    /// Path and message without the place.
    fn subject(&self) -> String {
        if self.path.is_empty() { self.message.clone() } else { format!("{}: {}", self.path, self.message) }
    }
}

impl Problems {
    /// These problems, or nothing if there are none.
    pub fn new(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// Fails if there is any.
    pub(crate) fn check(problems: Vec<Problem>) -> Result<(), Self> {
        Self::new(problems).map_or(Ok(()), Err)
    }

    /// The problems in document order.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }

    /// Gives each problem that has a path but no place the place of that path in the document, in document
    /// order, and takes the values of template variables out of the messages.
    #[must_use]
    pub fn located(self, document: &Document) -> Self {
        Self(locate(self.0, document))
    }
}

/// What [`Problems::located`] does, for a list that may be empty (warnings).
pub fn locate(mut problems: Vec<Problem>, document: &Document) -> Vec<Problem> {
    for problem in &mut problems {
        let (place, value) = document.find(&problem.path);
        problem.at = problem.at.or(place);
        if let Some(value) = value {
            problem.message = problem.message.replace(
                &format!("`{value}`"),
                &format!("the value from a template variable ({})", bytes(value)),
            );
        }
    }
    problems.sort_by_key(|problem| problem.at.unwrap_or((0, 0)));
    problems
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.at {
            write!(f, "{line}:{column} ")?;
        }
        f.write_str(&self.subject())?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {}", hint.replace('\n', "\n        "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
impl std::error::Error for Problems {}

/// How much of a text is quoted in a message; longer ones are named by their length.
const QUOTED_CHARS_MAX: usize = 60;

/// A text in backticks if it is short and on one line, else its length: keys and certificates end up in the
/// wrong field, and a message goes to logs.
pub(crate) fn quoted(text: &str) -> String {
    if text.chars().count() <= QUOTED_CHARS_MAX && !text.chars().any(char::is_control) {
        format!("`{text}`")
    } else {
        format!("the text given ({})", bytes(text))
    }
}

fn bytes(text: &str) -> String {
    match text.len() {
        1 => "1 byte".to_owned(),
        length => format!("{length} bytes"),
    }
}

/// The known name nearest to what was written, if any is near enough to be a slip of the finger.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = written.to_lowercase();
    let bound = (lower.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= bound)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `a, b and c`, each in backticks.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// How many characters of a line are shown around the column.
const EXCERPT_CHARS: usize = 100;

/// The part of a line around a column, and how far the caret is from its start.
fn excerpt(line: &str, column: usize) -> (String, usize) {
    let column = column.saturating_sub(1);
    let start = if column < EXCERPT_CHARS - 20 { 0 } else { column - EXCERPT_CHARS / 2 };
    let text = line.chars().skip(start).take(EXCERPT_CHARS);
    (text.map(|c| if c.is_control() { ' ' } else { c }).collect(), column - start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_problem_points_at_its_column() {
        let problem = Problem::new("Type", "`opps` is not a job type").at(Some((2, 7))).hint("write `ops`");
        assert_eq!(
            problem.show("job.yaml", "Name: a\nType: opps\n"),
            "job.yaml:2:7: Type: `opps` is not a job type\n 2 | Type: opps\n   |       ^\nhint: write `ops`"
        );
        assert_eq!(problem.to_string(), "2:7 Type: `opps` is not a job type\n  hint: write `ops`");
    }

    #[test]
    fn a_long_line_is_cut_around_the_column() {
        let line = "x".repeat(5000);
        let (text, caret) = excerpt(&line, 4000);
        assert_eq!((text.len(), caret), (100, 50));
        assert_eq!(excerpt("ab", 900).0, "");
    }

    #[test]
    fn only_a_near_name_is_suggested() {
        assert_eq!(nearest("Cuont", ["Count", "Type"]), Some("Count"));
        assert_eq!(nearest("Banana", ["Count", "Type"]), None);
    }

    #[test]
    fn long_and_multi_line_texts_are_not_quoted() {
        assert_eq!(quoted("abc"), "`abc`");
        assert_eq!(quoted("a\nb"), "the text given (3 bytes)");
    }
}
