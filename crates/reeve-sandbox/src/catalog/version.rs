//! Which version of a tool is there, read from where its program lies: nothing is started to find out.

use std::path::Path;

use serde::Deserialize;

use super::Installed;

/// Largest `package.json` that is read, in bytes.
const LARGEST: u64 = 256 << 10;
/// Folders above the program in which its package is looked for.
const ABOVE: usize = 4;

#[derive(Deserialize)]
struct Package {
    version: String,
}

impl Installed {
    /// The version that the program's own package names (installed by npm or alike), or that the folder or file behind its
    /// link is named after (installers that keep versions side by side). `None`: neither says.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        let real = std::fs::canonicalize(&self.program).ok()?;
        // Outside of installed packages, a `package.json` above is somebody else's: a home directory may have one.
        let installed = real.components().any(|part| part.as_os_str() == "node_modules");
        let above = || real.ancestors().skip(1).take(ABOVE).find_map(|folder| packaged(&folder.join("package.json")));
        let package = installed.then(above).flatten();
        package.or_else(|| {
            let names = real.ancestors().take(ABOVE).filter_map(|part| part.file_name()?.to_str());
            names.map(|name| name.trim_start_matches('v')).find(|name| is_version(name)).map(str::to_owned)
        })
    }
}

fn packaged(file: &Path) -> Option<String> {
    let known = std::fs::metadata(file).ok()?;
    if !known.is_file() || known.len() > LARGEST {
        return None;
    }
    let package: Package = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    is_version(&package.version).then_some(package.version)
}

/// `2.1.14`, `0.169.0-beta.2`: three numbers, and what may follow them.
fn is_version(text: &str) -> bool {
    let (numbers, rest) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let parts: Vec<&str> = numbers.split('.').collect();
    let number = |part: &&str| !part.is_empty() && part.len() <= 8 && part.bytes().all(|b| b.is_ascii_digit());
    parts.len() == 3
        && parts.iter().all(number)
        && rest.len() <= 32
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-+.".contains(&b))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::catalog::TOOLS;

    fn installed(program: &Path) -> Installed {
        Installed { tool: TOOLS[0], program: program.to_owned(), config: None }
    }

    #[test]
    fn the_package_behind_a_link_names_its_version() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("lib/node_modules/@maker/tool");
        std::fs::create_dir_all(package.join("bin")).unwrap();
        std::fs::write(package.join("package.json"), r#"{"name":"tool","version":"2.1.14"}"#).unwrap();
        std::fs::write(package.join("bin/cli.js"), "").unwrap();
        let link = folder.path().join("tool");
        std::os::unix::fs::symlink(package.join("bin/cli.js"), &link).unwrap();
        assert_eq!(installed(&link).version().as_deref(), Some("2.1.14"));
        std::fs::write(package.join("package.json"), r#"{"version":"<b>2</b>"}"#).unwrap();
        assert_eq!(installed(&link).version(), None, "only what looks like a version is one");
    }

    #[test]
    fn a_link_into_a_folder_of_versions_names_its_version_and_a_bare_program_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("versions")).unwrap();
        std::fs::write(folder.path().join("versions/2.1.197"), "").unwrap();
        std::fs::write(folder.path().join("bare"), "").unwrap();
        std::fs::write(folder.path().join("package.json"), r#"{"version":"9.9.9"}"#).unwrap();
        let link = folder.path().join("tool");
        std::os::unix::fs::symlink(folder.path().join("versions/2.1.197"), &link).unwrap();
        assert_eq!(installed(&link).version().as_deref(), Some("2.1.197"));
        assert_eq!(installed(&folder.path().join("bare")).version(), None);
        assert_eq!(installed(&folder.path().join("missing")).version(), None);
    }
}
