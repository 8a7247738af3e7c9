"""The example function does what it says against SQS."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "examples" / "watchlist" / "movies-loader"


def test_every_film_reaches_the_queue(aws, monkeypatch):
    """The handler, called as Lambda calls it, sends all twenty films."""
    monkeypatch.setenv("SQS_URL", aws.create_queue("movies"))
    spec = importlib.util.spec_from_file_location("movies_loader", FOLDER / "index.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.lambda_handler({}, None) == {"sent": 20}
    sqs, url = aws.client("sqs"), aws.create_queue("movies")
    bodies = []
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        bodies += [json.loads(message["Body"]) for message in found]
    assert sorted(film["id"] for film in bodies) == sorted(
        film["id"] for film in json.loads((FOLDER / "movies.json").read_text())
    )


def test_its_own_checks_pass(tmp_path):
    """Unit tests, lint and coverage pass with this Python and nothing installed."""
    for check in (["-m", "unittest"], ["tools/quality.py"], ["tools/coverage.py", tmp_path]):
        command = [sys.executable, "-S", "-B", *check]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert 'class="hit"' in (tmp_path / "index.html").read_text()


def test_its_lint_finds_faults(tmp_path):
    """An unused import, a line too long and a missing docstring each fail it by name."""
    (tmp_path / "tools").mkdir()
    lint = tmp_path / "tools" / "quality.py"
    lint.write_text((FOLDER / "tools" / "quality.py").read_text())
    (tmp_path / "bad.py").write_text(f"import os\n\n\ndef f():\n    return '{'x' * 100}'\n")
    done = subprocess.run([sys.executable, lint], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    for fault in ("os is imported", "f has no docstring", "no docstring", "longer than 100"):
        assert fault in done.stdout
