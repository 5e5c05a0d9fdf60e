#!/usr/bin/env bash
# How a CA's ledger grows, by whole processes: issue, show, list a name, revoke and sign a revocation list with a hundred, ten
# thousand and a million revoked certificates in it; and what a batch takes in memory. Time is the quickest of several runs,
# memory the most that any of them had at once (maximum resident set).
#
#   bash tests/bench/growth.sh            build, then measure everything
#   CERTKIT=path/to/certkit ROWS="100 10000" BATCHES="1000 10000" bash tests/bench/growth.sh
#
# The ledger is filled past certkit, a transaction for each would take an hour: copies of one certificate with serial numbers,
# fingerprints and names of their own, all of them revoked. Everything lies in TMPDIR; a million rows and their list take 2 GB
# of it, and each line of a batch two files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

command -v python3 >/dev/null || { echo "missing: python3" >&2; exit 2; }
certkit=${CERTKIT:-}
if [ -z "$certkit" ]; then
    cargo build --release --bin certkit
    certkit=${CARGO_TARGET_DIR:-target}/release/certkit
fi
certkit=$(realpath "$certkit")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export ROWS=${ROWS:-100 10000 1000000} BATCHES=${BATCHES:-1000 10000 100000}

python3 - "$certkit" <<'PYTHON'
import os, shutil, sqlite3, sys, time

certkit = sys.argv[1]


def run(*arguments, times=1):
    """Seconds of the quickest run, and the most memory of any in MiB. A `{}` in an argument is the run's number."""
    quickest, most = float("inf"), 0
    for number in range(times):
        words = [certkit, *(word.replace("{}", str(number)) for word in arguments)]
        begun = time.monotonic()
        child = os.fork()
        if child == 0:
            os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
            os.execv(certkit, words)
        _, status, usage = os.wait4(child, 0)
        quickest = min(quickest, time.monotonic() - begun)
        most = max(most, usage.ru_maxrss / 1024)
        if status:
            sys.exit(f"{' '.join(words)} failed")
    return quickest, most


def fill(path, rows):
    """Adds revoked certificates: copies of the last one."""
    database = sqlite3.connect(path)
    columns = [column[1] for column in database.execute("PRAGMA table_info(certificates)")]
    last = dict(zip(columns, database.execute("SELECT * FROM certificates ORDER BY id DESC LIMIT 1").fetchone()))
    added = ", ".join(columns)
    holes = ", ".join("?" * len(columns))
    row = dict(last, revoked_at=last["issued_at"], reason=4)

    def copies():
        for number in range(1, rows + 1):
            # Serial numbers come in no order.
            spread = (number * 0x9E3779B97F4A7C15) % 2**64
            serial = b"\x40" + spread.to_bytes(8, "big") + number.to_bytes(7, "big")
            row.update(id=last["id"] + number, serial=serial, fingerprint=serial * 2, names=f'["dns:h{number}.test"]')
            yield [row[column] for column in columns]

    with database:
        database.executemany(f"INSERT INTO certificates ({added}) VALUES ({holes})", copies())
        database.execute(
            "INSERT INTO names (name, certificate) SELECT substr(json_extract(names, '$[0]'), 5), id FROM certificates"
            " WHERE id > ?", (last["id"],))
        database.execute(
            "INSERT INTO revocations (authority, certificate, revoked_at, reason)"
            " SELECT authority, id, revoked_at, reason FROM certificates WHERE id > ?", (last["id"],))
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


quiet = ["--quiet"]
print("milliseconds (MiB) with so many revoked certificates in the ledger")
print(f"{'':10} {'issue':>14} {'show SERIAL':>14} {'list --name':>14} {'revoke':>14} {'crl':>18}  size of the list")
for rows in map(int, os.environ["ROWS"].split()):
    os.environ["CERTKIT_CA"] = os.path.abspath(f"ca-{rows}")
    run("ca", "init", "--name", "Bench CA", *quiet)
    run("ca", "issue", "first.test", "--force", *quiet)
    ledger = os.path.join(os.environ["CERTKIT_CA"], "ledger.db")
    fill(ledger, rows)
    database = sqlite3.connect(ledger)
    (serial,) = database.execute("SELECT hex(serial) FROM certificates ORDER BY id DESC LIMIT 1").fetchone()
    database.close()
    # What was written a moment ago is written to the disk now, not while something is measured.
    os.sync()
    cells = [
        run("ca", "issue", "new{}.test", "--force", *quiet, times=20),
        run("ca", "show", serial, *quiet, times=20),
        run("ca", "list", "--name", f"h{rows // 3 or 1}.test", *quiet, times=20),
        run("ca", "revoke", "new{}.test", *quiet, times=20),
        run("ca", "crl", "--out", "list.der", "--force", *quiet, times=3),
    ]
    shown = [f"{seconds * 1000:8.1f} ({memory:3.0f})" for seconds, memory in cells]
    size = os.path.getsize("list.der")
    print(f"{rows:10,} {shown[0]:>14} {shown[1]:>14} {shown[2]:>14} {shown[3]:>14} {shown[4]:>18}  {size / 1e6:.1f} MB")
    sys.stdout.flush()
    shutil.rmtree(os.environ["CERTKIT_CA"])

print("\nissue --batch: seconds (MiB)")
for lines in map(int, os.environ["BATCHES"].split()):
    os.environ["CERTKIT_CA"] = os.path.abspath(f"ca-batch-{lines}")
    run("ca", "init", "--name", "Bench CA", *quiet)
    with open("names.txt", "w") as names:
        names.writelines(f"n{number}.test\n" for number in range(lines))
    seconds, memory = run("ca", "issue", "--batch", "names.txt", "--out-dir", "issued", *quiet)
    print(f"{lines:10,} {seconds:8.1f} ({memory:.0f})   {lines / seconds:,.0f} a second")
    sys.stdout.flush()
    shutil.rmtree("issued")
    shutil.rmtree(os.environ["CERTKIT_CA"])
PYTHON
