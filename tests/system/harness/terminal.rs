//! A terminal with a program on it: what is on the screen, keys that are pressed, and a size that changes.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    num::NonZero,
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::PATIENCE;

/// A pseudo-terminal, made by `script`, whose size is set by `stty`; both are on every Debian.
pub(crate) struct Terminal {
    directory: TempDir,
    child: Child,
    keys: ChildStdin,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    screen: vt100::Parser,
    /// Every byte that the terminal got.
    bytes: Vec<u8>,
}

impl Terminal {
    /// Starts a command on a terminal of this size.
    pub(crate) fn start(command: &Command, columns: u16, rows: u16) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let (tty, line) = (directory.path().join("tty"), directory.path().join("line"));
        let mut words = format!("tty > '{}'; stty cols {columns} rows {rows}; exec", tty.display());
        for word in std::iter::once(command.get_program()).chain(command.get_args()) {
            let word = word.to_str().expect("UTF-8");
            write!(words, " '{}'", word.replace('\'', r"'\''")).expect("a text");
        }
        std::fs::write(&line, words).expect("a file");
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &format!("sh {}", line.display()), "/dev/null"]);
        script.env_clear().env("TERM", "xterm-256color").env("SHELL", "/bin/sh");
        script.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = script.spawn().expect("`script` is installed");
        let keys = child.stdin.take().expect("keys");
        let mut output = child.stdout.take().expect("a screen");
        let screen = vt100::Parser::new(cells(rows), cells(columns), 0);
        let seen = Arc::new(Mutex::new(Seen { screen, bytes: Vec::new() }));
        let shown = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                let mut seen = shown.lock().expect("a screen");
                seen.screen.process(&bytes[..read]);
                seen.bytes.extend_from_slice(&bytes[..read]);
            }
        });
        Self { directory, child, keys, seen }
    }

    /// What is on the screen now.
    pub(crate) fn screen(&self) -> String {
        self.seen.lock().expect("a screen").screen.screen().contents()
    }

    /// Every byte the terminal got so far.
    pub(crate) fn bytes(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().expect("a screen").bytes).into_owned()
    }

    /// Waits until the screen is as it should be; what is on it then.
    pub(crate) fn wait_for(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if is_there(&screen) {
                return screen;
            }
            assert!(start.elapsed() < PATIENCE, "{what} did not appear:\n{screen}\n----\n{:?}", self.bytes());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses keys; `\x03` is Ctrl+C.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush()).expect("a terminal");
    }

    /// Makes it another size.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.seen.lock().expect("a screen").screen.screen_mut().set_size(cells(rows), cells(columns));
        let tty = std::fs::read_to_string(self.tty()).expect("a terminal");
        let mut stty = Command::new("stty");
        stty.args(["-F", tty.trim(), "cols", &columns.to_string(), "rows", &rows.to_string()]);
        assert!(stty.status().expect("stty").success());
    }

    /// Waits until the program has ended: its exit code, and what it has left on the screen.
    pub(crate) fn end(mut self) -> (i32, String) {
        let start = Instant::now();
        loop {
            if let Some(ended) = self.child.try_wait().expect("a child") {
                // What it wrote last is on its way.
                std::thread::sleep(Duration::from_millis(100));
                return (ended.code().expect("an exit code"), self.screen());
            }
            assert!(start.elapsed() < PATIENCE, "it does not end:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn tty(&self) -> PathBuf {
        self.directory.path().join("tty")
    }
}

fn cells(number: u16) -> NonZero<u16> {
    NonZero::new(number).expect("a terminal has some")
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
