//! Keys out of an environment file: shown by name, taken by choice, replaced by placeholders where that is wished.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use reeve_domain::sensitive::wipe;
use reeve_engine::credentials::env_file::{Found, Sign, find, replaced};
use reeve_vault::Kind;

use super::{invalid, new};
use crate::contract::credentials::{AddCredentialInput, TypedSecret};
use crate::contract::env_files::{
    EnvFileDto, EnvFileInput, EnvLineDto, ImportInput, ImportLineInput, ImportedDto, KeepingDto, KeySignDto,
    SecretsStoreDto,
};
use crate::contract::{ApiCode, ApiError};
use crate::host::Host;

/// Largest text that is looked through, in bytes.
const LARGEST: u64 = 256 << 10;

/// The lines that look like keys, without their values.
pub(super) fn scan(host: &Host, input: EnvFileInput) -> Result<EnvFileDto, ApiError> {
    let text = read(input)?;
    let known = host.engine.credentials().list();
    let mut taken: Vec<String> = known.iter().map(|c| c.id.to_string()).collect();
    let line = |found: &Found| {
        let id = free_id(found, &taken);
        taken.push(id.clone());
        let holder = known.iter().find(|c| c.variables.contains(&found.variable));
        EnvLineDto {
            line: found.line,
            variable: found.variable.clone(),
            kind: found.kind.map(|kind| kind.name.to_owned()),
            host: found.kind.map(|kind| kind.host.to_owned()),
            sign: match found.sign {
                Sign::Shape => KeySignDto::Shape,
                Sign::Variable => KeySignDto::Variable,
                Sign::Name => KeySignDto::Name,
            },
            id,
            known: holder.map(|c| c.id.to_string()),
        }
    };
    Ok(EnvFileDto { lines: find(&text.0).iter().map(line).collect() })
}

/// Takes the chosen lines; the first that fails ends it, and what was taken before stays and is named.
pub(super) async fn import(host: &Host, input: ImportInput) -> Result<ImportedDto, ApiError> {
    let path = input.from.path.clone().map(PathBuf::from);
    if input.replace && path.is_none() {
        return Err(invalid("only a file can get placeholders, not pasted text"));
    }
    let text = read(input.from)?;
    let mut found = find(&text.0);
    let mut credentials = Vec::new();
    for chosen in &input.chosen {
        let at = found.iter().position(|f| f.line == chosen.line && f.variable == chosen.variable);
        let Some(at) = at else {
            let message = format!("line {} is not `{}` any more: look through it again", chosen.line, chosen.variable);
            return Err(ApiError::new(ApiCode::Failed, message));
        };
        let found = found.swap_remove(at);
        credentials.push((new(&addition(chosen), host.engine.now())?, found));
    }
    let (mut added, mut placeholders) = (Vec::new(), Vec::new());
    for (credential, found) in credentials {
        let (id, placeholder) = (credential.id.to_string(), credential.placeholder.clone());
        if let Err(error) = host.engine.credentials().add(credential, found.value).await {
            host.engine.refresh_secrets().await;
            let so_far = if added.is_empty() { "nothing".to_owned() } else { added.join(", ") };
            let message = format!("`{id}` was not taken: {error} (taken before it: {so_far}; the file is as it was)");
            return Err(ApiError::new(ApiCode::Failed, message));
        }
        added.push(id);
        placeholders.push((found.line, placeholder));
    }
    host.engine.refresh_secrets().await;
    let backup = match path.filter(|_| input.replace && !placeholders.is_empty()) {
        None => None,
        Some(path) => Some(put_placeholders(&host.home.backups(), &path, &text.0, &placeholders)?),
    };
    let credentials = super::listed(host).await?;
    Ok(ImportedDto { credentials, added, backup: backup.map(|path| path.display().to_string()) })
}

/// As `credentials.add` takes it; the secret goes its own way.
fn addition(chosen: &ImportLineInput) -> AddCredentialInput {
    AddCredentialInput {
        id: chosen.id.clone(),
        secret: TypedSecret(String::new()),
        kind: chosen.kind.clone(),
        name: chosen.kind.is_none().then(|| chosen.variable.clone()),
        variables: vec![chosen.variable.clone()],
        binding: chosen.binding.clone(),
        agents: Vec::new(),
    }
}

/// The text, wiped when it is dropped.
fn read(input: EnvFileInput) -> Result<TypedSecret, ApiError> {
    let text = match (input.path, input.text) {
        (None, Some(text)) => text,
        (Some(path), None) => file(Path::new(&path))?,
        _ => return Err(invalid("give a path or a text, and not both")),
    };
    if u64::try_from(text.0.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(invalid(format!("it is larger than {} KiB", LARGEST >> 10)));
    }
    Ok(text)
}

