"""Fields of rendered objects that are somebody else's to fill in, once the objects are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from generator.manifests.parsing import Manifest
from generator.yaml.document import parse
from generator.yaml.fields import at

OTHERS: Mapping[str, tuple[str, str]] = {
    # By the certificate's Job, cert-manager or OpenShift's service CA.
    "MutatingWebhookConfiguration": ("webhooks", "clientConfig.caBundle"),
    "ValidatingWebhookConfiguration": ("webhooks", "clientConfig.caBundle"),
}
"""By kind: a list in objects of it, and the field that others fill in of each item of that."""


def left_to_others(manifests: Sequence[Manifest]) -> Iterator[tuple[Manifest, str, str]]:
    """The objects with such a field that the values do not set, with list and field as in OTHERS.

    With `webhook.certificate.mode: existing` the values do.
    """
    for each in manifests:
        if each.kind not in OTHERS:
            continue
        items, field = OTHERS[each.kind]
        data = parse(each.text, each.name).data
        if not all(at(item, field) for item in at(data, items) or []):
            yield each, items, field
