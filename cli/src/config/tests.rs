//! Sources, their order, and what is refused.

use super::{argument::Argument, environment, keys::keys, layers::Layers, share::Share, *};

/// What the tree is, given these sources.
fn tree(arguments: &[&str], flags: Flags, environment: &[(&str, &str)]) -> Result<Config, String> {
    let directory = tempfile::tempdir().unwrap();
    let flags = Flags { data_dir: flags.data_dir.or(Some(directory.path().display().to_string())), ..flags };
    let arguments: Vec<Argument> = arguments.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let lookup = |name: &str| {
        environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    let layers = Layers::read(&arguments, flags, lookup).map_err(|error| format!("{error:?}"))?;
    Ok(Config::new(&layers).unwrap())
}

#[test]
fn the_highest_source_wins() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("my.yaml");
    std::fs::write(&file, "API:\n  Port: 5\n").unwrap();
    let file = file.display().to_string();
    let flags = Flags { api_port: Some(3), ..Flags::default() };
    let environment = [("SKREI_API_PORT", "4")];
    let port = |arguments: &[&str], flags: Flags, environment: &[(&str, &str)]| {
        tree(arguments, flags, environment).unwrap().api.port
    };
    assert_eq!(port(&[], Flags::default(), &[]), 1234);
    assert_eq!(port(&[&file], Flags::default(), &[]), 5);
    assert_eq!(port(&[&file], Flags::default(), &environment), 4);
    assert_eq!(port(&[&file], flags.clone(), &environment), 3);
    assert_eq!(port(&[&file, "API.Port=2"], flags.clone(), &environment), 2);
    assert_eq!(port(&["API.Port=2", "api.port=1"], flags, &environment), 1);
}

#[test]
fn later_files_win_and_the_data_directory_has_one() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    write("config.yaml", "API: {Port: 7, Host: here}\n");
    let (first, second) =
        (write("a.yaml", "API: {Port: 8, Host: there}\n"), write("b.yml", "api:\n  port: 9\n"));
    let flags = Flags { data_dir: Some(directory.path().display().to_string()), ..Flags::default() };
    assert_eq!(tree(&[], flags.clone(), &[]).unwrap().api.port, 7);
    let api = tree(&[&first, &second], flags, &[]).unwrap().api;
    assert_eq!((api.host.as_str(), api.port), ("there", 9));
}

#[test]
fn a_file_of_an_older_version_is_understood_and_every_old_name_gets_its_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("old.yaml");
    let text = "node:\n  Type: [requester, compute]\n  ServerAPI:\n    Port: 81\n  AllowListedLocalPaths: [/a:rw]\n  \
                Network:\n    AuthSecret: s\n    Cluster: {Name: x}\nAPI:\n  Host: new\nDisableAnalytics: true\n";
    std::fs::write(&file, text).unwrap();
    let argument: Argument = file.display().to_string().parse().unwrap();
    let flags = || Flags { data_dir: Some(directory.path().display().to_string()), ..Flags::default() };
    let layers = Layers::read(&[argument], flags(), |_| None).unwrap();
    let config = Config::new(&layers).unwrap();
    assert!(config.orchestrator.enabled && config.compute.enabled);
    assert_eq!((config.api.host.as_str(), config.api.port), ("new", 81));
    assert_eq!(config.compute.allow_list, ["/a:rw"]);
    assert_eq!(
        (config.orchestrator.token.as_deref(), config.compute.token.as_deref()),
        (Some("s"), Some("s"))
    );
    let [warning] = layers.warnings() else { panic!("{:?}", layers.warnings()) };
    for part in [
        "node.Type: is now Orchestrator.Enabled: true and Compute.Enabled: true",
        "node.ServerAPI.Port: is now API.Port",
        "node.Network.Cluster.Name: means nothing here",
        "DisableAnalytics: means nothing here",
    ] {
        assert!(warning.contains(part), "{part}: {warning}");
    }
}

#[test]
fn a_key_counts_more_under_its_own_name_than_under_an_older_one() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("both.yaml").display().to_string();
    for text in
        ["API: {Port: 1}\nNode: {ServerAPI: {Port: 2}}\n", "Node: {ServerAPI: {Port: 2}}\nAPI: {Port: 1}\n"]
    {
        std::fs::write(&file, text).unwrap();
        assert_eq!(tree(&[&file], Flags::default(), &[]).unwrap().api.port, 1);
    }
}

#[test]
fn variables_of_older_versions_are_understood() {
    let environment = [
        ("BACALHAU_SERVER_PORT", "82"),
        ("BACALHAU_NODE_ALLOWLISTEDLOCALPATHS", "/a:rw"),
        ("BACALHAU_NODE_TYPE", "compute"),
    ];
    let config = tree(&[], Flags::default(), &environment).unwrap();
    assert_eq!((config.api.port, config.compute.enabled, config.orchestrator.enabled), (82, true, false));
    assert_eq!(config.compute.allow_list, ["/a:rw"]);
}

