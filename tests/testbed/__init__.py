"""Real control planes on loopback, without Docker: what the acceptance tests run against.

``Fleet`` starts one etcd and a ``Spoke`` per cluster: kube-apiserver, controller-manager, a fake
kubelet (kwok) and the Argo Rollouts controller, all built from the Go modules in ``go/``.
"""
