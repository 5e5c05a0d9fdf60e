#!/usr/bin/env bash
# `certkit serve` on loopback beside nginx (a worker on each core) and `openssl s_server -WWW`, in one run on the same
# certificate and the same files. Needs nginx, openssl, wrk, h2load (Debian's nghttp2-client), curl and python3.
#
#   bash tests/bench/serve.sh                    build, then measure everything
#   CERTKIT=path/to/certkit SECONDS_EACH=5 ROUNDS=3 IDLE=10000 bash tests/bench/serve.sh
#
# Loads: requests of 1 kB and 1 MB over connections that stay open, HTTP/1.1 (wrk) and HTTP/2 (h2load); and a connection for
# each request of 1 kB: full handshakes, TLS 1.3. `openssl s_server` answers one connection at a time and closes each, so it
# has the last load alone. No server writes a log. The servers take turns of rounds, so that a busy machine slows all of them
# alike; the best round counts. At the end IDLE connections are opened and left alone, and the server's memory is looked at.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

nginx=$(command -v nginx || echo /usr/sbin/nginx)
for needed in openssl wrk h2load curl python3 "$nginx"; do
    command -v "$needed" >/dev/null || { echo "missing: $needed" >&2; exit 2; }
done
certkit=${CERTKIT:-}
if [ -z "$certkit" ]; then
    cargo build --release --bin certkit
    certkit=${CARGO_TARGET_DIR:-target}/release/certkit
fi
certkit=$(realpath "$certkit")
seconds=${SECONDS_EACH:-5} rounds=${ROUNDS:-3} idle=${IDLE:-10000} cores=$(nproc)

work=$(mktemp -d)
servers=()
finish() {
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
cd "$work"
chmod 755 "$work"
export CERTKIT_CA=$work/ca
ulimit -n "$(ulimit -Hn)"

"$certkit" ca issue localhost 127.0.0.1 --quiet >/dev/null
mkdir site
head -c 1000 /dev/urandom >site/1k.bin
head -c 1000000 /dev/urandom >site/1m.bin

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
certkit_port=$(port) nginx_port=$(port) openssl_port=$(port)
"$certkit" serve site --cert localhost.pem --listen "127.0.0.1:$certkit_port" --no-log >/dev/null &
servers+=($!)
certkit_pid=$!
cat >nginx.conf <<NGINX
daemon off; pid $work/nginx.pid; error_log stderr crit; worker_processes $cores; worker_rlimit_nofile $(ulimit -n);
events { worker_connections $(($(ulimit -n) - 100)); }
http {
    access_log off; keepalive_requests 100000000; keepalive_timeout 120s; types { } default_type application/octet-stream;
    client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3; uwsgi_temp_path $work/t4;
    scgi_temp_path $work/t5;
    server {
        listen 127.0.0.1:$nginx_port ssl http2 backlog=4096; root $work/site;
        ssl_certificate $work/localhost.pem; ssl_certificate_key $work/localhost-key.pem; ssl_protocols TLSv1.2 TLSv1.3;
    }
}
NGINX
"$nginx" -c "$work/nginx.conf" -e stderr &
servers+=($!)
nginx_pid=$!
(cd site && exec openssl s_server -WWW -quiet -accept "127.0.0.1:$openssl_port" -cert ../localhost.pem \
    -key ../localhost-key.pem >/dev/null 2>&1) &
servers+=($!)

address() { local name=${1}_port; echo "https://127.0.0.1:${!name}"; }
for name in certkit nginx openssl; do
    for _ in $(seq 100); do
        curl -s --cacert ca/ca.pem -o got "$(address "$name")/1k.bin" && break || sleep 0.1
    done
    cmp got site/1k.bin || { echo "$name does not answer" >&2; exit 1; }
done

# load NAME KIND: requests per second, and requests that failed.
load() {
    local url
    url=$(address "$1")
    case $2 in
    h1-*)
        wrk -t2 -c64 -d"${seconds}s" "$url/${2#h1-}.bin" | awk '
            /^Requests\/sec/ {rate = $2} /Non-2xx/ {bad += $NF} /Socket errors/ {gsub(",", ""); bad += $4 + $6 + $8 + $10}
            END {print rate + 0, bad + 0}' ;;
    h2-*)
        h2load -t2 -c32 -m8 -D "$seconds" --warm-up-time=1 "$url/${2#h2-}.bin" | awk '
            /^finished in/ {rate = $4} /^requests:/ {bad = $10 + $12} END {print rate + 0, bad + 0}' ;;
    handshake)
        # openssl s_time reconnects as fast as it can: two at once.
        for _ in 1 2; do
            openssl s_time -connect "${url#https://}" -www /1k.bin -new -time "$seconds" -tls1_3 2>/dev/null &
        done | awk '/real seconds/ {count += $1; time = $4} END {print time ? count / time : 0, 0}' ;;
    esac
}

status=0
for kind in h1-1k h1-1m h2-1k h2-1m handshake; do
    case $kind in
    h1-*) title="HTTP/1.1, ${kind#h1-}, connections that stay open" names=(certkit nginx) ;;
    h2-*) title="HTTP/2, ${kind#h2-}, connections that stay open" names=(certkit nginx) ;;
    handshake) title="a connection each, 1k, full handshakes" names=(certkit nginx openssl) ;;
    esac
    echo "$title"
    declare -A best=()
    for _ in $(seq "$rounds"); do
        for name in "${names[@]}"; do
            read -r rate bad <<<"$(load "$name" "$kind")"
            [ "${bad%.*}" -eq 0 ] || { echo "  $name: $bad requests failed"; status=1; }
            best[$name]=$(python3 -c "print(max($rate, ${best[$name]:-0}))")
        done
    done
    for name in "${names[@]}"; do
        python3 -c "
rate, ours = ${best[$name]}, ${best[certkit]}
print(f'  {\"$name\":8} {rate:10,.0f} requests/s   certkit is {ours / rate if rate else 0:.2f} x')"
    done
done

# Memory of a process and its children, in kB.
memory() {
    local sum=0 pid
    for pid in "$1" $(pgrep -P "$1"); do sum=$((sum + $(awk '/^VmRSS/ {print $2}' "/proc/$pid/status"))); done
    echo "$sum"
}
echo "$idle idle connections after a request each"
for name in certkit nginx; do
    pid_of=${name}_pid port_of=${name}_port
    before=$(memory "${!pid_of}")
    python3 - "${!port_of}" "$idle" >held <<'PYTHON' &
import socket, ssl, sys, time
port, count = int(sys.argv[1]), int(sys.argv[2])
context = ssl.create_default_context(cafile="ca/ca.pem")
held = []
for _ in range(count):
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost")
    connection.sendall(b"HEAD /1k.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
    connection.recv(4096)
    held.append(connection)
print("held", flush=True)
time.sleep(600)
PYTHON
    holder=$!
    servers+=("$holder")
    for _ in $(seq 1200); do grep -q held held 2>/dev/null && break || sleep 0.1; done
    after=$(memory "${!pid_of}")
    begun=$(date +%s%N)
    curl -sS --cacert ca/ca.pem -o /dev/null "$(address "$name")/1k.bin" || status=1
    took=$((($(date +%s%N) - begun) / 1000000))
    grep -q held held || { echo "  $name: not all could be opened"; status=1; }
    python3 -c "print(f'  {\"$name\":8} {($after - $before) / $idle:6.1f} kB each; another request takes $took ms')"
    kill "$holder" 2>/dev/null || true
    wait "$holder" 2>/dev/null || true
done
exit "$status"
