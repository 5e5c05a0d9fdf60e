# For every folder a TLS handshake between Python's own client, or curl, and a server in this process.
import socket, ssl, subprocess, sys, threading
from served import context, folders

mode = sys.argv[1]


def client(folder):
    # A file of roots takes away the system's. Certificates that Python's own reader refuses come in through OpenSSL's.
    context = ssl.create_default_context(cafile=f"{folder}/root.pem")
    strict = ssl.VERIFY_X509_STRICT | getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0x80000)
    flags = int(context.verify_flags) & ~int(strict)
    context.verify_flags = ssl.VerifyFlags(flags | int(strict) if mode == "strict" else flags)
    return context


def handshake(folder, serving, host):
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client(folder).wrap_bio(to_client, to_server, server_hostname=host)
    theirs = serving.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(10):
        try:
            ours.do_handshake()
            return
        except ssl.SSLWantReadError:
            pass
        try:
            theirs.do_handshake()
        except ssl.SSLWantReadError:
            pass


def curl(folder, serving, host):
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def answer():
        try:
            plain, _ = listener.accept()
            with serving.wrap_socket(plain, server_side=True) as peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
        except OSError:
            pass

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    url = f"https://{host}:{port}/"
    to = ["--connect-to", f"::127.0.0.1:{port}", "--cacert", f"{folder}/root.pem", "--capath", "/nonexistent"]
    ran = subprocess.run(["curl", "-qsS", "-m", "20", *to, url], capture_output=True, text=True)
    thread.join(20)
    listener.close()
    if ran.returncode:
        raise ValueError(ran.stderr.strip())


for folder in folders():
    host = open(f"{folder}/host").read()
    try:
        serving = context(folder)
    except ssl.SSLError as why:
        print(folder, "-", why)
        continue
    try:
        (curl if mode == "curl" else handshake)(folder, serving, host)
        print(folder, "yes")
    except (ssl.SSLError, ssl.CertificateError, ValueError) as why:
        print(folder, "no", str(why).replace("\n", " "))
