//! The forms in which commands show what they found: for people or for programs.

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::table::{Look, Table};
use crate::error::Error;

/// How a list is shown.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output options")]
pub(crate) struct ListFormat {
    /// For people (`table`), for a spreadsheet (`csv`), or whole for programs
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Table)]
    output: Form,
    /// JSON over several lines
    #[arg(long)]
    pretty: bool,
    /// Whole ids and nothing cut to the terminal's width
    #[arg(long)]
    pub(crate) wide: bool,
    /// No line with the columns' names
    #[arg(long)]
    hide_header: bool,
    /// No colours and one line a row
    #[arg(long)]
    no_style: bool,
}

/// The forms of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Table,
    Csv,
    Json,
    Yaml,
}

impl ListFormat {
    /// Shows a list: `table` to people and spreadsheets, `items` whole to programs.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn show(&self, table: &Table, items: &impl Serialize) -> Result<(), Error> {
        let text = match self.output {
            Form::Table => table.text(self.look()),
            Form::Csv => csv(table, !self.hide_header)?,
            Form::Json => json(items, self.pretty)?,
            Form::Yaml => super::yaml(items)?,
        };
        // A table without rows and header is nothing, not an empty line.
        if !text.is_empty() {
            super::data(&text)?;
        }
        Ok(())
    }

    fn look(&self) -> Look {
        let suited = Look::of_stdout();
        Look {
            header: !self.hide_header,
            coloured: suited.coloured && !self.no_style,
            width: suited.width.filter(|_| !self.no_style && !self.wide),
        }
    }
}

/// How one thing is shown.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output options")]
pub(crate) struct ItemFormat {
    /// Whole, for programs
    #[arg(long, value_name = "FORMAT", value_enum)]
    output: Option<Document>,
    /// JSON over several lines
    #[arg(long)]
    pretty: bool,
}

/// The forms of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Document {
    Json,
    Yaml,
}

impl ItemFormat {
    /// The thing as a document, if one was asked for.
    ///
    /// # Errors
    /// If it has no such form, which is a mistake of ours.
    pub(crate) fn document(&self, item: &impl Serialize) -> Result<Option<String>, Error> {
        self.output
            .map(|form| match form {
                Document::Json => json(item, self.pretty),
                Document::Yaml => super::yaml(item),
            })
            .transpose()
    }

    /// The thing as a document: as asked for, or else as YAML.
    ///
    /// # Errors
    /// As for [`document`](Self::document).
    pub(crate) fn document_or_yaml(&self, item: &impl Serialize) -> Result<String, Error> {
        self.document(item)?.map_or_else(|| super::yaml(item), Ok)
    }
}

/// JSON without private keys, on one line unless it is to be pretty.
fn json(value: &impl Serialize, pretty: bool) -> Result<String, Error> {
    let value = super::masked(value)?;
    Ok(if pretty { format!("{value:#}") } else { value.to_string() })
}

/// RFC 4180, with the line ends of this system.
fn csv(table: &Table, header: bool) -> Result<String, Error> {
    let broken = |error: csv::Error| Error::internal(format!("write CSV: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    if header {
        writer.write_record(table.columns()).map_err(broken)?;
    }
    for row in table.rows() {
        writer.write_record(row.map(harmless)).map_err(broken)?;
    }
    let bytes = writer.into_inner().map_err(|error| broken(error.into_error().into()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A cell that a spreadsheet takes for text: what a guest or node says must not become a formula there.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["id", "says"]);
        table.row(["n-1", "one, \"two\""]);
        table.row(["n-2", "=1+1"]);
        table
    }

    #[test]
    fn a_spreadsheet_gets_quoted_text_and_no_formulas() {
        assert_eq!(csv(&table(), true).unwrap(), "id,says\nn-1,\"one, \"\"two\"\"\"\nn-2,'=1+1\n");
        assert!(csv(&table(), false).unwrap().starts_with("n-1,"));
    }

    #[test]
    fn programs_get_one_line_unless_they_ask_for_more() {
        let value = serde_json::json!({"a": [1]});
        assert_eq!(json(&value, false).unwrap(), "{\"a\":[1]}");
        assert_eq!(json(&value, true).unwrap(), "{\n  \"a\": [\n    1\n  ]\n}");
    }
}
