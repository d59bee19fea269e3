// Only files are taken from it, the CRDs of the Gateway API: nothing is compiled.
module rollgraph/testbed/gateway-api

go 1.26.0

require sigs.k8s.io/gateway-api v1.4.0
