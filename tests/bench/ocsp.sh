#!/usr/bin/env bash
# OCSP requests per second on loopback: `certkit ca ocsp --serve` beside `openssl ocsp` and cfssl's `ocspserve`, in one run
# on the same certificate. Needs openssl and ab (Debian's apache2-utils); leaves cfssl out where it is
# missing.
#
#   bash tests/bench/ocsp.sh              build, then measure everything
#   CERTKIT=path/to/certkit REQUESTS=50000 bash tests/bench/ocsp.sh
#
# Four loads: GET with a connection for each request; POST over connections that stay open (`openssl ocsp` closes each); POST
# with a connection each; and POST with a nonce, which is signed each time (cfssl knows none). cfssl 1.2, as Debian has it,
# fails on every GET, and gives answers that were signed before. `openssl ocsp` has two processes (-multi 2), as many as the
# others have threads on two cores; it stops for good at a client that connects and says nothing, as wrk does to begin with
# and ab now and then in the end, so it is started anew for each round. The servers take turns of rounds, so that a busy machine slows all of them alike; the best round counts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

for needed in openssl ab curl python3; do
    command -v "$needed" >/dev/null || { echo "missing: $needed" >&2; exit 2; }
done
certkit=${CERTKIT:-}
if [ -z "$certkit" ]; then
    cargo build --release --bin certkit
    certkit=${CARGO_TARGET_DIR:-target}/release/certkit
fi
certkit=$(realpath "$certkit")
requests=${REQUESTS:-10000}
rounds=${ROUNDS:-3}

work=$(mktemp -d)
servers=()
# `openssl ocsp -multi` leaves its children behind when it is ended alone, and they spin.
stop() {
    pkill -P "$1" 2>/dev/null || true
    kill "$1" 2>/dev/null || true
}
finish() {
    for server in "${servers[@]}"; do stop "$server"; done
    rm -rf "$work"
}
trap finish EXIT
cd "$work"
export CERTKIT_CA=$work/ca

"$certkit" ca init --name "Bench CA" --quiet >/dev/null
for name in a b c; do "$certkit" ca issue "$name.test" --quiet >/dev/null; done
"$certkit" ca revoke b.test --quiet >/dev/null
ca=$CERTKIT_CA/ca.pem
openssl ocsp -issuer "$ca" -cert a.test.pem -no_nonce -reqout plain.der
openssl ocsp -issuer "$ca" -cert a.test.pem -nonce -reqout nonce.der
"$certkit" ca ocsp --request plain.der --validity 1d --out kept.der --quiet >/dev/null

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
certkit_port=$(port) openssl_port=$(port) cfssl_port=$(port)

"$certkit" ca ocsp --serve "127.0.0.1:$certkit_port" --quiet >/dev/null &
servers+=($!)

# The ledger of `openssl ocsp`: the same three certificates.
for name in a b c; do
    serial=$(openssl x509 -in "$name.test.pem" -noout -serial | cut -d= -f2)
    end=$(date -u -d "$(openssl x509 -in "$name.test.pem" -noout -enddate | cut -d= -f2)" +%y%m%d%H%M%SZ)
    state="V\t$end\t" && [ "$name" != b ] || state="R\t$end\t$(date -u +%y%m%d%H%M%SZ)"
    printf '%b\t%s\tunknown\t/CN=%s.test\n' "$state" "$serial" "$name"
done >index.txt
sed -n '/BEGIN PRIVATE/,/END PRIVATE/p' "$CERTKIT_CA/ca.ocsp.pem" >responder-key.pem
sed -n '/BEGIN CERT/,/END CERT/p' "$CERTKIT_CA/ca.ocsp.pem" >responder.pem
openssl_serves() {
    openssl_port=$(port)
    openssl ocsp -index index.txt -port "$openssl_port" -CA "$ca" -rsigner responder.pem -rkey responder-key.pem -nmin 60 \
        -multi 2 >/dev/null 2>&1 &
    openssl_pid=$!
    servers+=("$openssl_pid")
    sleep 1
}
openssl_serves
names=(certkit openssl)
if command -v cfssl >/dev/null; then
    base64 -w0 kept.der >responses
    cfssl ocspserve -address 127.0.0.1 -port "$cfssl_port" -responses responses -loglevel 5 >/dev/null 2>&1 &
    servers+=($!)
    names+=(cfssl)
else
    echo "missing: cfssl, left out"
fi

path=$(python3 -c 'import base64, urllib.parse; print(urllib.parse.quote(base64.b64encode(open("plain.der", "rb").read()), safe=""))')
address() { local name=${1}_port; echo "http://127.0.0.1:${!name}"; }
for name in "${names[@]}"; do
    for _ in $(seq 100); do
        curl -s -o "answer-$name" -H 'Content-Type: application/ocsp-request' --data-binary @plain.der \
            "$(address "$name")/" && break || sleep 0.1
    done
    openssl ocsp -respin "answer-$name" -CAfile "$ca" -issuer "$ca" -cert a.test.pem -no_nonce 2>/dev/null |
        grep 'a.test.pem: good' >/dev/null || { echo "$name does not answer" >&2; exit 1; }
done

# load NAME KIND: requests per second, and requests that failed. ab counts answers of another length than the first as
# failed; ECDSA signatures differ by an octet or two, so those do not count.
load() {
    local arguments=(-q -c 16 -n "$requests")
    case $2 in
    get) arguments+=("$(address "$1")/$path") ;;
    open) arguments+=(-k -p plain.der -T application/ocsp-request "$(address "$1")/") ;;
    close) arguments+=(-p plain.der -T application/ocsp-request "$(address "$1")/") ;;
    nonce) arguments+=(-p nonce.der -T application/ocsp-request "$(address "$1")/") ;;
    esac
    timeout 60 ab "${arguments[@]}" 2>/dev/null | awk -F'[ ,:)]+' '
        /^Requests per second/ {rate = $4}
        /^Non-2xx/ {bad += $3}
        /Connect:.*Receive:/ {for (i = 1; i < NF; i++) if ($i ~ /Connect|Receive|Exceptions/) bad += $(i + 1)}
        END {print rate + 0, bad + 0}'
}

status=0
for kind in get open close nonce; do
    case $kind in
    get) title="GET, a connection each" ;;
    open) title="POST, connections that stay open" ;;
    close) title="POST, a connection each" ;;
    nonce) title="POST with a nonce, a connection each: signed each time" ;;
    esac
    echo "$title"
    declare -A best=()
    for _ in $(seq "$rounds"); do
        for name in "${names[@]}"; do
            case "$kind $name" in "get cfssl" | "nonce cfssl" | "open openssl") continue ;; esac
            [ "$name" != openssl ] || { stop "$openssl_pid"; openssl_serves; }
            read -r rate bad <<<"$(load "$name" "$kind")"
            [ "$bad" -eq 0 ] || { echo "  $name: $bad requests failed"; status=1; }
            best[$name]=$(python3 -c "print(max($rate, ${best[$name]:-0}))")
        done
    done
    for name in "${names[@]}"; do
        [ -n "${best[$name]:-}" ] || continue
        [ "${best[$name]}" != 0 ] && [ "${best[$name]}" != 0.0 ] || { echo "  $name: no answers"; status=1; continue; }
        python3 -c "print(f'  {\"$name\":8} {${best[$name]}:10,.0f} requests/s   certkit is {${best[certkit]} / ${best[$name]}:.2f} x')"
    done
done
exit "$status"
