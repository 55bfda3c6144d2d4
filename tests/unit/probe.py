"""Tries what a captured agent would try, and says what came of each: a JSON object of names to 'done' or an errno's name.

The folders of the site are the arguments: its configuration, its state, a file outside of it. With a further argument it
leaves out what needs a privilege: outside of the sandbox the one who runs the tests may have it.
"""

import ctypes
import errno
import json
import mmap
import os
import socket
import sys
import tempfile

import seccomp

config, state, outside = sys.argv[1:4]
harmless = len(sys.argv) > 4
libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    number = seccomp.resolve_syscall(seccomp.Arch(), name)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def written(path):
    with open(path, "w") as file:
        file.write("synthetic")
    os.unlink(path)


def network():
    socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()


def netlink():
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()


def code_in_memory():
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def given_away():
    with tempfile.NamedTemporaryFile() as file:
        os.chown(file.name, os.getuid(), os.getgid())


def readable(path):
    with open(path) as file:
        file.read()


PTRACE_TRACEME, CLONE_NEWUSER, ADDR_NO_RANDOMIZE = 0, 0x10000000, 0x0040000
tries = {
    # What an ordinary process may do, and this one may not.
    "network": network,
    "netlink": netlink,
    "code in memory": code_in_memory,
    "trace": lambda: call("ptrace", PTRACE_TRACEME, 0, 0, 0),
    "new namespace": lambda: call("unshare", CLONE_NEWUSER),
    "personality": lambda: call("personality", ADDR_NO_RANDOMIZE),
    "keyring": lambda: call("keyctl", 0, ctypes.c_long(-3), 0),
    "shared memory": lambda: call("shmget", 0, 4096, 0o600),
    "asynchronous ring": lambda: call("io_setup", 1, ctypes.byref(ctypes.c_ulong())),
    "give a file away": given_away,
    "configuration": lambda: written(os.path.join(config, "planted")),
    "outside": lambda: readable(outside),
    # What the agent needs.
    "state": lambda: written(os.path.join(state, "planted")),
    "temporary": lambda: written(os.path.join(tempfile.gettempdir(), "planted")),
    "local socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close(),
}
privileged = {
    "mount": lambda: call("mount", b"none", state.encode(), b"tmpfs", 0, 0),
    "become root": lambda: os.setuid(0),
    "system": lambda: written("/etc/batchward-planted"),
}
if not harmless:
    tries |= privileged
came = {}
# A trace and a new namespace are for good: they come last.
for name in sorted(tries, key=lambda name: name in ("trace", "new namespace")):
    try:
        tries[name]()
        came[name] = "done"
    except OSError as refused:
        came[name] = errno.errorcode[refused.errno]
with open("/proc/self/status") as status:
    facts = dict(line.split(":\t", 1) for line in status if ":\t" in line)
for fact in ("CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"):
    came[fact] = facts[fact].strip()
came["umask"] = facts["Umask"].strip()
came["processes"] = str(sum(name.isdigit() for name in os.listdir("/proc")))
print(json.dumps(came))
