//! JSON over several lines, without reading it: the order of keys and the form of numbers stay.

/// Puts every entry of an object or list on a line of its own, two spaces deeper.
pub(super) fn indent(compact: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(compact.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let mut bytes = compact.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if in_text {
            lines.push(byte);
            in_text = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => {}
            b'{' | b'[' => {
                lines.push(byte);
                while bytes.next_if(u8::is_ascii_whitespace).is_some() {}
                if bytes.peek().is_some_and(|next| !matches!(next, b'}' | b']')) {
                    depth += 1;
                    new_line(&mut lines, depth);
                } else {
                    lines.extend(bytes.next());
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut lines, depth);
                lines.push(byte);
            }
            b',' => {
                lines.push(byte);
                new_line(&mut lines, depth);
            }
            b':' => lines.extend(b": "),
            _ => {
                in_text = byte == b'"';
                lines.push(byte);
            }
        }
    }
    lines.push(b'\n');
    lines
}

fn new_line(lines: &mut Vec<u8>, depth: usize) {
    lines.push(b'\n');
    lines.extend(std::iter::repeat_n(b' ', 2 * depth));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn it_is_what_the_library_writes_and_means_the_same() {
        let value =
            json!({"a": [1, 2.5, {"b": "x,y:{\"[\\"}], "c": {}, "d": [], "e": null, "é": "\u{1}\\\\"});
        let compact = serde_json::to_vec(&value).unwrap();
        let indented = indent(&compact);
        assert_eq!(serde_json::from_slice::<Value>(&indented).unwrap(), value);
        let library = serde_json::to_string_pretty(&value).unwrap() + "\n";
        assert_eq!(String::from_utf8(indented).unwrap(), library);
    }
}
