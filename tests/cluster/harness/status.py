"""The status of objects: read, and reported in place of controllers that are not there."""

from __future__ import annotations

import json

from tests.cluster.harness.cluster import Cluster
from tests.rendering import Object

REASON = "Test"
"""Of the conditions that `conditions` makes."""


def condition(resource: Object, kind: str) -> str:
    """The status of a condition: "True", "False", "Unknown", or "" where there is none."""
    found = resource.get("status", {}).get("conditions", [])
    return next((str(each["status"]) for each in found if each["type"] == kind), "")


def conditions(**states: str) -> list[Object]:
    """Conditions by type, as a controller reports them."""
    always = {"lastTransitionTime": "2026-01-01T00:00:00Z", "reason": REASON, "message": ""}
    return [{"type": key, "status": value, **always} for key, value in states.items()]


def report(cluster: Cluster, resource: Object, status: Object) -> None:
    """Write the status of an object, as its own controller would."""
    where = (
        resource["kind"],
        resource["metadata"]["name"],
        "-n",
        resource["metadata"]["namespace"],
    )
    patch = json.dumps({"status": status})
    cluster.kubectl("patch", *where, "--subresource=status", "--type=merge", "-p", patch)


def accept_routes(cluster: Cluster, namespace: str, state: str = "True") -> int:
    """Every HTTPRoute gets from a gateway that it is accepted, or not; their number."""
    routes = cluster.list("httproutes", namespace)
    for route in routes:
        (parent,) = route["spec"]["parentRefs"]
        said = conditions(Accepted=state, ResolvedRefs="True")
        accepted = {"parentRef": parent, "controllerName": "example.com/test", "conditions": said}
        report(cluster, route, {"parents": [accepted]})
    return len(routes)
