//! Portable media: a delivery folder is copied from a mounted stick or disc, or onto one, and read back from it.
//!
//! What lies on a medium is a stranger's: it is opened beneath a handle of its folder, never through a link and never
//! across a mount, only regular files of one name are read, and nothing is run; a bag's payload is its one folder. The
//! medium itself is not wiped here: once its delivery is a batch it is in the inventory until people have destroyed it.
//!
//! What goes into an inbox lies there under a name that is no delivery's until it is whole: a process that dies leaves
//! nothing that could be taken for one, and the agent wipes what it left.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{Read, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use rustix::fs::{
    Advice, Dir, FileType, FlockOperation, Mode, OFlags, RenameFlags, ResolveFlags, fadvise, flock,
    fstat, fsync, lstat, open, openat2, renameat_with,
};
use rustix::io::Errno;

use super::{
    fault,
    files::{self, FileError},
    inbox::{CARRYING, PAYLOAD},
    wipe,
};
use crate::domain::{
    control::{self, ManifestForm},
    digest::{Digest, Hasher},
    limits::DELIVERY_FILES_MAX,
    manifest::MANIFEST_NAME,
};

/// Why a folder is not copied.
#[derive(Debug, thiserror::Error)]
pub enum CarrierError {
    /// Something that no delivery holds: a folder, a link, a file of two names, or too many files.
    #[error("'{}' holds something that is no plain file of one name, or too many of them", path.display())]
    Odd {
        /// The folder.
        path: PathBuf,
    },
    /// No delivery.
    #[error("'{}' holds no manifest", path.display())]
    NoManifest {
        /// The folder.
        path: PathBuf,
    },
    /// What was written does not read back as it was.
    #[error("'{}' does not read back as it was written", path.display())]
    Differs {
        /// The folder.
        path: PathBuf,
    },
    /// What was begun could not be wiped.
    #[error("the copy failed, and what was begun in '{}' cannot be removed", path.display())]
    Left {
        /// The folder.
        path: PathBuf,
    },
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A file that was copied and read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Its name, as the filesystem has it.
    pub name: OsString,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256.
    pub sha256: Digest,
}

/// An opened folder and the names in it.
struct Folder {
    path: PathBuf,
    dir: OwnedFd,
    names: Vec<OsString>,
}

const CHUNK: usize = 1 << 20;
/// How often a folder is made that an agent's look removes again before it is held.
const BEGIN_TRIES: usize = 32;

/// Whether a folder can be a delivery: plain files of one name, a manifest of `form` among them. Nothing is read.
///
/// # Errors
/// [`CarrierError`].
pub fn look(path: &Path, form: ManifestForm) -> Result<usize, CarrierError> {
    Ok(Folder::told(path, form)?.names.len())
}

/// Copies the files of the folder `from` into the new folder `to`, the manifest last, durable; then reads what was
/// written back, past the cache where the system lets it.
///
/// # Errors
/// [`CarrierError`]; what was begun in `to` is wiped: it may be in plain, and nobody would come for it.
pub fn copy(from: &Path, to: &Path, form: ManifestForm) -> Result<Vec<Carried>, CarrierError> {
    let mut source = Folder::told(from, form)?;
    source.names.sort_by_key(|name| (is_manifest(form, name), name.clone()));
    if to.symlink_metadata().is_ok() {
        return Err(FileError::Exists { path: to.to_owned() }.into());
    }
    files::create_dir(to)?;
    match fill(&source, to, form) {
        Err(_) if !undo(to) => Err(CarrierError::Left { path: to.to_owned() }),
        filled => filled,
    }
}

