//! Calls about nodes, and about who may become one.

use reqwest::Method;

use super::{Client, Error, segment};
use crate::api::{
    authority::{Authority, PostAuthorityRequest},
    node::{GetNodeResponse, ListNodesResponse, NodeState, PutNodeRequest, PutNodeResponse},
    token::{ListTokensResponse, PostTokenRequest, PostTokenResponse, RevokeTokenResponse, Token},
};

/// Each fails as [`Error`] says.
impl Client {
    /// All nodes.
    pub async fn nodes(&self, labels: &str) -> Result<Vec<NodeState>, Error> {
        let query = [("labels", labels.to_owned())];
        self.get::<ListNodesResponse>("/orchestrator/nodes", &query).await.map(|answer| answer.nodes)
    }

    /// A node by id or the beginning of it.
    pub async fn node(&self, node: &str) -> Result<NodeState, Error> {
        let path = format!("/orchestrator/nodes/{}", segment(node));
        self.get::<GetNodeResponse>(&path, &[]).await.map(|answer| answer.node)
    }

    /// Does with a node what the request says: approves, rejects, deletes, cordons, drains, labels it.
    pub async fn order(&self, node: &str, request: PutNodeRequest) -> Result<(), Error> {
        let request = PutNodeRequest { node_id: node.to_owned(), ..request };
        let path = format!("/orchestrator/nodes/{}", segment(node));
        self.send::<PutNodeResponse>(Method::PUT, &path, &request).await.map(|_| ())
    }

    /// The authority of the nodes.
    pub async fn node_authority(&self) -> Result<Authority, Error> {
        self.get("/orchestrator/authority", &[]).await
    }

    /// Has the authority of the nodes replaced (`rotate`), or the one before dropped (`drop`).
    pub async fn change_node_authority(&self, action: &str) -> Result<Authority, Error> {
        let request = PostAuthorityRequest { action: action.to_owned() };
        self.send(Method::POST, "/orchestrator/authority", &request).await
    }

    /// Makes a join token.
    pub async fn make_token(&self, request: &PostTokenRequest) -> Result<PostTokenResponse, Error> {
        self.send(Method::POST, "/orchestrator/join-tokens", request).await
    }

    /// Every join token, the newest first.
    pub async fn tokens(&self) -> Result<Vec<Token>, Error> {
        self.get::<ListTokensResponse>("/orchestrator/join-tokens", &[]).await.map(|answer| answer.items)
    }

    /// A join token lets nobody in any more.
    pub async fn revoke_token(&self, id: &str) -> Result<(), Error> {
        let path = format!("/orchestrator/join-tokens/{}", segment(id));
        self.send::<RevokeTokenResponse>(Method::DELETE, &path, &serde_json::json!({})).await.map(|_| ())
    }
}
