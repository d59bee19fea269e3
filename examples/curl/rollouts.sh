#!/bin/sh
# What needs a person, what would happen if it were promoted, and what happens next: with curl alone.
#
#     examples/curl/rollouts.sh [URL]
set -eu
url=${1:-http://127.0.0.1:8000/graphql}

# One operation. --fail-with-body: an HTTP status of an error ends the script, and is shown.
ask() {
    curl --silent --show-error --fail-with-body --noproxy 127.0.0.1 \
        ${ROLLGRAPH_TOKEN:+--header "Authorization: Bearer $ROLLGRAPH_TOKEN"} "$@" "$url"
}

echo '# The rollouts that are paused or degraded, in all clusters:'
ask --json '{"query": "{ rollouts(filter: {phase: [PAUSED, DEGRADED]}, first: 5) { totalCount partial nodes { clusterName namespace name phase message } } }"}'
echo

echo '# What a promotion would do; dryRun changes nothing. A failure has a type of its own:'
ask --json '{
  "query": "mutation Try($input: PromoteRolloutInput!) { promoteRollout(input: $input) { applied message rollout { phase } userErrors { __typename message } } }",
  "variables": {"input": {
    "rollout": {"key": {"cluster": "eu-west", "namespace": "shop", "name": "checkout"}},
    "dryRun": true, "reason": "a try with curl"}}}'
echo

echo '# What happens to it, as it happens. The id of an event says where to go on after a break:'
ask --no-buffer --max-time 3 --header 'Accept: text/event-stream' --json '{
  "query": "subscription Watch($rollout: RolloutRefInput!) { rolloutChanged(rollout: $rollout) { kind cursor occurredAt ... on RolloutSnapshotEvent { rollout { phase message } } } }",
  "variables": {"rollout": {"key": {"cluster": "eu-west", "namespace": "shop", "name": "checkout"}}}}' ||
    [ $? -eq 28 ] # the time was over, as we asked
