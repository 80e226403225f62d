#!/usr/bin/env python3
"""telnet.py -- a terminal for tests: connect, send lines, print what comes back.

    telnet.py HOST PORT SECONDS LINE...

Each LINE is sent when a prompt (ends with >, #, or :) has come.  A LINE `@stall` stops reading for
SECONDS; `@read` only reads, for as long.  Telnet negotiation is refused.
"""
import socket
import sys
import time

host, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
link = socket.create_connection((host, port), timeout=seconds)
link.settimeout(0.2)
seen = b""
end = time.time() + seconds


def clean(data):
    out = bytearray()
    at = 0
    while at < len(data):
        if data[at] == 255 and at + 2 < len(data):
            if data[at + 1] in (251, 252, 253, 254):
                at += 3
                continue
        out.append(data[at])
        at += 1
    return bytes(out)


def read_on():
    stop = time.time() + seconds
    while time.time() < stop:
        try:
            data = link.recv(65536)
        except socket.timeout:
            continue
        if not data:
            return
        sys.stdout.write(clean(data).decode("latin-1"))


def until_prompt():
    got = b""
    while time.time() < end:
        try:
            data = link.recv(65536)
        except socket.timeout:
            if got.rstrip()[-1:] in (b">", b"#", b":"):
                return got
            continue
        except OSError:
            return got
        if not data:
            return got
        got += clean(data)
    return got


sys.stdout.write(until_prompt().decode("latin-1"))
for line in sys.argv[4:]:
    if line == "@stall":
        time.sleep(seconds)
        continue
    if line == "@read":
        read_on()
        continue
    try:
        link.sendall(line.encode() + b"\r\n")
    except OSError:
        break
    sys.stdout.write(until_prompt().decode("latin-1"))
    sys.stdout.flush()
link.close()
