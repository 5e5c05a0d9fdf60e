"""Whether each certificate is signed by the key of the CA that comes first, by cryptography; an answer a line: "signed by
ALGORITHM", "not signed", or "unknown: WHY". Beside that, whether the key in the second file of each pair is the certificate's.

Arguments: CA, then CERTIFICATE KEY for each.
"""

import sys

from cryptography import exceptions, x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key


def public(key):
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def load(file):
    return open(file, "rb").read()


ca = x509.load_pem_x509_certificate(load(sys.argv[1]))
for certificate, key in zip(*[iter(sys.argv[2:])] * 2):
    certificate = x509.load_pem_x509_certificate(load(certificate))
    try:
        certificate.verify_directly_issued_by(ca)
        signed = "signed by " + certificate.signature_algorithm_oid._name
    except exceptions.InvalidSignature:
        signed = "not signed"
    except (TypeError, ValueError, exceptions.UnsupportedAlgorithm) as error:
        signed = "unknown: " + str(error)
    own = public(load_pem_private_key(load(key), None).public_key()) == public(certificate.public_key())
    print(signed, "its key" if own else "another key", sep="; ")
