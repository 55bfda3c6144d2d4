#!/usr/bin/env python3
"""An SFTP server for tests, built on asyncssh: well-behaved, or hostile in one chosen way.

Everything here is synthetic: throw-away keys that the test made, deliveries about nobody. It listens on loopback only,
on a port that the kernel chooses, prints `port N`, and ends when its standard input does. Nothing of it is a pattern
for a real server.

    server.py --root DIR --host-key FILE --authorized FILE [--behaviour NAME] [--file NAME] [--log FILE]
              [--within NAME] [--stop N:before|N:after]

`--within` keeps what is hostile about files to one delivery; `--file` says which file of it lies.

Every request goes to the log as a line of JSON. With `--stop`, the N-th request is held: `paused N` is printed, and
whoever tests may kill whom he likes before he writes a line. `before`: the request then fails and was never carried
out; `after`: it had been carried out, and its answer comes late.
"""
import argparse
import asyncio
import itertools
import json
import os
import posixpath
import stat
import sys

import asyncssh
from asyncssh import sftp
from asyncssh.sftp import SFTPAttrs, SFTPName

MILLION = 1_000_000
MIB = 1 << 20
FOLDER = stat.S_IFDIR | 0o755
PLAIN = stat.S_IFREG | 0o644

# Names that no client may take for a path of its own. They are in the listing of the folder of deliveries as folders
# (`folder-…`) and in the listing of a delivery as files (`file-…`).
NAMES = {
    "parent": b"../evil",
    "parents": b"../../../../../../../../tmp/evil",
    "dots": b"..evil/../../evil",
    "absolute": b"/tmp/evil",
    "newline": b"evil\nname",
    "nul": b"evil\0name",
    "long": b"e" * 4096,
    "not-utf-8": b"evil\xff\xfe",
    "empty": b"",
    "escape": b"evil\x1b[2J",
}
# Algorithms that nobody should accept.
WEAK = {
    "weak-exchange": {"kex_algs": ["diffie-hellman-group1-sha1"]},
    "weak-cipher": {"encryption_algs": ["aes128-cbc"]},
    "weak-mac": {"encryption_algs": ["aes128-ctr"], "mac_algs": ["hmac-sha1"]},
}


class Say:
    """The log, and the one request that is held."""

    def __init__(self, options):
        self.log = open(options.log, "a", buffering=1) if options.log else None
        number, _, self.moment = (options.stop or "0:").partition(":")
        self.number = int(number)
        self.count = 0
        self.go = asyncio.Event()

    def note(self, **what):
        if self.log:
            self.log.write(json.dumps(what) + "\n")

    async def step(self, act, path, run):
        """Carries out one request."""
        self.count += 1
        mine = self.count
        self.note(n=mine, act=act, path=os.fsdecode(path).encode("unicode_escape", "surrogateescape").decode())
        if mine == self.number and self.moment == "before":
            await self.hold(mine)
            raise sftp.SFTPFailure("never carried out")
        result = run()
        self.note(n=mine, done=True)
        if mine == self.number:
            await self.hold(mine)
        return result

    async def hold(self, mine):
        print("paused", mine, flush=True)
        await self.go.wait()