#[test]
fn our_prefix_wins_over_the_old_one_and_empty_counts_as_unset() {
    let host = |environment: &[(&str, &str)]| tree(&[], Flags::default(), environment).unwrap().api.host;
    assert_eq!(host(&[("BACALHAU_API_HOST", "old")]), "old");
    assert_eq!(host(&[("BACALHAU_API_HOST", "old"), ("SKREI_API_HOST", "new")]), "new");
    assert_eq!(host(&[("BACALHAU_API_HOST", "old"), ("SKREI_API_HOST", "")]), "old");
}

#[test]
fn a_flag_and_an_argument_may_say_the_same() {
    let flags = Flags { compute: true, ..Flags::default() };
    assert!(tree(&["Compute.Enabled=true"], flags, &[]).unwrap().compute.enabled);
}

#[test]
fn an_argument_is_a_pair_a_file_or_a_boolean_key() {
    let list =
        |argument: &str| tree(&[argument], Flags::default(), &[]).map(|config| config.compute.allow_list);
    assert_eq!(list("Compute.AllowListedLocalPaths=/a:rw,/b/{c,d}").unwrap(), ["/a:rw", "/b/{c,d}"]);
    assert_eq!(list("compute.allowlistedlocalpaths=/a b").unwrap(), ["/a b"]);
    assert_eq!(list("Compute.AllowListedLocalPaths=").unwrap(), Vec::<String>::new());
    assert!(tree(&["Orchestrator.Enabled"], Flags::default(), &[]).unwrap().orchestrator.enabled);
    let token = tree(&["Orchestrator.Auth.Token=a=b"], Flags::default(), &[]).unwrap().orchestrator.token;
    assert_eq!(token.as_deref(), Some("a=b"));
    let labels = tree(&["Labels=zone=eu,rack=1"], Flags::default(), &[]).unwrap().labels;
    assert_eq!(labels.len(), 2);
}

#[test]
fn lists_in_the_environment_are_separated_by_commas_too() {
    let environment = [("BACALHAU_COMPUTE_ALLOWLISTEDLOCALPATHS", "/a:rw,/b")];
    assert_eq!(tree(&[], Flags::default(), &environment).unwrap().compute.allow_list, ["/a:rw", "/b"]);
}

#[test]
fn what_is_wrong_is_named_with_the_way_out() {
    let refused = |argument: &str| tree(&[argument], Flags::default(), &[]).unwrap_err();
    for (argument, expected) in [
        (
            "Compute.Orchestrator=x",
            "`Compute.Orchestrator` is not a configuration key; did you mean `Compute.Orchestrators`?",
        ),
        (
            "AllowListedLocalPath=x",
            "`AllowListedLocalPath` is not a configuration key; did you mean `Compute.AllowListedLocalPaths`?",
        ),
        ("Bananas", "`Bananas` is not a configuration key; `skrei config list` shows every key"),
        ("API.Port", "`API.Port` needs a value: `-c API.Port=...`"),
        ("API.Port=http", "API.Port: `http` is not a port: a number from 0 to 65535"),
        ("Compute.Enabled=maybe", "Compute.Enabled: `maybe` is neither `true` nor `false`"),
        ("Logging.Level=loud", "Logging.Level: `loud` is not one of trace, debug, info, warn, error"),
        (
            "Compute.Heartbeat.Interval=soon",
            "Compute.Heartbeat.Interval: `soon` is not a duration such as `30s` or `1h30m`",
        ),
        (
            "Compute.AllowListedLocalPaths=/a,,/b",
            "Compute.AllowListedLocalPaths: there is an empty item in `/a,,/b`",
        ),
        ("Labels=zone", "Labels: `zone` is not of the form `name=value`"),
        (
            "Compute.AllocatedCapacity.CPU=180%",
            "Compute.AllocatedCapacity.CPU: `180%` is not a share from 0% to 100%",
        ),
    ] {
        assert_eq!(refused(argument), expected);
    }
}

