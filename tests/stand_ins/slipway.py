"""Slipway's own processes, as the Procfile starts them, against whatever the environment names."""

import shlex
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from local.ports import HOST, free_port
from local.process import Process, wait_for_http

ROOT = Path(__file__).parents[2]
SECRET = "a webhook secret for tests"
TOKEN = "a-token-for-tests"


def procfile(root: Path = ROOT) -> dict[str, list[str]]:
    """The commands of the Procfile, with this Python's own programs."""
    commands = {}
    for line in (root / "Procfile").read_text().splitlines():
        name, _, command = line.partition(":")
        words = shlex.split(command)
        commands[name] = [str(Path(sys.executable).parent / words[0]), *words[1:]]
    return commands


class Slipway:
    """Web, worker and beat; each can be ended and started again by its name."""

    def __init__(
        self,
        folder: Path,
        operator: str,
        environment: Mapping[str, str],
        port: int | None = None,
        token: str = TOKEN,
        root: Path = ROOT,
    ) -> None:
        """`root` holds the code, which may be another version's."""
        self.folder = folder
        self.port = port or free_port()
        self.url = f"http://{HOST}:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "server.toml").write_text(operator)
        self.environment = {
            "SLIPWAY_CONFIG": str(folder / "server.toml"),
            "SLIPWAY_PUBLIC_URL": self.url,
            "SLIPWAY_API_TOKENS": f"tests:{token}",
            "SLIPWAY_DATA_DIR": str(folder / "data"),
            "GITHUB_WEBHOOK_SECRET": SECRET,
            "PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(root),
            **environment,
        }
        self.processes = {
            name: Process(command, folder / f"{name}.log", env=self.environment, cwd=root)
            for name, command in procfile(root).items()
        }
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {token}"
        self._http.trust_env = False

    def start(self, *names: str) -> Self:
        """Start some of the processes, or all."""
        for name in names or self.processes:
            self.processes[name].start()
        if not names or "web" in names:
            wait_for_http(self.processes["web"], f"{self.url}/healthz")
        return self

    def stop(self) -> None:
        """End all of them, each in order."""
        # Else the web process waits for this connection.
        self._http.close()
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.stop()

    def get(self, path: str, **parameters: Any) -> requests.Response:
        """GET a path of the API with a token."""
        return self._http.get(f"{self.url}{path}", params=parameters, timeout=10)

    def run(self, run_id: str) -> dict[str, Any]:
        """One run's JSON."""
        found: dict[str, Any] = self._patiently(f"/api/v1/runs/{run_id}")
        return found

    def _patiently(self, path: str, **parameters: Any) -> Any:
        """JSON, asked for again where a busy machine has the ledger answer too late."""
        for _ in range(5):
            answer = self.get(path, **parameters)
            if answer.status_code != requests.codes.unavailable:
                break
            time.sleep(1)
        answer.raise_for_status()
        return answer.json()

    def runs(self, **filters: Any) -> list[dict[str, Any]]:
        """The runs, newest first."""
        found: list[dict[str, Any]] = self._patiently("/api/v1/runs", **filters)["runs"]
        return found

    def log(self, run_id: str) -> str:
        """One run's log."""
        return self.get(f"/api/v1/runs/{run_id}/log").text

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
