//! The machine: swap, core dumps, memory, clock, kernel, fonts, control socket, access control lists.

use super::{
    Finding,
    facts::{Clock, Facts, Kernel, Socket},
    remark, warning,
};

/// Everybody may write, without the sticky bit.
const OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;

pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let mut found = memory(facts);
    found.extend(clock(&facts.clock));
    found.extend(kernel(facts.kernel));
    found.extend(socket(&facts.socket));
    if let Some((path, answers)) = &facts.device_helper {
        let shown = path.display();
        found.push(if *answers {
            let what = format!("the device helper answers at '{shown}'");
            remark("device-helper", what, "wipes are read back from the raw device, and trimmed")
        } else {
            let what = format!("no device helper answers this user at '{shown}'");
            let why = "wipes are not read back from the raw device, and none is stated as trimmed";
            let fix = "systemctl start batchward-device; its '--for-user' is the agent's user";
            warning("device-helper", what, why).fix(fix)
        });
    }
    if facts.fonts.is_empty() {
        let what = "no font with Traditional Chinese characters is installed";
        let why = "printed forms need one";
        let fix = "apt-get install fonts-noto-cjk (or the fonts of CNS 11643, for rare characters)";
        found.push(remark("fonts", what, why).fix(fix));
    }
    for path in &facts.access_lists {
        let shown = path.display();
        let what = format!("'{shown}' has an access control list besides its mode");
        let why = "it may let others in whom the mode keeps out";
        let fix = format!("getfacl '{shown}' shows it, setfacl -b '{shown}' takes it away");
        found.push(warning("access-list", what, why).fix(fix));
    }
    found
}

fn memory(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for swap in facts.swaps.iter().filter(|swap| !swap.encrypted && !swap.in_memory) {
        let what = format!("swap on '{}' is not encrypted", swap.path.display());
        let why = "keys and records in memory may be written there";
        let fix = "swapoff -a, or encrypt it: 'swap' with a random key in /etc/crypttab";
        let locked = "the agent locks its memory, other programs that handle records do not";
        found.push(if facts.memory.may_lock {
            remark("swap-plain", what, locked).fix(fix)
        } else {
            warning("swap-plain", what, why).fix(fix)
        });
    }
    if !facts.memory.may_lock {
        let limit = facts.memory.limit.unwrap_or(0) >> 10;
        let what = format!("this user may lock {limit} KiB of memory, which is not all");
        let why = "memory that is not locked can be swapped out";
        let fix = "run the agent by its unit, which sets 'LimitMEMLOCK=infinity'";
        found.push(remark("memory-lock", what, why).fix(fix));
    }
    if !facts.memory.secret {
        let what = "the kernel has no secret memory (memfd_secret)";
        let why = "whoever reads the kernel's memory reads keys as well";
        found.push(remark("memory-secret", what, why).fix("a kernel of 6.5 or later has it on"));
    }
    if !facts.cores.forbidden {
        let what = "core dumps of the agent could not be forbidden";
        let why = "a dump holds keys and records";
        found.push(warning("core-dumps", what, why).fix("'LimitCORE=0' in the unit"));
    }
    if facts.cores.pattern.starts_with('|') {
        let what = format!("core dumps go to a program: '{}'", facts.cores.pattern);
        let why = "the agent makes none, but tools beside it (age, sqlite3) may hold records when they end";
        let fix =
            "'Storage=none' in /etc/systemd/coredump.conf, or sysctl kernel.core_pattern=core";
        found.push(remark("core-pattern", what, why).fix(fix));
    }
    found
}

