"""Judges each chain with cryptography's verifier for TLS servers; an answer a line: "accepted" or "refused: WHY".

Arguments: LEAF INTERMEDIATES ROOTS HOST for each; INTERMEDIATES may be "".
"""

import ipaddress
import sys

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError


def load(file):
    return x509.load_pem_x509_certificates(open(file, "rb").read()) if file else []


for leaf, intermediates, roots, host in zip(*[iter(sys.argv[1:])] * 4):
    try:
        try:
            subject = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            subject = x509.DNSName(host)
        verifier = PolicyBuilder().store(Store(load(roots))).build_server_verifier(subject)
        verifier.verify(load(leaf)[0], load(intermediates))
        print("accepted")
    except (VerificationError, ValueError, x509.DuplicateExtension, x509.InvalidVersion) as error:
        print("refused:", " ".join(str(error).split()))
