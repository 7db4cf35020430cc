//! The promises of documents and templates: what is written is read back, a value is data, nothing panics.

use proptest::prelude::*;
use skrei_job::{
    Document,
    document::{Entry, Node, Scalar, Style, Tree},
    template::{self, Variables},
};

/// Texts that quoting rules stumble over, and any others.
fn text() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(vec![
        "",
        " ",
        "\n",
        "\n\n",
        "a\n",
        "a\n\n",
        " a\nb",
        "a\n b\n",
        "\ta\nb",
        "a\n\t\nb",
        "a \nb",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%",
        "@",
        "`",
        "{{x}}",
        "{{{x}}}",
        "}}",
        "[a, b]",
        "{a: b}",
        "'",
        "\"",
        "\\",
        "yes",
        "no",
        "null",
        "~",
        "true",
        "007",
        "1.0",
        "0x1F",
        "1e3",
        "2024-01-01",
        "12:30:00",
        "---",
        "...",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "\u{0}",
        "\u{7f}",
        "a\rb",
        "a\r\nb\r\n",
        "é",
        "😀",
        "<<",
        "=",
        "?",
        "? a",
        ":",
        "a:",
        ",",
        "-----BEGIN PRIVATE KEY-----\nMIIB==\n-----END PRIVATE KEY-----\n",
    ])
    .prop_map(str::to_owned);
    prop_oneof![nasty, any::<String>(), "[ \t\n:#\\-'\"a|>{}]{0,12}"]
}

fn scalar() -> impl Strategy<Value = Scalar> {
    let plain = prop::sample::select(vec![
        "", "~", "null", "true", "False", "7", "-1", "007", "1.50", "0x1F", ".inf", "+1",
    ]);
    prop_oneof![text().prop_map(Scalar::text), plain.prop_map(Scalar::plain)]
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = scalar().prop_map(|scalar| Node::new(Tree::Scalar(scalar)));
    leaf.prop_recursive(4, 40, 5, |inner| {
        let entries = prop::collection::btree_map(text(), inner.clone(), 0..5).prop_map(|entries| {
            let entry = |(key, value)| Entry { at: None, key: Scalar::text(key), value };
            Node::new(Tree::Map(entries.into_iter().map(entry).collect()))
        });
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|items| Node::new(Tree::List(items))),
            entries
        ]
    })
}

/// The tree without places and styles that mean the same.
fn meant(node: &Node) -> Node {
    let plain = |scalar: &Scalar| Scalar {
        text: scalar.text.clone(),
        style: if scalar.meaning() == skrei_job::document::Meaning::Text {
            Style::Quoted
        } else {
            Style::Plain
        },
    };
    Node::new(match &node.tree {
        Tree::Scalar(scalar) => Tree::Scalar(plain(scalar)),
        Tree::List(items) => Tree::List(items.iter().map(meant).collect()),
        Tree::Map(entries) => Tree::Map(
            entries
                .iter()
                .map(|entry| Entry {
                    at: None,
                    key: Scalar::text(entry.key.text.clone()),
                    value: meant(&entry.value),
                })
                .collect(),
        ),
    })
}

fn variables(value: &str) -> Variables {
    let mut variables = Variables::new();
    variables.set("x", value).expect("text");
    variables
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_document_reads_back_what_it_writes(root in node()) {
        let document = Document { root };
        let written = document.to_yaml();
        let read = Document::parse(&written).map_err(|error| TestCaseError::fail(format!("{error}\n{written}")))?;
        prop_assert_eq!(meant(&read.root), meant(&document.root), "{}", written);
    }

    #[test]
    fn json_is_read_as_what_it_is(root in node()) {
        let value = root.to_value();
        let read = Document::parse(serde_json::to_string_pretty(&value).unwrap()).unwrap();
        prop_assert_eq!(&read.root.to_value(), &value);
        let read = Document::parse(value.to_string()).unwrap();
        prop_assert_eq!(read.root.to_value(), value);
    }

    #[test]
    fn a_value_arrives_byte_for_byte_in_any_style(value in text()) {
        let template = "plain: {{x}}\nin plain: a {{.x}} b\ndouble: \"{{x}}\"\nsingle: '{{ x }}'\nblock: |\n  {{x}}\nstripped: |-\n  {{x}}\nfolded: >-\n  a\n  {{x}}\nflow: [{{x}}, {a: {{x}}}]\n\"{{x}} key\": 1\nlast: {{x}}";
        let document = template::render(template, &variables(&value)).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let expected = serde_json::json!({
            "plain": value, "in plain": format!("a {value} b"), "double": value, "single": value,
            "block": format!("{value}\n"), "stripped": value, "folded": format!("a {value}"),
            "flow": [value, {"a": value}], format!("{value} key"): 1, "last": value,
        });
        prop_assert_eq!(&document.root.to_value(), &expected);
        let again = Document::parse(document.to_yaml()).unwrap();
        prop_assert_eq!(again.root.to_value(), expected);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Document::parse(&bytes);
        let _ = template::render(&bytes, &variables("v"));
    }

    #[test]
    fn arbitrary_yaml_and_templates_never_panic(text in "([ \t\n]|[-:?,\\[\\]{}#&*!|>'\"%@~.x]|x: |- |\\{\\{|\\}\\}|\\{\\{x\\}\\}|\\{\\{#if x\\}\\}|\\{\\{/if\\}\\}|\\{\\{!|---|\\.\\.\\.){0,40}") {
        if let Ok(document) = Document::parse(&text) {
            let again = Document::parse(document.to_yaml());
            prop_assert_eq!(again.map(|again| again.root.to_value()), Ok(document.root.to_value()), "{}", document.to_yaml());
        }
        let _ = template::render(&text, &variables("a: b"));
    }
}

