# /// script
# requires-python = ">=3.11"
# dependencies = ["gql[websockets]>=4.4"]
# ///
"""Follows a rollout until it is healthy, step by step, and comes back after a break.

uv run examples/python/progress.py eu-west/shop/checkout
"""

import argparse
import asyncio
import os
import sys
from typing import Any

from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport

PROGRESS = gql("""
subscription Progress($rollout: RolloutRefInput!, $resumeAfter: String) {
  stepProgress(rollout: $rollout, resumeAfter: $resumeAfter) {
    kind
    cursor
    progress { stepsCompleted stepsTotal waiting { message } }
    split { actualWeight }
    rollout { phase message }
  }
}
""")
# Seconds before a broken connection is made anew.
AGAIN = 1.0


def told(event: dict[str, Any]) -> str:
    """An event as a line."""
    rollout, progress = event["rollout"], event["progress"]
    if rollout is None:
        return "is gone"
    steps = f"{progress['stepsCompleted']}/{progress['stepsTotal']}" if progress else "-"
    split = event["split"]
    weight = "" if split is None else f" at {split['actualWeight'] or 0:g} %"
    waiting = ((progress or {}).get("waiting") or {}).get("message", "")
    return f"{rollout['phase']:<11} step {steps}{weight}  {waiting or rollout['message']}".rstrip()


async def follow(url: str, key: dict[str, str]) -> str:
    """Prints each event until the rollout has come to an end: the phase that it ended with."""
    token = os.environ.get("ROLLGRAPH_TOKEN")
    init = {"authorization": f"Bearer {token}"} if token else {}
    cursor = None
    while True:
        client = Client(transport=WebsocketsTransport(url=url, init_payload=init))
        try:
            async with client as session:
                variables = {"rollout": {"key": key}, "resumeAfter": cursor}
                request = GraphQLRequest(PROGRESS, variable_values=variables)
                async for answer in session.subscribe(request):
                    event = answer["stepProgress"]
                    cursor = event["cursor"]
                    print(told(event), flush=True)
                    phase = str(event["rollout"]["phase"]) if event["rollout"] else "GONE"
                    if phase in {"HEALTHY", "DEGRADED", "GONE"}:
                        return phase
        except TransportQueryError as refused:
            raise SystemExit(f"refused: {refused}") from refused
        except (TransportError, OSError) as error:
            print(f"the connection broke: {error}", file=sys.stderr)
        await asyncio.sleep(AGAIN)


def main() -> int:
    """The exit status: 0 if it is healthy in the end."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("rollout", metavar="CLUSTER/NAMESPACE/NAME")
    parser.add_argument("--url", default="ws://127.0.0.1:8000/graphql")
    options = parser.parse_args()
    cluster, namespace, name = options.rollout.split("/")
    key = {"cluster": cluster, "namespace": namespace, "name": name}
    return 0 if asyncio.run(follow(options.url, key)) == "HEALTHY" else 1


if __name__ == "__main__":
    sys.exit(main())
