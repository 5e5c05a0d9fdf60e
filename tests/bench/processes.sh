#!/usr/bin/env bash
# Whole processes, certkit beside the programs it stands in for: time on the clock (min and median) and processor time
# (user + system), each as a ratio to certkit. Works from any clone; needs hyperfine and Python, and says which of the
# other programs are missing.
#
#   bash tests/bench/processes.sh            build, then measure everything
#   CERTKIT=path/to/certkit RUNS=200 bash tests/bench/processes.sh new
#   TRUST_STORES=nss bash tests/bench/processes.sh issue      mkcert without its look at the system's trust store
#
# Exits 1 where `new` takes more than half of openssl's time or a third of mkcert's, or `ca issue` more than half of mkcert's or
# more than minica's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

runs=${RUNS:-100}
missing=0
for needed in hyperfine python3; do
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
cd "$work"
# Neither program may find or make a CA of the user's. mkcert looks at each run whether the system trusts its CA, unless
# TRUST_STORES leaves that out; it installs nothing here.
export CAROOT=$work/mkcert XDG_DATA_HOME=$work/data
mkdir -p "$CAROOT" "$XDG_DATA_HOME"

# have NAME: whether a program is there; says so where it is not.
have() {
    command -v "$1" >/dev/null || { echo "missing: $1, left out"; return 1; }
}

