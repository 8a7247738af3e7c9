"""The tutorial's receiver: a Flask view that checks the signature and calls `delay`."""

import hashlib
import hmac
import os
import time
from pathlib import Path

from celery import Celery
from flask import Flask, abort, request

app = Flask(__name__)
celery = Celery("receiver", broker=os.environ["BROKER"])
celery.conf.task_ignore_result = True
SECRET = os.environ["SECRET"].encode()


@celery.task
def deploy(payload: dict) -> None:
    """Say when the work would have begun."""
    with Path(os.environ["BEGUN"]).open("a") as file:
        file.write(f"{payload['after']} {time.time()}\n")


@app.post("/webhook")
def webhook() -> tuple[dict, int]:
    """Check the signature, queue the payload, answer."""
    signature = "sha256=" + hmac.new(SECRET, request.get_data(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signature, request.headers.get("X-Hub-Signature-256", "")):
        abort(401)
    task = deploy.delay(request.get_json())
    return {"task_id": task.id}, 202
