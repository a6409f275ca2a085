//! Writing files so that a crash leaves either the old or the new one.

use std::io::Write as _;
use std::path::Path;

use crate::error::EngineError;

/// Temp file beside the target, flushed, renamed over it, owner-only.
///
/// # Errors
/// When any step fails; the old file is then untouched.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    let failed = |source| EngineError::Write { path: path.to_path_buf(), source };
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let temp = path.with_extension(format!("tmp-{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temp).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    drop(file);
    std::fs::rename(&temp, path).map_err(failed)?;
    #[cfg(unix)]
    std::fs::File::open(folder).and_then(|f| f.sync_all()).map_err(failed)?;
    Ok(())
}
