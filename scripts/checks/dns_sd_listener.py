#!/usr/bin/env python3
"""Asks for a service by multicast DNS and looks at the answer; Python's standard library and nothing else.

    dns_sd_listener.py announced TYPE HOST PORT KEY=VALUE...   it is there, with exactly this TXT record, and an address
    dns_sd_listener.py goodbye TYPE                            it says goodbye
    dns_sd_listener.py silence TYPE                            nobody answers
"""
import socket
import struct
import sys
import time

GROUP, PORT = "224.0.0.251", 5353
A, PTR, TXT, AAAA, SRV = 1, 12, 16, 28, 33
PATIENCE = 60


def name_at(packet, at):
    """The name at a place of a packet, and where it ends there."""
    labels, end = [], None
    while True:
        length = packet[at]
        if length & 0xC0 == 0xC0:
            end = end if end is not None else at + 2
            at = (length & 0x3F) << 8 | packet[at + 1]
        elif length == 0:
            return ".".join(labels), end if end is not None else at + 1
        else:
            labels.append(packet[at + 1 : at + 1 + length].decode())
            at += 1 + length


def records(packet):
    """Every record of an answer: name, type, time to live, and its data as the packet and a range."""
    _, flags, questions, *counts = struct.unpack("!6H", packet[:12])
    if not flags & 0x8000:
        return
    at = 12
    for _ in range(questions):
        at = name_at(packet, at)[1] + 4
    for _ in range(sum(counts)):
        name, at = name_at(packet, at)
        kind, _, ttl, length = struct.unpack("!HHIH", packet[at : at + 10])
        at += 10
        yield name, kind, ttl, at, length
        at += length


def listening_socket():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("", PORT))
    member = socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    sock.settimeout(0.5)
    return sock


def ask(sock, name, kind):
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    sock.sendto(struct.pack("!6H", 0, 0, 1, 0, 0, 0) + question + b"\0" + struct.pack("!HH", kind, 1), (GROUP, PORT))


def packets(sock, seconds, again=lambda: None):
    """What arrives, our own questions too, while the question is asked again every second."""
    due = time.monotonic()
    end = due + seconds
    while (now := time.monotonic()) < end:
        if now >= due:
            again()
            due = now + 1
        try:
            yield sock.recv(9000)
        except TimeoutError:
            pass


def announced(service, host, port, expected):
    sock = listening_socket()
    seen = {}
    instance = None

    def again():
        ask(sock, service, PTR)
        if instance:
            ask(sock, instance, SRV)
            ask(sock, instance, TXT)
            ask(sock, host, A)

    for packet in packets(sock, PATIENCE, again):
        for name, kind, ttl, at, length in records(packet):
            if kind == PTR and name == service and ttl:
                instance = name_at(packet, at)[0]
            elif kind == SRV and name == instance:
                seen["port"] = struct.unpack("!H", packet[at + 4 : at + 6])[0]
                seen["host"] = name_at(packet, at + 6)[0]
            elif kind == TXT and name == instance:
                text, end = [], at + length
                while at < end:
                    text.append(packet[at + 1 : at + 1 + packet[at]].decode())
                    at += 1 + packet[at]
                seen["text"] = text
            elif kind == A and name == host:
                seen["address"] = socket.inet_ntoa(packet[at : at + 4])
        if len(seen) == 4:
            break
    wanted = {"port": port, "host": host, "text": expected, "address": "127.0.0.1"}
    seen["text"] = sorted(seen.get("text", []))
    wanted["text"] = sorted(expected)
    assert seen == wanted, f"{seen} is not {wanted}"


def goodbye(service):
    sock = listening_socket()
    print("listening", flush=True)
    for packet in packets(sock, PATIENCE):
        if any(kind == PTR and name == service and ttl == 0 for name, kind, ttl, _, _ in records(packet)):
            return
    sys.exit("nobody said goodbye")


def silence(service):
    sock = listening_socket()
    for packet in packets(sock, 3, lambda: ask(sock, service, PTR)):
        found = [name for name, kind, _, _, _ in records(packet) if kind == PTR and name == service]
        assert not found, f"somebody announces {service}"


match sys.argv[1:]:
    case ["announced", service, host, port, *text]:
        announced(service, host, int(port), text)
    case ["goodbye", service]:
        goodbye(service)
    case ["silence", service]:
        silence(service)
    case _:
        sys.exit(__doc__)
