"""Who a NetworkPolicy lets in, by its selectors, as Kubernetes reads them."""

from __future__ import annotations

from collections.abc import Mapping

from tests.rendering import Object


def may_call(
    policy: Object, pod: Mapping[str, str], namespace: str, labels: Mapping[str, str]
) -> bool:
    """Whether a policy lets in the calls of a pod with these labels, from a namespace with `labels`.

    It knows what our policies have: rules with `from` alone, and peers that select by labels.
    """
    home = policy["metadata"]["namespace"]
    for rule in policy["spec"]["ingress"]:
        assert rule.keys() == {"from"}
        for peer in rule["from"]:
            assert peer.keys() <= {"namespaceSelector", "podSelector"}
            # Without a selector of namespaces it is about pods of the policy's own.
            there = (
                _selects(peer["namespaceSelector"], labels)
                if "namespaceSelector" in peer
                else namespace == home
            )
            if there and _selects(peer.get("podSelector", {}), pod):
                return True
    return False


def _selects(selector: Object, labels: Mapping[str, str]) -> bool:
    assert selector.keys() <= {"matchLabels"}
    return selector.get("matchLabels", {}).items() <= labels.items()
