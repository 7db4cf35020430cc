//! Users in a configuration (`API.Auth.Users`).

use serde_json::{Value as Json, json};
use skrei_access::WrittenUser;
use skrei_job::{
    Document,
    document::{Entry, Node, Tree},
};

/// Users as one text: JSON or YAML, as in a file.
pub(super) fn parse(text: &str) -> Result<Vec<WrittenUser>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    // The parser's own words would show what stands there.
    let document = Document::parse(text).map_err(|_| "it is not a list of users as a file has it")?;
    read(&document.root)
}

/// Users as a file has them. No message shows a secret.
pub(super) fn read(node: &Node) -> Result<Vec<WrittenUser>, String> {
    let Tree::List(items) = &node.tree else { return Err("a list of users is expected here".to_owned()) };
    items
        .iter()
        .enumerate()
        .map(|(index, item)| user(item).map_err(|wrong| format!("user {}: {wrong}", index + 1)))
        .collect()
}

fn user(node: &Node) -> Result<WrittenUser, String> {
    let mut user = WrittenUser::default();
    for entry in entries(node)? {
        let name = entry.key.text.to_ascii_lowercase();
        match name.as_str() {
            "alias" => user.alias = text(entry)?,
            "username" => user.username = text(entry)?,
            "password" => user.password = Some(text(entry)?.into()),
            "apikey" => user.api_key = Some(text(entry)?.into()),
            "capabilities" => user.capabilities = capabilities(&entry.value)?,
            _ => {
                return Err(format!(
                    "there is no `{}`; it has Alias, Username, Password, APIKey and Capabilities",
                    entry.key.text
                ));
            }
        }
    }
    user.check().map_err(|error| error.to_string())?;
    Ok(user)
}

/// `[{Actions: [read:job]}]`, or shorter `[read:job]`.
fn capabilities(node: &Node) -> Result<Vec<String>, String> {
    let Tree::List(items) = &node.tree else { return Err("`Capabilities` is a list".to_owned()) };
    let mut words = Vec::new();
    for item in items {
        match (item.scalar(), entries(item)) {
            (Some(word), _) => words.push(word.text.clone()),
            (None, Ok([entry])) if entry.key.text.eq_ignore_ascii_case("actions") => {
                let Tree::List(actions) = &entry.value.tree else {
                    return Err("`Actions` is a list".to_owned());
                };
                let actions = actions.iter().map(|action| action.scalar().map(|word| word.text.clone()));
                words.extend(actions.collect::<Option<Vec<_>>>().ok_or("each of `Actions` is a word")?);
            }
            _ => return Err("each of `Capabilities` is `{Actions: [...]}`".to_owned()),
        }
    }
    Ok(words)
}

fn entries(node: &Node) -> Result<&[Entry], String> {
    match &node.tree {
        Tree::Map(entries) => Ok(entries),
        _ => Err("names and values are expected here".to_owned()),
    }
}

fn text(entry: &Entry) -> Result<String, String> {
    let scalar = entry.value.scalar().ok_or_else(|| format!("`{}` is a text", entry.key.text))?;
    Ok(if scalar.is_null() { String::new() } else { scalar.text.clone() })
}

/// Names alone.
pub(super) fn shown(users: &[WrittenUser]) -> String {
    let name = |user: &WrittenUser| {
        if user.username.is_empty() { user.alias.clone() } else { user.username.clone() }
    };
    users.iter().map(name).collect::<Vec<_>>().join(",")
}

/// As in a file, with stars for secrets.
pub(super) fn masked(users: &[WrittenUser]) -> Json {
    let stars = |given: bool| if given { "********" } else { "" };
    let user = |user: &WrittenUser| {
        json!({
            "Alias": user.alias,
            "Username": user.username,
            "Password": stars(user.password.is_some()),
            "APIKey": stars(user.api_key.is_some()),
            "Capabilities": [{"Actions": user.capabilities}],
        })
    };
    users.iter().map(user).collect()
}
