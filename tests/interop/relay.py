#!/usr/bin/env python3
"""relay.py -- stand between a client and its server, and run a command when one packet comes by.

    relay.py ADDRESS SERVER WHAT seen|lost COMMAND...

UDP port 1701 of ADDRESS is relayed to that of SERVER, for one client.  When the packet WHAT
comes by for the first time COMMAND is run, which does the server some harm, and only then the
packet goes on (seen) or not (lost): however slow this is, nothing that comes after the packet
can come before the harm.  A line says that it is done.  It runs until it is told to end.
"""
import select
import socket
import struct
import subprocess
import sys

LCP, IPCP, CHAP = 0xc021, 0x8021, 0xc223
TO_CLIENT, TO_SERVER = 0, 1
WHATS = {                       # which way; an L2TP message type, or PPP protocol and code
    'icrq': (TO_SERVER, 10),
    'iccn': (TO_SERVER, 12),
    'lcp-ack': (TO_CLIENT, (LCP, 2)),
    'response': (TO_SERVER, (CHAP, 2)),
    'success': (TO_CLIENT, (CHAP, 3)),
    'ipcp-ack': (TO_CLIENT, (IPCP, 2)),
}


def kind(packet):
    """The control message's type, or (protocol, code) of a PPP control packet, or None."""
    flags, = struct.unpack_from('!H', packet)
    if flags & 0x8000:                          # control: the first AVP's value
        return struct.unpack_from('!H', packet, 18)[0] if len(packet) >= 20 else None
    at = 2 + (2 if flags & 0x4000 else 0) + 4 + (4 if flags & 0x0800 else 0)
    if flags & 0x0200:
        at += 2 + struct.unpack_from('!H', packet, at)[0]
    if packet[at:at + 2] == b'\xff\x03':
        at += 2
    return struct.unpack_from('!HB', packet, at) if len(packet) >= at + 3 else None


def main():
    address, server, what, seen = sys.argv[1:5]
    way, wanted = WHATS[what]
    outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outside.bind((address, 1701))
    inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inside.bind((address, 0))
    client, done = None, False
    while True:
        for end in select.select([outside, inside], [], [])[0]:
            packet, sender = end.recvfrom(65536)
            direction = TO_SERVER if end is outside else TO_CLIENT
            if direction == TO_SERVER:
                client = sender
            if not done and direction == way and kind(packet) == wanted:
                subprocess.run(sys.argv[5:], check=True)
                done = True
                print('done', flush=True)
                if seen != 'seen':
                    continue
            try:
                if direction == TO_SERVER:
                    inside.sendto(packet, (server, 1701))
                elif client:
                    outside.sendto(packet, client)
            except OSError:                     # nobody there for the moment
                pass


main()
