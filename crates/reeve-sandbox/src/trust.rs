//! The file that a session's tools trust: the system's roots, roots that the environment named before, and the session's CA.
//! It is private to the user, lives in the runtime folder, and goes when the session does. It never holds a key.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reeve_domain::id::SessionId;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::SandboxError;
use crate::environment::{Inherited, TRUST};

/// Far above the roots of any system (about 250 kB); a larger file is not one of roots.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// Where Linux distributions keep all roots in one file: Debian, Red Hat, SUSE, Alpine.
const SYSTEM_FILES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The written file; removed when this is dropped, unless [`Bundle::keep`] was called.
#[derive(Debug)]
#[must_use = "the file is removed when this is dropped"]
pub struct Bundle {
    path: PathBuf,
    kept: bool,
    warnings: Vec<String>,
}

impl Bundle {
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What could not be read, in words for a person.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Leaves the file to [`sweep`]: for sessions that outlive this process.
    pub fn keep(mut self) -> PathBuf {
        self.kept = true;
        self.path.clone()
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        if !self.kept {
            // Gone already is as good as removed.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Writes the bundle of a session into `folder`, which is made private to the user.
///
/// # Errors
/// When `session_ca` is no certificate, or the file cannot be written. Inherited files that cannot be read are warnings: the
/// bundle only ever adds.
pub fn write_bundle(
    folder: &Path,
    session: &SessionId,
    session_ca: &str,
    inherited: &Inherited,
) -> Result<Bundle, SandboxError> {
    let own = CertificateDer::from_pem_slice(session_ca.as_bytes()).map_err(|_| SandboxError::SessionCertificate)?;
    let mut warnings = Vec::new();
    let mut roots = system_roots(&mut warnings);
    roots.extend(inherited_roots(inherited, &mut warnings));
    // The session's own goes first: some tools read only part of a long file.
    let mut seen = BTreeSet::new();
    let mut text = String::with_capacity(300_000);
    for root in std::iter::once(own).chain(roots) {
        if seen.insert(root.as_ref().to_vec()) {
            write_pem(&mut text, &root);
        }
    }
    let path = path_of(folder, session);
    write_private(folder, &path, &text)?;
    Ok(Bundle { path, kept: false, warnings })
}

/// Removes the bundles of sessions that are not `live`; called when an engine starts, after a stop that removed nothing.
///
/// # Errors
/// When the folder cannot be read. A folder that is not there holds nothing.
pub fn sweep(folder: &Path, live: &[SessionId]) -> std::io::Result<usize> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let keep: BTreeSet<String> = live.iter().map(file_name).collect();
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("trust-") && name.ends_with(".pem") && !keep.contains(&name) {
            std::fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Where the bundle of a session is, once it is written.
#[must_use]
pub fn path_of(folder: &Path, session: &SessionId) -> PathBuf {
    folder.join(file_name(session))
}

fn file_name(session: &SessionId) -> String {
    format!("trust-{session}.pem")
}

fn write_private(folder: &Path, path: &Path, text: &str) -> Result<(), SandboxError> {
    let failed = |done| move |source| SandboxError::Bundle { path: path.to_owned(), done, source };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(failed("given a folder"))?;
    // Created with mode 0600 under a name of its own, then moved: no reader ever sees half of it.
    let mut file = tempfile::Builder::new().prefix(".trust-").tempfile_in(folder).map_err(failed("written"))?;
    file.write_all(text.as_bytes()).map_err(failed("written"))?;
    file.persist(path).map_err(|error| failed("moved into place")(error.error))?;
    Ok(())
}

/// The roots of the system itself. The loader of `rustls-native-certs` gives only what `SSL_CERT_FILE` names when that is
/// set, so on Linux the system's file is read directly.
fn system_roots(warnings: &mut Vec<String>) -> Vec<CertificateDer<'static>> {
    if cfg!(target_os = "linux") {
        for file in SYSTEM_FILES {
            if let Ok(roots) = read_roots(Path::new(file)) {
                return roots;
            }
        }
    }
    let loaded = rustls_native_certs::load_native_certs();
    warnings.extend(loaded.errors.iter().map(|error| format!("some roots of the system could not be read: {error}")));
    if loaded.certs.is_empty() {
        warnings.push("no trusted roots were found on this system".to_owned());
    }
    loaded.certs
}

fn inherited_roots(inherited: &Inherited, warnings: &mut Vec<String>) -> Vec<CertificateDer<'static>> {
    let mut files: Vec<(&str, &String)> =
        TRUST.iter().chain(&["CODEX_CA_CERTIFICATE"]).filter_map(|name| Some((*name, inherited.get(*name)?))).collect();
    // Usually most of them name one file.
    let mut seen = BTreeSet::new();
    files.retain(|(_, file)| !file.is_empty() && seen.insert(*file));
    let mut roots = Vec::new();
    for (variable, file) in files {
        match read_roots(Path::new(file)) {
            Ok(found) => roots.extend(found),
            Err(why) => {
                warnings.push(format!("`{variable}` names `{file}`, which was not added to the trusted roots: {why}"))
            }
        }
    }
    if let Some(folders) = inherited.get("SSL_CERT_DIR") {
        for folder in std::env::split_paths(folders).filter(|folder| folder.is_dir()) {
            roots.extend(rustls_native_certs::load_certs_from_paths(None, Some(&folder)).certs);
        }
    }
    roots
}

/// Every certificate of a PEM file; anything else in it, a private key above all, stays where it is.
fn read_roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        return Err("it is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err("it is larger than 8 MiB".to_owned());
    }
    let roots: Vec<_> = CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok).collect();
    if roots.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(roots) }
}

