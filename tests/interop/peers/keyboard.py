"""Presses keys on a page in Chromium, through chromedriver (W3C WebDriver), and says as JSON what came of it.

Arguments: chromedriver, chromium, a folder for its profile, the page, a picture to write, and more arguments for Chromium.
"""

import base64, json, pathlib, subprocess, sys, urllib.error, urllib.request

driver, chromium, profile, page, picture, *more = sys.argv[1:]
TAB, ENTER, SPACE, SHIFT = "\ue004", "\ue007", " ", "\ue008"

process = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
for line in process.stdout:
    # "ChromeDriver was started successfully on port 40871."
    if "started successfully on port" in line:
        port = int(line.rstrip().rstrip(".").split()[-1])
        break


def ask(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"}, method=method)
    try:
        return json.load(urllib.request.urlopen(request, timeout=120))["value"]
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.read().decode()}")


def main():
    options = {"binary": chromium, "args": [*more, f"--user-data-dir={profile}", "--window-size=1000,1400"]}
    wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
    session = "/session/" + ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def run(script):
        return ask("POST", session + "/execute/sync", {"script": script, "args": []})

    def press(*keys):
        down = [{"type": "keyDown", "value": key} for key in keys]
        up = [{"type": "keyUp", "value": key} for key in reversed(keys)]
        ask("POST", session + "/actions", {"actions": [{"type": "key", "id": "keys", "actions": down + up}]})

    def look(scheme):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        ask("POST", session + "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": media})
        ask("POST", session + "/url", {"url": page})
        focus = """const at = document.activeElement, style = getComputedStyle(at);
            return {name: at.localName, number: [...document.querySelectorAll('summary')].indexOf(at),
                    ring: style.outlineStyle + ' ' + style.outlineWidth, open: at.parentElement && at.parentElement.open,
                    seen: at.getBoundingClientRect().top >= 0 && at.getBoundingClientRect().bottom <= innerHeight}"""
        steps = []

        def step(*keys):
            press(*keys)
            steps.append(run(focus))

        for keys in [(TAB,), (TAB,), (TAB,), (ENTER,), (TAB,), (SPACE,), (SPACE,), (SHIFT, TAB), (ENTER,)]:
            step(*keys)
        for _ in range(60):
            step(TAB)
        ground = run("return getComputedStyle(document.body).backgroundColor")
        wide = run("return document.documentElement.scrollWidth - innerWidth")
        return {"steps": steps, "ground": ground, "wide": wide}

    told = {scheme: look(scheme) for scheme in ("light", "dark")}
    shot = ask("GET", session + "/screenshot")
    pathlib.Path(picture).write_bytes(base64.b64decode(shot))
    told["console"] = ask("POST", session + "/se/log", {"type": "browser"})
    events = [json.loads(entry["message"])["message"] for entry in ask("POST", session + "/se/log", {"type": "performance"})]
    asked = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
    # Chromium's own first page asks for its parts too.
    told["requests"] = [one["request"]["url"] for one in asked if one["documentURL"] == page]
    ask("DELETE", session)
    json.dump(told, sys.stdout)


try:
    main()
finally:
    process.terminate()
