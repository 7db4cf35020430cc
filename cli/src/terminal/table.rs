//! Tables on standard output: fitted to a terminal, one line a row when piped.

use std::io::{self, IsTerminal};

use comfy_table::{
    Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table as Grid, Width, presets,
};

use super::{fit, style, width};

/// Spaces between columns.
const GAP: u16 = 2;

/// A word of more columns than any terminal that has room for another beside it.
const WORD_MAX: usize = 1000;

/// Columns and rows, being filled.
pub(crate) struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<(String, Mood)>>,
}

/// How a cell's content is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// As anything else.
    Plain,
    /// As it should be.
    Good,
    /// Not done yet.
    Open,
    /// Not as it should be.
    Bad,
}

/// How a table is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Whether the columns' names stand above.
    pub(crate) header: bool,
    /// Whether moods show as colours.
    pub(crate) coloured: bool,
    /// Columns of the terminal to fit it to; none draws one line a row, however long.
    pub(crate) width: Option<u16>,
}

impl Look {
    /// As suits standard output: fitted and coloured where a person watches.
    pub(crate) fn of_stdout() -> Self {
        let fitted = || u16::try_from(width()).unwrap_or(u16::MAX);
        Self {
            header: true,
            coloured: style::stdout().is_coloured(),
            width: io::stdout().is_terminal().then(fitted),
        }
    }

    /// Nothing but the text.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { header: true, coloured: false, width: None };
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(columns: &[&str]) -> Self {
        Self { columns: columns.iter().map(|column| (*column).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row of plain cells.
    pub(crate) fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        self.moody_row(cells.into_iter().map(|cell| (cell, Mood::Plain)));
    }

    /// Adds a row.
    pub(crate) fn moody_row<'a>(&mut self, cells: impl IntoIterator<Item = (&'a str, Mood)>) {
        let cells = cells.into_iter().map(|(text, mood)| {
            // A cell is one paragraph: what a guest or node says cannot forge rows.
            (super::harmless::line(text).trim_end().to_owned(), mood)
        });
        self.rows.push(cells.collect());
    }

    /// Whether it has no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The names of the columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str)
    }

    /// The cells of each row.
    pub(super) fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = &str>> {
        self.rows.iter().map(|row| row.iter().map(|(text, _)| text.as_str()))
    }

    /// The table as text; without colours, also without spaces at the ends of lines.
    pub(crate) fn text(&self, look: Look) -> String {
        // With colours, what looks like space at the end may end in the code that switches them off.
        let trimmed = |line: String| if look.coloured { line } else { line.trim_end().to_owned() };
        self.drawn(look).lines().map(|line| trimmed(line) + "\n").collect()
    }

    /// Writes the table to standard output.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn show(&self) -> io::Result<()> {
        super::data(&self.text(Look::of_stdout()))
    }

    fn drawn(&self, look: Look) -> Grid {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING);
        match look.width {
            Some(width) => grid.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
            None => grid.set_content_arrangement(ContentArrangement::Disabled),
        };
        if look.coloured {
            grid.enforce_styling();
        } else {
            grid.force_no_tty();
        }
        if look.header {
            let heading = |name: &String| Cell::new(name.to_uppercase()).add_attribute(Attribute::Bold);
            grid.set_header(self.columns.iter().map(heading));
        }
        for row in &self.rows {
            grid.add_row(row.iter().map(|(text, mood)| painted(Cell::new(text), *mood)));
        }
        let words = self.longest_words();
        let has_room =
            look.width.is_some_and(|width| words.iter().map(|word| word + GAP).sum::<u16>() <= width);
        for (column, word) in grid.column_iter_mut().zip(words) {
            column.set_padding((0, GAP));
            if has_room {
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(word + GAP)));
            }
        }
        grid
    }

    /// Columns that the longest word of each column takes: with fewer it would be broken.
    fn longest_words(&self) -> Vec<u16> {
        let longest = |text: &str| text.split(' ').map(fit::columns).max().unwrap_or(0);
        let mut words: Vec<usize> = self.columns().map(longest).collect();
        for row in self.rows() {
            for (word, cell) in words.iter_mut().zip(row) {
                *word = longest(cell).max(*word);
            }
        }
        // A word that is wider than any terminal leaves no room for the others.
        words.into_iter().map(|word| u16::try_from(word.min(WORD_MAX)).unwrap_or(u16::MAX)).collect()
    }
}

fn painted(cell: Cell, mood: Mood) -> Cell {
    match mood {
        Mood::Good => cell.fg(Color::DarkGreen),
        Mood::Open => cell.fg(Color::DarkYellow),
        Mood::Bad => cell.fg(Color::DarkRed),
        Mood::Plain => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piped_table_has_one_line_a_row_and_no_trailing_spaces() {
        let mut table = Table::new(&["node", "message"]);
        table.row(["a", ""]);
        table.row(["node-1", &"long\nmessage ".repeat(20)]);
        let text = table.text(Look::PLAIN);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert_eq!(&lines[..2], ["NODE    MESSAGE", "a"]);
        let bare = table.text(Look { header: false, ..Look::PLAIN });
        assert_eq!(bare, text.split_once('\n').unwrap().1);
    }

    #[test]
    fn a_narrow_terminal_gets_narrow_lines() {
        let mut table = Table::new(&["node", "message"]);
        table.row(["node-1", &"many words ".repeat(20)]);
        let text = table.text(Look { width: Some(40), ..Look::PLAIN });
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
    }

    #[test]
    fn words_stay_whole_where_there_is_room_for_them() {
        let mut table = Table::new(&["id", "labels", "memory"]);
        table.row([
            "node-0",
            "env=devstack id=0 name=node-0 os_arch=amd64 os_type=linux",
            "20.2 GB / 20.2 GB",
        ]);
        let text = table.text(Look { width: Some(40), ..Look::PLAIN });
        for word in ["env=devstack", "name=node-0", "os_arch=amd64", "os_type=linux"] {
            assert!(text.contains(word), "{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        let text = table.text(Look { width: Some(20), ..Look::PLAIN });
        assert!(text.lines().all(|line| line.chars().count() <= 20), "{text}");
    }
}
