//! Calls about jobs.

use std::collections::BTreeSet;

use reqwest::Method;
use skrei_job::{Manifest, secret::Name};

use super::{Client, Error, segment};
use crate::api::{
    List,
    execution::Execution,
    history::HistoryEntry,
    job::{
        DiffJobRequest, DiffJobResponse, GetJobResponse, Job, PutJobRequest, PutJobResponse, RerunJobRequest,
        RerunJobResponse, StopJobRequest, StopJobResponse,
    },
    plan::{PlanJobRequest, PlanJobResponse, STAND_IN},
    rollout::{Action, Progress, SteerRequest},
};

/// Each fails as [`Error`] says.
impl Client {
    /// Submits a job; `force` also if the stored one of its name is the same.
    pub async fn submit(&self, job: &Manifest, force: bool) -> Result<PutJobResponse, Error> {
        self.send(Method::PUT, "/orchestrator/jobs", &PutJobRequest { job, force }).await
    }

    /// A job by name, id or short id; `include` names `executions`, `history` and `progress`, with commas
    /// between them, or nothing.
    pub async fn job(&self, job: &str, include: &str) -> Result<GetJobResponse, Error> {
        self.get(&job_path(job, ""), &[("include", include.to_owned())]).await
    }

    /// A page of jobs, newest first.
    pub async fn jobs(&self, labels: &str, limit: u32, next_token: &str) -> Result<List<Job>, Error> {
        let query = [
            ("labels", labels.to_owned()),
            ("limit", limit.to_string()),
            ("next_token", next_token.to_owned()),
            ("reverse", "true".to_owned()),
        ];
        self.get("/orchestrator/jobs", &query).await
    }

    /// The executions of a job's latest version, over all pages.
    pub async fn executions(&self, job: &str) -> Result<List<Execution>, Error> {
        self.all_pages(&job_path(job, "/executions")).await.map(List::whole)
    }

    /// A page of a job's history, of its latest version or over all of them.
    pub async fn history(
        &self,
        job: &str,
        all_versions: bool,
        next_token: &str,
    ) -> Result<List<HistoryEntry>, Error> {
        let query = [("next_token", next_token.to_owned()), ("all_job_versions", all_versions.to_string())];
        self.get(&job_path(job, "/history"), &query).await
    }

    /// Stops a job.
    pub async fn stop(&self, job: &str, reason: Option<String>) -> Result<StopJobResponse, Error> {
        self.send(Method::DELETE, &job_path(job, ""), &StopJobRequest { reason }).await
    }

    /// Every version of a job, the first one first.
    pub async fn versions(&self, job: &str) -> Result<Vec<Job>, Error> {
        self.all_pages(&job_path(job, "/versions")).await
    }

    /// Runs a version of a job again, or what is left of it, as a new version.
    pub async fn rerun(&self, job: &str, request: &RerunJobRequest) -> Result<RerunJobResponse, Error> {
        self.send(Method::PUT, &job_path(job, "/rerun"), request).await
    }

    /// What submitting a job would change of the stored one of its name, its secrets sealed by whoever submits it or not.
    pub async fn diff(&self, job: &Manifest, sealed: bool) -> Result<DiffJobResponse, Error> {
        self.send(Method::PUT, "/orchestrator/jobs/diff", &DiffJobRequest { job, sealed }).await
    }

    /// Which nodes would run a job now, and why each other would not, if these secrets were given with it, sealed by whoever
    /// submits it or not. Their values are not asked for.
    pub async fn plan(
        &self,
        job: &Manifest,
        secrets: &BTreeSet<Name>,
        sealed: bool,
    ) -> Result<PlanJobResponse, Error> {
        let secrets = secrets.iter().map(|name| (name.as_str(), STAND_IN)).collect();
        self.send(Method::PUT, "/orchestrator/jobs/plan", &PlanJobRequest { job, sealed, secrets }).await
    }

    /// How far a job has come over its fleet.
    pub async fn progress(&self, job: &str) -> Result<Progress, Error> {
        self.get(&job_path(job, "/rollout"), &[]).await
    }

    /// Pauses, resumes or aborts a job's roll-out.
    pub async fn steer(&self, job: &str, action: Action) -> Result<Progress, Error> {
        self.send(Method::PUT, &job_path(job, "/rollout"), &SteerRequest { action }).await
    }
}

/// Where a job is, or something of it.
pub(super) fn job_path(job: &str, rest: &str) -> String {
    format!("/orchestrator/jobs/{}{rest}", segment(job))
}
