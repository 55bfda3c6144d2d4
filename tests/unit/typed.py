"""Runs a command line on a terminal of its own, and types an answer whenever it asks for a passphrase.

Arguments: the answers, '--', the command line. Standard output gets everything that the terminal showed; the exit code
is the command's.
"""

import os
import pty
import sys
import time

cut = sys.argv.index("--")
answers, line = sys.argv[1:cut], sys.argv[cut + 1 :]
child, terminal = pty.fork()
if child == 0:
    os.execv(line[0], line)
shown = b""
asked = 0
while True:
    try:
        more = os.read(terminal, 4096)
    except OSError:
        more = b""
    if not more:
        break
    shown += more
    while asked < len(answers) and shown.count(b": ") > asked and shown.endswith(b": "):
        answer = b"\x03" if answers[asked] == "^C" else answers[asked].encode() + b"\r"
        asked += 1
        time.sleep(0.05)
        os.write(terminal, answer)
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(status))
