"""Fetches each page with Python's ssl; an answer a line: the page, or "refused: WHY".

Arguments: ROOTS URL IDENTITY for each, IDENTITY being a file with a key and its certificate, or "".
"""

import ssl
import sys
import urllib.request

for roots, url, identity in zip(*[iter(sys.argv[1:])] * 3):
    context = ssl.create_default_context(cafile=roots)
    if identity:
        context.load_cert_chain(identity)
    try:
        with urllib.request.urlopen(url, context=context, timeout=20) as answer:
            print(" ".join(answer.read().decode().split()))
    except OSError as error:
        print("refused:", error)
