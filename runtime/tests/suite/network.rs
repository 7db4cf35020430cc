//! What a list of hosts covers, and what it does not.

use std::net::SocketAddr;

use skrei_runtime::network::{Attempt, DenialRule, Host, Range, Verdict, judge};
use skrei_runtime::{HostPattern, Network};

fn host(text: &str) -> Host {
    text.parse().unwrap()
}

/// The verdict on a request to `HOST:PORT`, before its name is looked up.
fn request(list: &[&str], to: &str) -> Verdict {
    let (name, port) = to.rsplit_once(':').unwrap();
    let attempt = Attempt::Request { host: host(name), port: port.parse().unwrap() };
    judge(&Network::http(list).unwrap(), &attempt)
}

/// The verdict on a connection for a request to a host that leads there.
fn connection(list: &[&str], name: &str, to: &str) -> Verdict {
    let address: SocketAddr = to.parse().unwrap();
    judge(&Network::http(list).unwrap(), &Attempt::Connection { host: host(name), address })
}

const NOT_LISTED: Verdict = Verdict::Denied(DenialRule::NotListed);

fn not_public(range: Range) -> Verdict {
    Verdict::Denied(DenialRule::NotPublic(range))
}

#[test]
fn a_name_covers_itself_in_any_case_and_script_and_nothing_else() {
    let list = ["Example.ORG", "bücher.example"];
    for same in [
        "example.org:443",
        "EXAMPLE.org:80",
        "example.org.:443",
        "xn--bcher-kva.example:80",
        "BÜCHER.example:1",
    ] {
        assert_eq!(request(&list, same), Verdict::Allowed, "{same}");
    }
    for other in
        ["www.example.org:443", "example.org.evil.net:443", "notexample.org:443", "example.or:443", "org:443"]
    {
        assert_eq!(request(&list, other), NOT_LISTED, "{other}");
    }
    // A Cyrillic letter that looks like the Latin one makes another name.
    assert_eq!(request(&list, "ex\u{430}mple.org:443"), NOT_LISTED);
}

#[test]
fn a_star_covers_what_is_below_and_a_dot_the_name_itself_too() {
    for (pattern, name, covered) in [
        ("*.example.org", "a.example.org:80", true),
        ("*.example.org", "a.b.example.org:80", true),
        ("*.example.org", "example.org:80", false),
        ("*.example.org", "aexample.org:80", false),
        (".example.org", "example.org:80", true),
        (".example.org", "a.example.org:80", true),
        (".example.org", "aexample.org:80", false),
        ("*", "example.org:80", true),
        ("*", "8.8.8.8:80", true),
        ("*:443", "example.org:80", false),
    ] {
        assert_eq!(request(&[pattern], name) == Verdict::Allowed, covered, "{pattern} {name}");
    }
}

#[test]
fn a_port_narrows_an_entry() {
    let list = ["example.org:8443", "192.0.2.7:80", "[2001:db8::7]:443"];
    for listed in ["example.org:8443", "192.0.2.7:80", "[2001:db8::7]:443"] {
        assert_eq!(request(&list, listed), Verdict::Allowed, "{listed}");
    }
    for other in ["example.org:443", "192.0.2.7:443", "[2001:db8::7]:80"] {
        assert_eq!(request(&list, other), NOT_LISTED, "{other}");
    }
}

