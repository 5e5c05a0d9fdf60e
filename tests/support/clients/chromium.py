# For every folder one request of a headless Chromium, told what to fetch over the DevTools protocol on a pipe.
import json, os, subprocess
from served import ask_all, folders


def trust_all(database):
    """An NSS database that trusts every folder's root as an issuer of servers, or where it is the server's own certificate,
    as that of a peer; why not, for those it does not take."""
    os.makedirs(database)
    subprocess.run(["certutil", "-N", "-d", f"sql:{database}", "--empty-password"], check=True)
    refused = {}
    for folder in folders():
        own = open(f"{folder}/root.pem").read() == open(f"{folder}/leaf.pem").read()
        trust = ["-t", "P,," if own else "C,,"]
        add = ["certutil", "-A", "-d", f"sql:{database}", "-n", folder, *trust, "-a", "-i", f"{folder}/root.pem"]
        ran = subprocess.run(add, capture_output=True, text=True)
        if ran.returncode:
            refused[folder] = ran.stderr.strip().replace("\n", " ")
    return refused


home = os.path.abspath("chromium-home")
refused = trust_all(f"{home}/.pki/nssdb")
flags = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--remote-debugging-pipe",
    "--host-resolver-rules=MAP * 127.0.0.1", f"--user-data-dir={home}/profile",
]
theirs_in, ours_out = os.pipe()
ours_in, theirs_out = os.pipe()
# The pipe is where Chromium expects it: it reads from 3 and writes to 4.
shell = f'exec chromium "$@" 3<&{theirs_in} 4>&{theirs_out}'
browser = subprocess.Popen(
    ["sh", "-c", shell, "chromium", *flags], pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL,
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": home},
)
os.close(theirs_in)
os.close(theirs_out)
answers = os.fdopen(ours_in, "rb")
pending, number = b"", 0


def call(method, session=None, **params):
    """The result of a command. What the browser says unasked is passed over."""
    global pending, number
    number += 1
    message = {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
    os.write(ours_out, json.dumps(message).encode() + b"\0")
    while True:
        while b"\0" not in pending:
            more = answers.read1(65536)
            if not more:
                raise SystemExit("chromium went away")
            pending += more
        first, pending = pending.split(b"\0", 1)
        answer = json.loads(first)
        if answer.get("id") == number:
            if "error" in answer:
                raise SystemExit(f"{method}: {answer['error']}")
            return answer["result"]


page = call("Target.createTarget", url="about:blank")["targetId"]
session = call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
frame = call("Page.getFrameTree", session)["frameTree"]["frame"]["id"]


def visit(url):
    # Without a page to show for it, which would take a process of its own.
    options = {"disableCache": True, "includeCredentials": False}
    loaded = call("Network.loadNetworkResource", session, frameId=frame, url=url, options=options)["resource"]
    if loaded["success"]:
        return "yes"
    error = loaded.get("netErrorName", "unknown")
    refuses = error.startswith(("net::ERR_CERT_", "net::ERR_SSL_", "net::ERR_BAD_SSL_"))
    return f"{'no' if refuses else '-'} {error}"


ask_all(refused, visit)
call("Browser.close")
browser.wait(20)