fn clock(clock: &Clock) -> Vec<Finding> {
    let mut found = Vec::new();
    match clock.synchronised {
        Some(true) => {}
        Some(false) => {
            let what = "the clock is not synchronised";
            let why = "deadlines, ends of grants and entries of the register follow it";
            let fix = "timedatectl set-ntp true, or install chrony";
            found.push(warning("clock-free", what, why).fix(fix));
        }
        None => {
            let what = "whether the clock is synchronised is not known";
            let why = "deadlines, ends of grants and entries of the register follow it";
            found.push(
                remark("clock-unknown", what, why).fix("timedatectl show -p NTPSynchronized"),
            );
        }
    }
    if let (Some(now), Some(last)) = (clock.now, clock.last_entry) {
        let ahead = (now.millis() - last.millis()) / 1000;
        if ahead < 0 {
            let what = format!("the clock is {} s behind the last entry of the register", -ahead);
            let why = "entry times never go back, so nothing can be recorded until then";
            found.push(warning("clock-behind", what, why).fix("set the clock right"));
        } else if ahead > clock.gap_max_seconds {
            let days = ahead / 86_400;
            let what = format!("the last entry of the register is {days} days old");
            let why = "the next start doubts the time, and nothing irreversible runs";
            let fix = "compare the clock with another one, then 'batchward clock confirm'";
            found.push(warning("clock-gap", what, why).fix(fix));
        }
    }
    match &clock.zone {
        Some(zone) if *zone == clock.site_zone => {}
        Some(zone) => {
            let what =
                format!("the machine's time zone is {zone}, the site's is {}", clock.site_zone);
            let why = "days end by the site's, while other programs here show the machine's";
            let fix = format!("timedatectl set-timezone {}", clock.site_zone);
            found.push(remark("time-zone", what, why).fix(fix));
        }
        None => {
            let what = "the machine has no time zone";
            let why = "days end by the site's, while other programs here show UTC";
            let fix = format!("timedatectl set-timezone {}", clock.site_zone);
            found.push(remark("time-zone", what, why).fix(fix));
        }
    }
    found
}

fn kernel(kernel: Kernel) -> Vec<Finding> {
    let mut found = Vec::new();
    if !kernel.openat2 {
        let what = "the kernel cannot open beneath a folder (openat2)";
        let why = "inboxes belong to others, and are read in no other way";
        found.push(
            warning("openat2", what, why).fix("a kernel of 5.6 or later, without a filter on it"),
        );
    }
    if kernel.landlock == 0 {
        let what = "the kernel does not let a process confine itself (Landlock)";
        let why = "the unit's own restrictions are then the only ones";
        found.push(
            remark("landlock", what, why).fix("'lsm=landlock,…' on the kernel's command line"),
        );
    }
    found
}

fn socket(socket: &Socket) -> Vec<Finding> {
    let mut found = Vec::new();
    let shown = socket.path.display();
    if !socket.group {
        let what = "this machine has no group 'batchward'";
        let why = "members of that group may talk to the agent";
        let fix = "systemd-sysusers, or groupadd --system batchward";
        found.push(remark("socket-group", what, why).fix(fix));
    }
    if socket.folder_mode.is_some_and(|mode| mode & OTHERS_WRITE != 0 && mode & STICKY == 0) {
        let folder = socket.path.parent().unwrap_or(&socket.path).display();
        let what = format!("everybody can write the folder of the control socket, '{folder}'");
        let why = "somebody else could answer in the agent's place";
        found.push(warning("socket-folder", what, why).fix(format!("chmod o-w '{folder}'")));
    }
    match (socket.answers, socket.held, socket.there) {
        (true, _, _) => {
            let what = format!("an agent answers at '{shown}'");
            found.push(remark("agent", what, "commands go to it"));
        }
        (false, true, _) => {
            let what = format!("a process holds the state folder, and nobody answers at '{shown}'");
            let why = "commands wait until it has finished";
            let fix = "systemctl status batchward; 'run --once' ends by itself";
            found.push(remark("agent", what, why).fix(fix));
        }
        (false, false, there) => {
            let what = match there {
                true => format!("no agent runs, and nobody answers at '{shown}'"),
                false => "no agent runs".to_owned(),
            };
            let why = "deliveries are taken in by 'run --once', or when it is started";
            found.push(remark("agent", what, why).fix("systemctl start batchward"));
        }
    }
    found
}
