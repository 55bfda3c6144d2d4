"""Writes the seccomp filter of a unit to standard output, as bwrap --seccomp takes it.

Standard input is JSON: what systemd read of the unit (names of calls, and the restrictions that it turns into rules about
arguments). The rules are those of systemd's own src/shared/seccomp-util.c.
"""

import errno
import json
import sys

import seccomp
from seccomp import ALLOW, EQ, ERRNO, MASKED_EQ, NE, Arg, Attr, SyscallFilter

AF_UNIX = 1
PROT_WRITE, PROT_EXEC = 2, 4
NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000 | 0x80

unit = json.load(sys.stdin)
allowed = set(unit["SystemCallFilter"])
assert len(allowed) > 100 and "read" in allowed, "this is no list of system calls"
assert unit["RestrictAddressFamilies"] == "AF_UNIX", "only this list is known here"

filter = SyscallFilter(ERRNO(getattr(errno, unit["SystemCallErrorNumber"])))
filter.set_attr(Attr.CTL_NNP, 0)  # bwrap sets it

special = {"socket"}
filter.add_rule(ALLOW, "socket", Arg(0, EQ, AF_UNIX))
filter.add_rule(ERRNO(errno.EAFNOSUPPORT), "socket", Arg(0, NE, AF_UNIX))

if unit["RestrictNamespaces"]:
    special |= {"clone", "clone3", "unshare", "setns"}
    filter.add_rule(ALLOW, "clone", Arg(0, MASKED_EQ, NAMESPACES, 0))
    # Its flags are out of a filter's sight; libraries fall back.
    filter.add_rule(ERRNO(errno.ENOSYS), "clone3")

if unit["MemoryDenyWriteExecute"]:
    special |= {"mmap", "mprotect", "pkey_mprotect", "shmat"}
    for protection in (0, PROT_WRITE, PROT_EXEC):
        filter.add_rule(ALLOW, "mmap", Arg(2, MASKED_EQ, PROT_WRITE | PROT_EXEC, protection))
    filter.add_rule(ALLOW, "mprotect", Arg(2, MASKED_EQ, PROT_EXEC, 0))

if unit["RestrictSUIDSGID"]:
    special |= {"openat2"}
    filter.add_rule(ERRNO(errno.ENOSYS), "openat2")

for name in sorted(allowed - special - set(unit.get("without", []))):
    number = seccomp.resolve_syscall(seccomp.Arch(), name)
    if number >= 0:  # else it is another architecture's
        filter.add_rule(ALLOW, number)

filter.export_bpf(sys.stdout.buffer)
