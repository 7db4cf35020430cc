//! `skrei node approve|reject|delete|cordon|uncordon|drain|label`: who belongs to the fleet, and who gets work.

use std::{collections::BTreeMap, time::Duration};

use clap::Args;
use skrei_protocol::api::node::PutNodeRequest;

use crate::{cli::Globals, commands::client, config::value, error::Error, exit, terminal};

/// Of which node.
#[derive(Debug, Args)]
pub(crate) struct Order {
    /// Its whole id
    #[arg(value_name = "NODE")]
    node: String,
    /// Why, for the orchestrator's log
    #[arg(short, long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    message: String,
}

/// How a node is emptied.
#[derive(Debug, Args)]
pub(crate) struct Drain {
    #[command(flatten)]
    order: Order,
    /// When what is left is given to others
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = value::duration)]
    deadline: Duration,
}

/// Labels of a node that are set here.
#[derive(Debug, Args)]
pub(crate) struct Label {
    #[command(flatten)]
    order: Order,
    /// Labels: `KEY=VALUE` sets one whatever the node says, `KEY-` lets the node say it again
    #[arg(value_name = "LABEL", required = true)]
    labels: Vec<String>,
}

impl Order {
    /// Has the orchestrator do this with the node.
    pub(super) async fn run(self, action: &str, globals: &Globals) -> Result<u8, Error> {
        self.send(PutNodeRequest { action: action.to_owned(), ..PutNodeRequest::default() }, globals).await
    }

    async fn send(self, request: PutNodeRequest, globals: &Globals) -> Result<u8, Error> {
        let request = PutNodeRequest { message: self.message, ..request };
        client(globals)?.order(&self.node, request).await?;
        terminal::data("Ok")?;
        Ok(exit::SUCCESS)
    }
}

impl Drain {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let (action, deadline) = ("drain".to_owned(), Some(self.deadline.as_secs()));
        self.order.send(PutNodeRequest { action, deadline, ..PutNodeRequest::default() }, globals).await
    }
}

impl Label {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let labels = self.labels.iter().map(|text| label(text)).collect::<Result<BTreeMap<_, _>, _>>()?;
        let action = "label".to_owned();
        self.order.send(PutNodeRequest { action, labels, ..PutNodeRequest::default() }, globals).await
    }
}

fn label(text: &str) -> Result<(String, Option<String>), Error> {
    match (text.split_once('='), text.strip_suffix('-')) {
        (Some((name, value)), _) if !name.is_empty() => Ok((name.to_owned(), Some(value.to_owned()))),
        (None, Some(name)) if !name.is_empty() => Ok((name.to_owned(), None)),
        _ => Err(Error::usage(format!("`{text}` is no label")).hint("KEY=VALUE, or KEY- to take one back")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_set_or_taken_back() {
        for (text, expected) in [
            ("zone=eu", Some(("zone", Some("eu")))),
            ("zone=", Some(("zone", Some("")))),
            ("zone=a-", Some(("zone", Some("a-")))),
            ("zone-", Some(("zone", None))),
            ("zone", None),
            ("=eu", None),
            ("-", None),
        ] {
            let found = label(text).ok();
            let found = found.as_ref().map(|(name, value)| (name.as_str(), value.as_deref()));
            assert_eq!(found, expected, "{text}");
        }
    }
}
