//! Changes of `config.toml` from a window: only the keys that change are touched, comments and order stay.

use std::path::{Path, PathBuf};

use reeve_domain::settings::{Mode, Preset};
use toml_edit::{DocumentMut, Item, Table, value};

use super::{Notifications, Retention, Settings};
use crate::error::EngineError;

/// What a person wants otherwise; none: as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SettingsEdit {
    pub mode: Option<Mode>,
    pub preset: Option<Preset>,
    pub notifications: Option<Notifications>,
    pub retention: Option<Retention>,
}

/// A new text that is known to load, not yet on disk.
#[derive(Debug)]
pub(crate) struct Prepared {
    path: PathBuf,
    text: String,
    /// What stood there before; none: there was no file.
    old: Option<String>,
}

impl SettingsEdit {
    /// # Errors
    /// When the file cannot be read, or does not load before or after the change.
    pub(crate) fn prepare(&self, path: &Path) -> Result<Prepared, EngineError> {
        let broken = |problem| EngineError::Config { path: path.to_path_buf(), problem };
        let old = match std::fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => None,
            Err(source) => return Err(EngineError::Read { path: path.to_path_buf(), source }),
        };
        // A file that somebody is in the middle of is not overwritten.
        let before = old.as_deref().unwrap_or_default();
        Settings::parse(before).map_err(broken)?;
        let text = self.applied(before).map_err(broken)?;
        Settings::parse(&text).map_err(broken)?;
        Ok(Prepared { path: path.to_path_buf(), text, old })
    }

    fn applied(&self, old: &str) -> Result<String, String> {
        let mut document: DocumentMut = old.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
        if let Some(mode) = self.mode {
            set(document.as_table_mut(), "mode", mode.as_str());
        }
        if let Some(preset) = self.preset {
            set(document.as_table_mut(), "preset", preset.as_str());
        }
        if let Some(chosen) = self.notifications {
            let table = document.entry("notifications").or_insert_with(|| Item::Table(Table::new()));
            let table = table.as_table_like_mut().ok_or("`notifications` is not a table")?;
            for (key, on) in
                [("waiting", chosen.waiting), ("budget", chosen.budget), ("denied_high", chosen.denied_high)]
            {
                put(table, key, value(on));
            }
        }
        if let Some(wanted) = self.retention {
            let table = document.entry("retention").or_insert_with(|| Item::Table(Table::new()));
            let table = table.as_table_like_mut().ok_or("`retention` is not a table")?;
            put(table, "days", value(i64::from(wanted.days)));
            put(table, "megabytes", value(i64::from(wanted.megabytes)));
        }
        Ok(document.to_string())
    }
}

fn set(table: &mut Table, key: &str, text: &str) {
    put(table, key, value(text));
}

/// The new value in the old one's place, with the comment that stands behind it.
fn put(table: &mut dyn toml_edit::TableLike, key: &str, new: Item) {
    let (Some(old), Item::Value(mut new)) = (table.get_mut(key), new.clone()) else {
        table.insert(key, new);
        return;
    };
    if let Some(before) = old.as_value() {
        *new.decor_mut() = before.decor().clone();
    }
    *old = Item::Value(new);
}

impl Prepared {
    pub(crate) fn write(&self) -> Result<(), EngineError> {
        crate::files::write_atomically(&self.path, self.text.as_bytes())
    }

    /// Puts back what stood there; what a person wrote since then stays.
    pub(crate) fn take_back(&self) -> Result<(), EngineError> {
        if std::fs::read_to_string(&self.path).ok().as_ref() != Some(&self.text) {
            return Ok(());
        }
        match &self.old {
            Some(old) => crate::files::write_atomically(&self.path, old.as_bytes()),
            None => std::fs::remove_file(&self.path)
                .map_err(|source| EngineError::Write { path: self.path.clone(), source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "# mine\nmode = \"observe\" # for now\nteam = \"web\"\n\n[hold]\nllm_seconds = 90\n";

    #[test]
    fn a_change_touches_its_own_keys_and_no_comment() {
        let edit = SettingsEdit { mode: Some(Mode::Enforce), preset: Some(Preset::Strict), ..SettingsEdit::default() };
        let new = edit.applied(OLD).unwrap();
        assert!(new.starts_with("# mine\nmode = \"enforce\" # for now\nteam = \"web\"\n"), "{new}");
        let settings = Settings::parse(&new).unwrap();
        assert_eq!((settings.mode, settings.preset, settings.hold.llm_seconds), (Mode::Enforce, Preset::Strict, 90));
    }

    #[test]
    fn notifications_are_a_table_of_their_own_and_change_again() {
        let quiet = Notifications { waiting: true, budget: false, denied_high: true };
        let edit = |notifications| SettingsEdit { notifications: Some(notifications), ..SettingsEdit::default() };
        let once = edit(quiet).applied(OLD).unwrap();
        assert_eq!(Settings::parse(&once).unwrap().notifications, quiet);
        let twice = edit(Notifications::default()).applied(&once).unwrap();
        assert_eq!(Settings::parse(&twice).unwrap().notifications, Notifications::default());
        assert_eq!(twice.matches("[notifications]").count(), 1, "{twice}");
    }

    #[test]
    fn what_is_kept_is_a_table_of_its_own_and_out_of_bounds_is_not_written() {
        let edit = |days| SettingsEdit { retention: Some(Retention { days, megabytes: 0 }), ..SettingsEdit::default() };
        let new = edit(30).applied(OLD).unwrap();
        assert!(new.starts_with(OLD.trim_end()), "{new}");
        assert_eq!(Settings::parse(&new).unwrap().retention.words(), "30 days");
        let folder = tempfile::tempdir().unwrap();
        assert!(edit(99_999).prepare(&folder.path().join("config.toml")).is_err());
    }

    #[test]
    fn a_file_that_does_not_load_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "mode = \"obs").unwrap();
        let edit = SettingsEdit { mode: Some(Mode::Enforce), ..SettingsEdit::default() };
        assert!(edit.prepare(&path).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mode = \"obs");
    }
}
