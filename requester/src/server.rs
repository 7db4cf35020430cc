//! Putting an orchestrator together, and taking it down.

use std::{io, sync::Arc, time::Duration};

use skrei_tls::{Authority, AuthorityError, Handshakes, Places, Port, node_listener};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    api::{self, Origin},
    artifacts::{self, Artifacts},
    config::{Config, Listeners},
    connections,
    decide::{Command, EventLoop},
    expiry::Expiry,
    feed::Feed,
    housekeeping,
    nodes::{self, Hub, Identities, NodeAuthority, rotation, tokens},
    orchestrator::Orchestrator,
    perform::{Effects, Performer},
    results::Results,
    secrets::{Answers, Keys, Waiting},
    store::Store,
};

/// Commands that may wait for the event loop; beyond it requests wait for room.
const COMMANDS_QUEUE: usize = 4096;

/// Batches of effects that may wait for the disk; beyond it the event loop waits.
const EFFECTS_QUEUE: usize = 1024;

/// How long open requests get to end at shutdown.
const DRAIN: Duration = Duration::from_secs(5);

/// Why an orchestrator could not start, or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] skrei_ledger::Error),
    /// The keys of secrets cannot be had.
    #[error("keys of secrets: {0}")]
    Keys(#[from] skrei_vault::KeyError),
    /// A file or socket cannot be used.
    #[error("{what}: {source}")]
    Io {
        /// What it was for.
        what: String,
        /// The system's words.
        source: io::Error,
    },
    /// The authority of the nodes cannot be used.
    #[error("the authority of the nodes cannot be used: {0}")]
    Authority(#[from] AuthorityError),
    /// It cannot be taken into use.
    #[error("the authority of the nodes cannot be used: {0}")]
    NodeAuthority(String),
    /// Encryption of the node listener cannot be set up.
    #[error("TLS for nodes cannot be set up: {0}")]
    Tls(#[from] skrei_tls::TlsError),
    /// The token of the first start cannot be provided.
    #[error("the join token cannot be provided: {0}")]
    JoinToken(String),
}

impl Error {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Keys(error) => error.hint(),
            _ => None,
        }
    }
}

