//! Questions on their way to the orchestrator, and who waits for the answers.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use skrei_job::ExecutionId;
use skrei_job::outcome::Refusal;
use skrei_protocol::link::{SealedSecret, Secrets, WantSecrets};
use tokio::sync::{Notify, oneshot};

/// What an execution gets: all its secrets, or the rule that keeps one of them away.
type Answer = Result<Vec<SealedSecret>, Refusal>;

/// Questions to the orchestrator. They wait for the link as long as whoever asks does: there are as many as executions
/// that are being made ready.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    state: Mutex<State>,
    asked: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: BTreeMap<ExecutionId, (WantSecrets, oneshot::Sender<Answer>)>,
    /// Not yet said on the present link.
    unsaid: VecDeque<ExecutionId>,
}

/// A question that was asked. Dropped, it is forgotten.
pub(crate) struct Asked<'a> {
    desk: &'a Desk,
    execution: ExecutionId,
    answer: oneshot::Receiver<Answer>,
}

impl Desk {
    /// Asks. The answer is waited for later: the link does not know how long it takes.
    pub(crate) fn ask(&self, question: WantSecrets) -> Asked<'_> {
        let execution = question.execution.clone();
        let (reply, answer) = oneshot::channel();
        {
            let mut state = self.lock();
            state.waiting.insert(execution.clone(), (question, reply));
            state.unsaid.push_back(execution.clone());
        }
        self.asked.notify_one();
        Asked { desk: self, execution, answer }
    }

    /// A new link: what was asked on the last one may never have arrived.
    pub(crate) fn ask_again(&self) {
        let mut state = self.lock();
        state.unsaid = state.waiting.keys().cloned().collect();
        drop(state);
        self.asked.notify_one();
    }

    /// The next question to say on the link. Losing the future loses no question.
    pub(crate) async fn next(&self) -> WantSecrets {
        loop {
            let asked = self.asked.notified();
            {
                let mut state = self.lock();
                while let Some(execution) = state.unsaid.pop_front() {
                    // Whoever asked may have gone.
                    if let Some((question, _)) = state.waiting.get(&execution) {
                        return question.clone();
                    }
                }
            }
            asked.await;
        }
    }

    /// Passes an answer on; one that nobody waits for is dropped.
    pub(crate) fn answer(&self, Secrets { execution, result }: Secrets) {
        let waiting = self.lock().waiting.remove(&execution);
        if let Some((_, reply)) = waiting {
            let _ = reply.send(result);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked<'_> {
    /// The answer, whenever it comes.
    pub(crate) async fn answer(mut self) -> Answer {
        match (&mut self.answer).await {
            Ok(answer) => answer,
            // Only a second question about the same execution takes the place of the first.
            Err(_) => Err(super::refusal("the question for the secrets was asked anew".to_owned(), None)),
        }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.desk.lock().waiting.remove(&self.execution);
    }
}

#[cfg(test)]
mod tests {
    use skrei_job::JobId;

    use super::*;

    fn question(execution: &str) -> WantSecrets {
        WantSecrets { execution: ExecutionId::new(execution), job: JobId::new("j") }
    }

    fn nothing(execution: &str) -> Secrets {
        Secrets { execution: ExecutionId::new(execution), result: Ok(Vec::new()) }
    }

    #[tokio::test]
    async fn a_question_is_said_once_a_link_until_it_is_answered() {
        let desk = Desk::default();
        let (first, second) = (desk.ask(question("e-1")), desk.ask(question("e-2")));
        assert_eq!(desk.next().await, question("e-1"));
        assert_eq!(desk.next().await, question("e-2"));
        desk.answer(nothing("e-1"));
        assert_eq!(first.answer().await, Ok(Vec::new()));
        desk.ask_again();
        assert_eq!(desk.next().await, question("e-2"), "its answer may have been lost with the link");
        desk.answer(nothing("e-2"));
        assert_eq!(second.answer().await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn nobody_asks_for_one_who_has_gone() {
        let desk = Desk::default();
        drop(desk.ask(question("e-1")));
        let _second = desk.ask(question("e-2"));
        assert_eq!(desk.next().await, question("e-2"));
        desk.answer(nothing("e-1"));
    }
}
