"""Speaks SMTP up to STARTTLS, then hands everything over to a TLS server. Arguments: port, port of that server."""
import socket
import sys
import threading


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(client, inner):
    lines = client.makefile("rb")
    client.sendall(b"220 mail.test ESMTP\r\n")
    while line := lines.readline():
        word = line.split()[0].upper() if line.split() else b""
        if word == b"EHLO":
            client.sendall(b"250-mail.test\r\n250 STARTTLS\r\n")
        elif word == b"STARTTLS":
            client.sendall(b"220 go ahead\r\n")
            break
        else:
            client.sendall(b"500 what?\r\n")
    else:
        client.close()
        return
    server = socket.create_connection(("127.0.0.1", inner))
    threading.Thread(target=pump, args=(server, client), daemon=True).start()
    pump(client, server)


port, inner = map(int, sys.argv[1:])
listener = socket.create_server(("127.0.0.1", port), backlog=50)
while True:
    client, _ = listener.accept()
    threading.Thread(target=serve, args=(client, inner), daemon=True).start()
