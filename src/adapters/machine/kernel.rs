//! Three questions that only a system call answers, and that no safe library of ours asks: whether the clock is
//! synchronised, which version of Landlock there is, and whether there is secret memory. Each changes nothing.
#![allow(unsafe_code, reason = "a named system module: three calls that only ask")]

use std::os::fd::{FromRawFd, OwnedFd};

/// Whether the kernel believes the clock to be right (adjtimex(2), as timedatectl asks it); nothing where it cannot be
/// asked.
#[must_use]
pub fn synchronised() -> Option<bool> {
    // SAFETY: every field of `timex` is a number, for which zero is a value.
    let mut state: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `state` lives through the call. With `modes` 0 the kernel only fills it in.
    let clock = unsafe { libc::adjtimex(&raw mut state) };
    (clock >= 0).then_some(clock != libc::TIME_ERROR && state.status & libc::STA_UNSYNC == 0)
}

/// The newest version of Landlock that the kernel knows; 0 where it has none or has it off.
#[must_use]
pub fn landlock_version() -> u8 {
    const VERSION: u32 = 1; // LANDLOCK_CREATE_RULESET_VERSION
    // SAFETY: with this flag there is no rule set: the pointer must be null and the length 0, and a number comes back.
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, VERSION)
    };
    u8::try_from(version).unwrap_or(0)
}

/// Whether memfd_secret(2) gives memory that the kernel itself does not map.
#[must_use]
pub fn secret_memory() -> bool {
    // SAFETY: it takes flags and returns a descriptor, or -1.
    let made = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
    let Some(made) = i32::try_from(made).ok().filter(|fd| *fd >= 0) else { return false };
    // SAFETY: the kernel has just given it to us, and nobody else has it.
    drop(unsafe { OwnedFd::from_raw_fd(made) });
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "tests ask the system's own tool")]
    use std::process::Command;

    use super::*;

    #[test]
    fn the_kernel_answers_and_keeps_no_descriptor_open() {
        let open = || std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        let before = open();
        for _ in 0..100 {
            let _ = (synchronised(), landlock_version(), secret_memory());
        }
        assert!(open() < before + 50, "{before} descriptors before, {} after", open());
        assert!(synchronised().is_some());
    }

    #[test]
    fn the_clock_is_synchronised_as_python_reads_it() {
        // The same question, asked by another program: the status word of ntp_adjtime.
        let script = "
import ctypes
class T(ctypes.Structure):
    _fields_ = [('modes', ctypes.c_uint), ('offset', ctypes.c_long), ('freq', ctypes.c_long),
                ('maxerror', ctypes.c_long), ('esterror', ctypes.c_long), ('status', ctypes.c_int),
                ('rest', ctypes.c_byte * 256)]
t = T()
r = ctypes.CDLL(None).adjtimex(ctypes.byref(t))
print(r >= 0 and r != 5 and not t.status & 0x40)
";
        let output = Command::new("/usr/bin/python3").args(["-c", script]).output();
        let said = output.map(|out| String::from_utf8_lossy(&out.stdout).trim() == "True");
        assert_eq!(synchronised(), said.ok());
    }
}
