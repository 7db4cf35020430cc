//! Calls that carry secrets, or tell of them.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Serialize;
use skrei_job::{
    Manifest,
    secret::{Name, SealedByClient},
};

use super::{ANSWER_TIMEOUT, Client, Error, job_path};
use crate::api::{
    job::PutJobResponse,
    secret::{
        Grant, ListGrantsResponse, ListSealingKeysResponse, ListSecretsResponse, NodeKey, PutSecretRequest,
        PutSecretResponse, RemoveSecretResponse, RotateKeyResponse, SealResponse, StoredSecret,
    },
};

/// Body of a submission with secrets. It has no `Debug`: the values are in it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Submission<'a> {
    job: &'a Manifest,
    force: bool,
    /// Values in base64.
    secrets: &'a BTreeMap<Name, String>,
    sealed_secrets: &'a BTreeMap<Name, SealedByClient>,
}

/// Body of what is sealed later.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Seal<'a> {
    sealed_secrets: &'a BTreeMap<Name, SealedByClient>,
}

impl Client {
    /// Submits a job with the secrets that it names, values in base64; `force` also if the stored one of its name is
    /// the same.
    pub async fn submit_with(
        &self,
        job: &Manifest,
        force: bool,
        secrets: &BTreeMap<Name, String>,
    ) -> Result<PutJobResponse, Error> {
        let submission = Submission { job, force, secrets, sealed_secrets: &BTreeMap::new() };
        self.send(Method::PUT, "/orchestrator/jobs", &submission).await
    }

    /// The same with secrets that were sealed to nodes.
    pub async fn submit_sealed(
        &self,
        job: &Manifest,
        force: bool,
        sealed_secrets: &BTreeMap<Name, SealedByClient>,
    ) -> Result<PutJobResponse, Error> {
        let submission = Submission { job, force, secrets: &BTreeMap::new(), sealed_secrets };
        self.send(Method::PUT, "/orchestrator/jobs", &submission).await
    }

    /// Adds what was sealed to more nodes to what the latest version of a job has.
    pub async fn seal(
        &self,
        job: &str,
        sealed_secrets: &BTreeMap<Name, SealedByClient>,
    ) -> Result<SealResponse, Error> {
        self.send(Method::PUT, &job_path(job, "/secrets"), &Seal { sealed_secrets }).await
    }

    /// The keys that secrets can be sealed to, as the orchestrator says them.
    pub async fn sealing_keys(&self) -> Result<Vec<NodeKey>, Error> {
        let answer = self.get::<ListSealingKeysResponse>("/orchestrator/sealing-keys", &[]).await;
        answer.map(|answer| answer.items)
    }

    /// The secrets of a namespace (empty: the default one; `*`: all), by name.
    pub async fn secrets(&self, namespace: &str) -> Result<Vec<StoredSecret>, Error> {
        let query = [("namespace", namespace.to_owned())];
        self.get::<ListSecretsResponse>("/orchestrator/secrets", &query).await.map(|answer| answer.items)
    }

    /// Sets a secret of a namespace.
    pub async fn set_secret(
        &self,
        namespace: &str,
        name: &Name,
        request: &PutSecretRequest,
    ) -> Result<PutSecretResponse, Error> {
        let query = [("namespace", namespace.to_owned())];
        let call = self.request(Method::PUT, &secret_path(name), &query).json(request);
        self.read(call.timeout(ANSWER_TIMEOUT)).await
    }

    /// Removes a secret of a namespace.
    pub async fn remove_secret(&self, namespace: &str, name: &Name) -> Result<(), Error> {
        let query = [("namespace", namespace.to_owned())];
        let call = self.request(Method::DELETE, &secret_path(name), &query);
        self.read::<RemoveSecretResponse>(call.timeout(ANSWER_TIMEOUT)).await.map(drop)
    }

    /// Makes a new key for everything that is locked.
    pub async fn rotate_secret_key(&self) -> Result<RotateKeyResponse, Error> {
        self.send(Method::PUT, "/orchestrator/secret-key", &()).await
    }

    /// What the latest version of a job may have.
    pub async fn grants(&self, job: &str) -> Result<Vec<Grant>, Error> {
        self.get::<ListGrantsResponse>(&job_path(job, "/secrets"), &[]).await.map(|answer| answer.items)
    }
}

fn secret_path(name: &Name) -> String {
    format!("/orchestrator/secrets/{name}")
}
