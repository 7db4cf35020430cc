//! Tables on standard output: fitted to a terminal, one line a row when piped.

use std::io::{self, IsTerminal};

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table as Grid, presets};

use super::{style, width};

/// Spaces between columns.
const GAP: u16 = 2;

/// A table being filled.
pub(crate) struct Table {
    grid: Grid,
    coloured: bool,
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

impl Table {
    /// A table with these columns.
    pub(crate) fn new(columns: &[&str]) -> Self {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING);
        if io::stdout().is_terminal() {
            grid.set_content_arrangement(ContentArrangement::Dynamic);
            grid.set_width(u16::try_from(width()).unwrap_or(u16::MAX));
        } else {
            grid.set_content_arrangement(ContentArrangement::Disabled);
        }
        let coloured = style::stdout().is_coloured();
        if coloured {
            grid.enforce_styling();
        } else {
            grid.force_no_tty();
        }
        grid.set_header(
            columns.iter().map(|column| Cell::new(column.to_uppercase()).add_attribute(Attribute::Bold)),
        );
        for column in grid.column_iter_mut() {
            column.set_padding((0, GAP));
        }
        Self { grid, coloured }
    }

    /// Adds a row of plain cells.
    pub(crate) fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        self.moody_row(cells.into_iter().map(|cell| (cell, Mood::Plain)));
    }

    /// Adds a row.
    pub(crate) fn moody_row<'a>(&mut self, cells: impl IntoIterator<Item = (&'a str, Mood)>) {
        let cells = cells.into_iter().map(|(text, mood)| {
            // A cell is one paragraph: what a guest or node says cannot forge rows.
            let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let cell = Cell::new(text.trim_end());
            match mood {
                Mood::Good => cell.fg(Color::DarkGreen),
                Mood::Open => cell.fg(Color::DarkYellow),
                Mood::Bad => cell.fg(Color::DarkRed),
                Mood::Plain => cell,
            }
        });
        self.grid.add_row(cells.collect::<Vec<_>>());
    }

    /// Whether it has no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.grid.is_empty()
    }

    /// The table as text; without colours, also without spaces at the ends of lines.
    pub(crate) fn text(&self) -> String {
        // With colours, what looks like space at the end may end in the code that switches them off.
        let trimmed = |line: String| if self.coloured { line } else { line.trim_end().to_owned() };
        self.grid.lines().map(|line| trimmed(line) + "\n").collect()
    }

    /// Writes the table to standard output.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn show(&self) -> io::Result<()> {
        super::data(&self.text())
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
        let text = table.text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert_eq!(&lines[..2], ["NODE    MESSAGE", "a"]);
    }
}
