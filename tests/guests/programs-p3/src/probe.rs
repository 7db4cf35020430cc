//! Performs file operations and says what came of each: `operation: ok` or `operation: ERRNO`, in preview 1's names.

use wasip3::clocks::system_clock::Instant;
use wasip3::clocks::{monotonic_clock, system_clock};
use wasip3::filesystem::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, NewTimestamp, OpenFlags, PathFlags,
};

use crate::files::{
    DIRECTORY, FOLLOW, How, Result, TO_CREATE, TO_READ, TO_WRITE, open, place, read_all, write,
};
use crate::streams::print;
use crate::{files, names, races, space};

const EPOCH: NewTimestamp = NewTimestamp::Timestamp(Instant { seconds: 0, nanoseconds: 0 });
const KEPT: NewTimestamp = NewTimestamp::NoChange;

pub async fn run(operations: &[&str]) {
    for operation in operations {
        let words: Vec<&str> = operation.split(' ').collect();
        let result = match perform(&words).await {
            Ok(seen) if seen.is_empty() => "ok".to_owned(),
            Ok(seen) => format!("ok {seen}"),
            Err(error) => names::name(&error).to_owned(),
        };
        print(format!("{operation}: {result}\n")).await;
    }
}

async fn perform(words: &[&str]) -> Result {
    if let Some(how) = opening(words[0]) {
        return done(open(words[1], how).await.map(drop));
    }
    match words {
        ["preopens"] => Ok(files::mounts().join(" ")),
        ["read", path] => read_all(&open(path, TO_READ).await?).await,
        // On a descriptor opened to read.
        ["write-to-reader" | "pwrite-to-reader", path] => {
            done(write(&open(path, TO_READ).await?, Some(0), b"x".to_vec()).await.1)
        }
        ["append-to-reader", path] => done(write(&open(path, TO_READ).await?, None, b"x".to_vec()).await.1),
        ["resize-reader", path] => done(open(path, TO_READ).await?.set_size(0).await),
        ["touch-reader", path] => done(open(path, TO_READ).await?.set_times(KEPT, EPOCH).await),
        ["sync-reader", path] => done(open(path, TO_READ).await?.sync().await),
        // On one opened to write.
        ["write", path, text] => {
            done(write(&open(path, TO_CREATE).await?, Some(0), text.as_bytes().to_vec()).await.1)
        }
        ["append" | "pwrite-to-appender", path, text] => {
            done(write(&open(path, TO_WRITE).await?, None, text.as_bytes().to_vec()).await.1)
        }
        ["resize", path, bytes] => {
            done(open(path, TO_CREATE).await?.set_size(bytes.parse().expect("bytes")).await)
        }
        ["read-from-writer", path] => read_all(&open(path, TO_WRITE).await?).await,
        ["sync", path] => done(open(path, TO_CREATE).await?.sync().await),
        ["datasync", path] => done(open(path, TO_CREATE).await?.sync_data().await),
        // What a descriptor says of itself: it can `r`ead, `w`rite, change a directory's `p`aths.
        ["flags", path] => flags(path, OpenFlags::empty(), DescriptorFlags::empty()).await,
        ["flags-read", path] => flags(path, OpenFlags::empty(), DescriptorFlags::READ).await,
        ["flags-write", path] => flags(path, OpenFlags::empty(), DescriptorFlags::WRITE).await,
        ["flags-create", path] => flags(path, OpenFlags::CREATE, DescriptorFlags::empty()).await,
        ["flags-create-write", path] => flags(path, OpenFlags::CREATE, DescriptorFlags::WRITE).await,
        ["flags-preopen", preopen] => said(place(&format!("{preopen}:.")).0.get_flags().await?),
        // On a directory.
        ["sync-dir", path] => done(open(path, DIRECTORY).await?.sync().await),
        ["touch-dir", path] => done(open(path, DIRECTORY).await?.set_times(KEPT, EPOCH).await),
        ["read-dir-as-file", path] => read_all(&open(path, DIRECTORY).await?).await,
        ["list" | "list-slowly", path] => list(path).await,
        // Of which there are none here.
        ["allocate" | "allocate-reader", ..] => Err(ErrorCode::Unsupported),
        ["list-bad-cookie", _] => Ok(String::new()),
        ["open-many", path] => open_many(path).await,
        // By path.
        ["mkdir", path] => {
            let (dir, path) = place(path);
            done(dir.create_directory_at(path).await)
        }
        ["rmdir", path] => {
            let (dir, path) = place(path);
            done(dir.remove_directory_at(path).await)
        }
        ["unlink", path] => {
            let (dir, path) = place(path);
            done(dir.unlink_file_at(path).await)
        }
        ["symlink", target, path] => {
            let (dir, path) = place(path);
            done(dir.symlink_at((*target).to_owned(), path).await)
        }
        ["touch", path] => touch(path, FOLLOW).await,
        ["touch-link", path] => touch(path, PathFlags::empty()).await,
        ["rename", old, new] => {
            let ((dir, old), (to, new)) = (place(old), place(new));
            done(dir.rename_at(old, &to, new).await)
        }
        ["link", old, new] => {
            let ((dir, old), (to, new)) = (place(old), place(new));
            done(dir.link_at(PathFlags::empty(), old, &to, new).await)
        }
        ["stat", path] => kind(path, FOLLOW).await,
        ["lstat", path] => kind(path, PathFlags::empty()).await,
        ["stat-long", preopen, length] => {
            let path = "a".repeat(length.parse().expect("a length"));
            kind(&format!("{preopen}:{path}"), FOLLOW).await
        }
        ["stat-nul", preopen] => kind(&format!("{preopen}:file\0.txt"), FOLLOW).await,
        ["readlink", path] => {
            let (dir, path) = place(path);
            dir.readlink_at(path).await
        }
        // Of time and chance.
        ["random", bytes] => {
            let bytes = wasip3::random::random::get_random_bytes(bytes.parse().expect("bytes"));
            Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
        }
        ["date", path, seconds, nanos] => {
            let (dir, path) = place(path);
            dir.set_times_at(FOLLOW, path.clone(), KEPT, at(seconds, nanos)).await?;
            Ok(date(&dir.stat_at(FOLLOW, path).await?))
        }
        ["date-open", path, seconds, nanos] => {
            let file = open(path, TO_READ).await?;
            file.set_times(KEPT, at(seconds, nanos)).await?;
            Ok(date(&file.stat().await?))
        }
        ["hash-seed"] => {
            let (one, other) = wasip3::random::insecure_seed::get_insecure_seed();
            Ok(format!("{one:x} {other:x}"))
        }
        ["terminals"] => {
            use wasip3::cli::{terminal_stderr, terminal_stdin, terminal_stdout};
            let stdin = terminal_stdin::get_terminal_stdin().is_some();
            let stdout = terminal_stdout::get_terminal_stdout().is_some();
            Ok(format!("{stdin} {stdout} {}", terminal_stderr::get_terminal_stderr().is_some()))
        }
        ["time"] => {
            let Instant { seconds, nanoseconds } = system_clock::now();
            Ok((i128::from(seconds) * 1_000_000 + i128::from(nanoseconds / 1000)).to_string())
        }
        ["monotonic"] => Ok((monotonic_clock::now() / 1000).to_string()),
        ["sleep", millis] => {
            monotonic_clock::wait_for(millis.parse::<u64>().expect("milliseconds") * 1_000_000).await;
            Ok(String::new())
        }
        ["sleep-for-ever"] => loop {
            monotonic_clock::wait_for(1_000_000_000).await;
        },
        _ => match space::perform(words).await {
            Some(result) => result,
            None => races::perform(words).await,
        },
    }
}

