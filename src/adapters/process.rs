//! What the process does to itself before it touches a secret.
//!
//! No core dumps, no tracing by others of the same user, no further privileges, new files for the owner only, and memory that is not
//! swapped where the system lets it. It says what was achieved; it never stops the agent for what was not.

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit, umask,
};
use rustix::thread::{CapabilitySet, capabilities, set_no_new_privs};

/// What [`harden`] achieved; shown by `check` and written with each start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hardening {
    /// The core limit is 0 and the process is not dumpable.
    pub no_core_dumps: bool,
    /// Neither this process nor what it would start can gain a right by a file's mode.
    pub no_new_privileges: bool,
    /// All memory, also that of later allocations, stays out of swap.
    pub memory_locked: bool,
}

/// Forbids core dumps and further privileges, sets umask 077, and locks memory where that cannot make a later allocation fail: with
/// `CAP_IPC_LOCK`, or with an unlimited `RLIMIT_MEMLOCK`.
#[must_use]
pub fn harden() -> Hardening {
    umask(rustix::fs::Mode::from_raw_mode(0o077));
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = setrlimit(Resource::Core, none).is_ok();
    let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok();
    let no_new_privileges = set_no_new_privs(true).is_ok();
    let memory_locked = may_lock_all()
        && mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)
            .is_ok();
    Hardening { no_core_dumps: limited && hidden, no_new_privileges, memory_locked }
}

/// Under a finite limit `mlockall(MCL_FUTURE)` would turn the limit into out-of-memory errors.
pub(super) fn may_lock_all() -> bool {
    getrlimit(Resource::Memlock).current.is_none()
        || capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK))
}

#[cfg(test)]
mod tests {
    use rustix::process::dumpable_behavior;

    use super::*;

    #[test]
    fn a_hardened_process_leaves_no_core_and_says_what_it_locked() {
        let done = harden();
        assert!(done.no_core_dumps);
        assert!(done.no_new_privileges);
        assert!(matches!(rustix::thread::no_new_privs(), Ok(true)));
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert!(matches!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable)));
        assert_eq!(umask(rustix::fs::Mode::from_raw_mode(0o077)).as_raw_mode(), 0o077);
        assert!(!done.memory_locked || may_lock_all());
    }
}