/// Copies a delivery folder into an inbox as `name`, as [`copy`] does. It gets that name once it is whole and was read back.
/// Whether it is a delivery [`look`] says, or a letter that stands for what it does not hold.
///
/// # Errors
/// [`CarrierError`]; what was begun is wiped.
pub fn bring(
    from: &Path,
    inbox: &Path,
    name: &str,
    form: ManifestForm,
) -> Result<Vec<Carried>, CarrierError> {
    let source = Folder::open(from, form)?;
    let to = inbox.join(name);
    let begun = inbox.join(format!("{CARRYING}{name}"));
    let _held = begin(&begun, &to)?;
    let filled = fill(&source, &begun, form)
        .and_then(|carried| settle(inbox, &begun, &to).map(|()| carried));
    match filled {
        Err(_) if !undo(&begun) => Err(CarrierError::Left { path: begun }),
        filled => filled,
    }
}

/// Makes the folder that is copied into, and holds it. The lock ends with this process, and tells the agent that nobody
/// comes any more. A look between the two finds an empty folder that nobody holds, and removes it: then it is made anew.
fn begin(begun: &Path, to: &Path) -> Result<OwnedFd, CarrierError> {
    for _ in 0..BEGIN_TRIES {
        if to.symlink_metadata().is_ok() || begun.symlink_metadata().is_ok() {
            break;
        }
        files::create_dir(begun)?;
        let held = match files::open_dir(begun) {
            Ok(held) => held,
            Err(error) if error.is_missing() => continue,
            Err(error) => return Err(error.into()),
        };
        flock(&held, FlockOperation::LockExclusive).map_err(FileError::of("lock", begun))?;
        let ours = fstat(&held).map_err(FileError::of("inspect", begun))?;
        match lstat(begun) {
            Ok(found) if (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino) => {
                return Ok(held);
            }
            Ok(_) => break,
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(FileError::of("inspect", begun)(errno).into()),
        }
    }
    Err(FileError::Exists { path: to.to_owned() }.into())
}

/// Gives what is whole its name, over nothing that is there. From then on the agent may take it over: it is copied, even
/// where the disk does not say that it keeps the name. Without it, it is what a copy left that broke off.
fn settle(inbox: &Path, begun: &Path, to: &Path) -> Result<(), CarrierError> {
    let write = fault::Write::begin("carrier place");
    let at = files::open_dir(inbox)?;
    let (from, name) = (begun.file_name().unwrap_or_default(), to.file_name().unwrap_or_default());
    renameat_with(&at, from, &at, name, RenameFlags::NOREPLACE)
        .map_err(FileError::of("rename", begun))?;
    write.middle();
    let _ = fsync(&at);
    write.end();
    Ok(())
}

/// Wipes what was begun; whether nothing is left of it.
fn undo(to: &Path) -> bool {
    let (Some(parent), Some(name)) = (to.parent(), to.file_name()) else { return false };
    let Ok(parent) = files::open_dir(parent) else { return false };
    wipe::wipe_tree(parent.as_fd(), name, &|_, _, _| true).is_ok_and(|report| report.left == 0)
}

/// Whether a file says what its delivery is.
fn is_manifest(form: ManifestForm, name: &OsStr) -> bool {
    match form {
        ManifestForm::Ours => name.as_bytes() == MANIFEST_NAME.as_bytes(),
        form => control::is_document(form, name.as_bytes()),
    }
}

fn fill(source: &Folder, to: &Path, form: ManifestForm) -> Result<Vec<Carried>, CarrierError> {
    let target = files::open_dir(to)?;
    if source.names.iter().any(|name| in_payload(name)) {
        files::create_dir(&to.join(PAYLOAD))?;
    }
    let mut carried = Vec::with_capacity(source.names.len());
    for name in &source.names {
        let path = to.join(name);
        let write = fault::Write::begin("carrier");
        let mut read = source.file(name)?;
        let mut written = create(target.as_fd(), name, &path)?;
        let (bytes, sha256) = pass(&mut read, Some(&mut written), &path)?;
        write.middle();
        written.sync_all().map_err(FileError::of_io("sync", &path))?;
        write.end();
        carried.push(Carried { name: name.clone(), bytes, sha256 });
    }
    if source.names.iter().any(|name| in_payload(name)) {
        files::sync_dir(&to.join(PAYLOAD))?;
    }
    fsync(&target).map_err(FileError::of("sync", to))?;
    files::sync_dir(to.parent().unwrap_or(to))?;
    let back = Folder::open(to, form)?;
    for one in &carried {
        let mut file = back.file(&one.name)?;
        // A filesystem that cannot forget what it has in memory reads that: no fault.
        let _ = fadvise(&file, 0, None, Advice::DontNeed);
        if pass(&mut file, None, to)? != (one.bytes, one.sha256) {
            return Err(CarrierError::Differs { path: to.to_owned() });
        }
    }
    Ok(carried)
}