fn opening(word: &str) -> Option<How> {
    use DescriptorFlags as Flags;
    let (create, truncate) = (OpenFlags::CREATE, OpenFlags::TRUNCATE);
    Some(match word {
        "open-read" => TO_READ,
        "open-nofollow" => How(PathFlags::empty(), OpenFlags::empty(), Flags::READ),
        // To append is a way to write here, and not to open.
        "open-write" | "open-append" => TO_WRITE,
        "open-read-write" => How(FOLLOW, OpenFlags::empty(), Flags::READ | Flags::WRITE),
        "open-truncate" => How(FOLLOW, truncate, Flags::WRITE),
        "open-truncate-read" => How(FOLLOW, truncate, Flags::READ),
        "open-create" => TO_CREATE,
        "open-create-nofollow" => How(PathFlags::empty(), create, Flags::WRITE),
        "open-create-read" => How(FOLLOW, create, Flags::READ),
        "open-create-new" => How(FOLLOW, create | OpenFlags::EXCLUSIVE, Flags::WRITE),
        "open-create-truncate" => How(FOLLOW, create | truncate, Flags::WRITE),
        "open-directory" => DIRECTORY,
        "open-nothing" => How(FOLLOW, OpenFlags::empty(), Flags::empty()),
        _ => return None,
    })
}

/// The names in a directory, with the two that C libraries add.
async fn list(path: &str) -> Result {
    let dir = open(path, DIRECTORY).await?;
    let (stream, ended) = dir.read_directory();
    let mut names: Vec<String> = stream.collect().await.into_iter().map(|entry| entry.name).collect();
    ended.await?;
    names.extend([".".to_owned(), "..".to_owned()]);
    names.sort();
    Ok(names.join(" "))
}

async fn open_many(path: &str) -> Result {
    let mut opened = Vec::new();
    loop {
        match open(path, TO_READ).await {
            Ok(file) => opened.push(file),
            Err(error) => return Ok(format!("{} {}", opened.len(), names::name(&error))),
        }
    }
}

fn at(seconds: &str, nanos: &str) -> NewTimestamp {
    let (seconds, nanoseconds) = (seconds.parse().expect("seconds"), nanos.parse().expect("nanoseconds"));
    NewTimestamp::Timestamp(Instant { seconds, nanoseconds })
}

/// When it was modified.
fn date(stat: &DescriptorStat) -> String {
    let Instant { seconds, nanoseconds } = stat.data_modification_timestamp.expect("a time");
    format!("{seconds} {nanoseconds}")
}

async fn touch(path: &str, flags: PathFlags) -> Result {
    let (dir, path) = place(path);
    done(dir.set_times_at(flags, path, KEPT, EPOCH).await)
}

async fn kind(path: &str, flags: PathFlags) -> Result {
    let (dir, path) = place(path);
    Ok(match dir.stat_at(flags, path).await?.type_ {
        DescriptorType::Directory => "directory",
        DescriptorType::RegularFile => "file",
        DescriptorType::SymbolicLink => "link",
        _ => "other",
    }
    .to_owned())
}

pub fn done(result: Result<()>) -> Result {
    result.map(|()| String::new())
}

async fn flags(path: &str, how: OpenFlags, flags: DescriptorFlags) -> Result {
    said(open(path, How(PathFlags::empty(), how, flags)).await?.get_flags().await?)
}

fn said(flags: DescriptorFlags) -> Result {
    use DescriptorFlags as Flags;
    let letters = [(Flags::READ, 'r'), (Flags::WRITE, 'w'), (Flags::MUTATE_DIRECTORY, 'p')];
    Ok(letters.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, letter)| letter).collect())
}
