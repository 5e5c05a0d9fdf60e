"""Reads each key named and prints its SPKI pin, or writes new keys in every form with their pins.

Arguments: read FORM PASSPHRASE FILE for each, FORM being pem or der; or write FOLDER.
"""

import base64
import hashlib
import sys

from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa


def pin(key):
    spki = key.public_key().public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()


if sys.argv[1] == "read":
    for form, passphrase, file in zip(*[iter(sys.argv[2:])] * 3):
        load = s.load_pem_private_key if form == "pem" else s.load_der_private_key
        print(pin(load(open(file, "rb").read(), passphrase.encode() or None)))
else:
    keys = {
        "p256": ec.generate_private_key(ec.SECP256R1()),
        "p521": ec.generate_private_key(ec.SECP521R1()),
        "rsa": rsa.generate_private_key(65537, 2048),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
    }
    for name, key in keys.items():
        for encoding in (s.Encoding.PEM, s.Encoding.DER):
            for form in (s.PrivateFormat.PKCS8, s.PrivateFormat.TraditionalOpenSSL):
                own = form == s.PrivateFormat.TraditionalOpenSSL
                if own and name == "ed25519":
                    continue
                for locked in (False, True):
                    # The old `Proc-Type: 4,ENCRYPTED` is refused by name; a test of its own has that.
                    if own and locked:
                        continue
                    way = s.BestAvailableEncryption(b"x") if locked else s.NoEncryption()
                    names = [name, encoding, form, "locked" if locked else "plain"]
                    file = f"{sys.argv[2]}/" + ".".join(str(part).split(".")[-1] for part in names)
                    open(file, "wb").write(key.private_bytes(encoding, form, way))
                    print(file, pin(key))
