//! The process takes from itself what it does not need (Landlock): every path but those that it works in, TCP, and
//! signals and abstract sockets to others. What a flaw in a parser could reach ends here, also without a service
//! manager around the process.
//!
//! It holds for the calling thread and for those that it starts afterwards, for good: nothing gives a right back, so
//! it is called before any other thread runs. A kernel that knows less is asked for less, and what is in force is told.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort,
    PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
    make_bitflags,
};

/// The newest rules that this program was tried with.
const KNOWN: ABI = ABI::V6;
/// Facts about the machine that everybody may read, and randomness: for the libraries, for what `status` tells of disks
/// and swap, and for the number of the group that gets the socket.
const MACHINE: [&str; 5] = ["/proc/self", "/proc/swaps", "/sys", "/dev/urandom", "/etc/group"];

/// What may be done below a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Read and list.
    Read,
    /// Read, overwrite, rename within it and remove, as a delivery is taken over.
    Take,
    /// Also make files and folders, and move them: the agent's own.
    Own,
    /// Make and remove a socket.
    Socket,
    /// Read, and start what lies there.
    Run,
}

impl Right {
    fn access(self) -> BitFlags<AccessFs> {
        const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});
        const TAKE: BitFlags<AccessFs> = make_bitflags!(
            AccessFs::{WriteFile | Truncate | RemoveFile | RemoveDir | MakeReg | MakeDir});
        match self {
            Self::Read => READ,
            Self::Take => READ | TAKE,
            Self::Run => READ | AccessFs::Execute,
            Self::Own => READ | TAKE | AccessFs::Refer,
            Self::Socket => {
                make_bitflags!(AccessFs::{ReadDir | WriteFile | RemoveFile | MakeSock})
            }
        }
    }
}

/// What is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confinement {
    /// Version of the rules that the kernel and this program both know; 0 where the kernel has none.
    pub version: u8,
    /// Everything that was asked for is in force; else the kernel knows less.
    pub whole: bool,
    /// Filesystem and number of each folder in which the process may take what lies there; reading alone is not enough.
    reached: BTreeSet<(u64, u64)>,
}

/// Why the process could not be confined although the kernel can.
#[derive(Debug, thiserror::Error)]
pub enum ConfinementError {
    /// A folder that is there cannot be opened.
    #[error("cannot confine the process")]
    Path(#[from] landlock::PathFdError),
    /// The kernel refused the rules.
    #[error("cannot confine the process")]
    Rules(#[source] landlock::RulesetError),
}

/// Confines the process to these folders. One that is not there is left out: what is put there later is out of reach,
/// which [`Confinement::reaches`] tells.
///
/// # Errors
/// The kernel can confine and did not. Nothing may be read of a delivery then.
pub fn confine(folders: &[(PathBuf, Right)]) -> Result<Confinement, ConfinementError> {
    confine_to(folders, &[])
}

/// As [`confine`], for a process that may connect to these TCP ports.
///
/// # Errors
/// As [`confine`].
pub fn confine_to(
    folders: &[(PathBuf, Right)],
    ports: &[u16],
) -> Result<Confinement, ConfinementError> {
    let rules = |error: landlock::RulesetError| ConfinementError::Rules(error);
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))
        .map_err(rules)?
        // No rule for any port: neither listening nor connecting.
        .handle_access(AccessNet::from_all(KNOWN))
        .map_err(rules)?
        .scope(Scope::from_all(KNOWN))
        .map_err(rules)?
        .create()
        .map_err(rules)?;
    // Where the kernel knows no rules for ports, none is asked for.
    for port in ports {
        let rule = NetPort::new(*port, AccessNet::ConnectTcp);
        ruleset =
            ruleset.set_compatibility(CompatLevel::BestEffort).add_rule(rule).map_err(rules)?;
    }
    let mut reached = BTreeSet::new();
    let machine = MACHINE.iter().map(|path| (PathBuf::from(path), Right::Read));
    for (path, right) in folders.iter().cloned().chain(machine) {
        let Ok(there) = fs::metadata(&path) else { continue };
        let handle = match PathFd::new(&path) {
            Ok(handle) => handle,
            Err(_) if MACHINE.iter().any(|machine| Path::new(machine) == path) => continue,
            Err(error) => return Err(error.into()),
        };
        // Of a folder's rights a file has only some.
        let of_kind = if there.is_dir() { BitFlags::all() } else { AccessFs::from_file(KNOWN) };
        let rule = PathBeneath::new(handle, right.access() & of_kind);
        ruleset = ruleset.add_rule(rule).map_err(rules)?;
        if matches!(right, Right::Take | Right::Own) {
            reached.insert((there.dev(), there.ino()));
        }
    }
    let status = ruleset.restrict_self().map_err(rules)?;
    let version = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => (effective_abi as u8).min(KNOWN as u8),
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => 0,
    };
    let whole = status.ruleset == RulesetStatus::FullyEnforced;
    Ok(Confinement { version, whole, reached })
}

/// Takes further paths from a process that is confined already, and leaves the rest as it is.
///
/// # Errors
/// As [`confine`].
pub fn confine_files(folders: &[(PathBuf, Right)]) -> Result<(), ConfinementError> {
    let rules = |error: landlock::RulesetError| ConfinementError::Rules(error);
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))
        .map_err(rules)?
        .create()
        .map_err(rules)?;
    for (path, right) in folders {
        let Ok(there) = fs::metadata(path) else { continue };
        let Ok(handle) = PathFd::new(path) else { continue };
        let of_kind = if there.is_dir() { BitFlags::all() } else { AccessFs::from_file(KNOWN) };
        ruleset =
            ruleset.add_rule(PathBeneath::new(handle, right.access() & of_kind)).map_err(rules)?;
    }
    ruleset.restrict_self().map_err(rules)?;
    Ok(())
}

