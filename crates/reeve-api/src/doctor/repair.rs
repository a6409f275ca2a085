//! What the doctor may repair by itself: folders, permissions, and what an engine that crashed left behind. Secrets, records
//! and settings are never touched, and nothing that a running engine holds.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use reeve_domain::id::SessionId;

use crate::home::Home;
use crate::lease::Lease;

/// A trust file younger than this may belong to a session that was opened just now.
const YOUNG: Duration = Duration::from_secs(60);

/// One step, found to be needed and not yet done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// A folder of the profile is missing.
    Create(PathBuf),
    /// Others than the owner may look into a folder or file of the profile.
    Close(PathBuf),
    /// The socket of an engine that is gone.
    RemoveSocket(PathBuf),
    /// The trust file of a session that is over.
    RemoveTrust(PathBuf),
}

impl std::fmt::Display for Repair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Create(path) => write!(f, "create the missing folder `{}`", path.display()),
            Self::Close(path) => write!(f, "take away the access of others to `{}`", path.display()),
            Self::RemoveSocket(path) => write!(f, "remove the socket `{}` of an engine that is gone", path.display()),
            Self::RemoveTrust(path) => {
                write!(f, "remove the trust file `{}` of a session that is over", path.display())
            }
        }
    }
}

impl Repair {
    /// What is wrong before it is done.
    #[must_use]
    pub fn found(&self) -> String {
        match self {
            Self::Create(path) => format!("`{}` is missing", path.display()),
            Self::Close(path) => format!("others may look into `{}`", path.display()),
            Self::RemoveSocket(path) => format!("`{}` is of an engine that is gone", path.display()),
            Self::RemoveTrust(path) => format!("`{}` is of a session that is over", path.display()),
        }
    }

    /// It takes away what nobody uses any more.
    #[must_use]
    pub fn is_left_over(&self) -> bool {
        matches!(self, Self::RemoveSocket(_) | Self::RemoveTrust(_))
    }

    /// Does it.
    ///
    /// # Errors
    /// What the system says.
    pub fn apply(&self, home: &Home) -> std::io::Result<()> {
        match self {
            Self::Create(path) => {
                let mut builder = std::fs::DirBuilder::new();
                builder.recursive(true);
                #[cfg(unix)]
                std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
                builder.create(path)
            }
            Self::Close(path) => close(path),
            // An engine may have started since this was found to be needed: under its lock there is none.
            Self::RemoveSocket(path) => match Lease::take(home)? {
                Some(_held) => remove(path),
                None => Ok(()),
            },
            Self::RemoveTrust(path) => remove(path),
        }
    }
}

/// Takes the steps one after the other, and gives each that did not work with what the system said.
#[must_use]
pub fn take(home: &Home, steps: &[Repair]) -> Vec<String> {
    let failed = |step: &Repair| step.apply(home).err().map(|error| format!("{step}: {error}"));
    steps.iter().filter_map(failed).collect()
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// What is needed right now. `live` are the sessions of a running engine; none: no engine answers.
///
/// # Errors
/// When the lock of the profile cannot be looked at.
pub fn needed(home: &Home, live: Option<&[SessionId]>) -> std::io::Result<Vec<Repair>> {
    let policies = home.config.join("policies");
    let folders = [&home.config, &policies, &home.data, &home.state, &home.run];
    let mut all: Vec<Repair> =
        folders.into_iter().filter(|path| !path.is_dir()).map(|path| Repair::Create(path.clone())).collect();
    let files = [home.database(), home.mirror(), home.secrets_file(), home.log_file()];
    let open = folders.into_iter().cloned().chain(files).filter(|path| is_open_to_others(path));
    all.extend(open.map(Repair::Close));
    // The lock is the only proof that no engine runs: one that does not answer may still be starting.
    let gone = live.is_none() && (!home.run.is_dir() || Lease::is_free(home)?);
    if gone && home.socket().exists() {
        all.push(Repair::RemoveSocket(home.socket()));
    }
    if gone || live.is_some() {
        all.extend(stale_trust(home, live.unwrap_or_default()).into_iter().map(Repair::RemoveTrust));
    }
    Ok(all)
}

/// Trust files of no live session, old enough that they belong to none that was opened just now.
fn stale_trust(home: &Home, live: &[SessionId]) -> Vec<PathBuf> {
    let now = SystemTime::now();
    let mut found: Vec<PathBuf> = std::fs::read_dir(home.bundles())
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let age = entry.metadata().and_then(|m| m.modified()).ok().and_then(|at| now.duration_since(at).ok());
            let id = name.strip_prefix("trust-").and_then(|name| name.strip_suffix(".pem"));
            // Anybody can put something of another name there: it is not ours, and not to be printed.
            let ours = id.and_then(|id| SessionId::parse(id).ok()).filter(|id| !live.contains(id));
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            ours.is_some() && is_file && age.is_some_and(|age| age > YOUNG)
        })
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    // A link is somebody's own arrangement: what it points at is not ours to change.
    path.symlink_metadata().is_ok_and(|found| !found.is_symlink() && found.permissions().mode() & 0o077 != 0)
}

