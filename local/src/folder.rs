//! The data folder: made when it is missing, and the keeper of the stack's secrets.

use crate::clock::World;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderTrouble {
    /// It cannot be made or written.
    #[error("the data folder {} cannot be written: {source}", path.display())]
    Unwritable {
        /// The folder.
        path: PathBuf,
        /// What the machine says.
        source: io::Error,
    },
    /// A file that should hold a secret holds something else.
    #[error("{} is not a secret of 32 bytes; move it away to get a new one", path.display())]
    BrokenSecret {
        /// The file.
        path: PathBuf,
    },
}

/// A data folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Opens the folder, and makes it if it is missing. It is not held: the database in it sees to that, and tokens
    /// can be had beside a running stack.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(path: &Path) -> Result<Self, FolderTrouble> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        // It holds personal data: nobody else's business on a machine with several users.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(path)
            .and_then(|()| fs::canonicalize(path))
            .map(|path| Self { path })
            .map_err(|source| FolderTrouble::Unwritable { path: path.to_owned(), source })
    }

    /// Where the folder is, as an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The secret of this name: made on first use, the same ever after, readable by its owner only.
    ///
    /// # Errors
    /// The file cannot be written or read, or holds no secret.
    pub fn secret(&self, name: &str, world: &World) -> Result<[u8; 32], FolderTrouble> {
        let file = self.path.join(name);
        let unwritable = |source| FolderTrouble::Unwritable { path: self.path.clone(), source };
        if !file.try_exists().map_err(unwritable)? {
            self.make_secret(&file, name, world).map_err(unwritable)?;
        }
        let mut bytes = Vec::new();
        File::open(&file).and_then(|open| open.take(33).read_to_end(&mut bytes)).map_err(unwritable)?;
        <[u8; 32]>::try_from(bytes).map_err(|_| FolderTrouble::BrokenSecret { path: file })
    }

    /// Written whole under another name and then linked, so that a secret is never seen half written and of two
    /// processes that make it at once the first one's counts.
    fn make_secret(&self, file: &Path, name: &str, world: &World) -> io::Result<()> {
        let draft = self.path.join(format!("{name}.{}", std::process::id()));
        let mut open = private().write(true).create(true).truncate(true).open(&draft)?;
        open.write_all(&new_secret(world))?;
        open.sync_all()?;
        let linked = fs::hard_link(&draft, file);
        fs::remove_file(&draft)?;
        match linked {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }
}

/// A secret that is kept nowhere.
#[must_use]
pub fn new_secret(world: &World) -> [u8; 32] {
    let mut secret = [0; 32];
    (world.random)(&mut secret);
    secret
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::tests::world;
    use std::sync::Arc;
    use std::sync::atomic::AtomicI64;

    /// A folder of this test's own, gone when the test is over.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("loyalty-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_secret_is_made_once_and_is_its_owners_alone() {
        let scratch = Scratch::new("secret");
        let world = world(&Arc::new(AtomicI64::new(0)));
        let data = scratch.0.join("deep/.loyalty");
        let first = Folder::open(&data).unwrap().secret("token-key", &world).unwrap();
        let folder = Folder::open(&data).unwrap();
        assert_eq!(folder.secret("token-key", &world).unwrap(), first);
        assert_ne!(folder.secret("other-key", &world).unwrap(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(data.join("token-key")), 0o600);
            assert_eq!(mode(data.clone()), 0o700);
        }
        fs::write(data.join("token-key"), "short").unwrap();
        assert!(matches!(folder.secret("token-key", &world), Err(FolderTrouble::BrokenSecret { .. })));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named_in_one_line() {
        let scratch = Scratch::new("unwritable");
        let file = scratch.0.join("file");
        fs::write(&file, "").unwrap();
        let said = Folder::open(&file.join("data")).unwrap_err().to_string();
        assert!(said.starts_with("the data folder ") && said.contains("cannot be written"), "{said}");
        assert!(!said.contains('\n'));
    }
}
