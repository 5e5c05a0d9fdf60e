# For every folder one visit of a headless Chromium, told where to go over the DevTools protocol on a pipe.
import json, os, subprocess
from served import ask_all, trust_all

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


def visit(url):
    # A page of its own each time: an error page left behind would be in the way.
    target = call("Target.createTarget", url="about:blank")["targetId"]
    session = call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    error = call("Page.navigate", session, url=url).get("errorText")
    call("Target.closeTarget", targetId=target)
    if error is None:
        return "yes"
    refuses = error.startswith(("net::ERR_CERT_", "net::ERR_SSL_", "net::ERR_BAD_SSL_"))
    return f"{'no' if refuses else '-'} {error}"


ask_all(refused, visit)
call("Browser.close")
browser.wait(20)