/// Whether a name is one of a bag's payload.
fn in_payload(name: &OsStr) -> bool {
    Path::new(name).parent() == Some(Path::new(PAYLOAD))
}

fn create(dir: BorrowedFd<'_>, name: &OsString, path: &Path) -> Result<File, FileError> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(0o640);
    let file = openat2(dir, name.as_os_str(), flags, mode, beneath());
    Ok(File::from(file.map_err(FileError::of("create", path))?))
}

/// Reads a file to its end, and writes it where that is wanted.
fn pass(
    read: &mut File,
    mut to: Option<&mut File>,
    path: &Path,
) -> Result<(u64, Digest), FileError> {
    let (mut hasher, mut bytes, mut chunk) = (Hasher::new(), 0_u64, vec![0; CHUNK]);
    loop {
        let count = match read.read(&mut chunk) {
            Ok(0) => return Ok((bytes, hasher.finish())),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(FileError::of_io("read", path)(error)),
        };
        let part = chunk.get(..count).unwrap_or_default();
        hasher.update(part);
        bytes += count as u64;
        if let Some(to) = &mut to {
            to.write_all(part).map_err(FileError::of_io("write", path))?;
        }
    }
}

/// The names in an open folder, which is at `path` or within it.
fn listed(dir: &OwnedFd, path: &Path) -> Result<Vec<OsString>, CarrierError> {
    let failed = || FileError::of("read the folder", path);
    let mut names = Vec::new();
    for entry in Dir::read_from(dir).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        names.push(OsStr::from_bytes(name).to_owned());
        if names.len() > DELIVERY_FILES_MAX {
            return Err(CarrierError::Odd { path: path.to_owned() });
        }
    }
    Ok(names)
}

fn beneath() -> ResolveFlags {
    ResolveFlags::BENEATH
        | ResolveFlags::NO_SYMLINKS
        | ResolveFlags::NO_MAGICLINKS
        | ResolveFlags::NO_XDEV
}