#[cfg(unix)]
fn close(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let found = path.symlink_metadata()?;
    if found.is_symlink() {
        return Ok(());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(found.permissions().mode() & 0o700))
}

/// Windows gives a person's folders to that person alone.
#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

#[cfg(not(unix))]
fn close(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn old(path: &Path) {
        std::fs::write(path, "").unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(3600);
        std::fs::File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
    }

    fn all(home: &Home, live: Option<&[SessionId]>) -> Vec<String> {
        needed(home, live).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_crash_left_is_found_repaired_and_then_no_longer_found() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::under(folder.path());
        home.create().unwrap();
        std::fs::create_dir(home.bundles()).unwrap();
        std::fs::remove_dir(&home.state).unwrap();
        std::fs::write(home.database(), "").unwrap();
        std::fs::set_permissions(home.database(), std::fs::Permissions::from_mode(0o644)).unwrap();
        std::fs::set_permissions(&home.data, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(home.socket(), "").unwrap();
        let [gone, new] = [SessionId::new(), SessionId::new()].map(|id| home.bundles().join(format!("trust-{id}.pem")));
        old(&gone);
        std::fs::write(&new, "").unwrap();
        for other in ["somebody-elses.pem", "trust-\u{1b}]52;c;\u{7}.pem"] {
            old(&home.bundles().join(other));
        }
        let found = needed(&home, None).unwrap();
        let words: Vec<String> =
            found.iter().map(|repair| repair.to_string().split(" `").next().unwrap().to_owned()).collect();
        assert_eq!(
            words,
            [
                "create the missing folder",
                "take away the access of others to",
                "take away the access of others to",
                "remove the socket",
                "remove the trust file"
            ]
        );
        found.iter().for_each(|repair| repair.apply(&home).unwrap());
        assert_eq!(all(&home, None), Vec::<String>::new());
        assert_eq!(home.data.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(home.database().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(new.exists() && !gone.exists());
    }

    #[test]
    fn what_a_running_engine_holds_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::under(folder.path());
        home.create().unwrap();
        std::fs::create_dir(home.bundles()).unwrap();
        let live = SessionId::new();
        old(&home.bundles().join(format!("trust-{live}.pem")));
        let gone = format!("trust-{}.pem", SessionId::new());
        old(&home.bundles().join(&gone));
        std::fs::write(home.socket(), "").unwrap();
        let found = all(&home, Some(&[live]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(&gone), "{found:?}");
        // An engine that holds the lock and does not answer is there.
        let _held = Lease::take(&home).unwrap().unwrap();
        assert_eq!(all(&home, None), Vec::<String>::new());
    }

    #[test]
    fn an_engine_that_starts_before_the_repair_is_done_keeps_its_socket() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::under(folder.path());
        home.create().unwrap();
        std::fs::write(home.socket(), "").unwrap();
        let found = needed(&home, None).unwrap();
        assert_eq!(found, [Repair::RemoveSocket(home.socket())]);
        let held = Lease::take(&home).unwrap().unwrap();
        found.iter().for_each(|repair| repair.apply(&home).unwrap());
        assert!(home.socket().exists());
        drop(held);
        found.iter().for_each(|repair| repair.apply(&home).unwrap());
        assert!(!home.socket().exists());
    }

    #[test]
    fn a_step_that_does_not_work_is_said_and_the_next_is_taken_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::under(folder.path());
        home.create().unwrap();
        // A folder cannot be made inside a file.
        std::fs::write(home.database(), "").unwrap();
        let within = home.database().join("folder");
        let trust = home.run.join("trust-ses_gone.pem");
        std::fs::write(&trust, "").unwrap();
        let problems = take(&home, &[Repair::Create(within), Repair::RemoveTrust(trust.clone())]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("create the missing folder `"), "{problems:?}");
        assert!(!trust.exists());
    }

    #[test]
    fn a_link_is_somebodys_own_arrangement() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::under(folder.path());
        home.create().unwrap();
        let elsewhere = folder.path().join("shared.log");
        std::fs::write(&elsewhere, "").unwrap();
        std::fs::set_permissions(&elsewhere, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(&elsewhere, home.log_file()).unwrap();
        assert_eq!(all(&home, None), Vec::<String>::new());
        Repair::Close(home.log_file()).apply(&home).unwrap();
        assert_eq!(elsewhere.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    }
}
