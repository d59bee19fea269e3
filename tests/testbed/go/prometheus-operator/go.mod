// Only files are taken from it, the CRDs of the Prometheus Operator: nothing is compiled.
module rollgraph/testbed/prometheus-operator

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