#[test]
fn a_file_with_problems_shows_all_of_them_where_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.yaml");
    std::fs::write(&path, "API:\n  Prot: 1\n  Port: x\nNoode: {}\n").unwrap();
    let refused = tree(&[&path.display().to_string()], Flags::default(), &[]).unwrap_err();
    for expected in [
        "c.yaml:2:3: API.Prot: there is no such key",
        "did you mean `API.Port`?",
        "c.yaml:3:9: API.Port",
        "c.yaml:4:1: Noode",
    ] {
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn durations_and_shares_are_read_as_written() {
    let config = tree(
        &[
            "Orchestrator.NodeManager.DisconnectTimeout=1h30m",
            "Compute.Heartbeat.Interval=1.5s",
            "Compute.AllocatedCapacity.CPU=500m",
            "Compute.AllocatedCapacity.Memory=1Gi",
        ],
        Flags::default(),
        &[],
    )
    .unwrap();
    assert_eq!(config.orchestrator.disconnect_timeout.as_secs(), 5400);
    assert_eq!(config.compute.heartbeat.as_millis(), 1500);
    assert_eq!(config.compute.capacity.cpu, Share::Amount(500));
    assert_eq!(config.compute.capacity.memory.of(7), 1 << 30);
    assert_eq!(config.compute.capacity.disk.of(1000), 800);
}

#[test]
fn commands_talk_to_this_machine_unless_told_otherwise() {
    let endpoint =
        |host: &str| tree(&[&format!("API.Host={host}")], Flags::default(), &[]).unwrap().endpoint();
    assert_eq!(endpoint("0.0.0.0"), "http://127.0.0.1:1234");
    assert_eq!(endpoint("::1"), "http://[::1]:1234");
    assert_eq!(endpoint("http://far:80"), "http://far:80");
}

#[test]
fn the_reference_page_lists_every_key() {
    let mut rows = String::new();
    for key in keys() {
        let default = if key.default.is_empty() { "–".to_owned() } else { format!("`{}`", key.default) };
        let kind = match key.kind {
            key::Kind::Word(words) => words.join(", "),
            kind => kind.as_str().to_owned(),
        };
        let doc = key.doc.replace('|', "\\|");
        rows.push_str(&format!("| `{}` | {kind} | {default} | {doc} |\n", key.name));
    }
    let page = include_str!("reference.md").replace("{{keys}}", rows.trim_end());
    let page = page.replace(
        "{{variable}}",
        &environment::variables(key::find("Compute.AllowListedLocalPaths").unwrap())[0],
    );
    crate::terminal::page::check("configuration.md", &page);
}

#[test]
fn keys_for_the_encryption_of_nodes_are_answered_with_what_takes_their_place() {
    let directory = tempfile::tempdir().unwrap();
    let old = "Orchestrator:\n  TLS:\n    ServerCert: /etc/nats.pem\n    ServerKey: /etc/nats-key.pem\n    CACert: /etc/ca.pem\n    \
        ServerTimeout: 10\nCompute:\n  TLS: {RequireTLS: true}\n";
    let path = directory.path().join("config.yaml");
    std::fs::write(&path, old).unwrap();
    let content = super::file::read(&path).unwrap();
    let warning = content.warnings.concat();
    for name in ["ServerCert", "ServerKey", "CACert", "ServerTimeout"] {
        assert!(warning.contains(&format!("Orchestrator.TLS.{name}: means nothing here")), "{warning}");
    }
    assert!(warning.contains("Compute.TLS.RequireTLS") && warning.contains("always encrypted"), "{warning}");
    assert!(warning.contains("orchestrator/authority/ca.pem"), "{warning}");
    assert!(content.values.is_empty());
}

#[test]
fn a_profile_is_one_server_and_nothing_of_it_goes_to_another() {
    let directory = tempfile::tempdir().unwrap();
    let profiles = super::profile::Profiles::new(directory.path());
    let key = |name: &str| super::key::find(name).unwrap();
    let values = [
        (key("API.Host"), "https://far.example.com:99".to_owned()),
        (key("API.Key"), "key of the far server".to_owned()),
    ];
    profiles.save("far", "a server", &values).unwrap();
    std::fs::write(directory.path().join("config.yaml"), "API: {Port: 7, Key: key of the near server}\n")
        .unwrap();
    let flags = |profile: super::profile::Chosen| Flags {
        data_dir: Some(directory.path().display().to_string()),
        profile,
        ..Flags::default()
    };
    let (usual, named) = (super::profile::Chosen::Usual, super::profile::Chosen::Named("far".to_owned()));
    let far = |config: Config| {
        let shown = config.shown.0.clone().map(|shown| shown.header().expose().to_owned());
        (config.endpoint(), shown)
    };
    let expected = ("https://far.example.com:99".to_owned(), Some("Bearer key of the far server".to_owned()));
    let near = ("http://127.0.0.1:7".to_owned(), Some("Bearer key of the near server".to_owned()));
    assert_eq!(far(tree(&[], flags(named.clone()), &[]).unwrap()), expected);
    assert_eq!(far(tree(&[], flags(usual.clone()), &[]).unwrap()), near, "none is selected");
    assert_eq!(far(tree(&[], flags(usual.clone()), &[("BACALHAU_PROFILE", "far")]).unwrap()), expected);
    profiles.select("far").unwrap();
    assert_eq!(far(tree(&[], flags(usual.clone()), &[]).unwrap()), expected);
    let elsewhere = tree(&[], flags(usual), &[("SKREI_API_HOST", "other")]).unwrap();
    assert_eq!(far(elsewhere), ("http://other:7".to_owned(), near.1.clone()));
    assert!(tree(&["API.Host=other"], flags(named), &[]).unwrap_err().contains("both say"));
    assert_eq!(far(tree(&[], flags(super::profile::Chosen::None), &[]).unwrap()), near);
}

#[test]
fn names_for_a_certificate_are_one_text_to_whoever_reads_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let flags = || Flags { data_dir: Some(directory.path().display().to_string()), ..Flags::default() };
    let shown = |arguments: &[Argument]| {
        let layers = Layers::read(arguments, flags(), |_| None).unwrap();
        layers.to_json()["API"]["TLS"]["AutoCert"].clone()
    };
    assert_eq!(shown(&[]), "");
    assert_eq!(shown(&["API.TLS.AutoCert=a.example,b.example".parse().unwrap()]), "a.example,b.example");
}
