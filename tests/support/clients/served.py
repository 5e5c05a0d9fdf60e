# The server of a folder, for clients that come over the network.
import os, socket, ssl, threading


def context(folder):
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.set_ciphers("ALL:@SECLEVEL=0")
    serving.load_cert_chain(f"{folder}/chain.pem", f"{folder}/key.pem")
    return serving


class Served:
    """A server on a port of its own, for as long as a `with` lasts."""

    def __init__(self, folder):
        self.context = context(folder)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        # Closing alone does not wake who waits in accept.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(plain,), daemon=True).start()

    def answer(self, plain):
        try:
            plain.settimeout(20)
            with self.context.wrap_socket(plain, server_side=True) as peer:
                if peer.recv(65536):
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nok")
        except OSError:
            pass


def folders():
    return sorted(name for name in os.listdir(".") if name.isdigit())


def ask_all(refused, visit):
    """Prints the answer about every folder; `visit` takes an URL and answers `yes`, `no WHY` or `- WHY`."""
    for folder in folders():
        if folder in refused:
            print(folder, "- no root:", refused[folder])
            continue
        try:
            served = Served(folder)
        except ssl.SSLError as why:
            print(folder, "-", why)
            continue
        with served:
            host = open(f"{folder}/host").read()
            print(folder, visit(f"https://{host}:{served.port}/").replace("\n", " "), flush=True)
