"""The examples that are commands do what they say, on the demo."""

import json
import os
import re
import subprocess
import sys

from demos import Demo
from examples.conftest import EXAMPLES

PROGRESS = EXAMPLES / "python" / "progress.py"
# Without what would reach for a proxy or somebody's login.
ENVIRON = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
RELEASE = """
mutation Release($key: RolloutKeyInput!) {
  setRolloutImage(input: {rollout: {key: $key}, container: "*", image: "shop:9.9.9"}) {
    applied userErrors { message }
  }
}
"""
PROMOTE = """
mutation Promote($key: RolloutKeyInput!) {
  promoteRolloutFull(input: {rollout: {key: $key}}) { applied userErrors { message } }
}
"""


def key(rollout: str) -> dict[str, str]:
    return dict(zip(("cluster", "namespace", "name"), rollout.split("/"), strict=True))


def test_python_follows_a_rollout_to_its_end(running: Demo) -> None:
    rollout = "eu-west/shop/checkout"
    running.ask(RELEASE, key=key(rollout))
    url = running.url.replace("http:", "ws:")
    argv = [sys.executable, str(PROGRESS), rollout, "--url", url]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=ENVIRON) as popen:
        assert popen.stdout is not None
        lines = [popen.stdout.readline()]
        running.ask(PROMOTE, key=key(rollout))  # else it would wait for the demo's people
        lines += popen.stdout
    last = {0: "HEALTHY", 1: "DEGRADED"}[popen.returncode]
    assert lines[-1].startswith(last), lines
    assert all(re.match(r"(PROGRESSING|PAUSED|HEALTHY|DEGRADED) +step ", line) for line in lines)
    assert len(lines) > 3


def test_python_says_what_the_server_refuses(running: Demo) -> None:
    url = running.url.replace("http:", "ws:")
    done = subprocess.run(
        [sys.executable, str(PROGRESS), "eu-west//checkout", "--url", url],
        capture_output=True,
        text=True,
        env=ENVIRON,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "refused:" in done.stderr


def test_curl_asks_tries_and_listens(running: Demo) -> None:
    done = subprocess.run(
        [str(EXAMPLES / "curl" / "rollouts.sh"), running.url],
        capture_output=True,
        text=True,
        env=ENVIRON,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done
    parts = re.split(r"^# .*$", done.stdout, flags=re.MULTILINE)[1:]
    asked, tried = (json.loads(part) for part in parts[:2])
    assert asked["data"]["rollouts"]["partial"] is False
    assert set(tried["data"]["promoteRollout"]) == {"applied", "message", "rollout", "userErrors"}
    assert tried["data"]["promoteRollout"]["applied"] is False
    first = re.search(r"^data: ?(\{.*)$", parts[2], re.MULTILINE)
    assert first is not None, parts[2]
    assert json.loads(first[1])["data"]["rolloutChanged"]["kind"] == "SNAPSHOT"
    assert re.search(r"^id: ?\S+$", parts[2], re.MULTILINE)
