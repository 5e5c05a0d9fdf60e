"""A TLS server for each certificate named: prints the ports as JSON, serves a page until stdin closes.

Arguments: CHAIN KEY CLIENTS for each, CLIENTS being a file of CAs of which clients must have a certificate, or "".
"""

import http.server
import json
import ssl
import sys
import threading


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        subject = (self.connection.getpeercert() or {}).get("subject", ())
        names = [value for rdn in subject for kind, value in rdn if kind == "commonName"]
        page = f"a page by Python for {names or 'anyone'}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


ports = []
for chain, key, clients in zip(*[iter(sys.argv[1:])] * 3):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    server = Server(("127.0.0.1", 0), Page)
    # The handshake is the handler's, so that a client that refuses holds up nobody.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    ports.append(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps(ports), flush=True)
sys.stdin.read()