fn write_pem(text: &mut String, root: &CertificateDer<'_>) {
    text.push_str("-----BEGIN CERTIFICATE-----\n");
    let encoded = BASE64.encode(root);
    for line in encoded.as_bytes().chunks(64) {
        // Writing into a string cannot fail; base64 is ASCII.
        let _ = writeln!(text, "{}", String::from_utf8_lossy(line));
    }
    text.push_str("-----END CERTIFICATE-----\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(name: &str) -> (String, String) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn roots_of(path: &Path) -> Vec<CertificateDer<'static>> {
        read_roots(path).unwrap()
    }

    #[test]
    fn a_bundle_holds_the_sessions_ca_the_systems_roots_and_what_was_configured() {
        let folder = tempfile::tempdir().unwrap();
        let (ca, _) = certificate("session");
        let (corporate, key) = certificate("corporate");
        let inherited_file = folder.path().join("corporate.pem");
        std::fs::write(&inherited_file, format!("{key}\n# a comment\n{corporate}{corporate}")).unwrap();
        let named = inherited_file.to_str().unwrap().to_owned();
        let inherited = Inherited::from([
            ("SSL_CERT_FILE".to_owned(), named.clone()),
            ("NODE_EXTRA_CA_CERTS".to_owned(), named),
            ("CURL_CA_BUNDLE".to_owned(), "/nowhere.pem".to_owned()),
        ]);
        let session = SessionId::new();
        let bundle = write_bundle(&folder.path().join("run"), &session, &ca, &inherited).unwrap();

        let roots = roots_of(bundle.path());
        assert_eq!(roots[0], CertificateDer::from_pem_slice(ca.as_bytes()).unwrap());
        let corporate = CertificateDer::from_pem_slice(corporate.as_bytes()).unwrap();
        assert_eq!(roots.iter().filter(|root| **root == corporate).count(), 1);
        let system = system_roots(&mut Vec::new());
        assert!(!system.is_empty(), "the package `ca-certificates` is missing");
        assert!(system.iter().all(|root| roots.contains(root)));
        let text = std::fs::read_to_string(bundle.path()).unwrap();
        assert!(!text.contains("PRIVATE KEY"));
        assert_eq!(bundle.warnings().len(), 1, "{:?}", bundle.warnings());
        assert!(bundle.warnings()[0].contains("CURL_CA_BUNDLE"));
    }

    #[test]
    #[cfg(unix)]
    fn a_bundle_is_private_and_goes_with_its_session() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let (ca, _) = certificate("session");
        let bundle = write_bundle(&run, &SessionId::new(), &ca, &Inherited::new()).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(bundle.path()), mode(&run)), (0o600, 0o700));
        drop(bundle);
        assert_eq!(std::fs::read_dir(&run).unwrap().count(), 0);
    }

    #[test]
    fn a_sweep_removes_what_ended_sessions_left_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (ca, _) = certificate("session");
        let (live, ended) = (SessionId::new(), SessionId::new());
        let kept = write_bundle(folder.path(), &live, &ca, &Inherited::new()).unwrap().keep();
        let gone = write_bundle(folder.path(), &ended, &ca, &Inherited::new()).unwrap().keep();
        std::fs::write(folder.path().join("engine.sock"), "").unwrap();
        assert_eq!(sweep(folder.path(), &[live]).unwrap(), 1);
        assert!(kept.exists() && !gone.exists() && folder.path().join("engine.sock").exists());
        assert_eq!(sweep(&folder.path().join("missing"), &[]).unwrap(), 0);
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = write_bundle(folder.path(), &SessionId::new(), "hello", &Inherited::new());
        assert!(matches!(refused, Err(SandboxError::SessionCertificate)));
    }
}