/// Serves until `shutdown` is cancelled; then open requests get a few seconds to end.
///
/// # Errors
/// If the store cannot be opened or a listener fails.
pub async fn serve(config: Config, listeners: Listeners, shutdown: CancellationToken) -> Result<(), Error> {
    let directory = config.data_dir.clone();
    let io = |what: &'static str| {
        move |source| Error::Io { what: format!("{what} `{}`", directory.display()), source }
    };
    std::fs::create_dir_all(&config.data_dir).map_err(io.clone()("cannot make the data directory"))?;
    let store = Store::open(&config.data_dir)?;
    let artifacts = Artifacts::open(config.data_dir.join(artifacts::DIRECTORY), config.artifacts)
        .map_err(io.clone()("cannot make"))?;
    let results = Results::open(config.data_dir.join("results"), config.results, store.clone())
        .map_err(io("cannot make"))?;
    let results = Arc::new(results);
    results.tidy().await?;
    let keys = Arc::new(Keys::open(&config.secret_keys, store.has_locked()?)?);
    let (hub, feed) = (Arc::new(Hub::default()), Arc::new(Feed::default()));
    let waiting = Arc::new(Waiting::default());
    let identities = Arc::new(Identities::open(store.clone())?);
    let authority = Arc::new(Authority::open(config.data_dir.join("authority"))?);
    let used = NodeAuthority::open(Arc::clone(&authority))
        .map_err(|error| Error::NodeAuthority(error.to_string()))?;
    let used = Arc::new(used);
    let token_file = tokens::provide_file(&store, &config.data_dir, used.issuer().fingerprint()).await;
    let token_file = token_file.map_err(|error| Error::JoinToken(error.to_string()))?;
    let encrypted = NodeTls::of(&authority, &used)?;

    let (commands, inbox) = mpsc::channel::<Command>(COMMANDS_QUEUE);
    let (effects, queue) = mpsc::channel::<Effects>(EFFECTS_QUEUE);
    let (stored, confirmed) = watch::channel(store.position()?);
    let scheduling =
        skrei_scheduler::Config { disconnect_timeout: config.grace(), ..skrei_scheduler::Config::default() };
    let event_loop = EventLoop::restore(
        store.clone(),
        scheduling,
        effects,
        Arc::clone(&hub),
        Arc::clone(&keys),
        confirmed,
    )?;
    let performer = Performer {
        hub: Arc::clone(&hub),
        feed: Arc::clone(&feed),
        waiting: Arc::clone(&waiting),
        commands: commands.downgrade(),
        stored,
    };
    let deciding = own_thread("event loop", event_loop.run(inbox))?;
    let performing = tokio::spawn(performer.run(queue));

    let expiry = Expiry { store: store.clone(), results: Arc::clone(&results), artifacts: artifacts.clone() };
    let _expiry = AbortOnDropHandle::new(tokio::spawn(expiry.run(shutdown.clone())));
    let answers = Answers::new(&store, &hub, &keys);
    let orchestrator = Arc::new(Orchestrator {
        config,
        store,
        artifacts,
        results,
        hub,
        identities: Arc::clone(&identities),
        authority: used,
        token_file,
        feed,
        commands,
        keys,
        answers,
        waiting,
        keeper: Semaphore::new(1),
    });
    tokio::spawn(housekeeping::run(Arc::clone(&orchestrator), shutdown.clone()));
    tokio::spawn(rotation::run(Arc::clone(&orchestrator), shutdown.clone()));
    let origin = Origin::new(orchestrator.config.public_url.as_deref(), &listeners);
    let router = api::router(Arc::clone(&orchestrator), origin, shutdown.clone());
    let failed = |source| Error::Io { what: "a listener failed".to_owned(), source };
    let source = match listeners.api_tls {
        None => connections::Source::Plain(listeners.api),
        Some(tls) => {
            connections::Source::Encrypted(Handshakes::start(listeners.api, tls, Port::Api).map_err(failed)?)
        }
    };
    let places = Places::new(orchestrator.config.connections);
    let api = connections::serve(source, router, places, shutdown.clone());
    let connections =
        Handshakes::start(listeners.nodes, Arc::clone(&encrypted.config), Port::Nodes).map_err(failed)?;
    let router = nodes::router(Arc::clone(&orchestrator), shutdown.clone());
    let nodes = nodes::serve(connections, router, identities, shutdown.clone());

    // Scoped: what is open is gone with it.
    {
        let served = async { tokio::join!(api, nodes) };
        tokio::pin!(served);
        tokio::select! {
            _ = &mut served => {}
            () = async { shutdown.cancelled().await; tokio::time::sleep(DRAIN).await } => {}
        }
    }
    // Every sender of commands is gone with the routers and this handle: the loop ends, then the performer.
    drop(orchestrator);
    let _ = tokio::time::timeout(DRAIN, async { (deciding.await, performing.await) }).await;
    Ok(())
}

/// What encrypts the node listener, kept up to date as long as this lives.
struct NodeTls {
    config: Arc<skrei_tls::ServerConfig>,
    _tasks: [AbortOnDropHandle<()>; 2],
}

impl NodeTls {
    /// With a certificate of the nodes' authority, which is renewed by itself.
    fn of(authority: &Arc<Authority>, used: &NodeAuthority) -> Result<Self, Error> {
        let served = used.served();
        let config = node_listener(used.verifier(), &served)?;
        let watching = skrei_tls::watch(authority.server_files(), served).map_err(|error| Error::Io {
            what: "changes of the node listener's certificate cannot be watched".to_owned(),
            source: io::Error::other(error),
        })?;
        let names = Authority::orchestrator_names();
        Ok(Self { config, _tasks: [watching, Arc::clone(authority).renew(names)] })
    }
}

/// Runs a future on a thread of its own: decisions are never delayed by requests.
fn own_thread(
    name: &str,
    work: impl Future<Output = ()> + Send + 'static,
) -> Result<tokio::sync::oneshot::Receiver<()>, Error> {
    let io = |source| Error::Io { what: "cannot start the event loop".to_owned(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(io)?;
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            runtime.block_on(work);
            let _ = ended.send(());
        })
        .map_err(io)?;
    Ok(end)
}
