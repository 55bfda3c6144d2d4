//! `fold.cache`: the fold of a long register, so that a start need not read every entry again.
//!
//! It can be deleted at any time. It is believed only when its code is right under a key of the key store (whoever could
//! change it otherwise could grant what the register never says), when the very program that starts wrote it, and by
//! the engine only when the register had that root at that size. Everything else is as if there were none.
//!
//! The file: 32 bytes of the program, eight of the register's size, 32 of its root, the fold, and HMAC-SHA-256 over all
//! of that.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::files::{self, FileError};
use crate::domain::{
    digest::{Digest, KeyedHasher},
    secret::Secret,
    view::{KeptError, View},
};

/// Bytes before the fold, and after it.
const HEAD: usize = 32 + 8 + 32;
const CODE: usize = 32;
/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// Why the cache was not written.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The fold.
    #[error(transparent)]
    Kept(#[from] KeptError),
}

/// The cache.
pub struct FoldCache {
    path: PathBuf,
    /// Nothing where it cannot be told: then nothing is kept, and nothing believed.
    program: Option<Digest>,
}

impl FoldCache {
    /// The cache of a state folder.
    #[must_use]
    pub fn new(state: &Path) -> Self {
        Self { path: state.join("fold.cache"), program: program() }
    }

    /// The fold that was kept, and the root that the register had then; nothing where none can be believed.
    #[must_use]
    pub fn take(&self, key: &Secret) -> Option<(View, Digest)> {
        let mut file = files::open_regular(&self.path).ok()?;
        let length = file.metadata().ok()?.len().checked_sub((HEAD + CODE) as u64)?;
        let mut head = [0; HEAD];
        file.read_exact(&mut head).ok()?;
        let (program, rest) = head.split_first_chunk::<32>()?;
        let (size, rest) = rest.split_first_chunk::<8>()?;
        if Some(Digest::from_bytes(*program)) != self.program
            || !right(&mut file, &head, length, key)?
        {
            return None;
        }
        file.seek(SeekFrom::Start(HEAD as u64)).ok()?;
        let mut fold = BufReader::with_capacity(PIECE, file).take(length);
        let view = View::kept(&mut fold).ok()?;
        let whole = fold.limit() == 0 && view.size == u64::from_be_bytes(*size);
        Some((view, Digest::from_bytes(rest.try_into().ok()?))).filter(|_| whole)
    }

    /// Keeps a fold of a register that has this root.
    ///
    /// # Errors
    /// It cannot be written; what was kept before stands.
    pub fn put(&self, view: &View, root: Digest, key: &Secret) -> Result<(), CacheError> {
        let Some(program) = self.program else { return Ok(()) };
        let failed = |source| FileError::of_io("write", &self.path)(source);
        files::replace_by(&self.path, "fold-cache", |out| {
            let mut coded = Coded {
                out: BufWriter::with_capacity(PIECE, out),
                code: KeyedHasher::new(key.expose()),
            };
            coded.write_all(program.as_bytes()).map_err(failed)?;
            coded.write_all(&view.size.to_be_bytes()).map_err(failed)?;
            coded.write_all(root.as_bytes()).map_err(failed)?;
            view.keep(&mut coded).map_err(|error| match error {
                KeptError::Io(source) => CacheError::File(failed(source)),
                other => CacheError::Kept(other),
            })?;
            let Coded { mut out, code } = coded;
            out.write_all(code.finish().as_bytes()).and_then(|()| out.flush()).map_err(failed)?;
            Ok(())
        })
    }
}

/// Whether the code at the end of a file is that of what comes before it.
fn right(file: &mut File, head: &[u8], length: u64, key: &Secret) -> Option<bool> {
    let mut hasher = KeyedHasher::new(key.expose());
    hasher.update(head);
    let mut body = file.take(length);
    let mut piece = vec![0; PIECE];
    loop {
        match body.read(&mut piece).ok()? {
            0 => break,
            read => hasher.update(piece.get(..read)?),
        }
    }
    let mut code = [0; CODE];
    file.read_exact(&mut code).ok()?;
    // The caller learns only that it is wrong, and nobody can try twice in one start.
    Some(hasher.finish() == Digest::from_bytes(code))
}

/// What tells this program file from another: a fold is worth something only to the code that made it.
fn program() -> Option<Digest> {
    // Looked at and not opened: the running agent has taken its own file from itself.
    let file = fs::metadata("/proc/self/exe").ok()?;
    let facts = (file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec());
    Some(Digest::of(format!("{} {facts:?}", env!("CARGO_PKG_VERSION")).as_bytes()))
}

/// Writes, and codes what is written.
struct Coded<W> {
    out: W,
    code: KeyedHasher,
}

impl<W: Write> Write for Coded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.code.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