impl Folder {
    fn open(path: &Path, form: ManifestForm) -> Result<Self, CarrierError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir =
            open(path, flags, Mode::empty()).map_err(FileError::of("open the folder", path))?;
        let mut names = listed(&dir, path)?;
        // A bag's payload lies one folder deeper, and is named so.
        if form == ManifestForm::Bag && names.iter().any(|name| name == PAYLOAD) {
            let odd = |_| CarrierError::Odd { path: path.to_owned() };
            let inner = openat2(&dir, PAYLOAD, flags, Mode::empty(), beneath()).map_err(odd)?;
            names.retain(|name| name != PAYLOAD);
            let inside = listed(&inner, path)?;
            names.extend(inside.iter().map(|name| Path::new(PAYLOAD).join(name).into()));
        }
        if names.len() > DELIVERY_FILES_MAX {
            return Err(CarrierError::Odd { path: path.to_owned() });
        }
        names.sort();
        let folder = Self { path: path.to_owned(), dir, names };
        for name in &folder.names {
            folder.file(name)?;
        }
        Ok(folder)
    }

    /// The same, where something in it says what it is. A letter lies elsewhere: there any file may be one that it means.
    fn told(path: &Path, form: ManifestForm) -> Result<Self, CarrierError> {
        let folder = Self::open(path, form)?;
        let says = |name: &OsString| form == ManifestForm::Letter || is_manifest(form, name);
        match folder.names.iter().any(says) {
            true => Ok(folder),
            false => Err(CarrierError::NoManifest { path: path.to_owned() }),
        }
    }

    /// Opens one file of it; what is no plain file of one name is not.
    fn file(&self, name: &OsString) -> Result<File, CarrierError> {
        let odd = || CarrierError::Odd { path: self.path.clone() };
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat2(&self.dir, name.as_os_str(), flags, Mode::empty(), beneath())
            .map_err(|_| odd())?;
        let about = fstat(&file).map_err(FileError::of("inspect", &self.path))?;
        let plain = FileType::from_raw_mode(about.st_mode) == FileType::RegularFile;
        if plain && about.st_nlink == 1 { Ok(File::from(file)) } else { Err(odd()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]
    use std::{
        fs,
        os::unix::fs::symlink,
        sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    };

    use super::*;
    use crate::adapters::inbox::{Inbox, InboxError};

    fn stick() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("delivery");
        fs::create_dir(&folder).unwrap();
        for name in ["manifest.yaml", "manifest.yaml.sig", "a.csv.age"] {
            fs::write(folder.join(name), format!("synthetic {name}")).unwrap();
        }
        (dir, folder)
    }

    #[test]
    fn a_folder_is_copied_whole_and_read_back_and_stays_where_it_was() {
        let (dir, folder) = stick();
        let to = dir.path().join("to");
        let carried = copy(&folder, &to, ManifestForm::Ours).unwrap();
        assert_eq!(carried.last().unwrap().name, MANIFEST_NAME);
        for one in &carried {
            let bytes = fs::read(to.join(&one.name)).unwrap();
            assert_eq!(bytes, fs::read(folder.join(&one.name)).unwrap());
            assert_eq!((one.bytes, one.sha256), (bytes.len() as u64, Digest::of(&bytes)));
        }
        let again = copy(&folder, &to, ManifestForm::Ours);
        assert!(matches!(again, Err(CarrierError::File(FileError::Exists { .. }))));
    }

    #[test]
    fn what_was_begun_is_wiped_when_the_copy_fails() {
        let (dir, folder) = stick();
        let mut source = Folder::open(&folder, ManifestForm::Ours).unwrap();
        // It goes away on the stick after the first files are copied.
        source.names.push("z-gone".into());
        let to = dir.path().join("to");
        fs::create_dir(&to).unwrap();
        assert!(fill(&source, &to, ManifestForm::Ours).is_err());
        assert!(to.join("a.csv.age").exists());
        assert!(undo(&to));
        assert!(!to.exists());
    }

    #[test]
    fn an_agent_that_looks_all_the_while_wipes_nothing_of_what_is_being_copied() {
        let (dir, folder) = stick();
        let inbox = dir.path().join("inbox");
        fs::create_dir(&inbox).unwrap();
        let (now, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let watched = Inbox::open(&inbox).unwrap();
                let mut wiped = [0; 20];
                while !over.load(Ordering::SeqCst) {
                    let n = now.load(Ordering::SeqCst);
                    let name = format!("{CARRYING}medium-{n}");
                    // A few times it is quicker than who makes the folder, and never once something is copied.
                    if wiped[n] < 3 {
                        match watched.discard(OsStr::new(&name)) {
                            Ok(None) | Err(InboxError::Held { .. }) => {}
                            Ok(Some(report)) => {
                                assert_eq!((report.overwritten, report.left), (0, 0));
                                wiped[n] += 1;
                            }
                            Err(error) => panic!("{error}"),
                        }
                    }
                    std::thread::yield_now();
                }
            });
            for n in 0..20 {
                now.store(n, Ordering::SeqCst);
                let brought = bring(&folder, &inbox, &format!("medium-{n}"), ManifestForm::Ours);
                if brought.as_ref().map(Vec::len).ok() != Some(3) {
                    over.store(true, Ordering::SeqCst);
                }
                assert_eq!(brought.unwrap().len(), 3);
            }
            over.store(true, Ordering::SeqCst);
        });
        assert_eq!(fs::read_dir(&inbox).unwrap().count(), 20);
        for n in 0..20 {
            assert_eq!(fs::read_dir(inbox.join(format!("medium-{n}"))).unwrap().count(), 3);
        }
    }

    #[test]
    fn what_says_what_a_delivery_is_goes_by_the_link() {
        let (dir, folder) = stick();
        for name in ["manifest.yaml", "manifest.yaml.sig"] {
            fs::remove_file(folder.join(name)).unwrap();
        }
        look(&folder, ManifestForm::Letter).unwrap();
        for (form, name) in [(ManifestForm::Ctl, "a.ctl"), (ManifestForm::Sums, "SHA256SUMS")] {
            assert!(matches!(look(&folder, form), Err(CarrierError::NoManifest { .. })));
            fs::write(folder.join(name), "synthetic").unwrap();
            let carried = copy(&folder, &dir.path().join(name), form).unwrap();
            assert_eq!(carried.last().unwrap().name, name);
        }
    }

    #[test]
    fn links_folders_and_second_names_are_not_followed() {
        let odd: [fn(&Path); 4] = [
            |folder| symlink("/etc/passwd", folder.join("link")).unwrap(),
            |folder| fs::create_dir(folder.join("deep")).unwrap(),
            |folder| fs::hard_link(folder.join("a.csv.age"), folder.join("b")).unwrap(),
            |folder| {
                fs::remove_file(folder.join("manifest.yaml")).unwrap();
                symlink("a.csv.age", folder.join("manifest.yaml")).unwrap();
            },
        ];
        for make in odd {
            let (dir, folder) = stick();
            make(&folder);
            let to = dir.path().join("to");
            let copied = copy(&folder, &to, ManifestForm::Ours);
            assert!(matches!(copied, Err(CarrierError::Odd { .. })));
            assert!(!to.exists());
        }
        let (_dir, folder) = stick();
        fs::remove_file(folder.join("manifest.yaml")).unwrap();
        let looked = look(&folder, ManifestForm::Ours);
        assert!(matches!(looked, Err(CarrierError::NoManifest { .. })));
    }

    #[test]
    fn a_bag_is_copied_with_its_payload_and_nothing_that_lies_deeper() {
        let dir = tempfile::tempdir().unwrap();
        let (bag, inbox) = (dir.path().join("bag"), dir.path().join("inbox"));
        fs::create_dir_all(bag.join("data")).unwrap();
        fs::create_dir(&inbox).unwrap();
        for name in ["bagit.txt", "manifest-sha256.txt", "data/a.csv", "data/b.csv"] {
            fs::write(bag.join(name), format!("synthetic {name}")).unwrap();
        }
        let carried = bring(&bag, &inbox, "medium-1", ManifestForm::Bag).unwrap();
        let names: Vec<_> = carried.iter().map(|one| one.name.to_str().unwrap()).collect();
        assert_eq!(names, ["bagit.txt", "data/a.csv", "data/b.csv", "manifest-sha256.txt"]);
        for name in names {
            let copied = fs::read(inbox.join("medium-1").join(name)).unwrap();
            assert_eq!(copied, fs::read(bag.join(name)).unwrap());
        }
        assert_eq!(fs::read_dir(&inbox).unwrap().count(), 1, "nothing stays of the way there");
        assert!(matches!(
            bring(&bag, &inbox, "medium-1", ManifestForm::Bag),
            Err(CarrierError::File(FileError::Exists { .. }))
        ));
        fs::create_dir(bag.join("data/deep")).unwrap();
        let deep = bring(&bag, &inbox, "medium-2", ManifestForm::Bag);
        assert!(matches!(deep, Err(CarrierError::Odd { .. })));
        // Elsewhere a folder within is none of a delivery's.
        assert!(matches!(look(&bag, ManifestForm::Letter), Err(CarrierError::Odd { .. })));
        assert_eq!(fs::read_dir(&inbox).unwrap().count(), 1);
    }
}