class File:
    """An open file, and how it lies."""

    def __init__(self, server, path, inner):
        self.server, self.path, self.inner = server, path, inner
        self.size = os.fstat(inner.fileno()).st_size if inner else 9
        self.reads = 0
        self.opened = next(server.opened)
        self.lies = server.lies(path)

    def read(self, offset, size):
        self.reads += 1
        lie = self.lies
        if lie == "grows":
            return b"g" * min(size, 32768)
        if self.inner is None:
            return b"synthetic"[offset:offset + size]
        if lie == "shrinks" and offset + size > self.size // 2:
            size = max(0, self.size // 2 - offset)
        if lie == "longer-answers":
            size *= 2
        if lie == "shorter-answers":
            size = max(1, min(size, 4096) // 2)
        self.inner.seek(offset)
        data = self.inner.read(size)
        if lie == "changes" and data:
            data = bytes([data[0] ^ (self.opened * 31 + self.reads) & 0xFF or 1]) + data[1:]
        return data


class Server(asyncssh.SFTPServer):
    """Answers requests."""

    opened = itertools.count(1)
    stats = itertools.count(1)

    def __init__(self, chan, options, say):
        super().__init__(chan, chroot=os.fsencode(options.root))
        self.options, self.say = options, say

    # What is pretended.

    def lies(self, path):
        named = posixpath.basename(path) == os.fsencode(self.options.file)
        return self.options.behaviour if named and self.within(path) else ""

    def within(self, path):
        return os.fsencode(self.options.within) in path.split(b"/") if self.options.within else True

    def evil(self, path):
        """Whether this path holds the hostile name of this run."""
        kind, _, name = self.options.behaviour.partition("-")
        if kind in ("folder", "file") and name in NAMES:
            bad = NAMES[name]
            return bool(bad) and bad in path
        return self.options.behaviour.startswith("million") and b"/evil-" in path

    def attrs(self, path, real):
        lie = self.lies(path)
        if not lie or real is None:
            return real
        size = real.st_size
        number = next(self.stats)
        sizes = {
            "grows": size + MIB * number,
            "shrinks": max(0, size - number),
            "size-more": size + MIB,
            "size-less": size // 2,
            "size-huge": (1 << 63) - 1,
            "size-most": (1 << 64) - 1,
        }
        if lie == "size-none":
            return SFTPAttrs(permissions=PLAIN)
        if lie == "other-kind":
            return SFTPAttrs(permissions=stat.S_IFIFO | 0o644, size=size)
        if lie not in sizes:
            return real
        return SFTPAttrs(size=sizes[lie], uid=0, gid=0, permissions=PLAIN, atime=0, mtime=int(real.st_mtime))

    def look(self, path, find):
        if self.evil(path):
            deep = path.count(b"/") > 2 or self.options.behaviour.startswith("file-")
            return SFTPAttrs(size=9, uid=0, gid=0, permissions=PLAIN if deep else FOLDER, atime=0, mtime=0)
        return self.attrs(path, find(os.fsdecode(self.map_path(path))))

    def names(self, path):
        """The entries of a folder, lazily: a listing of a million is made while it is read."""
        behaviour = self.options.behaviour
        top = path.rstrip(b"/").endswith(b"outgoing")
        kind, _, name = behaviour.partition("-")
        here = top or self.within(path)
        evil = name in NAMES and here and kind == ("folder" if top else "file")
        # Some clients take an empty name for the end of a listing: it comes last.
        if evil and name != "empty":
            yield self.name(NAMES[name], FOLDER if top else PLAIN)
        if here and behaviour == ("million-folders" if top else "million-files"):
            for number in range(MILLION):
                yield self.name(b"evil-%07d" % number, FOLDER if top else PLAIN)
        if behaviour == "endless-folders" and top:
            for number in itertools.count():
                yield self.name(b"evil-%012d" % number, FOLDER)
        if behaviour == "repeated-folders" and top:
            for _ in range(1000):
                for entry in sorted(os.listdir(self.map_path(path))):
                    yield self.name(entry, FOLDER)
        if self.evil(path):
            return
        for entry in [b".", b".."] + sorted(os.listdir(self.map_path(path))):
            inner = posixpath.join(path, entry)
            found = self.attrs(inner, os.lstat(self.map_path(inner)))
            found = found if isinstance(found, SFTPAttrs) else SFTPAttrs.from_local(found)
            yield SFTPName(entry, b"synthetic " + entry, found)
        if evil and name == "empty":
            yield self.name(b"", FOLDER if top else PLAIN)

    @staticmethod
    def name(name, mode):
        return SFTPName(name, b"synthetic", SFTPAttrs(size=9, uid=0, gid=0, permissions=mode, atime=0, mtime=0))

    async def silence(self, when):
        if self.options.behaviour == when:
            await asyncio.Event().wait()

    # Requests.

    async def list(self, path):
        await self.silence("silent-listing")

        def start():
            if not self.evil(path):
                os.listdir(self.map_path(path))
            return self.names(path)

        return await self.say.step("list", path, start)

    async def open(self, path, pflags, attrs):
        if self.evil(path):
            return await self.say.step("open", path, lambda: File(self, path, None))
        return await self.say.step(
            "open", path, lambda: File(self, path, asyncssh.SFTPServer.open(self, path, pflags, attrs))
        )

    async def close(self, file):
        def close():
            if file.inner:
                file.inner.close()

        await self.say.step("close", file.path, close)

    async def read(self, file, offset, size):
        if file.lies == "silent-reading" and offset >= file.size // 2:
            await asyncio.Event().wait()
        return await self.say.step("read", file.path, lambda: file.read(offset, size))

    async def write(self, file, offset, data):
        return await self.say.step("write", file.path, lambda: asyncssh.SFTPServer.write(self, file.inner, offset, data))

    async def fsync(self, file):
        await self.say.step("fsync", file.path, lambda: asyncssh.SFTPServer.fsync(self, file.inner))

    async def lstat(self, path):
        return await self.say.step("lstat", path, lambda: self.look(path, os.lstat))

    async def stat(self, path):
        return await self.say.step("stat", path, lambda: self.look(path, os.stat))

    async def fstat(self, file):
        def look():
            if file.inner is None:
                return SFTPAttrs(size=9, permissions=PLAIN)
            return self.attrs(file.path, os.fstat(file.inner.fileno()))

        return await self.say.step("fstat", file.path, look)


def moving(name):
    """A request that changes names: carried out as asyncssh does it, and noted."""
    inner = getattr(asyncssh.SFTPServer, name)

    async def request(self, *words):
        await self.silence("silent-" + name)
        if self.options.behaviour == "refuses-" + name:
            raise sftp.SFTPPermissionDenied("refused")
        if self.options.behaviour == "pretends-" + name:
            return await self.say.step(name, b" ".join(w for w in words if isinstance(w, bytes)), lambda: None)
        paths = b" ".join(word for word in words if isinstance(word, bytes))
        return await self.say.step(name, paths, lambda: inner(self, *words))

    return request


for each in ("rename", "posix_rename", "remove", "rmdir", "mkdir", "setstat", "fsetstat", "symlink", "link"):
    setattr(Server, each, moving(each))


async def opendir(self, packet):
    """In asyncssh's place: a listing is made while it is read, not all at once."""
    path = packet.get_string()
    handle = self._get_next_handle()
    self._dir_handles[handle] = await self._server.list(path)
    return handle


async def readdir(self, packet):
    names = self._dir_handles.get(packet.get_string())
    if names is None:
        raise sftp.SFTPInvalidHandle("no such handle")
    some = list(itertools.islice(names, 100))
    if not some:
        raise sftp.SFTPEOFError
    if len(some) == 100:
        await asyncio.sleep(0)
    return some, False


sftp.SFTPServerHandler._packet_handlers[sftp.FXP_OPENDIR] = opendir
sftp.SFTPServerHandler._packet_handlers[sftp.FXP_READDIR] = readdir


class Door(asyncssh.SSHServer):
    """Who comes in."""

    def __init__(self, options):
        self.options = options
        self.connection = None

    def connection_made(self, conn):
        self.connection = conn

    async def begin_auth(self, username):
        if self.options.behaviour == "silent-authentication":
            await asyncio.Event().wait()
        if self.options.behaviour == "banner-of-authentication":
            self.connection.send_auth_banner("synthetic banner\r\n" * (MIB // 18))
        return True

    def password_auth_supported(self):
        return bool(self.options.password)

    def validate_password(self, username, password):
        return password == self.options.password


async def before(port, behaviour):
    """A listener that sends something before the server behind it is heard, or never lets it be heard."""

    async def pipe(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    async def come(reader, writer):
        if behaviour == "silent-connection":
            await reader.read(-1)
            return
        lines = b"synthetic banner, a line of it, to be skipped by whoever connects\r\n"
        if behaviour == "banner-of-one-line":
            lines = b"synthetic banner"
        try:
            for _ in range(MIB // len(lines) + 1):
                writer.write(lines)
                await writer.drain()
            if behaviour == "banner-of-one-line":
                writer.write(b"\r\n")
        except ConnectionError:
            return
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pipe(reader, inner_writer), pipe(inner_reader, writer))

    listener = await asyncio.start_server(come, "127.0.0.1", 0)
    return listener.sockets[0].getsockname()[1]


async def main():
    words = argparse.ArgumentParser()
    for word in ("root", "host-key", "authorized"):
        words.add_argument("--" + word, required=True)
    for word in ("log", "stop", "password", "within"):
        words.add_argument("--" + word)
    words.add_argument("--behaviour", default="")
    words.add_argument("--file", default="people.csv.age")
    options = words.parse_args()
    say = Say(options)
    host_keys = asyncssh.load_keypairs([options.host_key])
    if options.behaviour == "weak-host-key":
        for key in host_keys:
            key.host_key_algorithms = [b"ssh-rsa"]
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: Door(options),
        server_host_keys=host_keys,
        authorized_client_keys=options.authorized,
        sftp_factory=lambda chan: Server(chan, options, say),
        allow_scp=False,
        compression_algs=["none"],
        login_timeout=0,
        **WEAK.get(options.behaviour, {}),
    )
    port = server.sockets[0].getsockname()[1]
    if options.behaviour in ("banner-of-lines", "banner-of-one-line", "silent-connection"):
        port = await before(port, options.behaviour)
    print("port", port, flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        say.go.set()
    os._exit(0)


asyncio.run(main())
