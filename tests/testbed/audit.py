"""A spoke's audit log: who did what, as the cluster itself saw it."""

import json
from pathlib import Path

import yaml

from testbed.cluster import Object
from testbed.users import ADMIN

# The controllers call as the admin, hundreds of times a second: left out. A request is judged by
# who sent it, before impersonation, so what an impersonator does for the admin is logged.
POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "users": [ADMIN, "system:apiserver"]},
        {"level": "None", "users": ["system:anonymous"]},
        {"level": "Metadata"},
    ],
}


def write_policy(path: Path) -> Path:
    """Write the policy for kube-apiserver's ``--audit-policy-file``."""
    path.write_text(yaml.safe_dump(POLICY, sort_keys=False))
    return path


def read_log(path: Path) -> list[Object]:
    """All events (``audit.k8s.io/v1``) so far, oldest first; ``impersonatedUser`` is in them.

    But those of nobody: a request whose token was not accepted has no user.
    """
    if not path.exists():
        return []
    # The last line may be half written.
    lines = path.read_text().splitlines(keepends=True)
    events = [json.loads(line) for line in lines if line.endswith("\n")]
    return [event for event in events if "username" in event["user"]]
