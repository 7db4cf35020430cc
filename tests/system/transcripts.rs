//! What commands say, word for word: the pages of docs/reference/transcripts are run, line after line, and must come out as
//! they stand there. `SKREI_UPDATE_DOCS=1` writes them anew.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
};

use regex::Regex;
use tempfile::TempDir;

use super::harness::{free_port, root, skrei, wait_for_port};

/// The pages, in this order: each may build on what those before it have done.
const PAGES: &[&str] =
    &["job", "wasm", "node", "secret", "profile", "cert", "guest", "server", "auth", "config"];

/// One server with one node, at whose machine somebody sits with the files of `transcripts/desk`.
struct Desk {
    directory: TempDir,
    port: u16,
    server: Child,
}

impl Desk {
    fn new() -> Self {
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
        ] {
            command.args(["-c", &setting]);
        }
        let server = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let desk = Self { directory, port, server };
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
        shell.env("SKREI_API_PORT", self.port.to_string());
        let ended = shell.stdout(output.try_clone().unwrap()).stderr(output).status().unwrap();
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

    /// The same whenever and wherever it is run, and as wide: tables stay in shape.
    fn normalised(&self, text: &str) -> String {
        let mut text = text.replace(&self.path().display().to_string(), "/home/me");
        text = text.replace(&format!(":{}", self.port), ":1234");
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
        ] {
            text = Regex::new(pattern).unwrap().replace_all(&text, instead).into_owned();
        }
        text
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
    let desk = Desk::new();
    let nodes = "until skrei node list --hide-header 2>/dev/null | grep -q ' CONNECTED'; do sleep 0.1; done";
    assert_eq!(desk.run(nodes), "", "no node connects");
    let mut wrong = Vec::new();
    for name in PAGES {
        let file = root().join(format!("docs/reference/transcripts/{name}.md"));
        let written = fs::read_to_string(&file).unwrap();
        let page = desk.page(&written);
        if std::env::var_os("SKREI_UPDATE_DOCS").is_some() {
            fs::write(&file, page).unwrap();
        } else if page != written {
            let differing = written.lines().zip(page.lines()).find(|(one, other)| one != other);
            wrong.push(format!("{name}.md: {differing:#?}\n--- now:\n{page}"));
        }
    }
    assert!(wrong.is_empty(), "SKREI_UPDATE_DOCS=1 writes what is said now:\n{}", wrong.join("\n"));
}

#[test]
fn every_page_is_run() {
    let mut found: Vec<String> = fs::read_dir(root().join("docs/reference/transcripts"))
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut known: Vec<&str> = PAGES.to_vec();
    found.sort();
    known.sort_unstable();
    assert_eq!(found, known);
}
