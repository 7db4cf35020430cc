//! Random lists and attempts against a model that is too simple to be wrong.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use proptest::prelude::*;
use skrei_runtime::network::{Attempt, Host, Verdict, judge};
use skrei_runtime::{HostPattern, Network};

/// An entry as the model knows it: labels from the top down, what may come below, and a port.
#[derive(Clone, Debug)]
enum Entry {
    Any(Option<u16>),
    Name { labels: Vec<String>, itself: bool, below: bool, port: Option<u16> },
    Block { first: u32, bits: u32, port: Option<u16> },
}

impl Entry {
    fn written(&self) -> String {
        let (hosts, port) = match self {
            Entry::Any(port) => ("*".to_owned(), port),
            Entry::Name { labels, itself, below, port } => {
                let name = labels.iter().rev().cloned().collect::<Vec<_>>().join(".");
                let before = match (itself, below) {
                    (true, true) => ".",
                    (false, _) => "*.",
                    (true, false) => "",
                };
                (format!("{before}{name}"), port)
            }
            Entry::Block { first, bits, port } => (format!("{}/{bits}", Ipv4Addr::from_bits(*first)), port),
        };
        port.map_or(hosts.clone(), |port| format!("{hosts}:{port}"))
    }

    fn port(&self) -> Option<u16> {
        match self {
            Entry::Any(port) | Entry::Name { port, .. } | Entry::Block { port, .. } => *port,
        }
    }

    fn covers(&self, name: &[String], port: u16) -> bool {
        let hosts = match self {
            Entry::Any(_) => true,
            Entry::Name { labels, itself, below, .. } => {
                let starts = name.len() >= labels.len() && name[..labels.len()] == labels[..];
                starts && (if name.len() == labels.len() { *itself } else { *below })
            }
            Entry::Block { .. } => false,
        };
        hosts && self.port().is_none_or(|only| only == port)
    }

    fn lists(&self, address: u32, port: u16) -> bool {
        let Entry::Block { first, bits, .. } = self else { return false };
        let last = u64::from(*first) + (1_u64 << (32 - bits)) - 1;
        (u64::from(*first)..=last).contains(&u64::from(address))
            && self.port().is_none_or(|only| only == port)
    }
}

/// By the standard library's own predicates, where it has them.
fn is_public(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_unspecified()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (b == 18 || b == 19))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99))
}

fn model(list: &[Entry], name: &[String], address: Ipv4Addr, port: u16) -> bool {
    let is_localhost = name == ["localhost"]
        && address.is_loopback()
        && list.iter().any(|entry| {
            matches!(entry, Entry::Name { labels, below: false, .. } if labels == name)
                && entry.covers(name, port)
        });
    list.iter().any(|entry| entry.covers(name, port))
        && (is_public(address)
            || is_localhost
            || list.iter().any(|entry| entry.lists(address.to_bits(), port)))
}

fn labels() -> impl Strategy<Value = Vec<String>> {
    let label = prop_oneof![Just("a"), Just("b"), Just("org"), Just("localhost"), Just("aorg")];
    prop::collection::vec(label.prop_map(str::to_owned), 1..4)
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![Just(80), Just(443)]
}

