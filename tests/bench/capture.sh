#!/usr/bin/env bash
# A large recording, read by certkit and by tshark: time on the clock, and the most memory each took. Works from any clone;
# needs Python and tshark.
#
#   bash tests/bench/capture.sh              64 MB
#   MEGABYTES=1024 bash tests/bench/capture.sh
#   CERTKIT=path/to/certkit bash tests/bench/capture.sh
#
# The recording is that of tests/data/capture over and over from other ports, each time with BULK kilobytes of data.
# Exits 1 where certkit is not five times as fast as tshark, or takes more than 256 MB.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

missing=0
for needed in tshark python3; do
    command -v "$needed" >/dev/null || { echo "missing: $needed" >&2; missing=1; }
done
[ "$missing" -eq 0 ] || exit 2

certkit=${CERTKIT:-}
if [ -z "$certkit" ]; then
    cargo build --release --bin certkit
    certkit=${CARGO_TARGET_DIR:-target}/release/certkit
fi
certkit=$(realpath "$certkit")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 - "$work/big.pcap" "${MEGABYTES:-64}" "${BULK:-256}" <<'PYTHON'
import struct, sys

target, megabytes, bulk = sys.argv[1], int(sys.argv[2]) << 20, int(sys.argv[3]) << 10
data = open("tests/data/capture/https.pcap", "rb").read()
header, at, packets = data[:24], 24, []
while at < len(data):
    length = struct.unpack_from("<I", data, at + 8)[0]
    packets.append(bytearray(data[at:at + 16 + length]))
    at += 16 + length
IP, TCP = 16 + 14, 16 + 34
server = 4443
port = lambda packet, place: struct.unpack_from(">H", packet, TCP + place)[0]
body = lambda packet: len(packet) - TCP - (packet[TCP + 12] >> 4) * 4

# The data goes where the server's last packet with content ends.
last = max(
    i for i, packet in enumerate(packets) if port(packet, 0) == server and body(packet) > 0 and not packet[TCP + 13] & 1
)
record = b"\x17\x03\x03\x40\x00" + bytes(range(256)) * 64
stream = record * (bulk // len(record) + 1)
model, sequence = packets[last], struct.unpack_from(">I", packets[last], TCP + 4)[0] + body(packets[last])
inserted = []
for start in range(0, len(stream), 1448):
    payload = stream[start:start + 1448]
    packet = model[:TCP + (model[TCP + 12] >> 4) * 4] + payload
    struct.pack_into("<II", packet, 8, len(packet) - 16, len(packet) - 16)
    struct.pack_into(">H", packet, IP + 2, len(packet) - IP)
    struct.pack_into(">I", packet, TCP + 4, (sequence + start) & 0xffffffff)
    inserted.append(packet)
for packet in packets[last + 1:]:
    place = 4 if port(packet, 0) == server else 8
    number = struct.unpack_from(">I", packet, TCP + place)[0]
    if place == 4 or number > sequence - 1:
        struct.pack_into(">I", packet, TCP + place, (number + len(stream)) & 0xffffffff)
packets[last + 1:last + 1] = inserted
whole, places, at = bytearray(), [], 0
for packet in packets:
    places.append(at + TCP + (2 if port(packet, 0) == server else 0))
    whole += packet
    at += len(packet)
times = []
at = 0
for packet in packets:
    times.append((at, struct.unpack_from("<I", packet, 0)[0]))
    at += len(packet)
with open(target, "wb") as out:
    out.write(header)
    written = count = 0
    while written < megabytes:
        for place in places:
            struct.pack_into(">H", whole, place, 1024 + count % 60000)
        for place, second in times:
            struct.pack_into("<I", whole, place, second + count)
        out.write(whole)
        written += len(whole)
        count += 1
print(f"{written >> 20} MB, {count} connections, {count * len(packets)} packets")
PYTHON

python3 - "$certkit" "$work/big.pcap" <<'PYTHON'
import os, subprocess, sys, time

certkit, capture = sys.argv[1:]
# Once through the page cache, for both alike.
with open(capture, "rb") as file:
    while file.read(1 << 20):
        pass

def measure(command):
    begun = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{command[0]} failed")
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024

rows = {
    "certkit capture": min(measure([certkit, "capture", capture]) for _ in range(3)),
    "tshark -Y tls.handshake": measure(["tshark", "-r", capture, "-Y", "tls.handshake"]),
}
for name, (wall, processor, memory) in rows.items():
    print(f"  {name:<26}{wall:8.2f} s   processor {processor:7.2f} s   {memory:5} MB")
(one, own, memory), (other, theirs, much) = rows.values()
print(f"ratio of time, tshark to certkit            {other / one:6.1f}   at least 5")
print(f"ratio of processor time, tshark to certkit  {theirs / own:6.1f}")
print(f"ratio of memory, tshark to certkit          {much / memory:6.1f}")
print(f"peak memory of certkit                      {memory:6} MB, at most 256")
sys.exit(0 if other / one >= 5 and memory <= 256 else 1)
PYTHON
