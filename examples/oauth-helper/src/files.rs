//! Files that only their owner can read, written whole or not at all, and locks between processes.

use crate::error::{Error, Result};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{
        DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
    },
    path::Path,
    time::{Duration, Instant},
};

/// No file of ours is larger; one that is was not written by us.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Makes a folder, and those above it, for the owner alone.
pub(crate) fn private_folder(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|e| Error::store(&format!("the folder {} cannot be made", path.display()), e))
}

/// Replaces a file: a temporary one beside it is written, flushed to the disk and renamed, and the folder flushed.
/// Whoever reads sees the old content or the new, also after a power cut. The mode is 0600.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let failed = |e: io::Error| Error::store(&format!("{} cannot be written", path.display()), e);
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    private_folder(folder)?;
    // A link leads to the file that is meant: rename would put a file in the place of the link.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().unwrap_or(folder);
    let mut file = tempfile::Builder::new()
        .prefix(".oauth-helper-")
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&target).map_err(|e| failed(e.error))?;
    File::open(folder).and_then(|f| f.sync_all()).map_err(failed)
}

/// Writes a file that must not exist yet; false where it does.
pub(crate) fn create(path: &Path, content: &[u8]) -> Result<bool> {
    let failed = |e: io::Error| Error::store(&format!("{} cannot be written", path.display()), e);
    if let Some(folder) = path.parent() {
        private_folder(folder)?;
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".oauth-helper-")
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => {
            File::open(folder).and_then(|f| f.sync_all()).map_err(failed)?;
            Ok(true)
        }
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(failed(e.error)),
    }
}

/// Reads a file, if there is one.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let failed = |e: io::Error| Error::store(&format!("{} cannot be read", path.display()), e);
    let file = match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let mut content = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > LARGEST {
        return Err(Error::Store(format!("{} is too large to be ours", path.display())));
    }
    Ok(Some(content))
}

/// As [`read`], of a file with a secret: one that others can read is refused.
pub(crate) fn read_private(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Ok(found) if found.mode() & 0o077 != 0 => {
            Err(Error::Store(format!("{} can be read by others: chmod 600 it", path.display())))
        }
        _ => read(path),
    }
}

/// Removes a file, if there is one.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(Error::store(&format!("{} cannot be removed", path.display()), e))
        }
        _ => Ok(()),
    }
}

/// A lock that the kernel lets go when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct FileLock(#[expect(dead_code, reason = "held for its drop")] File);

/// Locks a file, waiting for another process as long as `patience`. Blocks; see [`lock`].
pub(crate) fn lock_blocking(path: &Path, patience: Duration) -> Result<FileLock> {
    const PAUSE: Duration = Duration::from_millis(10);
    let failed = |e: io::Error| Error::store(&format!("{} cannot be locked", path.display()), e);
    if let Some(folder) = path.parent() {
        private_folder(folder)?;
    }
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    let begin = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(FileLock(file)),
            Err(TryLockError::WouldBlock) if begin.elapsed() < patience => {
                std::thread::sleep(PAUSE);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Store(format!(
                    "another process has held {} for too long",
                    path.display()
                )));
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
    }
}

/// Locks a file, waiting for another process as long as `patience`.
pub(crate) async fn lock(path: &Path, patience: Duration) -> Result<FileLock> {
    let path = path.to_owned();
    blocking(move || lock_blocking(&path, patience)).await
}

/// Runs what blocks where it may.
pub(crate) async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(run).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::Store("a task ended before its work was done".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/file");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(read_private(&path).unwrap().unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(folder.path().join("a")).unwrap().mode() & 0o777, 0o700);
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "nothing is left over"
        );
        assert!(!create(&path, b"three").unwrap());
        assert_eq!(read(&path).unwrap().unwrap(), b"two");
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        replace(&path, b"k").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let text = read_private(&path).unwrap_err().to_string();
        assert_eq!(text, format!("{} can be read by others: chmod 600 it", path.display()));
    }

    #[test]
    fn a_lock_keeps_others_out_until_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = lock_blocking(&path, Duration::ZERO).unwrap();
        let refused = lock_blocking(&path, Duration::ZERO).unwrap_err().to_string();
        assert_eq!(refused, format!("another process has held {} for too long", path.display()));
        drop(held);
        lock_blocking(&path, Duration::ZERO).unwrap();
    }
}