/// Near the edges of what is set aside.
fn address() -> impl Strategy<Value = u32> {
    let edges = [
        [0, 0, 0, 0],
        [10, 0, 0, 0],
        [11, 0, 0, 0],
        [100, 64, 0, 0],
        [100, 128, 0, 0],
        [127, 0, 0, 0],
        [128, 0, 0, 0],
        [169, 254, 0, 0],
        [172, 16, 0, 0],
        [172, 32, 0, 0],
        [192, 0, 2, 0],
        [192, 168, 0, 0],
        [198, 18, 0, 0],
        [198, 20, 0, 0],
        [203, 0, 113, 0],
        [224, 0, 0, 0],
        [240, 0, 0, 0],
    ];
    let edge =
        prop::sample::select(edges.to_vec()).prop_map(|[a, b, c, d]| Ipv4Addr::new(a, b, c, d).to_bits());
    prop_oneof![
        (edge, -2_i64..3).prop_map(|(edge, by)| (i64::from(edge) + by).clamp(0, u32::MAX.into()) as u32),
        any::<u32>()
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let port = || prop::option::of(port());
    let name = (labels(), any::<(bool, bool)>(), port()).prop_map(|(labels, (itself, below), port)| {
        Entry::Name { labels, itself: itself || !below, below, port }
    });
    let block =
        (address(), prop_oneof![Just(32_u32), 0_u32..33], port()).prop_map(|(address, bits, port)| {
            let first = if bits == 0 { 0 } else { address & (u32::MAX << (32 - bits)) };
            Entry::Block { first, bits, port }
        });
    prop_oneof![1 => port().prop_map(Entry::Any), 4 => name, 2 => block]
}

fn list() -> impl Strategy<Value = Vec<Entry>> {
    prop::collection::vec(entry(), 0..4)
}

fn grant(list: &[Entry]) -> Network {
    Network::http(list.iter().map(Entry::written)).unwrap()
}

fn name_of(labels: &[String]) -> Host {
    labels.iter().rev().cloned().collect::<Vec<_>>().join(".").parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_connection_is_judged_as_the_model_judges_it(list in list(), name in labels(), to in address(), port in port()) {
        let address = Ipv4Addr::from_bits(to);
        let expected = model(&list, &name, address, port);
        let network = grant(&list);
        for ip in [IpAddr::V4(address), IpAddr::V6(address.to_ipv6_mapped())] {
            let attempt = Attempt::Connection { host: name_of(&name), address: SocketAddr::new(ip, port) };
            prop_assert_eq!(judge(&network, &attempt) == Verdict::Allowed, expected, "{:?}", attempt);
        }
        // What would be connected was asked for before.
        let request = Attempt::Request { host: name_of(&name), port };
        prop_assert!(!expected || judge(&network, &request) == Verdict::Allowed);
    }

    #[test]
    fn what_an_address_of_the_guests_own_leads_to_is_judged_the_same_at_every_step(list in list(), to in address(), port in port()) {
        let ip = IpAddr::V4(Ipv4Addr::from_bits(to));
        let network = grant(&list);
        let request = judge(&network, &Attempt::Request { host: Host::address(ip), port });
        let address = SocketAddr::new(ip, port);
        prop_assert_eq!(request, judge(&network, &Attempt::Connection { host: Host::address(ip), address }));
        let any = list.iter().any(|entry| matches!(entry, Entry::Any(_)) && entry.port().is_none_or(|only| only == port));
        let expected = list.iter().any(|entry| entry.lists(to, port)) || (any && is_public(Ipv4Addr::from_bits(to)));
        prop_assert_eq!(request == Verdict::Allowed, expected);
    }

    #[test]
    fn a_list_within_another_allows_nothing_that_the_other_does_not(
        outer in list(), inner in list(), name in labels(), to in address(), port in port()
    ) {
        let patterns = |list: &[Entry]| -> Vec<HostPattern> { list.iter().map(|entry| entry.written().parse().unwrap()).collect() };
        let (outer_patterns, inner_patterns) = (patterns(&outer), patterns(&inner));
        let within: Vec<_> = inner_patterns.into_iter().filter(|entry| outer_patterns.iter().any(|outer| outer.includes(entry))).collect();
        let ip = IpAddr::V4(Ipv4Addr::from_bits(to));
        let address = SocketAddr::new(ip, port);
        for attempt in [
            Attempt::Request { host: name_of(&name), port },
            Attempt::Connection { host: name_of(&name), address },
            Attempt::Request { host: Host::address(ip), port },
        ] {
            if judge(&Network::Http(within.clone()), &attempt) == Verdict::Allowed {
                prop_assert_eq!(judge(&grant(&outer), &attempt), Verdict::Allowed, "{:?} of {:?}", attempt, within);
            }
        }
    }
}