# measure TITLE NAME COMMAND [NAME COMMAND...]: the first is certkit. Commands run without a shell, in turns of rounds,
# so that a busy machine slows all of them alike.
measure() {
    local title=$1 round arguments=()
    shift
    while [ $# -gt 0 ]; do
        arguments+=(--command-name "$1" "$2")
        shift 2
    done
    for round in 1 2 3 4 5; do
        hyperfine -N --style none --warmup 3 --runs "$((runs / 5 + 1))" --export-json "round-$round.json" \
            "${arguments[@]}" >hyperfine.log 2>&1 || { cat hyperfine.log >&2; return 1; }
    done
    local status=0
    python3 - "$title" round-*.json <<'PYTHON' || status=1
import json, statistics, sys

limits = {
    "new": {"openssl": 0.5, "mkcert": 1 / 3},
    "issue": {"mkcert": 0.5, "mkcert -ecdsa": 0.5, "minica": 1},
}
title, rounds = sys.argv[1], [json.load(open(name))["results"] for name in sys.argv[2:]]
names = [result["command"] for result in rounds[0]]
wall = {name: [time for results in rounds for time in results[at]["times"]] for at, name in enumerate(names)}
cpu = {name: min(results[at]["user"] + results[at]["system"] for results in rounds) for at, name in enumerate(names)}
print(f"\n{title}: {len(wall[names[0]])} runs each, in milliseconds")
print(f"  {'':<24}{'min':>9}{'median':>9}{'processor':>11}   certkit's share of it: min, median, processor")
own, over = names[0], False
for name in names:
    values = [min(wall[name]), statistics.median(wall[name]), cpu[name]]
    line = f"  {name:<24}" + "".join(f"{value * 1e3:>{width}.2f}" for value, width in zip(values, (9, 9, 11)))
    if name != own:
        shares = [min(wall[own]) / values[0], statistics.median(wall[own]) / values[1], cpu[own] / values[2]]
        line += "   " + ", ".join(f"{share:.2f}" for share in shares)
        limit = limits.get(title.split()[0], {}).get(name)
        if limit is not None:
            good = shares[0] <= limit
            over |= not good
            line += f"   {'within' if good else 'OVER'} {limit:.2f}"
    print(line)
sys.exit(1 if over else 0)
PYTHON
    rm -f round-*.json
    return "$status"
}

# What the process costs that does nothing but start: the floor under everything else.
bench_start() {
    local commands=(certkit "$certkit --version")
    if have openssl; then commands+=(openssl "openssl version"); fi
    if have mkcert; then commands+=(mkcert "mkcert -version"); fi
    measure "start" "${commands[@]}"
}

bench_new() {
    "$certkit" new --help >/dev/null 2>&1 || { echo "this certkit has no \`new\` yet, left out"; return 0; }
    local commands=(certkit "$certkit new --cn localhost --force --quiet --out certkit.pem --keyout certkit-key.pem")
    if have openssl; then
        commands+=(openssl "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
            -subj /CN=localhost -addext subjectAltName=DNS:localhost -out openssl.pem -keyout openssl-key.pem")
    fi
    if have mkcert; then
        # The first certificate makes the CA, in CAROOT; nothing is installed anywhere.
        mkcert -ecdsa -cert-file mkcert.pem -key-file mkcert-key.pem localhost >/dev/null 2>&1
        commands+=(mkcert "mkcert -cert-file mkcert.pem -key-file mkcert-key.pem localhost")
        commands+=("mkcert -ecdsa" "mkcert -ecdsa -cert-file mkcert.pem -key-file mkcert-key.pem localhost")
    fi
    measure "new (P-256, self-signed; mkcert: RSA unless told, by its CA)" "${commands[@]}"
}

bench_issue() {
    "$certkit" ca init --ca "$work/ca" --quiet >/dev/null
    local commands=(certkit "$certkit ca issue localhost --ca $work/ca --force --quiet --out issued.pem --keyout issued-key.pem")
    if have mkcert; then
        mkcert -ecdsa -cert-file mkcert.pem -key-file mkcert-key.pem localhost >/dev/null 2>&1
        commands+=(mkcert "mkcert -cert-file mkcert.pem -key-file mkcert-key.pem localhost")
        commands+=("mkcert -ecdsa" "mkcert -ecdsa -cert-file mkcert.pem -key-file mkcert-key.pem localhost")
    fi
    # Debian's package of that name is another program.
    if ! minica --help 2>&1 | grep -q -e -domains; then
        echo "missing: minica (github.com/jsha/minica), left out"
    else
        # minica makes a folder for each name and refuses one that is there.
        minica -domains first.test >/dev/null 2>&1
        commands+=(minica "sh -c 'rm -rf localhost; minica -domains localhost'")
    fi
    measure "issue (key and P-256 certificate from a CA; mkcert, minica: RSA unless told)" "${commands[@]}"
}

bench_verify() {
    "$certkit" verify --help >/dev/null 2>&1 || { echo "this certkit has no \`verify\` yet, left out"; return 0; }
    have openssl || return 0
    local subject=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30)
    local ca="basicConstraints=critical,CA:TRUE" usage="keyUsage=critical,keyCertSign,cRLSign"
    {
        openssl req -x509 "${subject[@]}" -subj /CN=root -addext "$usage" -keyout root-key.pem -out root.pem
        printf '%s\n%s\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' "$ca" "$usage" >ca.ext
        openssl req -new "${subject[@]}" -subj /CN=issuing -keyout issuing-key.pem -out issuing.csr
        openssl x509 -req -in issuing.csr -CA root.pem -CAkey root-key.pem -days 30 -extfile ca.ext -out issuing.pem
        printf '%s\n' 'subjectAltName=DNS:api.test' 'extendedKeyUsage=serverAuth' 'keyUsage=digitalSignature' \
            'subjectKeyIdentifier=hash' 'authorityKeyIdentifier=keyid' >leaf.ext
        openssl req -new "${subject[@]}" -subj /CN=api.test -keyout leaf-key.pem -out leaf.csr
        openssl x509 -req -in leaf.csr -CA issuing.pem -CAkey issuing-key.pem -days 30 -extfile leaf.ext -out leaf.pem
    } >openssl.log 2>&1 || { cat openssl.log; return 1; }
    cat leaf.pem issuing.pem >chain.pem
    measure "verify (P-256 chain of three, host)" \
        certkit "$certkit verify chain.pem --roots root.pem --host api.test" \
        openssl "openssl verify -CAfile root.pem -untrusted issuing.pem -verify_hostname api.test leaf.pem"

    # Each with a serial number of its own, so that no signature is checked once for all.
    mkdir many
    for number in $(seq 1000); do
        openssl x509 -req -in leaf.csr -CA issuing.pem -CAkey issuing-key.pem -days 30 -extfile leaf.ext \
            -out "many/$number.pem" >openssl.log 2>&1 || { cat openssl.log; return 1; }
    done
    local status=0
    runs=10 measure "verify of 1000 such chains in one process, on all cores" \
        certkit "$certkit verify --batch many --no-host --quiet --roots root.pem --intermediates issuing.pem" \
        openssl "sh -c 'openssl verify -CAfile root.pem -untrusted issuing.pem many/*.pem >/dev/null'" || status=1
    rm -rf many
    return "$status"
}

all=(start new issue verify)
[ $# -gt 0 ] || set -- "${all[@]}"
failed=0
for what; do
    [[ " ${all[*]} " == *" $what "* ]] || { echo "no comparison '$what': ${all[*]}" >&2; exit 2; }
    "bench_$what" || failed=1
done
exit "$failed"
