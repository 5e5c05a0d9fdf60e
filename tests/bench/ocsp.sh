#!/usr/bin/env bash
# OCSP requests per second on loopback: `certkit ca ocsp --serve` beside `openssl ocsp` and cfssl's `ocspserve`, in one run
# on the same certificate. Needs openssl and wrk; leaves cfssl out where it is missing.
#
#   bash tests/bench/ocsp.sh              build, then measure everything
#   CERTKIT=path/to/certkit SECONDS_EACH=20 bash tests/bench/ocsp.sh
#
# Three loads: GET over connections that stay open (cfssl and certkit: `openssl ocsp` closes each), GET with a connection for
# each request, and POST with a nonce, which is signed each time (cfssl knows none). The servers take turns of rounds, so that
# a busy machine slows all of them alike; the best round counts. cfssl gives answers that were signed before.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

for needed in openssl wrk curl python3; do
    command -v "$needed" >/dev/null || { echo "missing: $needed" >&2; exit 2; }
done
certkit=${CERTKIT:-}
if [ -z "$certkit" ]; then
    cargo build --release --bin certkit
    certkit=${CARGO_TARGET_DIR:-target}/release/certkit
fi
certkit=$(realpath "$certkit")
each=${SECONDS_EACH:-5}
rounds=${ROUNDS:-3}

work=$(mktemp -d)
servers=()
finish() {
    [ "${#servers[@]}" -eq 0 ] || kill "${servers[@]}" 2>/dev/null || true
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
openssl ocsp -index index.txt -port "$openssl_port" -CA "$ca" -rsigner responder.pem -rkey responder-key.pem -nmin 60 \
    >/dev/null 2>&1 &
servers+=($!)
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
cat >post.lua <<'LUA'
local file = io.open("nonce.der", "rb")
wrk.method, wrk.body = "POST", file:read("*a")
wrk.headers["Content-Type"] = "application/ocsp-request"
wrk.headers["Connection"] = "close"
LUA

address() { local name=${1}_port; echo "http://127.0.0.1:${!name}"; }
for name in "${names[@]}"; do
    for _ in $(seq 100); do
        curl -s -o "answer-$name" "$(address "$name")/$path" && break || sleep 0.1
    done
    openssl ocsp -respin "answer-$name" -CAfile "$ca" -issuer "$ca" -cert a.test.pem -no_nonce 2>/dev/null |
        grep -q 'a.test.pem: good' || { echo "$name does not answer" >&2; exit 1; }
done

# load NAME KIND: requests per second, and requests that failed.
load() {
    local arguments=(-t2 -c16 -d"${each}s") url
    url="$(address "$1")/$path"
    case $2 in
    open) ;;
    close) arguments+=(-H "Connection: close") ;;
    nonce) arguments+=(-s post.lua) url="$(address "$1")/" ;;
    esac
    wrk "${arguments[@]}" "$url" | awk '/^Requests\/sec/ {rate = $2} /Non-2xx/ {bad = $NF} END {print rate, bad + 0}'
}

status=0
for kind in open close nonce; do
    case $kind in
    open) title="GET, connections that stay open" ;;
    close) title="GET, a connection each" ;;
    nonce) title="POST with a nonce, a connection each: signed each time" ;;
    esac
    echo "$title"
    declare -A best=()
    for _ in $(seq "$rounds"); do
        for name in "${names[@]}"; do
            [ "$kind $name" != "nonce cfssl" ] || continue
            [ "$kind $name" != "open openssl" ] || continue
            read -r rate bad <<<"$(load "$name" "$kind")"
            [ "$bad" -eq 0 ] || { echo "  $name: $bad answers other than 200"; status=1; }
            best[$name]=$(python3 -c "print(max($rate, ${best[$name]:-0}))")
        done
    done
    for name in "${names[@]}"; do
        [ -n "${best[$name]:-}" ] || continue
        python3 -c "print(f'  {\"$name\":8} {${best[$name]}:10,.0f} requests/s   certkit is {${best[certkit]} / ${best[$name]}:.2f} x')"
    done
done
exit "$status"
