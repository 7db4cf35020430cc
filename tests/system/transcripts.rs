//! What commands say, word for word: the pages of docs/reference/transcripts are run, line after line, and must come out as
//! they stand there. `SKREI_UPDATE_DOCS=1` writes them anew.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use regex::Regex;
use tempfile::TempDir;

use super::{
    harness::{free_port, root, skrei, wait_for_port},
    login::{Provider, confirm, workshop},
};

/// The pages, in this order: each may build on what those before it have done.
const PAGES: &[&str] =
    &["job", "wasm", "node", "secret", "profile", "cert", "guest", "server", "auth", "config"];

/// The page of somebody who has an identity provider.
const PAGE_OF_A_PROVIDER: &str = "sso";

/// One server with one node, at whose machine somebody sits with the files of `transcripts/desk`; `$PORT` is free
/// there, and nodes dial `$NODES`.
struct Desk {
    directory: TempDir,
    port: u16,
    node_port: u16,
    free_port: u16,
    server: Child,
    /// Where the browser is that opens pages which commands name, if there is one.
    browser: Option<PathBuf>,
}

impl Desk {
    fn new(settings: &[String]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for file in fs::read_dir(root().join("tests/system/transcripts/desk")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), directory.path().join(file.file_name())).unwrap();
        }
        let port = free_port();
        let log = File::create(directory.path().join("server.log")).unwrap();
        let mut command = skrei(["serve", "--orchestrator", "--compute", "--name", "node-0"]);
        command.env("HOME", directory.path()).env("SKREI_API_PORT", port.to_string());
        // The same on any machine.
        let node_port = free_port();
        for setting in [
            format!("Orchestrator.Port={node_port}"),
            "Orchestrator.Host=127.0.0.1".to_owned(),
            format!("Compute.Orchestrators=127.0.0.1:{node_port}"),
            "Compute.AllocatedCapacity.CPU=2".to_owned(),
            "Compute.AllocatedCapacity.Memory=1Gi".to_owned(),
            "Compute.AllocatedCapacity.Disk=10Gi".to_owned(),
        ]
        .iter()
        .chain(settings)
        {
            command.args(["-c", setting]);
        }
        let server = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let desk = Self { directory, port, node_port, free_port: free_port(), server, browser: None };
        wait_for_port(port, || fs::read_to_string(desk.path().join("server.log")).unwrap_or_default());
        desk
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Everything a line of shell says, in the order it was said, and its exit code unless that is 0.
    fn run(&self, line: &str) -> String {
        let said = self.path().join("said");
        let output = File::create(&said).unwrap();
        let own = skrei([""; 0]);
        let programs = Path::new(own.get_program()).parent().unwrap();
        let path = std::env::join_paths(
            std::iter::once(programs.to_owned())
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        // Nothing on a page goes on for ever.
        let mut shell = Command::new("timeout");
        shell.args(["60", "sh", "-c", line]).current_dir(self.path()).stdin(Stdio::null());
        shell.env_clear().env("PATH", path.unwrap()).env("HOME", self.path()).env("TZ", "UTC");
        shell.env("SKREI_API_PORT", self.port.to_string()).env("PORT", self.free_port.to_string());
        shell.env("NODES", format!("127.0.0.1:{}", self.node_port));
        let mut running = shell.stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
        if let Some(browser) = &self.browser {
            self.confirm_in(browser, &said, &mut running);
        }
        let ended = running.wait().unwrap();
        let mut text = self.normalised(&fs::read_to_string(&said).unwrap());
        fs::remove_file(&said).unwrap();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        if let Some(code @ 1..) = ended.code() {
            text.push_str(&format!("[exit code {code}]\n"));
        }
        text
    }

    /// Opens the first page that a command names while it runs, and confirms what it asks.
    fn confirm_in(&self, browser: &Path, said: &Path, running: &mut Child) {
        let page = Regex::new(r"(?m)^ +(http://\S+)$").unwrap();
        while running.try_wait().unwrap().is_none() {
            if let Some(found) = page.captures(&fs::read_to_string(said).unwrap()) {
                return confirm(browser, &found[1]);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The same whenever and wherever it is run, and as wide: tables stay in shape.
    fn normalised(&self, text: &str) -> String {
        let mut text = text.replace(&self.path().display().to_string(), "/home/me");
        text = text.replace(&format!(":{}", self.port), ":1234");
        text = text.replace(&format!(":{}", self.free_port), ":4321");
        for (pattern, instead) in [
            (
                r"\b([jne])-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
                "$1-00000000-0000-0000-0000-000000000000",
            ),
            (r"\b([jne])-[0-9a-f]{8}\b", "$1-00000000"),
            (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z", "2026-01-02T03:04:05.678Z"),
            (r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", "2026-01-02 03:04:05"),
            (r"v\d+\.\d+\.\d+", "v0.1.0"),
            (r"\(unknown, |\([0-9a-f]{7,40}, ", "(unknown, "),
            (r"skr[a-z]*_[A-Za-z0-9_-]{20,}", "skr_KEY"),
            (r"\$argon2id\$[^ \n]+", "$$argon2id$$HASH"),
            (r"(fingerprint|FINGERPRINT) +[0-9a-f]{8,}", "$1 00000000"),
            (r"\b[0-9a-f]{64}\b", "0000000000000000000000000000000000000000000000000000000000000000"),
            (r"[A-Za-z0-9+/]{43}=", "KEY="),
            (r#""?(?:[0-9A-F]{2}:){31}[0-9A-F]{2}"?"#, "00:11:…:FF"),
            (r"skjoin-[0-9a-f-]+", "skjoin-TOKEN"),
            (r"\b[0-9a-f]{8}\b", "00000000"),
            (r"just now|\d+ minutes? ago", "just now"),
            (r"\b\d{4,} bytes", "4096 bytes"),
            (r"skrei-config-[A-Za-z0-9]+", "skrei-config-XXXXXX"),
            (r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+", "TOKEN"),
            (r"\b[A-Z]{4}-[A-Z]{4}\b", "CODE-CODE"),
            (r"\b(iat|exp|jti): \S+", "$1: …"),
        ] {
            text = Regex::new(pattern).unwrap().replace_all(&text, instead).into_owned();
        }
        text
    }

    /// Runs a page; gives what is wrong with it, if anything is.
    fn check(&self, name: &str) -> Option<String> {
        let file = root().join(format!("docs/reference/transcripts/{name}.md"));
        let written = fs::read_to_string(&file).unwrap();
        let page = self.page(&written);
        if std::env::var_os("SKREI_UPDATE_DOCS").is_some() {
            fs::write(&file, page).unwrap();
            return None;
        }
        let differing = || written.lines().zip(page.lines()).find(|(one, other)| one != other);
        (page != written).then(|| format!("{name}.md: {:#?}\n--- now:\n{page}", differing()))
    }

    /// The page as it comes out.
    fn page(&self, written: &str) -> String {
        let mut page = String::new();
        let mut is_console = false;
        for line in written.lines() {
            match (is_console, line.strip_prefix("$ ")) {
                (true, Some(command)) => page.push_str(&format!("$ {command}\n{}", self.run(command))),
                // What was said when the page was written.
                (true, None) if line != "```" => {}
                _ => page.push_str(&format!("{line}\n")),
            }
            is_console = if line.starts_with("```") { line == "```console" } else { is_console };
        }
        page
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn commands_say_what_the_pages_say() {
    let desk = Desk::new(&[]);
    let nodes = "until skrei node list --hide-header 2>/dev/null | grep -q ' CONNECTED'; do sleep 0.1; done";
    assert_eq!(desk.run(nodes), "", "no node connects");
    let wrong: Vec<String> = PAGES.iter().filter_map(|name| desk.check(name)).collect();
    assert!(wrong.is_empty(), "SKREI_UPDATE_DOCS=1 writes what is said now:\n{}", wrong.join("\n"));
}

#[test]
fn commands_of_somebody_with_an_identity_provider_say_what_their_page_says() {
    let workshop = match workshop() {
        Ok(workshop) => workshop,
        Err(why) => {
            return eprintln!("SKIPPED: no OpenID Connect provider can be had here (npm, node): {why}");
        }
    };
    let keys = tempfile::tempdir().unwrap();
    let port = free_port();
    let _provider = Provider::start(&workshop, port, "read:job", &keys.path().join("keys.json"), "one");
    let mut desk = Desk::new(&Provider::settings(port));
    // What it is reached by on the page.
    desk.free_port = port;
    desk.browser = Some(workshop);
    assert_eq!(desk.check(PAGE_OF_A_PROVIDER), None, "SKREI_UPDATE_DOCS=1 writes what is said now");
}

#[test]
fn every_page_is_run() {
    let mut found: Vec<String> = fs::read_dir(root().join("docs/reference/transcripts"))
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut known: Vec<&str> = PAGES.iter().copied().chain([PAGE_OF_A_PROVIDER]).collect();
    found.sort();
    known.sort_unstable();
    assert_eq!(found, known);
}
