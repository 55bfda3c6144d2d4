"""Tries what a captured agent would try, and says what came of each: a JSON object of names to 'done' or an errno's name.

The folders of the site are the arguments: its configuration, its state, a file outside of it.
"""

import ctypes
import errno
import json
import mmap
import os
import socket
import sys
import tempfile

config, state, outside = sys.argv[1:4]
libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
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


def marked_setuid():
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
    "trace": lambda: call(101, PTRACE_TRACEME, 0, 0, 0),
    "new namespace": lambda: call(272, CLONE_NEWUSER),
    "personality": lambda: call(135, ADDR_NO_RANDOMIZE),
    "keyring": lambda: call(250, 0, ctypes.c_long(-3), 0),
    "shared memory": lambda: call(29, 0, 4096, 0o600),
    "asynchronous ring": lambda: call(206, 1, ctypes.byref(ctypes.c_ulong())),
    "give a file away": marked_setuid,
    "configuration": lambda: written(os.path.join(config, "planted")),
    "outside": lambda: readable(outside),
    # What needs a privilege.
    "mount": lambda: call(165, b"none", b"/tmp", b"tmpfs", 0, 0),
    "become root": lambda: os.setuid(0),
    "system": lambda: written("/etc/batchward-planted"),
    # What the agent needs.
    "state": lambda: written(os.path.join(state, "planted")),
    "temporary": lambda: written(os.path.join(tempfile.gettempdir(), "planted")),
    "local socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close(),
}
came = {}
# A trace is for good: it comes last.
for name in sorted(tries, key=lambda name: name == "trace"):
    try:
        tries[name]()
        came[name] = "done"
    except OSError as refused:
        came[name] = errno.errorcode[refused.errno]
with open("/proc/self/status") as status:
    facts = dict(line.rstrip().split(":\t", 1) for line in status if ":\t" in line)
for fact in ("CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"):
    came[fact] = facts[fact].strip()
came["umask"] = facts["Umask"].strip()
came["processes"] = str(sum(name.isdigit() for name in os.listdir("/proc")))
print(json.dumps(came))