#[test]
fn a_listed_name_cannot_be_pointed_at_the_hosts_own_network() {
    let list = ["api.example.org", "*.example.net"];
    for (to, range) in [
        ("127.0.0.1:80", Range::Loopback),
        ("[::1]:80", Range::Loopback),
        ("0.0.0.0:80", Range::Unspecified),
        ("[::]:80", Range::Unspecified),
        ("10.1.2.3:80", Range::Private),
        ("172.31.255.255:80", Range::Private),
        ("192.168.0.1:80", Range::Private),
        ("[fd00::1]:80", Range::Private),
        ("100.64.0.1:80", Range::Shared),
        ("169.254.169.254:80", Range::LinkLocal),
        ("[fe80::1]:80", Range::LinkLocal),
        ("224.0.0.251:80", Range::Multicast),
        ("[ff02::1]:80", Range::Multicast),
        ("255.255.255.255:80", Range::Broadcast),
        ("240.0.0.1:80", Range::Reserved),
        ("[4000::1]:80", Range::Reserved),
        ("[::127.0.0.1]:80", Range::Reserved),
        ("198.18.0.1:80", Range::Special),
        ("[2001:db8::1]:80", Range::Special),
        // The same addresses in other clothes.
        ("[::ffff:127.0.0.1]:80", Range::Loopback),
        ("[::ffff:169.254.169.254]:80", Range::LinkLocal),
        ("[64:ff9b::10.0.0.1]:80", Range::Private),
        ("[64:ff9b:1::10.0.0.1]:80", Range::Embedding),
        ("[2002:7f00:1::]:80", Range::Embedding),
        ("[2001::1]:80", Range::Embedding),
    ] {
        assert_eq!(connection(&list, "api.example.org", to), not_public(range), "{to}");
        assert_eq!(connection(&list, "a.example.net", to), not_public(range), "{to}");
        assert_eq!(connection(&["*"], "a.example.com", to), not_public(range), "{to}");
    }
    for public in [
        "93.184.216.34:443",
        "[2606:2800:220:1::]:443",
        "[64:ff9b::8.8.8.8]:443",
        "172.32.0.1:443",
        "100.128.0.1:80",
    ] {
        assert_eq!(connection(&list, "api.example.org", public), Verdict::Allowed, "{public}");
        assert_eq!(connection(&list, "evil.example", public), NOT_LISTED, "{public}");
    }
}

#[test]
fn an_address_that_is_listed_itself_may_be_led_to() {
    let list = ["vault.corp.example", "10.0.0.0/8", "[fd00::/8]:443"];
    assert_eq!(connection(&list, "vault.corp.example", "10.9.8.7:80"), Verdict::Allowed);
    assert_eq!(connection(&list, "vault.corp.example", "[::ffff:10.9.8.7]:80"), Verdict::Allowed);
    assert_eq!(connection(&list, "vault.corp.example", "[fd00::7]:443"), Verdict::Allowed);
    assert_eq!(connection(&list, "vault.corp.example", "[fd00::7]:80"), not_public(Range::Private));
    assert_eq!(connection(&list, "vault.corp.example", "127.0.0.1:80"), not_public(Range::Loopback));
    assert_eq!(connection(&list, "other.example", "10.9.8.7:80"), NOT_LISTED);
    assert_eq!(request(&list, "10.9.8.7:80"), Verdict::Allowed);
}

#[test]
fn localhost_by_that_name_may_be_where_it_always_is() {
    assert_eq!(connection(&["localhost"], "localhost", "127.0.0.1:80"), Verdict::Allowed);
    assert_eq!(connection(&["localhost:80"], "LOCALHOST", "[::1]:80"), Verdict::Allowed);
    assert_eq!(connection(&["localhost"], "localhost", "10.0.0.1:80"), not_public(Range::Private));
    assert_eq!(connection(&["localhost:81"], "localhost", "127.0.0.1:80"), NOT_LISTED);
    assert_eq!(connection(&["*"], "localhost", "127.0.0.1:80"), not_public(Range::Loopback));
    assert_eq!(connection(&["localhost"], "127.0.0.1", "127.0.0.1:80"), NOT_LISTED);
}

#[test]
fn an_address_is_known_in_whatever_way_it_is_written() {
    for odd in ["127.1", "0x7f000001", "2130706433", "017700000001", "[::ffff:7f00:1]", "127.0.0.1."] {
        assert_eq!(host(odd), host("127.0.0.1"), "{odd}");
        assert_eq!(request(&["*"], &format!("{odd}:80")), not_public(Range::Loopback), "{odd}");
        assert_eq!(request(&["127.0.0.1"], &format!("{odd}:80")), Verdict::Allowed, "{odd}");
    }
}

