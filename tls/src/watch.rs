//! Taking up a new pair when its files change.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use notify::{RecursiveMode, Watcher};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::task::AbortOnDropHandle;

use crate::{Pair, PairFiles, Served};

/// After the last change, how long it stays quiet before the files are read: two files are not written at once.
const QUIET: Duration = Duration::from_millis(200);

/// Where it never is quiet, they are read after so long.
const QUIET_WAIT_MAX: Duration = Duration::from_secs(1);

/// A pair that is wrong may be half written by somebody slow: it is looked at again this soon, then less often.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_secs(300);

/// Serves the pair in these files whenever they change, until dropped. A pair that is wrong is refused with a line
/// in the log, and the one before is served on.
///
/// The directories are watched, not the files, so that replacing a file by renaming counts as well as writing to it,
/// and so does turning a symbolic link of the path, as certbot and Kubernetes do it.
///
/// # Errors
/// The system cannot watch the directories.
pub fn watch(files: PairFiles, served: Arc<Served>) -> Result<AbortOnDropHandle<()>, notify::Error> {
    // One is enough: what changes while another waits is read with it.
    let (changed, changes) = mpsc::channel(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            let _ = changed.try_send(());
        }
    })?;
    for directory in directories(&files) {
        watcher.watch(&directory, RecursiveMode::NonRecursive)?;
    }
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        // Watches as long as it lives.
        let _watcher = watcher;
        follow(changes, &files, &served).await;
    })))
}

/// Where the files are, by their own path and by where that leads.
fn directories(files: &PairFiles) -> BTreeSet<PathBuf> {
    let mut directories = BTreeSet::new();
    for path in [&files.certificate, &files.key] {
        let real = path.canonicalize().ok();
        for path in [Some(path.as_path()), real.as_deref()].into_iter().flatten() {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            directories.insert(parent.unwrap_or(Path::new(".")).to_owned());
        }
    }
    directories
}

async fn follow(mut changes: mpsc::Receiver<()>, files: &PairFiles, served: &Served) {
    let mut again: Option<Duration> = None;
    loop {
        tokio::select! {
            change = changes.recv() => if change.is_none() { return },
            () = tokio::time::sleep(again.unwrap_or_default()), if again.is_some() => {}
        }
        let by = Instant::now() + QUIET_WAIT_MAX;
        while let Ok(Some(())) = tokio::time::timeout_at(by.min(Instant::now() + QUIET), changes.recv()).await
        {
        }
        let (now, reading) = (SystemTime::now(), files.clone());
        let Ok(pair) = tokio::task::spawn_blocking(move || Pair::read(&reading, now)).await else { return };
        match pair {
            Ok(pair) => {
                again = None;
                if served.replace(&pair) {
                    tracing::info!(certificate = %files.certificate.display(), "a new certificate is served");
                    pair.warnings(&[]).iter().for_each(|warning| tracing::warn!("{warning}"));
                }
            }
            Err(error) => {
                if again.is_none() {
                    tracing::error!("the new certificate is not used, the one before is served on: {error}");
                }
                again = Some(again.map_or(AGAIN, |again| (again * 2).min(AGAIN_MAX)));
            }
        }
    }
}
