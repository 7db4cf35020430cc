//! Taking up a new pair when its files change.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt as _,
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

/// Whoever writes to the files themselves all the time is not waited for any longer than this.
const SETTLE_MAX: Duration = Duration::from_secs(10);

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

/// Waits until the files are no longer being written: the directory is quiet, or, where it never is, the two have stayed as
/// they are for as long. So of a chain that is written piece by piece, no piece is taken for the whole.
async fn settle(changes: &mut mpsc::Receiver<()>, files: &PairFiles) {
    let by = Instant::now() + SETTLE_MAX;
    let mut seen = stamps(files);
    let mut since = Instant::now();
    while Instant::now() < by {
        match tokio::time::timeout_at(by.min(Instant::now() + QUIET), changes.recv()).await {
            Err(_) | Ok(None) => return,
            Ok(Some(())) => {
                let now = stamps(files);
                if now != seen {
                    (seen, since) = (now, Instant::now());
                } else if since.elapsed() >= QUIET {
                    return;
                }
            }
        }
    }
}

/// By what one state of the files differs from the next.
fn stamps(files: &PairFiles) -> [Option<(u64, u64, i64, i64)>; 2] {
    [&files.certificate, &files.key].map(|path| {
        let status = fs::metadata(path).ok()?;
        Some((status.ino(), status.size(), status.mtime(), status.mtime_nsec()))
    })
}

async fn follow(mut changes: mpsc::Receiver<()>, files: &PairFiles, served: &Served) {
    let mut again: Option<Duration> = None;
    loop {
        tokio::select! {
            change = changes.recv() => if change.is_none() { return },
            () = tokio::time::sleep(again.unwrap_or_default()), if again.is_some() => {}
        }
        settle(&mut changes, files).await;
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
