//! One connection as a conversation: what is heard goes in, what is to be done and said comes out.
//!
//! Nothing here touches a socket or reads a clock, so that a whole fleet can be played through in simulated time.

use std::{collections::VecDeque, time::Duration};

use skrei_job::{ExecutionId, NodeId};
use skrei_protocol::link::{
    Assignment, FromNode, Hello, Judge, Judgement, Load, LogPage, ReadLog, Report, Secrets, ToNode, Told,
    WantSecrets,
};
use tokio::time::Instant;

use crate::judge;

/// How long an orchestrator has to answer the greeting.
const WELCOME_MAX: Duration = Duration::from_secs(10);

/// The other side is taken for gone after this many heartbeats of silence, or after the silence it announced,
/// whichever is longer.
const SILENT_HEARTBEATS_MAX: u32 = 3;

/// Reports taken from the journal at once.
pub const REPORTS_AT_ONCE_MAX: usize = 64;

/// Answers to readers of logs, and to those who ask about a job, that may be under way at once.
pub const READS_MAX: usize = 64;

/// Messages that wait to be sent before listening stops.
const OUTGOING_MAX: usize = 256;

/// What can happen on a connection.
#[derive(Debug)]
pub enum Event {
    /// A message came.
    Received(ToNode),
    /// Something else came that shows the other side lives.
    Life,
    /// Reports up to this number are in the journal.
    ReportsUpTo(u64),
    /// What the journal had after the last one.
    Reports(Vec<Report>),
    /// The log store's answer to a reader.
    Log(LogPage),
    /// What the node would make of a job.
    Judged(Judgement),
    /// How far guests say they are.
    Told(Vec<Told>),
    /// Somebody wants secrets.
    Wanted(WantSecrets),
    /// The node is this busy now.
    Load(Load),
    /// The node is shutting down.
    Leaving,
    /// It is time for what [`Dialogue::next_wakeup`] named.
    Woken,
}

/// What is to be done.
#[derive(Debug)]
pub enum Action {
    /// The orchestrator took the node in.
    Welcomed(NodeId),
    /// Take on an execution.
    Run(Box<Assignment>),
    /// Stop one.
    Cancel {
        /// Which.
        execution: ExecutionId,
        /// Why.
        reason: String,
    },
    /// Get the next certificate.
    Renew,
    /// Forget reports up to this number.
    Acknowledge(u64),
    /// Ask the journal for reports after this number.
    Fetch {
        /// The number.
        after: u64,
    },
    /// Ask the log store.
    Read(ReadLog),
    /// Ask the node's rules about a job.
    Judge(Judge),
    /// Pass secrets on.
    Secrets(Secrets),
    /// Give the connection up.
    Close(Closing),
}

/// Why a connection is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The orchestrator does not want the node.
    Rejected {
        /// Why.
        message: String,
        /// The way out.
        hint: String,
    },
    /// Nothing was heard for too long.
    Silence,
    /// It said something else than a welcome first.
    NoWelcome,
}

/// One connection, from greeting to end.
#[derive(Debug)]
pub struct Dialogue {
    heartbeat: Duration,
    /// None until the orchestrator welcomes the node.
    silence_max: Option<Duration>,
    last_heard: Instant,
    next_heartbeat: Instant,
    load: Load,
    /// The number of the last report handed out on this connection.
    reported: u64,
    /// The highest number in the journal.
    latest: u64,
    /// While the journal is asked: the highest number it had then.
    fetching: Option<u64>,
    reading: usize,
    outgoing: VecDeque<FromNode>,
}

impl Dialogue {
    /// Greets.
    pub fn new(hello: Hello, load: Load, heartbeat: Duration, now: Instant) -> Self {
        Self {
            heartbeat,
            silence_max: None,
            last_heard: now,
            next_heartbeat: now,
            load,
            reported: 0,
            latest: 0,
            fetching: None,
            reading: 0,
            outgoing: VecDeque::from([FromNode::Hello(hello)]),
        }
    }

