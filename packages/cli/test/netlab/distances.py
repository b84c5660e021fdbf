#!/usr/bin/env python3
"""Networks that are far apart, on one machine.

Reads a line of JSON from standard input:

    {"nodes": {"fra": {"ip": "10.77.0.2", "lat": 50.1, "lon": 8.7}, ...}, "pathFactor": 1.5, "fibreKmPerMs": 204.2, "accessMs": 1}

For each node it makes a network namespace with one TUN device, and carries IPv4 packets between them, each after the
time that light in fibre takes for the great circle times pathFactor, and accessMs. A packet is never early. Answers
with one line, {"ready": {"fra": "/proc/PID/fd/N", ...}}: what `nsenter --net=` takes. Then reads `cut A B`, `cut A`,
`join A B`, `join A`, and answers each with a line.

Ends with its standard input. Namespaces have no name and devices are not kept: nothing of them outlives this process
and those within. Needs the right to make namespaces and TUN devices (root, as a rule), and Python 3 alone.
"""
import ctypes
import fcntl
import heapq
import json
import math
import os
import select
import socket
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
SIOCSIFADDR, SIOCSIFNETMASK, SIOCSIFMTU = 0x8916, 0x891C, 0x8922
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
DEVICE = b"far0"
MTU = 1400
PACKETS_WAITING_MAX = 50_000
READS_AT_ONCE = 64
EARTH_KM = 6371.0

libc = ctypes.CDLL(None, use_errno=True)


def check(outcome, what):
    if outcome != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def set_up(name, address=None):
    """Brings a device of the present namespace up, with an address of a /16 where one is given."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        def of_address(ip):
            return struct.pack("16sHH4s8x", name, socket.AF_INET, 0, socket.inet_aton(ip))

        if address is not None:
            fcntl.ioctl(control, SIOCSIFADDR, of_address(address))
            fcntl.ioctl(control, SIOCSIFNETMASK, of_address("255.255.0.0"))
            fcntl.ioctl(control, SIOCSIFMTU, struct.pack("16si", name, MTU))
        flags = struct.unpack("16sH", fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sH", name, 0)))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH", name, flags | IFF_UP))


def make_namespace(address):
    """A namespace of its own with a TUN device; the process is in it afterwards."""
    check(libc.unshare(CLONE_NEWNET), "no network namespace")
    namespace = os.open("/proc/self/ns/net", os.O_RDONLY)
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22s", DEVICE, IFF_TUN | IFF_NO_PI, b""))
    set_up(b"lo")
    set_up(DEVICE, address)
    return namespace, device


def great_circle_km(a, b):
    north_a, north_b, east_a, east_b = map(math.radians, (a["lat"], b["lat"], a["lon"], b["lon"]))
    h = math.sin((north_b - north_a) / 2) ** 2
    h += math.cos(north_a) * math.cos(north_b) * math.sin((east_b - east_a) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(h))


class World:
    def __init__(self, plan):
        nodes = plan["nodes"]
        self.delay_s = {
            (a, b): (great_circle_km(nodes[a], nodes[b]) * plan["pathFactor"] / plan["fibreKmPerMs"] + plan["accessMs"]) / 1000
            for a in nodes
            for b in nodes
            if a != b
        }
        self.waiting, self.count, self.cut = [], 0, set()
        self.names, self.by_ip, self.namespaces = {}, {}, {}
        for name, node in nodes.items():
            self.namespaces[name], device = make_namespace(node["ip"])
            self.names[device] = name
            self.by_ip[socket.inet_aton(node["ip"])] = (name, device)

    def take(self, device):
        """Reads packets that a node sends, and lets each wait for its time."""
        source = self.names[device]
        for _ in range(READS_AT_ONCE):
            try:
                packet = os.read(device, MTU + 100)
            except BlockingIOError:
                return
            target = self.by_ip.get(packet[16:20])
            if target is None or target[0] == source or (source, target[0]) in self.cut:
                continue
            if len(self.waiting) >= PACKETS_WAITING_MAX:
                continue
            self.count += 1
            due = time.monotonic() + self.delay_s[source, target[0]]
            heapq.heappush(self.waiting, (due, self.count, target[1], packet))

    def deliver(self):
        """Hands over every packet whose time has come."""
        while self.waiting and self.waiting[0][0] <= time.monotonic():
            _, _, device, packet = heapq.heappop(self.waiting)
            try:
                os.write(device, packet)
            except OSError:
                pass  # a full queue drops packets, as networks do

    def rule(self, words):
        verb, a, others = words[0], words[1], words[2:] or list(self.namespaces)
        pairs = {pair for b in others for pair in ((a, b), (b, a))}
        self.cut = self.cut | pairs if verb == "cut" else self.cut - pairs

    def run(self):
        waiting = select.epoll()
        for descriptor in [0, *self.names]:
            waiting.register(descriptor, select.EPOLLIN)
        text = b""
        while True:
            self.deliver()
            wait_s = max(0, self.waiting[0][0] - time.monotonic()) if self.waiting else -1
            for descriptor, _ in waiting.poll(wait_s):
                if descriptor != 0:
                    self.take(descriptor)
                    continue
                chunk = os.read(0, 4096)
                if not chunk:
                    return
                *lines, text = (text + chunk).split(b"\n")
                for line in lines:
                    self.rule(line.decode().split())
                    say({"did": line.decode()})


def say(document):
    print(json.dumps(document), flush=True)


def first_line():
    """The plan, read byte by byte so that nothing after it is taken."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            sys.exit(0)
        line += byte
    return line


try:
    world = World(json.loads(first_line()))
except OSError as error:
    say({"refused": str(error)})
    sys.exit(1)
say({"ready": {name: f"/proc/{os.getpid()}/fd/{number}" for name, number in world.namespaces.items()}})
world.run()