#[test]
fn deep_and_long_documents_are_refused_at_once() {
    let started = std::time::Instant::now();
    for text in [
        "[".repeat(100_000_000),
        "[".repeat(9_000_000),
        "{".repeat(9_000_000),
        "- ".repeat(4_000_000),
        "? ".repeat(4_000_000),
        "{a: ".repeat(2_000_000),
        "[a, ".repeat(2_000_000),
        "((".repeat(1_000_000),
        "a: ".repeat(2_000_000),
        "&a ".repeat(2_000_000),
        "!".repeat(2_000_000),
        "\"".to_owned() + &"\\".repeat(2_000_001),
    ] {
        let start: String = text.chars().take(8).collect();
        assert!(Document::parse(&text).is_err() || start == "((((((((", "{start}");
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn deep_templates_are_refused() {
    for text in [
        "{{#if x}}".repeat(100_000),
        format!("{{{{{} x{}}}}}", "(not ".repeat(50_000), ")".repeat(50_000)),
        format!("{{{{json {}}}}}", "[".repeat(50_000)),
        "{{{{".repeat(100_000),
        format!("{{{{#each (split x)}}}}{}", "{{else if x}}".repeat(20_000)),
        "{{x}}".repeat(300_000) + "{{#if x}}",
        "{{x".repeat(300_000),
        "{{x \"".repeat(300_000),
        "\\".repeat(1_000_000) + "{{x}}{{",
    ] {
        let started = std::time::Instant::now();
        assert!(template::render(&text, &variables("v")).is_err());
        assert!(started.elapsed().as_secs() < 10, "{} {:?}", &text[..20], started.elapsed());
    }
}

#[test]
fn a_small_template_cannot_make_a_large_document() {
    let text = "{{#each (split @root.x)}}".repeat(8) + "abcdefgh" + &"{{/each}}".repeat(8);
    let error = template::render(text, &variables(&"a,".repeat(30))).unwrap_err();
    assert!(error.to_string().contains("the template makes more than"), "{error}");
}

#[test]
fn places_are_those_of_the_template() {
    let text = "Name: {{x}}\n{{#if x}}\nMeta:\n  {{#each (split x)}}\n  k{{@index}}: [{{this}}, b]\n  {{/each}}\n{{/if}}\nType: opps\n";
    let document = template::render(text, &variables("long value,second")).unwrap();
    let Tree::Map(entries) = &document.root.tree else { panic!() };
    let places: Vec<_> = entries.iter().map(|entry| (entry.at.unwrap(), entry.value.at.unwrap())).collect();
    assert_eq!(places, [((1, 1), (1, 7)), ((3, 1), (5, 3)), ((8, 1), (8, 7))]);
    let Tree::Map(meta) = &entries[1].value.tree else { panic!() };
    let Tree::List(items) = &meta[1].value.tree else { panic!() };
    assert_eq!((meta[1].at, items[0].at, items[1].at), (Some((5, 3)), Some((5, 17)), Some((5, 27))));
}

#[test]
fn helpers_make_values() {
    let mut variables = variables("a,b");
    variables.set("pem", "-----BEGIN-----\nAA==\n").unwrap();
    variables.import("HOST", "h1");
    for (template, expected) in [
        ("{{base64 pem}}", "LS0tLS1CRUdJTi0tLS0tCkFBPT0K"),
        ("{{json pem}}", r#""-----BEGIN-----\nAA==\n""#),
        ("{{default missing \"d: e\"}}", "d: e"),
        ("{{default x \"d\"}}", "a,b"),
        ("{{env \"HOST\"}} {{HOST}} {{env \"NO\" \"-\"}}", "h1 h1 -"),
        ("{{#each (lines pem)}}{{this}};{{/each}}", "-----BEGIN-----;AA==;"),
        (
            "{{#each (split x) as |item|}}{{item}}{{@root.HOST}}{{#unless @last}}+{{/unless}}{{/each}}",
            "ah1+bh1",
        ),
        ("{{#with (parse \"{\\\"k\\\": [1, 2]}\")}}{{k.[1]}}{{/with}}", "2"),
        ("{{#if (default missing \"\")}}1{{else}}2{{/if}}", "2"),
        ("{{#if (eq x \"a,b\")}}1{{else}}2{{/if}}", "1"),
        ("{{lookup (split x) 1}}", "b"),
        ("a {{- .x -}} b", "aa,bb"),
        ("{{len x}}", "3"),
        ("\\{{x}} {{{{raw}}}}{{y}}{{{{/raw}}}}", "{{x}} {{y}}"),
        ("{{index . \"x\"}}{{index $ \"x\"}}", "a,ba,b"),
    ] {
        let text = format!("v: '{}'", template.replace('\'', "''"));
        let document =
            template::render(&text, &variables).unwrap_or_else(|error| panic!("{template}: {error}"));
        assert_eq!(document.root.to_value()["v"], expected, "{template}");
    }
}