impl Confinement {
    /// Whether what lies at `path` now is within reach: it is one of the folders that were allowed, or lies in one. A
    /// folder that came later, or on which something was mounted since, is not.
    #[must_use]
    pub fn reaches(&self, path: &Path) -> bool {
        let Ok(real) = path.canonicalize() else { return true };
        self.version == 0
            || real.ancestors().any(|above| {
                fs::metadata(above)
                    .is_ok_and(|facts| self.reached.contains(&(facts.dev(), facts.ino())))
            })
    }

    /// What is in force, in words.
    #[must_use]
    pub fn words(&self) -> String {
        match (self.version, self.whole) {
            (0, _) => "not confined: this kernel has no Landlock".to_owned(),
            (version, true) => {
                format!("confined by Landlock {version}: files, TCP, signals, abstract sockets")
            }
            (version @ 1..=3, false) => format!("confined by Landlock {version}: files"),
            (version, false) => format!("confined by Landlock {version}: files, TCP"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use std::{io::ErrorKind, net::TcpListener, os::unix::net::UnixListener, thread};

    use super::*;

    /// The rules hold for one thread: each test confines one of its own.
    fn confined<T: Send>(
        folders: &[(PathBuf, Right)],
        act: impl FnOnce(&Confinement) -> T + Send,
    ) -> T {
        let confined = || {
            let confinement = confine(folders).unwrap();
            // A machine without Landlock cannot show what these tests claim.
            assert!(confinement.version >= 4, "{}", confinement.words());
            act(&confinement)
        };
        thread::scope(|scope| scope.spawn(confined).join().unwrap())
    }

    fn denied<T>(tried: &std::io::Result<T>) -> bool {
        tried.as_ref().is_err_and(|e| e.kind() == ErrorKind::PermissionDenied)
    }

    #[test]
    fn each_folder_gives_what_it_is_for_and_nothing_else_can_be_opened() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["read", "take", "own", "own/sub", "run", "outside"] {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("f"), "synthetic").unwrap();
        }
        std::os::unix::fs::symlink(at("outside/f"), at("read/link")).unwrap();
        let folders = [
            (at("read"), Right::Read),
            (at("take"), Right::Take),
            (at("own"), Right::Own),
            (at("run"), Right::Socket),
            (at("missing"), Right::Own),
        ];
        assert!(fs::read(at("read/link")).is_ok(), "the link leads somewhere");
        confined(&folders, |_| {
            assert!(fs::read(at("read/f")).is_ok() && fs::read_dir(at("read")).is_ok());
            assert!(
                denied(&fs::write(at("read/f"), "x")) && denied(&fs::remove_file(at("read/f")))
            );
            assert!(fs::write(at("take/f"), "x").is_ok());
            assert!(fs::rename(at("take/f"), at("take/g")).is_ok());
            assert!(fs::remove_file(at("take/g")).is_ok());
            assert!(denied(&UnixListener::bind(at("take/s"))));
            assert!(denied(&std::os::unix::fs::symlink("x", at("own/link"))));
            assert!(fs::rename(at("own/f"), at("own/sub/g")).is_ok());
            assert!(
                UnixListener::bind(at("run/s")).is_ok() && fs::remove_file(at("run/s")).is_ok()
            );
            assert!(denied(&fs::read(at("run/f"))));
            assert!(denied(&fs::read(at("outside/f"))) && denied(&fs::read_dir(at("outside"))));
            assert!(denied(&fs::read(at("read/link"))), "a link does not lead out");
            assert!(denied(&fs::read("/etc/passwd")));
            assert!(fs::read("/proc/self/status").is_ok());
        });
    }

    #[test]
    fn nothing_listens_and_nothing_connects() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        assert!(std::net::TcpStream::connect(at).is_ok());
        confined(&[], |_| {
            assert!(denied(&std::net::TcpStream::connect(at)));
            assert!(denied(&TcpListener::bind("127.0.0.1:0")));
        });
    }

    #[test]
    fn a_folder_that_came_later_is_told_as_out_of_reach() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("inbox")).unwrap();
        std::os::unix::fs::symlink("inbox", at("alias")).unwrap();
        confined(&[(at("inbox"), Right::Take)], |confinement| {
            assert!(confinement.reaches(&at("inbox")) && confinement.reaches(&at("alias")));
            fs::create_dir(at("inbox/deep")).unwrap();
            assert!(confinement.reaches(&at("inbox/deep")));
            assert!(confinement.reaches(&at("missing")), "what is not there is told by others");
        });
        let (inbox, later) = (at("inbox"), at("later"));
        let moved = at("moved");
        let confinement = confined(&[(inbox.clone(), Right::Take)], Clone::clone);
        fs::create_dir(&later).unwrap();
        assert!(!confinement.reaches(&later));
        fs::rename(&inbox, moved).unwrap();
        fs::create_dir(&inbox).unwrap();
        assert!(!confinement.reaches(&inbox), "another folder under the same name");
    }

    #[test]
    fn the_words_say_what_is_missing() {
        let with =
            |version, whole| Confinement { version, whole, reached: BTreeSet::new() }.words();
        assert!(with(0, false).contains("not confined"));
        assert!(with(1, false).ends_with(": files"));
        assert!(with(4, false).ends_with(": files, TCP"));
        assert!(with(6, true).ends_with("signals, abstract sockets"));
    }
}