/// A plain file, read without following a pipe or device that would never end.
fn file(path: &Path) -> Result<TypedSecret, ApiError> {
    let failed = |why: &dyn std::fmt::Display| invalid(format!("could not read `{}`: {why}", path.display()));
    if !path.is_absolute() {
        return Err(invalid(format!("`{}` is not an absolute path", path.display())));
    }
    if !std::fs::metadata(path).map_err(|e| failed(&e))?.is_file() {
        return Err(failed(&"it is not a file"));
    }
    let mut text = TypedSecret(String::new());
    let opened = std::fs::File::open(path).map_err(|e| failed(&e))?;
    opened.take(LARGEST + 1).read_to_string(&mut text.0).map_err(|e| failed(&e))?;
    Ok(text)
}

/// A copy of the file in Reeve's own folder, where no agent works; then the file with placeholders, in one step, with its own
/// rights. A link stays one: what it points at changes.
fn put_placeholders(
    folder: &Path,
    path: &Path,
    text: &str,
    placeholders: &[(u32, String)],
) -> Result<PathBuf, ApiError> {
    let failed = |what: &Path, why: &std::io::Error| {
        let message =
            format!("the keys are in the vault, and `{}` was not changed: `{}`: {why}", path.display(), what.display());
        ApiError::new(ApiCode::Failed, message)
    };
    let target = path.canonicalize().map_err(|e| failed(path, &e))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let backup = back_up(folder, name.trim_start_matches('.'), text).map_err(|e| failed(folder, &e))?;
    let mut changed = replaced(text, placeholders);
    let temporary = target.with_file_name(format!("{name}.reeve-{}", std::process::id()));
    let written = create(&temporary, changed.as_bytes())
        .and_then(|()| std::fs::set_permissions(&temporary, std::fs::metadata(&target)?.permissions()))
        .and_then(|()| still_holds(&target, text))
        .and_then(|()| std::fs::rename(&temporary, &target));
    wipe(&mut changed);
    if let Err(error) = written {
        // What is left behind holds what was not chosen, and the copy all of it: neither must stay.
        let _ = std::fs::remove_file(&temporary);
        let _ = std::fs::remove_file(&backup);
        return Err(failed(&target, &error));
    }
    Ok(backup)
}

/// A copy of the text under a name that nothing has.
fn back_up(folder: &Path, name: &str, text: &str) -> std::io::Result<PathBuf> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let mut number = 1_u32;
    loop {
        let backup = folder.join(format!("{name}-{number}"));
        match create(&backup, text.as_bytes()) {
            Err(taken) if taken.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            done => return done.map(|()| backup),
        }
    }
}

/// What somebody wrote meanwhile is not written over.
fn still_holds(path: &Path, text: &str) -> std::io::Result<()> {
    let mut now = std::fs::read(path)?;
    let same = now == text.as_bytes();
    now.fill(0);
    if same { Ok(()) } else { Err(std::io::Error::other("it was changed meanwhile; look through it again")) }
}

/// A new file for its owner alone, on disk before anything is built on it.
fn create(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A name for the credential that nothing has: the kind's, else the variable's.
fn free_id(found: &Found, taken: &[String]) -> String {
    let name =
        found.kind.map_or_else(|| found.variable.to_ascii_lowercase().replace('_', "-"), |kind| kind.name.to_owned());
    let name: String = name.trim_matches('-').chars().take(48).collect();
    let name = if name.is_empty() { "key".to_owned() } else { name };
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|id| !taken.contains(id)).unwrap_or_default()
}

/// Where secrets are kept, and whether they can be had now.
pub(super) async fn keeping(host: &Host) -> KeepingDto {
    let vault = host.engine.vault();
    let problem = vault.probe().await.into_result().err();
    KeepingDto {
        store: match vault.kind() {
            Kind::Keychain => SecretsStoreDto::Keychain,
            Kind::File => SecretsStoreDto::File,
            Kind::Memory => SecretsStoreDto::Memory,
        },
        advice: problem.as_ref().map(|problem| problem.advice().to_owned()),
        problem: problem.map(|problem| problem.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_meanwhile_is_left_alone_and_no_copy_stays() {
        let (project, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = project.path().join(".env");
        std::fs::write(&path, "A=new\n").unwrap();
        let placeholders = [(1, "placeholder".to_owned())];
        let refused = put_placeholders(data.path(), &path, "A=old\n", &placeholders).unwrap_err();
        assert!(refused.message.contains("changed meanwhile"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "A=new\n");
        assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
        assert_eq!(std::fs::read_dir(project.path()).unwrap().count(), 1);
        put_placeholders(data.path(), &path, "A=new\n", &placeholders).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "A=placeholder\n");
    }
}
