//! Where Reeve keeps its files: one folder under `REEVE_HOME`, else the system's places for each kind.

use std::path::{Path, PathBuf};

use crate::contract::{ApiCode, ApiError};

/// The folders of one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    pub config: PathBuf,
    pub data: PathBuf,
    pub state: PathBuf,
    /// Socket, lock and trust bundles; owner only.
    pub run: PathBuf,
    /// Folder managed by the organisation, where there is one.
    pub managed: Option<PathBuf>,
    /// Names this profile's entries in the keychain, so that profiles do not share secrets.
    pub profile: String,
}

impl Home {
    /// By the environment of this process: `REEVE_HOME` names a folder for everything, else `REEVE_PROFILE` one of several
    /// profiles in the system's places.
    ///
    /// # Errors
    /// `Invalid` when the profile's name cannot be a folder's.
    pub fn find() -> Result<Self, ApiError> {
        if let Some(root) = std::env::var_os("REEVE_HOME").filter(|root| !root.is_empty()) {
            return Ok(Self::under(Path::new(&root)));
        }
        match std::env::var("REEVE_PROFILE") {
            Ok(name) if !name.is_empty() => Self::system().named(&name),
            _ => Ok(Self::system()),
        }
    }

    /// A profile beside the ordinary one: folders, engine, socket and keychain entries of its own, one organisation.
    fn named(self, name: &str) -> Result<Self, ApiError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.len() > 32 || !name.chars().all(plain) {
            return Err(ApiError::new(ApiCode::Invalid, format!("`{name}` is not the name of a profile"))
                .hint("REEVE_PROFILE takes up to 32 letters, digits, `-` and `_`"));
        }
        if name == self.profile {
            return Ok(self);
        }
        let within = |folder: PathBuf| folder.join("profiles").join(name);
        Ok(Self {
            config: within(self.config),
            data: within(self.data),
            state: within(self.state),
            run: within(self.run),
            managed: self.managed,
            profile: name.to_owned(),
        })
    }

    /// Everything below one folder.
    #[must_use]
    pub fn under(root: &Path) -> Self {
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_path_buf());
        let run = run_folder(&root);
        Self {
            config: root.join("config"),
            data: root.join("data"),
            state: root.join("state"),
            run,
            managed: None,
            profile: root.display().to_string(),
        }
    }

    fn system() -> Self {
        let home = std::env::home_dir().unwrap_or_else(|| PathBuf::from("/"));
        let dir = |variable: &str, rest: &str| {
            let set = std::env::var_os(variable).map(PathBuf::from).filter(|p| p.is_absolute());
            set.unwrap_or_else(|| home.join(rest)).join("reeve")
        };
        let run = std::env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
            .map_or_else(|| home.join(".local/state/reeve/run"), |p| p.join("reeve"));
        let config = std::env::var_os("REEVE_CONFIG").map(PathBuf::from);
        Self {
            config: config.unwrap_or_else(|| dir("XDG_CONFIG_HOME", ".config")),
            data: dir("XDG_DATA_HOME", ".local/share"),
            state: dir("XDG_STATE_HOME", ".local/state"),
            run,
            managed: Some(PathBuf::from("/etc/reeve")).filter(|p| p.is_dir()),
            profile: "default".to_owned(),
        }
    }

    /// Makes the folders, owner only.
    ///
    /// # Errors
    /// When one cannot be made.
    pub fn create(&self) -> std::io::Result<()> {
        for folder in [&self.config, &self.config.join("policies"), &self.data, &self.state, &self.run] {
            std::fs::create_dir_all(folder)?;
            #[cfg(unix)]
            std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        }
        Ok(())
    }

    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data.join("reeve.db")
    }

    /// Second place for the heads of the chain.
    #[must_use]
    pub fn mirror(&self) -> PathBuf {
        self.state.join("heads.jsonl")
    }

    /// Public half of the key that signs seals and exports, in hex.
    #[must_use]
    pub fn public_key(&self) -> PathBuf {
        self.data.join("seal.pub")
    }

    #[must_use]
    pub fn secrets_file(&self) -> PathBuf {
        self.data.join("secrets.age")
    }

    /// Files as they were before keys were taken out of them: owner only, and in no project.
    #[must_use]
    pub fn backups(&self) -> PathBuf {
        self.data.join("backups")
    }

    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.state.join("engine.log")
    }

    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        self.run.join("engine.lock")
    }

    #[must_use]
    pub fn socket(&self) -> PathBuf {
        std::env::var_os("REEVE_SOCKET").map_or_else(|| self.run.join("engine.sock"), PathBuf::from)
    }

    /// Folder of the sessions' trust bundles.
    #[must_use]
    pub fn bundles(&self) -> PathBuf {
        self.run.join("trust")
    }
}

/// A socket path may hold about 100 bytes; a deep home gets its run folder under the temp folder, named by a hash.
fn run_folder(root: &Path) -> PathBuf {
    let plain = root.join("run");
    if plain.as_os_str().len() <= 80 {
        return plain;
    }
    let name = reeve_domain::operation::Digest::of(root.as_os_str().as_encoded_bytes());
    std::env::temp_dir().join(format!("reeve-{}", name.as_str().get(..16).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_of_a_profile_lies_below_its_home() {
        let home = Home::under(Path::new("/tmp/x"));
        for path in [home.config_file(), home.database(), home.mirror(), home.lock_file()] {
            assert!(path.starts_with("/tmp/x"), "{}", path.display());
        }
    }

    #[test]
    fn a_named_profile_shares_nothing_with_the_ordinary_one_but_the_organisation() {
        let ordinary = Home { managed: Some(PathBuf::from("/etc/reeve")), ..Home::system() };
        let work = ordinary.clone().named("work").unwrap();
        let files = |h: &Home| [h.config_file(), h.database(), h.mirror(), h.lock_file(), h.bundles()];
        assert!(files(&work).iter().zip(files(&ordinary)).all(|(one, other)| *one != other));
        assert_eq!((work.profile.as_str(), &work.managed), ("work", &ordinary.managed));
        assert_eq!(ordinary.clone().named("default").unwrap(), ordinary);
        for wrong in ["../x", "a/b", "a b", "é", &"x".repeat(33)] {
            assert!(ordinary.clone().named(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_deep_home_still_gets_a_socket_path_that_fits() {
        let home = Home::under(&PathBuf::from(format!("/tmp/{}", "deep/".repeat(40))));
        assert!(home.run.join("engine.sock").as_os_str().len() < 100);
    }
}