    /// What follows from an event.
    pub fn handle(&mut self, event: Event, now: Instant) -> Vec<Action> {
        match event {
            Event::Received(message) => {
                self.last_heard = now;
                return self.received(message, now);
            }
            Event::Life => self.last_heard = now,
            Event::ReportsUpTo(number) => self.latest = self.latest.max(number),
            Event::Reports(reports) => {
                let asked_up_to = self.fetching.take().unwrap_or(self.reported);
                // An empty answer means that all there were are acknowledged.
                self.reported = reports.last().map_or(asked_up_to, |report| report.number);
                self.outgoing.extend(reports.into_iter().map(FromNode::Report));
            }
            Event::Log(page) => {
                self.reading = self.reading.saturating_sub(1);
                self.outgoing.push_back(FromNode::Log(page));
            }
            Event::Judged(judgement) => {
                self.reading = self.reading.saturating_sub(1);
                self.outgoing.push_back(FromNode::Judged(judgement));
            }
            Event::Told(news) => self.outgoing.push_back(FromNode::Told(news)),
            Event::Wanted(question) => self.outgoing.push_back(FromNode::WantSecrets(question)),
            Event::Load(load) => {
                // That it does well no longer, or again, is said at once.
                let is_news = load.unwell != self.load.unwell && self.silence_max.is_some();
                self.load = load;
                if is_news {
                    self.say_load();
                }
            }
            Event::Leaving => self.outgoing.push_back(FromNode::Leaving),
            Event::Woken => return self.woken(now),
        }
        self.fetch()
    }

    /// The next thing to say, if there is one.
    pub fn next_message(&mut self) -> Option<FromNode> {
        self.outgoing.pop_front()
    }

    /// Whether there is something to say.
    pub fn has_message(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether the other side does not take what is said: then it is not listened to either.
    pub fn is_congested(&self) -> bool {
        self.outgoing.len() >= OUTGOING_MAX
    }

    /// When to come back without being told anything, and what for.
    pub fn next_wakeup(&self) -> (Instant, &'static str) {
        let silence = self.last_heard + self.silence_max.unwrap_or(WELCOME_MAX);
        if self.silence_max.is_some() && self.next_heartbeat < silence {
            (self.next_heartbeat, "heartbeat")
        } else {
            (silence, "silence")
        }
    }

    fn received(&mut self, message: ToNode, now: Instant) -> Vec<Action> {
        let is_welcome = self.silence_max.is_some();
        match message {
            ToNode::Welcome(welcome) => {
                let announced = Duration::from_millis(welcome.silence_max_millis);
                self.silence_max = Some(announced.max(self.heartbeat * SILENT_HEARTBEATS_MAX));
                self.next_heartbeat = now + self.heartbeat;
                self.say_load();
                let mut actions = vec![Action::Welcomed(welcome.orchestrator)];
                actions.extend(self.fetch());
                actions
            }
            ToNode::Rejected { message, hint } => vec![Action::Close(Closing::Rejected { message, hint })],
            _ if !is_welcome => vec![Action::Close(Closing::NoWelcome)],
            ToNode::Run(assignment) => vec![Action::Run(assignment)],
            ToNode::Cancel { execution, reason } => vec![Action::Cancel { execution, reason }],
            ToNode::Renew => vec![Action::Renew],
            ToNode::Acknowledge { number } => vec![Action::Acknowledge(number)],
            ToNode::Secrets(secrets) => vec![Action::Secrets(secrets)],
            ToNode::ReadLog(request) if self.reading >= READS_MAX => {
                let result = Err("too many readers of logs at once; ask again".to_owned());
                self.outgoing.push_back(FromNode::Log(LogPage { request: request.request, result }));
                Vec::new()
            }
            ToNode::ReadLog(request) => {
                self.reading += 1;
                vec![Action::Read(request)]
            }
            ToNode::Judge(question) if self.reading >= READS_MAX => {
                let (request, result) = (question.request, Err(judge::too_many()));
                self.outgoing.push_back(FromNode::Judged(Judgement { request, result }));
                Vec::new()
            }
            ToNode::Judge(question) => {
                self.reading += 1;
                vec![Action::Judge(question)]
            }
        }
    }

    fn woken(&mut self, now: Instant) -> Vec<Action> {
        if now >= self.last_heard + self.silence_max.unwrap_or(WELCOME_MAX) {
            return vec![Action::Close(Closing::Silence)];
        }
        if self.silence_max.is_some() && now >= self.next_heartbeat {
            self.next_heartbeat = now + self.heartbeat;
            self.say_load();
        }
        Vec::new()
    }

    /// One that is still to be sent says the latest.
    fn say_load(&mut self) {
        let waits = self.outgoing.iter_mut().find_map(|message| match message {
            FromNode::Heartbeat(load) => Some(load),
            _ => None,
        });
        match waits {
            Some(load) => *load = self.load.clone(),
            None => self.outgoing.push_back(FromNode::Heartbeat(self.load.clone())),
        }
    }

    /// Reports are taken from the journal a page at a time, and the next page once this one is on its way.
    fn fetch(&mut self) -> Vec<Action> {
        let may = self.silence_max.is_some()
            && self.fetching.is_none()
            && self.outgoing.len() < REPORTS_AT_ONCE_MAX;
        if !may || self.reported >= self.latest {
            return Vec::new();
        }
        self.fetching = Some(self.latest);
        vec![Action::Fetch { after: self.reported }]
    }

    /// To be asked after each message that was sent: there may be room for more reports.
    pub fn sent(&mut self) -> Vec<Action> {
        self.fetch()
    }
}

#[cfg(test)]
mod tests {
    use skrei_job::life::ExecutionState;
    use skrei_protocol::link::{NodeInfo, PROTOCOL, Welcome};

