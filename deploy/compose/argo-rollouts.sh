#!/bin/sh
# Puts Argo Rollouts and a rollout on clusters of k3s, and writes one kubeconfig of all of them.
# Arguments: their names, each a folder of $KUBECONFIGS with kubeconfig.yaml, and a host.
set -eu

# of CLUSTER FIELD: a field of its kubeconfig, in which k3s calls everything "default".
of() {
  kubectl --kubeconfig "$KUBECONFIGS/$1/kubeconfig.yaml" config view --raw -o "jsonpath={$2}"
}

new="$OUTPUT.new"
rm -f "$new"
for cluster in "$@"; do
  port=$(of "$cluster" '.clusters[0].cluster.server')
  port=${port##*:}
  for field in \
    "clusters.$cluster.server https://$cluster:$port" \
    "clusters.$cluster.certificate-authority-data $(of "$cluster" '.clusters[0].cluster.certificate-authority-data')" \
    "users.$cluster.client-certificate-data $(of "$cluster" '.users[0].user.client-certificate-data')" \
    "users.$cluster.client-key-data $(of "$cluster" '.users[0].user.client-key-data')" \
    "contexts.$cluster.cluster $cluster" \
    "contexts.$cluster.user $cluster"; do
    kubectl --kubeconfig "$new" config set "${field% *}" "${field##* }" >/dev/null
  done

  at() { kubectl --kubeconfig "$new" --context "$cluster" "$@"; }
  # Applied twice, nothing changes: it may be run again.
  at create namespace argo-rollouts --dry-run=client -o yaml | at apply -f -
  # By the server: the CRDs are too large for the annotation in which a client's apply keeps them.
  at apply --server-side -n argo-rollouts -f "$INSTALL"
  # kubectl stumbles over a CRD that was made just now, and has no conditions yet.
  for _ in 1 2 3 4 5; do
    at wait --for=condition=Established --timeout=60s crd/rollouts.argoproj.io && break
    sleep 1
  done
  at apply -n default -f "$ROLLOUT"
done
# Rollgraph's user reads it, and nobody else has this folder. A rename: nobody reads a half.
chmod 0644 "$new"
mv "$new" "$OUTPUT"
