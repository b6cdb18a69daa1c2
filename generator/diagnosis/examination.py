"""All that a diagnosis looks for, in the order in which one thing follows from another."""

from __future__ import annotations

from generator.diagnosis import certificate, knative, orphans, platform, readiness, routing
from generator.diagnosis.finding import BROKEN, Finding
from generator.diagnosis.snapshot import Snapshot

_CHECKS = (
    platform.check_presence,
    platform.check_versions,
    platform.check_crds,
    platform.check_config,
    certificate.check_certificate,
    platform.check_controller,
    certificate.check_webhooks,
    routing.check_routing,
    routing.check_dns,
    knative.check_virtual_services,
    readiness.check_models,
    readiness.check_graphs,
    orphans.check_orphans,
    orphans.check_scalers,
)


def examine(seen: Snapshot) -> list[Finding]:
    """Everything that is wrong in a snapshot, each once: what is broken first, causes first."""
    found = dict.fromkeys(finding for check in _CHECKS for finding in check(seen))
    return sorted(found, key=lambda finding: finding.severity != BROKEN)
