//! The functions that take any bytes; shared by cargo-fuzz and by an ordinary test.

use std::{net::SocketAddr, path::Path, sync::LazyLock, time::Duration};

use skrei_compute::{AllowList, allow_list::Decision};
use skrei_job::spec::Mode;
use skrei_runtime::{
    Config, HostPattern, Limits, Mount, Network, Quota, Runtime, Sandbox,
    network::{Attempt, Host, Range, Verdict, judge},
};

/// Bytes as a source of small decisions; when they are used up, all are the first.
struct Draws<'d>(&'d [u8]);

impl Draws<'_> {
    fn below(&mut self, bound: u8) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first % bound
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[usize::from(self.below(of.len() as u8))]
    }

    fn texts(&mut self, of: &[&str], most: u8) -> String {
        let count = self.below(most + 1);
        (0..count).map(|_| self.pick(of)).collect()
    }
}

/// Loads any bytes as a module or component, and runs what is one with little of everything.
pub fn modules(data: &[u8]) {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let config =
            Config { guests_max: 2, computing_max: 1, module_bytes_max: 64 << 10, ..Config::default() };
        Runtime::new(config).expect("a runtime")
    });
    let Ok(module) = RUNTIME.load(data) else { return };
    let temp = tempfile::tempdir().expect("a directory");
    let mount = Mount::open(temp.path(), "/d", skrei_runtime::Mode::ReadWrite).expect("a mount");
    let limits = Limits {
        memory_bytes: 4 << 20,
        wall_time: Some(Duration::from_millis(100)),
        cpu_time: Some(Duration::from_millis(50)),
        stdout_bytes: 1 << 10,
        stderr_bytes: 1 << 10,
        open_files: 8,
        table_elements: 1000,
        ..Limits::default()
    };
    let sandbox =
        Sandbox::new().limits(limits).mount(mount.quota(Quota::new(64 << 10, 16))).expect("a sandbox");
    if let Ok(outcome) = module.run_blocking(sandbox) {
        assert!(outcome.usage.memory_bytes_peak <= 4 << 20, "{:?}", outcome.usage);
        assert!(outcome.stdout.bytes.len() <= 1 << 10 && outcome.stderr.bytes.len() <= 1 << 10);
    }
}

/// One step of a pattern against a name, in the simplest way there is.
fn step_fits(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|taken| step_fits(rest, &name[taken..])),
        Some((b'?', rest)) => !name.is_empty() && step_fits(rest, &name[1..]),
        Some((same, rest)) => name.first() == Some(same) && step_fits(rest, &name[1..]),
    }
}

/// Steps of a pattern against names.
fn steps_fit(steps: &[&str], names: &[&str]) -> bool {
    match steps.split_first() {
        None => names.is_empty(),
        Some((&"**", rest)) => (0..=names.len()).any(|taken| steps_fit(rest, &names[taken..])),
        Some((step, rest)) => {
            !names.is_empty()
                && step_fits(step.as_bytes(), names[0].as_bytes())
                && steps_fit(rest, &names[1..])
        }
    }
}

fn steps(path: &str) -> Vec<&str> {
    path.split('/').filter(|step| !step.is_empty()).collect()
}

/// Any text as entries, which must not break anything, and patterns of a small language against a naive model.
pub fn allow_list(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(list) = AllowList::parse(text.lines()) {
        for path in ["/", "/a", "/a/b", &*text] {
            let mode = list.decide(Path::new(path), Path::new(path), Mode::ReadWrite);
            assert!(path.starts_with('/') || mode == Decision::NotListed, "{text:?} allows {path:?}");
        }
    }
    let mut draws = Draws(data);
    let entries: Vec<(String, bool)> = (0..=draws.below(3))
        .map(|_| {
            let path = format!("/{}", draws.texts(&["a", "b", "/", "*", "?", "/**/", "ab"], 6));
            (path, draws.below(2) == 1)
        })
        .collect();
    let written =
        entries.iter().map(|(path, writable)| format!("{path}:{}", if *writable { "rw" } else { "ro" }));
    let list = AllowList::parse(written).expect("all of these are patterns");
    let path = format!("/{}", steps(&draws.texts(&["a", "b", "/", "c"], 8)).join("/"));
    let covered = |needs: bool| {
        entries
            .iter()
            .any(|(entry, writable)| steps_fit(&steps(entry), &steps(&path)) && (*writable || !needs))
    };
    for (mode, needs) in [(Mode::ReadOnly, false), (Mode::ReadWrite, true)] {
        let granted =
            matches!(list.decide(Path::new(&path), Path::new(&path), mode), Decision::Granted { .. });
        assert_eq!(granted, covered(needs), "{entries:?} and {path} {mode:?}");
    }
}

/// Any text as a host and a pattern, and any address: what is written is read back, and nothing that is not public is
/// reached without being listed.
pub fn network(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (pattern, host) = text.split_once('\n').unwrap_or((&text, "example.org"));
    let Ok(host) = host.parse::<Host>() else { return };
    assert_eq!(host.to_string().parse().as_ref(), Ok(&host), "a host is read as it is written");
    let Ok(pattern) = pattern.parse::<HostPattern>() else { return };
    assert_eq!(pattern.to_string().parse().as_ref(), Ok(&pattern), "a pattern is read as it is written");
    assert!(pattern.includes(&pattern));
    let written = pattern.to_string();
    let is_block =
        written.starts_with(|first: char| first.is_ascii_digit() || first == '[') || written.contains("::");
    let network = Network::Http(vec![pattern]);
    for address in
        ["127.0.0.1:80", "[::ffff:10.0.0.1]:443", "169.254.169.254:80", "[fd00::1]:80", "8.8.8.8:443"]
    {
        let address: SocketAddr = address.parse().expect("an address");
        let connection = Attempt::Connection { host: host.clone(), address };
        if judge(&network, &connection) == Verdict::Allowed {
            let is_public = Range::of(address.ip()).is_none();
            let is_local = written.starts_with("localhost") && address.ip().is_loopback();
            assert!(is_public || is_local || is_block, "{written} lets {host} lead to {address}");
            let request = Attempt::Request { host: host.clone(), port: address.port() };
            let is_name = matches!(host, Host::Name(_));
            assert!(!is_name || judge(&network, &request) == Verdict::Allowed, "{written} {host}");
        }
        assert_ne!(judge(&network, &Attempt::Socket { address }), Verdict::Allowed);
    }
}
