#!/usr/bin/env python3
"""A server of the tests, and for nothing else: mail (SMTP) over TLS or STARTTLS, or a webhook over HTTPS, on loopback.

It takes synthetic notices, writes what it has taken into a folder, a file each, and misbehaves as it is told: the first
word of the file 'behaviour' in that folder counts for each new connection. Every line that it hears goes into 'heard'.
"""

import argparse
import base64
import os
import socket
import ssl
import threading
import time

USER, PASSWORD, TOKEN = b"batchward", b"synthetic-password", b"synthetic-token"


class Cut(Exception):
    """The connection is to end here."""


def take(box, what):
    with lock:
        number = len([name for name in os.listdir(box) if name.startswith("taken-")]) + 1
        part = os.path.join(box, ".part")
        with open(part, "wb") as file:
            file.write(what)
        os.rename(part, os.path.join(box, f"taken-{number:04}"))


def note(box, line, name="heard"):
    with lock, open(os.path.join(box, name), "ab") as file:
        file.write(line.rstrip(b"\r\n") + b"\n")


class Mail:
    def __init__(self, connection, context, options, behaviour):
        self.connection, self.context, self.options = connection, context, options
        self.name, _, self.number = behaviour.partition(":")
        self.heard = 0
        self.file = None

    def secure(self):
        self.connection = self.context.wrap_socket(self.connection, server_side=True)
        self.file = self.connection.makefile("rb")

    def say(self, text):
        if self.name == "cut" and self.heard == int(self.number):
            raise Cut
        self.connection.sendall(text.encode() + b"\r\n")

    def line(self):
        line = self.file.readline(100_000)
        if not line:
            raise Cut
        self.heard += 1
        note(self.options.box, line)
        return line

    def greet(self):
        if self.name == "greeting-later":
            self.say("421 too busy")
            raise Cut
        if self.name == "banner-giant":
            for _ in range(200_000):
                self.say("220-" + "x" * 100)
        if self.name == "line-giant":
            self.connection.sendall(b"220 ")
            for _ in range(200):
                self.connection.sendall(b"x" * 100_000)
        if self.name == "no-reply":
            self.say("good morning")
            raise Cut
        self.say("220 synthetic")

    def hello(self, secured):
        self.line()
        self.say("250-synthetic")
        if not secured and self.name != "no-starttls":
            self.say("250-STARTTLS")
        if secured and self.name not in ("no-auth", "login"):
            self.say("250-AUTH PLAIN LOGIN")
        if secured and self.name == "login":
            self.say("250-AUTH LOGIN")
        self.say("250 8BITMIME")

    def run(self):
        if self.options.kind == "mail-starttls":
            self.file = self.connection.makefile("rb", buffering=0)
            self.greet()
            self.hello(False)
            assert self.line() == b"STARTTLS\r\n"
            if self.name == "early":
                self.connection.sendall(b"220 go\r\n250 said before TLS\r\n")
            else:
                self.say("220 go")
            self.secure()
        else:
            if self.name == "plain":
                self.connection.sendall(b"220 no TLS here\r\n")
                raise Cut
            self.secure()
            self.greet()
        self.hello(True)
        self.log_in()
        self.mail()

    def log_in(self):
        line = self.line()
        if line.startswith(b"AUTH PLAIN "):
            good = base64.b64decode(line[11:]) == b"\0" + USER + b"\0" + PASSWORD
        else:
            assert line == b"AUTH LOGIN\r\n"
            self.say("334 VXNlcm5hbWU6")
            user = base64.b64decode(self.line())
            self.say("334 UGFzc3dvcmQ6")
            good = (user, base64.b64decode(self.line())) == (USER, PASSWORD)
        if not good or self.name == "wrong-password":
            self.say("535 no")
            raise Cut
        self.say("235 welcome")

    def mail(self):
        sender = self.line()
        self.say("553 not yours" if self.name == "sender-refused" else "250 ok")
        to = self.line()
        answers = {"later": "451 later", "refused": "550 nobody of this name"}
        self.say(answers.get(self.name, "250 ok"))
        if self.name in answers:
            raise Cut
        assert self.line() == b"DATA\r\n"
        self.say("354 go on")
        mail = b""
        while True:
            line = self.file.readline(100_000)
            if not line:
                raise Cut
            if line == b".\r\n":
                break
            mail += line[1:] if line.startswith(b".") else line
        self.heard += 1
        if self.name == "data-refused":
            self.say("554 not this")
            raise Cut
        if not (self.name == "cut" and self.heard == int(self.number)):
            take(self.options.box, sender + to + mail)
        self.say("250 taken")
        if self.line() == b"QUIT\r\n":
            self.say("221 bye")


class Hook:
    def __init__(self, connection, context, options, behaviour):
        self.connection = context.wrap_socket(connection, server_side=True)
        self.options = options
        self.name, _, self.number = behaviour.partition(":")

    def run(self):
        file = self.connection.makefile("rb")
        head = []
        while (line := file.readline(10_000).rstrip(b"\r\n")):
            note(self.options.box, line)
            head.append(line)
        fields = dict(line.split(b": ", 1) for line in head[1:])
        body = file.read(int(fields[b"Content-Length"]))
        code = "200"
        if fields[b"Authorization"] != b"Bearer " + TOKEN:
            code = "401"
        if self.name == "answers":
            code = self.number
        if self.name == "cut":
            raise Cut
        if self.name == "giant":
            self.connection.sendall(b"HTTP/1.1 " + b"2" * 1_000_000)
            raise Cut
        if code == "200":
            take(self.options.box, head[0] + b"\n" + body)
        more = "Location: https://localhost/elsewhere\r\n" if code.startswith("3") else ""
        text = "x" * (5_000_000 if self.name == "long" else 10)
        self.connection.sendall(f"HTTP/1.1 {code} X\r\n{more}\r\n{text}".encode())


def serve(connection, context, options):
    behaviour = "ok"
    note(options.box, b"came", "connected")
    try:
        with open(os.path.join(options.box, "behaviour"), encoding="ascii") as file:
            behaviour = file.read().strip()
    except FileNotFoundError:
        pass
    if behaviour == "silent":
        time.sleep(600)
    kind = Hook if options.kind == "webhook" else Mail
    session = None
    try:
        connection.settimeout(60)
        session = kind(connection, context, options, behaviour)
        session.run()
    except (Cut, OSError, AssertionError, ValueError):
        pass
    finally:
        (session.connection if session else connection).close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["mail-tls", "mail-starttls", "webhook"])
    parser.add_argument("--box", required=True)
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    listener = socket.create_server(("127.0.0.1", options.port))
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, context, options), daemon=True).start()


lock = threading.Lock()
main()
