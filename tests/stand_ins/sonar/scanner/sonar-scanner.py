#!/usr/bin/env python3
"""What sonar-scanner does at its edges: where its settings come from, what it sends, how it ends.

As the real one it fills in `${env.NAME}`, follows links, and starts the Node.js that it is told.
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

INTERNAL_ERROR, USER_ERROR, ENGINE_ERROR = 1, 2, 3


def _say(level, text):
    print(f"{time.strftime('%H:%M:%S')}.000 {level:<5} {text}", flush=True)


def _fail(code, text):
    _say("INFO", "EXECUTION FAILURE")
    _say("ERROR", "Error during SonarScanner CLI execution")
    _say("ERROR", text)
    _say("ERROR", "Re-run SonarScanner CLI using the -X switch to enable full debug logging.")
    sys.exit(code)


def _properties_of(path):
    found = {}
    text = path.read_text() if path.is_file() else ""
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        name, _, value = line.partition("=")
        if name and not line.startswith(("#", "!")):
            found[_plain(name)] = _plain(value)
    return found


def _plain(text):
    text = re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), text.strip())
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


def _settings():
    told = dict(word[2:].split("=", 1) for word in sys.argv[1:] if word.startswith("-D"))
    base = Path(told.get("sonar.projectBaseDir", "."))
    file = Path(told.get("project.settings", base / "sonar-project.properties"))
    _say("INFO", f"Project root configuration file: {file if file.is_file() else 'NONE'}")
    names = {"SONAR_HOST_URL": "sonar.host.url", "SONAR_TOKEN": "sonar.token"}
    variables = {name: os.environ[var] for var, name in names.items() if var in os.environ}
    merged = _properties_of(file) | variables | told
    if "sonar.login" in _properties_of(file):
        merged["sonar.token"] = merged["sonar.login"]

    def filled(match):
        name = match[1]
        inside = os.environ if name.startswith("env.") else merged
        return inside.get(name.removeprefix("env."), "")

    return {n: re.sub(r"\$\{([\w.]+)\}", filled, v) for n, v in merged.items()}, base


def _ask(told, path, data=None):
    url = f"{told['sonar.host.url'].rstrip('/')}/{path}"
    request = urllib.request.Request(url, data=data)
    request.add_header("Authorization", f"Bearer {told.get('sonar.token', '')}")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        if path.startswith("api/ce/submit"):
            _fail(USER_ERROR, json.load(error)["errors"][0]["msg"])
        _fail(
            INTERNAL_ERROR,
            f"Failed to query server version: GET {url} failed with HTTP {error.code}. "
            "Please check the property sonar.token or the environment variable SONAR_TOKEN.",
        )
    except OSError as error:
        _fail(INTERNAL_ERROR, f"Call to URL [{url}] failed: {error}")


def _files(told, base):
    """Every file below the sources, links followed, and the reports."""
    found = {}
    for source in told.get("sonar.sources", ".").split(","):
        for folder, _, names in os.walk(base / source, followlinks=True):
            for name in names:
                path = Path(folder, name)
                found[os.path.relpath(path, base)] = path.read_bytes().decode(errors="replace")
    reports = {}
    for name, value in told.items():
        if name.endswith(("reportPath", "reportPaths")):
            for path in value.split(","):
                try:
                    reports[path] = (base / path).read_text()
                except OSError:
                    _say("WARN", f"Report not found: {path}")
    return found, reports


def _main():
    told, base = _settings()
    _say("INFO", "SonarScanner CLI 0 (stand-in)")
    _say("INFO", f"Communicating with {told['sonar.host.url']}")
    _ask(told, "api/server/version")
    if node := told.get("sonar.nodejs.executable"):
        subprocess.run([node], check=False)
    sources, reports = _files(told, base)
    broken = [name for name, text in sources.items() if "can not be parsed" in text]
    if broken:
        _say("ERROR", f"Unable to parse file: {broken[0]}")
        sys.exit(ENGINE_ERROR)
    secret = told.pop("sonar.token", "")
    sent = {"properties": told, "files": sources, "reports": reports, "user": os.getuid()}
    answer = json.loads(
        _ask(told | {"sonar.token": secret}, "api/ce/submit", json.dumps(sent).encode())
    )
    task, url = answer["taskId"], told["sonar.host.url"]
    result = f"""projectKey={told["sonar.projectKey"]}
serverUrl={url}
dashboardUrl={url}/dashboard?id={told["sonar.projectKey"]}
ceTaskId={task}
ceTaskUrl={url}/api/ce/task?id={task}
"""
    Path(told["sonar.scanner.metadataFilePath"]).write_text(result)
    _say("INFO", f"ANALYSIS SUCCESSFUL, you can find the results at: {url}")
    _say("INFO", "EXECUTION SUCCESS")


_main()
