//! Writing files so that a crash leaves either the old or the new one, and reading those of others.

use std::io::{self, Read as _, Write as _};
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

/// The text of a plain file of at most `largest` bytes, which an agent may have written: never waited for, never followed elsewhere.
///
/// # Errors
/// When it cannot be read, is larger, is no text, or is a link, a pipe or a device.
pub fn read_plain(path: &Path, largest: u64) -> io::Result<String> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(i32::try_from(flags.bits()).map_err(io::Error::other)?);
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a plain file"));
    }
    let mut text = String::new();
    file.take(largest + 1).read_to_string(&mut text)?;
    if text.len() as u64 > largest {
        return Err(io::Error::other(format!("larger than {largest} bytes")));
    }
    Ok(text)
}
