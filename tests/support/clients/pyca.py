# What cryptography's x509.verification says of every folder.
import datetime, ipaddress, os
from cryptography import x509
from cryptography.x509 import verification


def judge(folder):
    read = lambda name: open(f"{folder}/{name}", "rb").read()
    leaf, *others = x509.load_pem_x509_certificates(read("chain.pem"))
    store = verification.Store(x509.load_pem_x509_certificates(read("root.pem")))
    at = datetime.datetime.fromtimestamp(int(read("at")), datetime.timezone.utc).replace(tzinfo=None)
    host = read("host").decode()
    try:
        name = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        name = x509.DNSName(host)
    verification.PolicyBuilder().store(store).time(at).build_server_verifier(name).verify(leaf, others)


for folder in sorted(name for name in os.listdir(".") if name.isdigit()):
    try:
        judge(folder)
        print(folder, "yes")
    except Exception as why:
        print(folder, "no", str(why).replace("\n", " "))
