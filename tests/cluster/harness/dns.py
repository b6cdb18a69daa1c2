"""The cluster's DNS: CoreDNS, as kubeadm installs it, with one replica."""

from __future__ import annotations

from tests.cluster.harness.cluster import Cluster
from tests.cluster.harness.plane import DNS, DOMAIN

_NAME = "coredns"
# Other names are refused, not forwarded: there are none where the cluster is.
_COREFILE = f"""
{DOMAIN}:53 in-addr.arpa:53 ip6.arpa:53 {{
    errors
    health
    ready
    kubernetes {DOMAIN} in-addr.arpa ip6.arpa {{
        pods insecure
        ttl 1
    }}
    loadbalance
}}
"""
_OBJECTS = f"""
apiVersion: v1
kind: ServiceAccount
metadata: {{name: {_NAME}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: system:{_NAME}}}
rules:
- apiGroups: [""]
  resources: [endpoints, services, pods, namespaces]
  verbs: [list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: system:{_NAME}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:{_NAME}}}
subjects:
- {{kind: ServiceAccount, name: {_NAME}, namespace: kube-system}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {_NAME}}}
spec:
  selector: {{matchLabels: {{k8s-app: kube-dns}}}}
  template:
    metadata: {{labels: {{k8s-app: kube-dns}}}}
    spec:
      serviceAccountName: {_NAME}
      dnsPolicy: Default
      securityContext:
        sysctls:
        - {{name: net.ipv4.ip_unprivileged_port_start, value: "0"}}
      containers:
      - name: coredns
        image: registry.k8s.io/coredns/coredns
        args: [-conf, /etc/coredns/Corefile]
        readinessProbe:
          httpGet: {{path: /ready, port: 8181}}
        volumeMounts:
        - {{name: config, mountPath: /etc/coredns, readOnly: true}}
      volumes:
      - name: config
        configMap: {{name: {_NAME}}}
---
apiVersion: v1
kind: Service
metadata: {{name: kube-dns}}
spec:
  selector: {{k8s-app: kube-dns}}
  clusterIP: {DNS}
  ports:
  - {{name: dns, port: 53, protocol: UDP}}
  - {{name: dns-tcp, port: 53, protocol: TCP}}
"""


def install(cluster: Cluster) -> None:
    """Run it; returns when it answers."""
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _NAME},
        "data": {"Corefile": _COREFILE},
    }
    cluster.apply(config, _OBJECTS, namespace="kube-system")
    where = (f"deployment/{_NAME}", "-n", "kube-system")
    cluster.kubectl("rollout", "status", *where, "--timeout=2m")