    use super::*;

    const HEARTBEAT: Duration = Duration::from_secs(1);

    fn greeted(now: Instant) -> Dialogue {
        let hello = Hello {
            protocol: PROTOCOL.to_owned(),
            version: String::new(),
            node: NodeId::new("n"),
            info: NodeInfo::default(),
            holds: Vec::new(),
        };
        let mut dialogue = Dialogue::new(hello, Load::default(), HEARTBEAT, now);
        assert!(matches!(dialogue.next_message(), Some(FromNode::Hello(_))));
        dialogue
    }

    fn welcomed(now: Instant) -> Dialogue {
        let mut dialogue = greeted(now);
        let welcome = Welcome { orchestrator: NodeId::new("o"), silence_max_millis: 0 };
        let actions = dialogue.handle(Event::Received(ToNode::Welcome(welcome)), now);
        assert!(matches!(actions.as_slice(), [Action::Welcomed(_)]));
        assert!(matches!(dialogue.next_message(), Some(FromNode::Heartbeat(_))));
        dialogue
    }

    fn report(number: u64) -> Report {
        Report { number, execution: ExecutionId::new("e"), state: ExecutionState::Running }
    }

    #[test]
    fn nothing_is_reported_before_the_welcome() {
        let now = Instant::now();
        let mut dialogue = greeted(now);
        assert!(dialogue.handle(Event::ReportsUpTo(3), now).is_empty());
        let welcome = Welcome { orchestrator: NodeId::new("o"), silence_max_millis: 0 };
        let actions = dialogue.handle(Event::Received(ToNode::Welcome(welcome)), now);
        assert!(matches!(actions.as_slice(), [Action::Welcomed(_), Action::Fetch { after: 0 }]));
    }

    #[test]
    fn reports_go_out_in_order_and_none_is_skipped() {
        let now = Instant::now();
        let mut dialogue = welcomed(now);
        assert!(matches!(
            dialogue.handle(Event::ReportsUpTo(2), now).as_slice(),
            [Action::Fetch { after: 0 }]
        ));
        // More come while the journal is asked.
        assert!(dialogue.handle(Event::ReportsUpTo(5), now).is_empty());
        let actions = dialogue.handle(Event::Reports(vec![report(1), report(2)]), now);
        assert!(matches!(actions.as_slice(), [Action::Fetch { after: 2 }]));
        // What was acknowledged meanwhile is not there; what came since is asked for again.
        assert!(dialogue.handle(Event::ReportsUpTo(6), now).is_empty());
        let actions = dialogue.handle(Event::Reports(Vec::new()), now);
        assert!(matches!(actions.as_slice(), [Action::Fetch { after: 5 }]));
        let numbers: Vec<_> = std::iter::from_fn(|| dialogue.next_message())
            .map(|message| if let FromNode::Report(report) = message { report.number } else { 0 })
            .collect();
        assert_eq!(numbers, [1, 2]);
    }

    #[test]
    fn silence_ends_the_connection_and_any_sign_of_life_keeps_it() {
        let start = Instant::now();
        let mut dialogue = welcomed(start);
        let later = start + HEARTBEAT * 2;
        assert_eq!(dialogue.next_wakeup(), (start + HEARTBEAT, "heartbeat"));
        assert!(dialogue.handle(Event::Woken, later).is_empty());
        assert!(matches!(dialogue.next_message(), Some(FromNode::Heartbeat(_))));
        dialogue.handle(Event::Life, later);
        assert!(dialogue.handle(Event::Woken, start + HEARTBEAT * 4).is_empty());
        let actions = dialogue.handle(Event::Woken, later + HEARTBEAT * 3);
        assert!(matches!(actions.as_slice(), [Action::Close(Closing::Silence)]));
    }

    #[test]
    fn an_orchestrator_that_does_not_answer_the_greeting_is_given_up() {
        let start = Instant::now();
        let mut dialogue = greeted(start);
        let (when, why) = dialogue.next_wakeup();
        assert_eq!((when, why), (start + WELCOME_MAX, "silence"));
        assert!(matches!(dialogue.handle(Event::Woken, when).as_slice(), [Action::Close(Closing::Silence)]));
    }
}
