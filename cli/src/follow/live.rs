//! A job on a terminal: what is heard goes into a [`View`], and what that makes of it onto the screen.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use skrei_protocol::{
    api::job::GetJobResponse,
    client::{Client, News},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    time::MissedTickBehavior,
};

use super::{
    Watched,
    logs::{self, Choice, Followers, Output},
    view::{Look, Size, View},
    words,
};
use crate::{
    error::Error,
    terminal::{self, style},
};

/// A change is shown within this time; more often, nobody could follow.
const REDRAW: Duration = Duration::from_millis(100);

/// The clock moves as often, and the orchestrator is asked no more often how it counts.
const SECOND: Duration = Duration::from_secs(1);

/// What may wait to be taken in: whoever sends more waits.
const WAITING_MAX: usize = 256;

/// Shows the latest version of a job until it has ended.
///
/// # Errors
/// If the orchestrator stops answering.
pub(super) async fn watch(client: &Client, job: &str) -> Result<(), Error> {
    let (watched, answer) = Watched::open(client, job, "executions,progress").await?;
    let mut screen = Screen::new(View::new(&answer));
    let mut news = watched.forward();
    let (sender, mut outputs) = mpsc::channel(WAITING_MAX);
    let mut followers = (!screen.view.is_fleet()).then(|| follow(client, &answer, sender));
    let mut resized = signal(SignalKind::window_change())
        .map_err(|error| Error::unavailable(format!("watch the terminal's size: {error}")))?;
    let mut clock = tokio::time::interval(REDRAW);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut counted = Instant::now();
    loop {
        tokio::select! {
            heard = news.next() => match heard? {
                News::Progress(progress) => screen.change(|view| view.tell(&progress)),
                News::Entry(event) => {
                    screen.change(|view| view.notice(&event.entry));
                    if let Some(followers) = &mut followers {
                        followers.notice(&event.entry);
                    }
                    if words::is_end(&event.entry) {
                        break;
                    }
                }
            },
            Some(output) = outputs.recv() => screen.change(|view| view.say(&output.text)),
            _ = resized.recv() => screen.is_stale = true,
            _ = clock.tick() => {
                if screen.view.is_recount_due() && counted.elapsed() >= SECOND {
                    counted = Instant::now();
                    // Its counts are a help, not what is waited for.
                    if let Ok(progress) = client.progress(job).await {
                        screen.change(|view| view.count(&progress));
                    }
                }
                screen.refresh();
            }
        }
    }
    if let Some(followers) = followers {
        let last = async {
            while let Some(Output { text }) = outputs.recv().await {
                screen.change(|view| view.say(&text));
            }
        };
        tokio::join!(followers.finish(logs::LAST_LINES_MAX), last);
    }
    screen.close();
    Ok(())
}

/// The output of a job's only execution, or of all that are tried one after the other.
fn follow(client: &Client, answer: &GetJobResponse, sender: mpsc::Sender<Output>) -> Followers {
    let nodes = super::nodes(answer);
    Followers::new(client.clone(), &answer.job.id, Choice::default(), nodes, Some(sender))
}

/// The view, and whether the terminal shows it as it is.
struct Screen {
    view: View,
    look: Look,
    began: Instant,
    drawn_at: Option<Instant>,
    is_stale: bool,
}

impl Screen {
    fn new(view: View) -> Self {
        let look = Look { style: style::stderr(), zone: TimeZone::system() };
        Self { view, look, began: Instant::now(), drawn_at: None, is_stale: true }
    }

    fn change(&mut self, change: impl FnOnce(&mut View)) {
        change(&mut self.view);
        self.is_stale = true;
        if self.view.lines_waiting() >= WAITING_MAX {
            self.draw();
        }
    }

    fn refresh(&mut self) {
        let has_aged = self.drawn_at.is_none_or(|drawn| drawn.elapsed() >= SECOND);
        if self.is_stale || has_aged {
            self.draw();
        }
    }

    fn draw(&mut self) {
        let (columns, rows) = terminal::size();
        let size = Size { columns, rows };
        let staying = self.view.take_lines(size, &self.look);
        let passing = self.view.frame(size, self.began.elapsed(), &self.look);
        terminal::frame(&staying, &passing);
        (self.drawn_at, self.is_stale) = (Some(Instant::now()), false);
    }

    /// Leaves what stays.
    fn close(&mut self) {
        let (columns, rows) = terminal::size();
        let staying = self.view.take_lines(Size { columns, rows }, &self.look);
        terminal::frame(&staying, &[]);
    }
}

impl Drop for Screen {
    /// Whatever ended the watching: nothing is left standing that no longer changes.
    fn drop(&mut self) {
        terminal::make_way();
    }
}
