# For every folder one request of a headless Firefox, told what to fetch over Marionette, its own protocol.
import json, os, socket, subprocess, sys, time
from served import ask_all, folders

profile = os.path.abspath("firefox-profile")
os.makedirs(profile)
prefs = {
    "marionette.port": 0,
    # Nobody else is asked for addresses or anything.
    "network.dns.localDomains": "www.example.com,example.com",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "security.OCSP.enabled": 0,
    "security.remote_settings.crlite_filters.enabled": False,
    "services.settings.server": "https://127.0.0.1:1/",
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "dom.security.https_only_mode": False,
}
with open(f"{profile}/user.js", "w") as file:
    for name, value in prefs.items():
        file.write(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n")
browser = subprocess.Popen(
    [sys.argv[1], "--headless", "--no-remote", "--profile", profile, "--marionette", "--remote-allow-system-access"],
    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    env={**os.environ, "HOME": profile, "MOZ_HEADLESS": "1", "MOZ_CRASHREPORTER_DISABLE": "1"},
)


def connect():
    for _ in range(600):
        try:
            with open(f"{profile}/MarionetteActivePort") as file:
                return socket.create_connection(("127.0.0.1", int(file.read())), 60)
        except (OSError, ValueError):
            if browser.poll() is not None:
                raise SystemExit(f"firefox went away: {browser.returncode}")
            time.sleep(0.1)
    raise SystemExit("firefox does not listen")


def read():
    """A message: its length in digits, a colon, JSON."""
    length = b""
    while (digit := connection.recv(1)) != b":":
        if not digit:
            raise SystemExit("firefox went away")
        length += digit
    text = b""
    while len(text) < int(length):
        text += connection.recv(int(length) - len(text))
    return json.loads(text)


def call(command, **params):
    """The error and the result of a command."""
    message = json.dumps([0, 1, command, params])
    connection.sendall(f"{len(message)}:{message}".encode())
    _, _, error, result = read()
    return error, result


# The network's own answer, not that of a page: the code of the certificate's fault where there is one.
VISIT = """
const [url, done] = arguments;
const { NetUtil } = ChromeUtils.importESModule("resource://gre/modules/NetUtil.sys.mjs");
NetUtil.asyncFetch({ uri: url, loadUsingSystemPrincipal: true }, (stream, status, request) => {
    const security = (status & 0x7fff0000) >> 16 === 0x45 + 21;
    const code = request.securityInfo?.errorCodeString ?? "0x" + (status >>> 0).toString(16);
    done(Components.isSuccessCode(status) ? "yes" : (security ? "no " : "- ") + code);
});
"""


# Trusts a root as an issuer of servers, as the user does who imports it.
TRUST = """
const [root] = arguments;
Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).addCertFromBase64(root, "C,,");
"""


def trust_all():
    """Why not, for the roots it does not take."""
    refused = {}
    for folder in folders():
        root = "".join(line.strip() for line in open(f"{folder}/root.pem") if "-----" not in line)
        error, _ = call("WebDriver:ExecuteScript", script=TRUST, args=[root])
        if error:
            refused[folder] = error["message"]
    return refused


def visit(url):
    error, result = call("WebDriver:ExecuteAsyncScript", script=VISIT, args=[url])
    return f"- {error}" if error else result["value"]


connection = connect()
read()
error, _ = call("WebDriver:NewSession", acceptInsecureCerts=False)
if error:
    raise SystemExit(f"no session: {error}")
call("Marionette:SetContext", value="chrome")
ask_all(trust_all(), visit)
call("Marionette:Quit", flags=["eForceQuit"])
browser.wait(20)
