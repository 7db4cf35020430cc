//! Parts of long lists: of one version, of one kind, in another order, page by page.

use super::{Client, Error, job_path};
use crate::api::{
    List,
    execution::Execution,
    history::HistoryEntry,
    job::{GetJobResponse, Job},
    node::{ListNodesResponse, NodeState},
};

/// What of a list is asked for; what is empty or 0 is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Of this version of the job; 0 is the latest.
    pub version: u64,
    /// Of every version.
    pub all_versions: bool,
    /// At most so many; 0 is as many as the orchestrator gives.
    pub limit: u32,
    /// Where the page before ended.
    pub next_token: String,
    /// By what they are ordered.
    pub order_by: String,
    /// The other way round.
    pub reverse: bool,
    /// `job` or `execution`.
    pub event_type: String,
    /// Of this execution alone.
    pub execution: String,
    /// Only those whose labels match.
    pub labels: String,
    /// Of jobs: in this namespace; `*` is all.
    pub namespace: String,
    /// `approved`, `pending` or `rejected`.
    pub approval: String,
    /// `connected` or `disconnected`.
    pub status: String,
}

impl Selection {
    fn query(&self) -> Vec<(&'static str, String)> {
        let number = |number: u64| if number == 0 { String::new() } else { number.to_string() };
        let truth = |truth: bool| if truth { "true".to_owned() } else { String::new() };
        vec![
            ("job_version", number(self.version)),
            ("all_job_versions", truth(self.all_versions)),
            ("limit", number(self.limit.into())),
            ("next_token", self.next_token.clone()),
            ("order_by", self.order_by.clone()),
            ("reverse", truth(self.reverse)),
            ("event_type", self.event_type.clone()),
            ("execution_id", self.execution.clone()),
            ("labels", self.labels.clone()),
            ("namespace", self.namespace.clone()),
            ("filter-approval", self.approval.clone()),
            ("filter-status", self.status.clone()),
        ]
    }
}

impl Client {
    /// A page of jobs.
    ///
    /// # Errors
    /// As [`Error`] says; so for all calls below.
    pub async fn selected_jobs(&self, selection: &Selection) -> Result<List<Job>, Error> {
        self.get("/orchestrator/jobs", &selection.query()).await
    }

    /// One version of a job, with what `include` names.
    pub async fn selected_job(
        &self,
        job: &str,
        include: &str,
        selection: &Selection,
    ) -> Result<GetJobResponse, Error> {
        let mut query = selection.query();
        query.push(("include", include.to_owned()));
        self.get(&job_path(job, ""), &query).await
    }

    /// Executions of a job: all pages of them, unless there is a limit.
    pub async fn selected_executions(
        &self,
        job: &str,
        selection: &Selection,
    ) -> Result<List<Execution>, Error> {
        let mut selection = selection.clone();
        let mut all = Vec::new();
        loop {
            let page: List<Execution> = self.get(&job_path(job, "/executions"), &selection.query()).await?;
            all.extend(page.items);
            // A token that leads nowhere would lead there for ever.
            let is_last = page.next_token.is_empty() || page.next_token == selection.next_token;
            if is_last || selection.limit > 0 {
                return Ok(List::whole(all));
            }
            selection.next_token = page.next_token;
        }
    }

    /// A page of a job's history.
    pub async fn selected_history(
        &self,
        job: &str,
        selection: &Selection,
    ) -> Result<List<HistoryEntry>, Error> {
        self.get(&job_path(job, "/history"), &selection.query()).await
    }

    /// Nodes.
    pub async fn selected_nodes(&self, selection: &Selection) -> Result<Vec<NodeState>, Error> {
        let answer = self.get::<ListNodesResponse>("/orchestrator/nodes", &selection.query()).await?;
        Ok(answer.nodes)
    }
}