#[test]
fn without_a_network_and_with_all_of_it_nothing_else_is_asked() {
    let address = "127.0.0.1:80".parse().unwrap();
    for attempt in [
        Attempt::Request { host: host("example.org"), port: 80 },
        Attempt::Connection { host: host("example.org"), address },
        Attempt::Lookup { host: host("example.org") },
        Attempt::Socket { address },
    ] {
        assert_eq!(judge(&Network::Denied, &attempt), Verdict::Denied(DenialRule::NoNetwork));
        assert_eq!(judge(&Network::Full, &attempt), Verdict::Allowed);
    }
}

#[test]
fn http_gives_no_sockets() {
    let network = Network::http(["*", "0.0.0.0/0"]).unwrap();
    for attempt in [
        Attempt::Lookup { host: host("example.org") },
        Attempt::Socket { address: "8.8.8.8:53".parse().unwrap() },
    ] {
        assert_eq!(judge(&network, &attempt), Verdict::Denied(DenialRule::HttpOnly));
    }
}

#[test]
fn an_entry_that_names_no_hosts_says_how_it_is_written() {
    for (pattern, part) in [
        ("", "empty"),
        ("*example.org", "*.example.org"),
        ("api.*.org", "*.example.org"),
        ("*.", "empty"),
        ("a..b", "empty"),
        ("http://example.org", "port"),
        ("example.org/path", "`example.org` is no address"),
        ("example.org:0", "1 to 65535"),
        ("example.org:", "1 to 65535"),
        ("example.org:+80", "1 to 65535"),
        ("example.org:65536", "1 to 65535"),
        ("127.1", "write `127.0.0.1`"),
        ("10.0.0.1/8", "write `10.0.0.0/8`"),
        ("10.0.0.0/33", "up to 32"),
        ("10.0.0.0/", "up to 32"),
        ("[::1", "without its `]`"),
        ("[::1]80", "`:PORT`"),
        ("::ffff:10.0.0.0/104", "IPv4"),
        ("ex%61mple.org", "neither a name"),
        ("exa mple.org", ""),
    ] {
        let error = pattern.parse::<HostPattern>().unwrap_err();
        assert!(error.message.contains(part), "{pattern}: {error}");
    }
    assert!("a.".repeat(130).parse::<HostPattern>().is_err());
}

#[test]
fn an_entry_is_written_in_one_way() {
    for (pattern, shown) in [
        ("EXAMPLE.org.", "example.org"),
        ("*.bücher.example:443", "*.xn--bcher-kva.example:443"),
        (".Example.org", ".example.org"),
        ("*:80", "*:80"),
        ("[2001:DB8::7]:443", "[2001:db8::7]:443"),
        ("2001:db8:0::7", "2001:db8::7"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("10.0.0.0/8:443", "10.0.0.0/8:443"),
        ("[fd00::/8]:443", "[fd00::/8]:443"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ] {
        let entry: HostPattern = pattern.parse().unwrap();
        assert_eq!(entry.to_string(), shown, "{pattern}");
        assert_eq!(shown.parse::<HostPattern>().as_ref(), Ok(&entry), "{pattern}");
    }
}

#[test]
fn a_denial_says_what_was_wanted_and_by_which_rule_not() {
    let attempt = Attempt::Connection { host: host("example.org"), address: "10.0.0.1:443".parse().unwrap() };
    let Verdict::Denied(rule) = judge(&Network::http(["example.org"]).unwrap(), &attempt) else {
        panic!("allowed")
    };
    assert_eq!((rule.as_str(), rule), ("not-public", DenialRule::NotPublic(Range::Private)));
}
