#!/usr/bin/env python3
"""A plain client for tests, built on asyncssh: shows that a fixture does what its name says. Everything is synthetic.

    look.py PORT KEY list FOLDER [MOST]   names as hex, and how many, as JSON
    look.py PORT KEY file PATH [MOST]     the size that the server states, bytes that come (at most MOST), digests of two readings
"""
import asyncio
import hashlib
import json
import sys

import asyncssh
from asyncssh.sftp import SFTPEOFError

PIECE = 32768


async def reading(client, path, most):
    digest, length = hashlib.sha256(), 0
    file = await client.open(path, "rb", block_size=0)
    longest = 0
    while length < most:
        data = await file.read(PIECE, length)
        if not data:
            break
        longest = max(longest, len(data))
        digest.update(data)
        length += len(data)
    await file.close()
    return length, longest, digest.hexdigest()


async def main():
    port, key, act, path, *rest = sys.argv[1:]
    most = int(rest[0]) if rest else 1 << 30
    async with asyncssh.connect(
        "127.0.0.1", int(port), username="synthetic", client_keys=[key], known_hosts=None, config=[]
    ) as connection, connection.start_sftp_client() as client:
        if act == "list":
            found = []
            handle = await client._handler.opendir(path.encode())
            try:
                while len(found) < most:
                    names, _ = await client._handler.readdir(handle)
                    found.extend(name.filename for name in names)
            except SFTPEOFError:
                pass
            print(json.dumps({"count": len(found), "first": [name.hex() for name in found[:20]]}))
            return
        about = await client.lstat(path)
        first = await reading(client, path, most)
        second = await reading(client, path, most)
        later = await client.lstat(path)
        print(json.dumps({
            "size": about.size, "later": later.size, "mode": about.permissions, "bytes": first[0],
            "longest": first[1], "digests": [first[2], second[2]],
        }))


asyncio.run(asyncio.wait_for(main(), 60))
