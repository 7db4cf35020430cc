//! A node from start to stop.

use std::{sync::Arc, time::Duration};

use skrei_ledger::DirectoryLock;
use skrei_protocol::{
    link::{Hello, PROTOCOL},
    version::VERSION,
};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    Config, Error,
    accounts::Accounts,
    artifacts::Artifacts,
    environment::HostVariables,
    fetch, folder, grant,
    guests::Sandboxes,
    identity,
    journal::Journal,
    link::{Address, Link},
    log_store::LogStore,
    modules::Modules,
    network::NetworkRules,
    node::{self, Node},
    owners::Owners,
    ports::PortRules,
    probes::Probes,
    publish::{Outbox, Publishing, Uploads},
    secrets::Secrets,
    supervisor::{ORDERS_MAX, Order, Supervisor},
};

/// How long output may outstay its time.
const OUTPUT_SWEEP: Duration = Duration::from_secs(600);

/// How long a node that is done waits for its last reports to be acknowledged. They are on disk in any case.
const LAST_REPORTS_MAX: Duration = Duration::from_secs(2);

/// Runs a node until `shutdown` is cancelled; then it takes no more work, says so, lets guests run for
/// [`Limits::drain`](crate::Limits::drain), and interrupts what is left. Dropped, it stops at once, and what ran
/// is reported as interrupted by the next start.
///
/// # Errors
/// If it cannot start (configuration, data directory, sandbox), or cannot write its journal any more.
pub async fn serve(config: Config, shutdown: CancellationToken) -> Result<(), Error> {
    let orchestrators: Vec<Address> =
        config.orchestrators.iter().map(|address| address.parse()).collect::<Result<_, _>>()?;
    if orchestrators.is_empty() {
        return Err(Error::NoOrchestrator);
    }
    let host_variables = HostVariables::parse(&config.env_allow_list)?;
    let fetching = fetch::Rules::parse(&config)?;
    let probes = Probes::new(config.probe_exec.clone(), config.probe_http.as_deref())?;
    let owners = Owners::parse(&config.allowed_owners, &Accounts::of_host())?;
    let network = NetworkRules::parse(config.network_allowed, &config.network_domains)?;
    let ports = PortRules::parse(&config.network_ports)?;
    let _lock = DirectoryLock::take(&config.data_dir)?;
    let inline_dir = folder::emptied(config.data_dir.join("inline"))?;
    let scratch_dir = folder::emptied(config.data_dir.join("scratch"))?;
    let results_dir = folder::emptied(config.data_dir.join("results"))?;
    let journal = Arc::new(Journal::open(&config.data_dir.join("journal.db")).await?);
    let held = journal.held().await?;
    let executions = held.iter().map(|held| &held.parcel.execution);
    let outbox = Outbox::open(config.data_dir.join("outbox"), &config.limits, executions)?;
    let secrets = Secrets::open(config.node.clone(), &config.data_dir.join("sealing-key"))?;
    let hello = hello(&config, secrets.sealing_key());
    let allow_list = config.allow_list.clone().resolved(grant::real_path);
    for broken in allow_list.broken(grant::may_write) {
        tracing::warn!("{broken}");
    }
    let identified = tokio::select! {
        identified = identity::provide(&config, &orchestrators) => identified?,
        () = shutdown.cancelled() => return Ok(()),
    };
    let client = identified.client()?;
    let (current, follow_current) = watch::channel(None);
    let uploads = Uploads::new(client.clone(), follow_current.clone())?;
    let artifacts_dir = config.data_dir.join("artifacts");
    let artifacts = Artifacts::open(
        &artifacts_dir,
        &config.limits,
        client.clone(),
        orchestrators.clone(),
        follow_current,
    )?;
    let sandboxes = match config.sandboxes {
        Some(sandboxes) => sandboxes,
        None => {
            let code_dir = Some(config.data_dir.join("code"));
            let default = skrei_runtime::Config::default();
            let open_files_max = config.open_files_max.unwrap_or(default.open_files_max);
            let compiler = config.compiler;
            Sandboxes::start(skrei_runtime::Config { code_dir, compiler, open_files_max, ..default })?
        }
    };
    let node = Arc::new(Node {
        id: config.node,
        capacity: config.capacity,
        allow_list,
        host_variables,
        owners,
        reject_stateless: config.reject_stateless,
        probes,
        network,
        ports,
        limits: config.limits,
        logs: LogStore::new(Arc::clone(&journal), config.limits.log_bytes),
        artifacts,
        modules: Modules::new(sandboxes.runtime),
        guests: sandboxes.guests,
        publishing: Publishing { outbox, uploads },
        told: Arc::default(),
        secrets,
        fetching,
        inline_dir,
        scratch_dir,
        results_dir,
        journal,
    });

    let supervisor = Supervisor::new(Arc::clone(&node), config.limits.waiting, held);
    let (orders, queue) = mpsc::channel(ORDERS_MAX);
    let leaving = CancellationToken::new();
    let renewal = Arc::new(Notify::new());
    let link = Link {
        node: Arc::clone(&node),
        hello,
        heartbeat: config.heartbeat,
        orchestrators,
        connector: Arc::new(client).into(),
        current,
        orders: orders.clone(),
        load: supervisor.load(),
        latest: node.journal.latest(),
        leaving: leaving.clone(),
        renewal: Arc::clone(&renewal),
    };
    let _sweeping = AbortOnDropHandle::new(tokio::spawn(drop_old_output(Arc::clone(&node))));
    let _renewing = identified.renew(renewal);
    let mut link = AbortOnDropHandle::new(tokio::spawn(link.run()));
    let mut supervisor = AbortOnDropHandle::new(tokio::spawn(supervisor.run(queue)));
    let link_ended = |ended: Result<Error, _>| ended.unwrap_or(Error::Stopped("link"));

    tokio::select! {
        () = shutdown.cancelled() => {}
        ended = &mut link => return Err(link_ended(ended)),
        ended = &mut supervisor => return ended.unwrap_or(Err(Error::Stopped("supervisor"))),
    }
    leaving.cancel();
    // A supervisor that is gone has nothing left to drain.
    let _ = orders.send(Order::Drain { until: Instant::now() + config.limits.drain }).await;
    let ended = tokio::select! {
        ended = &mut supervisor => ended.unwrap_or(Err(Error::Stopped("supervisor"))),
        ended = &mut link => Err(link_ended(ended)),
    };
    // Late reports are sent by the next start.
    let _ = tokio::time::timeout(LAST_REPORTS_MAX, all_acknowledged(&node.journal)).await;
    ended
}

/// Drops output by the node's rule: when much was printed, and as time goes by.
async fn drop_old_output(node: Arc<Node>) {
    loop {
        let dropped = node.journal.drop_old_output(node.limits.logs_age, node.limits.logs_bytes).await;
        match dropped {
            Ok(0) => {}
            Ok(logs) => tracing::info!(logs, "what guests printed long ago was dropped"),
            Err(error) => tracing::warn!(%error, "what guests printed long ago cannot be dropped for now"),
        }
        let _ = tokio::time::timeout(OUTPUT_SWEEP, node.journal.much_printed()).await;
    }
}

fn hello(config: &Config, sealing_key: String) -> Hello {
    Hello {
        protocol: PROTOCOL.to_owned(),
        version: VERSION.to_owned(),
        node: config.node.clone(),
        info: node::info(config, sealing_key),
        holds: Vec::new(),
    }
}

async fn all_acknowledged(journal: &Journal) {
    let mut acknowledged = journal.follow_acknowledged();
    // The journal lives as long as this borrow of it.
    let _ = acknowledged.wait_for(|number| *number >= *journal.latest().borrow()).await;
}
