//! Parameters as programs have them: arguments `--name=VALUE` or `--name VALUE`, or else variables `NAME`.

/// What the arguments say of a parameter; a flag without a value says the empty text. The first argument is the program's
/// own name, and those after `--` are no parameters. `_` and `-` are the same.
pub(super) fn argument<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let is_meant = |flag: &str| dashed(flag) == dashed(name);
    let mut flags = arguments.iter().skip(1).map(String::as_str).take_while(|one| *one != "--").peekable();
    while let Some(argument) = flags.next() {
        let Some(flag) = argument.strip_prefix("--") else { continue };
        match flag.split_once('=') {
            Some((flag, value)) if is_meant(flag) => return Some(value),
            None if is_meant(flag) => {
                return Some(flags.next_if(|next| !next.starts_with("--")).unwrap_or_default());
            }
            _ => {}
        }
    }
    None
}

/// The variable of that name.
pub(super) fn variable(name: &str) -> String {
    name.replace('-', "_").to_ascii_uppercase()
}

fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_as_programs_find_it() {
        let given = |line: &str, name: &str| {
            let line: Vec<_> = line.split(' ').map(str::to_owned).collect();
            argument(&line, name).map(str::to_owned)
        };
        for (line, name, value) in [
            ("main.wasm --dry-run", "dry_run", Some("")),
            ("main.wasm x --out=a=b", "out", Some("a=b")),
            ("main.wasm --other --out dir", "out", Some("dir")),
            ("main.wasm -- --out dir", "out", None),
            ("--out=name", "out", None),
        ] {
            assert_eq!(given(line, name).as_deref(), value, "{line}");
        }
        assert_eq!(variable("dry-run"), "DRY_RUN");
    }
}
