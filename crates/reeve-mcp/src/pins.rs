//! What a server is: its command line, the very files it is started from, its address, and what it says of itself. Computed
//! once a connection and compared with what a person approved.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use reeve_domain::operation::{Digest, Endpoint};
use reeve_domain::server::{PinnedFile, Reported, ServerIdentity};
use serde_json::Value;

use crate::gateway::Gateway;
use crate::link::ServerRef;

/// Longest name and version that a server may give itself, in characters.
const LONGEST: usize = 128;
/// Most scripts among the arguments that are looked at.
const MOST_SCRIPTS: usize = 4;
/// Endings of files that are programs and are run by another.
const SCRIPTS: [&str; 12] = ["js", "mjs", "cjs", "ts", "mts", "py", "rb", "sh", "php", "pl", "jar", "wasm"];

/// What of a file changes with what it holds: size, time of change, and where the system tells them, its number and the time
/// that no program sets.
type FileState = (u64, Option<SystemTime>, Option<(u64, u64, i64, i64)>);

/// Hashes of files as they were when they were read.
#[derive(Debug, Default)]
pub(crate) struct Files(Mutex<HashMap<PathBuf, (FileState, Digest)>>);

#[cfg(unix)]
fn inner(about: &std::fs::Metadata) -> Option<(u64, u64, i64, i64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((about.dev(), about.ino(), about.ctime(), about.ctime_nsec()))
}

#[cfg(not(unix))]
fn inner(_: &std::fs::Metadata) -> Option<(u64, u64, i64, i64)> {
    None
}

impl Files {
    /// Hash of a file; `None`: it cannot be read.
    fn digest(&self, path: &Path) -> Option<Digest> {
        let about = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        let state = (about.len(), about.modified().ok(), inner(&about));
        if let Some((before, digest)) = self.0.lock().get(path)
            && *before == state
        {
            return Some(digest.clone());
        }
        let digest = hash(path)?;
        self.0.lock().insert(path.to_path_buf(), (state, digest.clone()));
        Some(digest)
    }
}

fn hash(path: &Path) -> Option<Digest> {
    let bytes = std::fs::read(path).ok()?;
    Some(Digest::of(&bytes))
}

/// The program that a command line starts, as the folders of `search` give it, and the scripts among its arguments.
#[must_use]
pub fn files(command: &[String], cwd: &Path, search: Option<&OsStr>) -> Vec<PathBuf> {
    let Some((program, arguments)) = command.split_first() else { return Vec::new() };
    let is_path = program.contains('/') || program.contains(std::path::MAIN_SEPARATOR);
    let found = if is_path {
        Some(cwd.join(program))
    } else {
        let folders = search.map(|search| std::env::split_paths(search).collect::<Vec<_>>()).unwrap_or_default();
        folders.into_iter().map(|folder| cwd.join(folder).join(program)).find(|path| path.is_file())
    };
    let script = |argument: &String| {
        let ending = Path::new(argument).extension()?.to_str()?.to_ascii_lowercase();
        let path = cwd.join(argument);
        (SCRIPTS.contains(&ending.as_str()) && path.is_file()).then_some(path)
    };
    let real = |path: PathBuf| path.canonicalize().unwrap_or(path);
    found.into_iter().chain(arguments.iter().filter_map(script).take(MOST_SCRIPTS)).map(real).collect()
}

/// An address as it is pinned: without query.
fn address(endpoint: &Endpoint) -> String {
    let port =
        if endpoint.port == endpoint.scheme.default_port() { String::new() } else { format!(":{}", endpoint.port) };
    format!("{}://{}{port}{}", endpoint.scheme.as_str(), endpoint.host, endpoint.path.shown())
}

/// What a server says it is, in its answer to `initialize` or `server/discover`.
#[must_use]
pub fn reported(result: &Value) -> Option<Reported> {
    let info = result.get("serverInfo")?;
    let text = |key: &str| {
        let words = info.get(key).and_then(Value::as_str).unwrap_or_default();
        words.chars().filter(|c| !reeve_domain::server::is_hidden(*c)).take(LONGEST).collect::<String>()
    };
    Some(Reported { name: text("name"), version: text("version") })
}

impl Gateway {
    /// The files that a server was started from, read once for each start.
    async fn pinned(&self, server: &ServerRef) -> Vec<PinnedFile> {
        let mut known = server.seen.files.lock().await;
        if let Some(known) = known.as_ref() {
            return known.clone();
        }
        let (files, paths) = (Arc::clone(self.files()), server.files.clone());
        let digested = tokio::task::spawn_blocking(move || {
            let pin = |path: &PathBuf| PinnedFile { path: path.display().to_string(), digest: files.digest(path) };
            paths.iter().map(pin).collect::<Vec<_>>()
        });
        // Without its files it is another server than with them.
        let pinned = digested.await.unwrap_or_default();
        *known = Some(pinned.clone());
        pinned
    }

    /// What a server is. The files that it was started from are read once for each start.
    pub async fn identity(&self, server: &ServerRef) -> ServerIdentity {
        let files = self.pinned(server).await;
        let shown = if server.shown.is_empty() { &server.command } else { &server.shown };
        let hidden = *shown != server.command;
        ServerIdentity {
            transport: server.transport,
            command: shown.clone(),
            command_digest: hidden.then(|| Digest::of(server.command.join("\0").as_bytes())),
            files,
            url: server.endpoint.as_ref().map(address),
            reported: server.seen.reported(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_as_a_shell_would_and_scripts_among_its_arguments_too() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["node", "server.js", "notes.txt"] {
            std::fs::write(root.join(name), name).unwrap();
        }
        let command = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let search = root.clone().into_os_string();
        let found = files(&command(&["node", "server.js", "notes.txt", "gone.js"]), &root, Some(&search));
        assert_eq!(found, [root.join("node"), root.join("server.js")]);
        assert_eq!(files(&command(&["./node"]), &root, None), [root.join("node")]);
        assert!(files(&command(&["nowhere"]), &root, Some(&search)).is_empty() && files(&[], &root, None).is_empty());
    }

    #[test]
    fn a_file_that_changed_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.js");
        let files = Files::default();
        assert_eq!(files.digest(&path), None);
        std::fs::write(&path, "one").unwrap();
        assert_eq!(files.digest(&path), Some(Digest::of(b"one")));
        std::fs::write(&path, "another").unwrap();
        assert_eq!(files.digest(&path), Some(Digest::of(b"another")));
    }

    #[test]
    fn a_server_says_its_name_and_version_without_what_hides() {
        let told = reported(&serde_json::json!({ "serverInfo": { "name": "git\u{200b}", "version": "1.2" } })).unwrap();
        assert_eq!((told.name.as_str(), told.version.as_str()), ("git", "1.2"));
        assert_eq!(reported(&serde_json::json!({})), None);
    }
}
