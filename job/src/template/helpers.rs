//! What templates can call. Every result is a value, and so is data.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonTruthy, JsonValue, Output, RenderContext,
    RenderError, RenderErrorReason, Renderable, ScopedJson,
};

use super::{
    marks::Mark,
    render::{SharedValues, Value},
    variables::Variables,
};
use crate::secret;

/// Every helper, ours and those that come with Handlebars.
pub(super) const NAMES: &[&str] = &[
    "if", "unless", "each", "with", "lookup", "raw", "eq", "ne", "gt", "gte", "lt", "lte", "and", "or",
    "not", "len", "base64", "json", "parse", "default", "env", "split", "lines", "secret",
];

/// Makes the helpers known, and takes out what has no place in a job template.
pub(super) fn register(handlebars: &mut Handlebars<'_>, variables: &Variables) {
    // `log` would write values to the log.
    handlebars.unregister_helper("log");
    handlebars.register_helper("if", Box::new(Condition { wanted: true }));
    handlebars.register_helper("unless", Box::new(Condition { wanted: false }));
    handlebars.register_helper("default", Box::new(Default));
    handlebars.register_helper("env", Box::new(Environment { variables: variables.clone() }));
    handlebars.register_helper("base64", Box::new(Function(|text| Ok(STANDARD.encode(text).into()))));
    handlebars.register_helper("json", Box::new(Json));
    handlebars.register_helper("parse", Box::new(Function(parse)));
    handlebars
        .register_helper("lines", Box::new(Function(|text| Ok(text.lines().collect::<Vec<_>>().into()))));
    handlebars.register_helper("split", Box::new(Split));
}

/// What our own messages start with, so that they are told from those of Handlebars. A hint follows on a line of
/// its own.
pub(super) const OURS: &str = "skrei: ";

fn fail(message: impl std::fmt::Display) -> RenderError {
    RenderErrorReason::Other(format!("{OURS}{message}")).into()
}

/// The parameter at this index; a missing variable is an error that names it.
fn param<'h>(helper: &'h Helper<'_>, index: usize) -> Result<&'h JsonValue, RenderError> {
    let Some(param) = helper.param(index) else {
        return Err(fail(format!("`{}` takes more parameters", helper.name())));
    };
    if param.is_value_missing() {
        return Err(RenderError::strict_error(param.relative_path()));
    }
    Ok(param.value())
}

fn text<'h>(helper: &'h Helper<'_>, index: usize) -> Result<&'h str, RenderError> {
    let value = param(helper, index)?;
    value.as_str().ok_or_else(|| fail(format!("`{}` takes text here", helper.name())))
}

/// `if` and `unless`, but strict: a missing variable is an error, not false.
struct Condition {
    wanted: bool,
}

impl HelperDef for Condition {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        handlebars: &'reg Handlebars<'reg>,
        context: &'rc Context,
        state: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let holds = param(helper, 0)?.is_truthy(false);
        let branch = if holds == self.wanted { helper.template() } else { helper.inverse() };
        branch.map_or(Ok(()), |branch| branch.render(handlebars, context, state, out))
    }
}

macro_rules! value_helper {
    ($name:ty, |$this:ident, $helper:ident| $body:expr) => {
        impl HelperDef for $name {
            fn call_inner<'reg: 'rc, 'rc>(
                &self,
                $helper: &Helper<'rc>,
                _: &'reg Handlebars<'reg>,
                _: &'rc Context,
                _: &mut RenderContext<'reg, 'rc>,
            ) -> Result<ScopedJson<'rc>, RenderError> {
                let $this = self;
                let value: Result<JsonValue, RenderError> = $body;
                value.map(ScopedJson::Derived)
            }
        }
    };
}

/// A helper of one text.
struct Function(fn(&str) -> Result<JsonValue, RenderError>);
value_helper!(Function, |this, helper| (this.0)(text(helper, 0)?));

fn parse(text: &str) -> Result<JsonValue, RenderError> {
    // What is wrong with it would show some of it.
    serde_json::from_str(text).map_err(|error| {
        fail(format!("the value is not JSON (line {}, column {} of it)", error.line(), error.column()))
    })
}

/// `{{json value}}`: the value as JSON text.
struct Json;
value_helper!(Json, |_this, helper| Ok(param(helper, 0)?.to_string().into()));

/// `{{default name "x"}}`: the variable if there is one, else the text.
struct Default;
value_helper!(Default, |_this, helper| match helper.param(0) {
    Some(first) if !first.is_value_missing() => Ok(first.value().clone()),
    _ => Ok(param(helper, 1)?.clone()),
});

/// `{{env "NAME"}}`: an imported environment variable; a second text is used if there is none.
struct Environment {
    variables: Variables,
}
value_helper!(Environment, |this, helper| {
    let name = text(helper, 0)?;
    match this.variables.environment().get(name) {
        Some(value) => Ok(value.clone().into()),
        None if helper.param(1).is_some() => Ok(param(helper, 1)?.clone()),
        None => {
            let names: Vec<_> = this.variables.environment().keys().map(|name| format!("`{name}`")).collect();
            let known = if names.is_empty() {
                String::new()
            } else {
                format!("; imported were {}", names.join(", "))
            };
            Err(fail(format!(
                "no environment variable `{name}` was imported\nadd --template-envs {name}{known}"
            )))
        }
    }
});

/// `{{secret "NAME"}}`: a reference to a secret. It is written like a value and told from one, whatever text a variable
/// has; so it is no text that another helper could take.
pub(super) struct Secret {
    pub(super) values: SharedValues,
    pub(super) mark: char,
}

impl HelperDef for Secret {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let name: secret::Name = text(helper, 0)?.parse().map_err(fail)?;
        let index = self.values.add(Value::Secret(name));
        Ok(out.write(&Mark::Value(index).write(self.mark))?)
    }
}

/// `{{#each (split hosts ",")}}`: the parts of a text, as they are. An empty text has none.
struct Split;
value_helper!(Split, |_this, helper| {
    let whole = text(helper, 0)?;
    let separator = if helper.param(1).is_some() { text(helper, 1)? } else { "," };
    if separator.is_empty() {
        Err(fail("`split` takes a separator that is not empty\nleave it out to split at commas"))
    } else if whole.is_empty() {
        Ok(JsonValue::Array(Vec::new()))
    } else {
        Ok(whole.split(separator).collect::<Vec<_>>().into())
    }
});
