"""What runs before an adoption, and what will run after it."""

from __future__ import annotations

from generator import CONTROLLER
from generator.catalog import catalog
from generator.manifests.parsing import split
from generator.manifests.rendering import platform
from generator.migration.cluster import manager
from generator.migration.reading import Install
from generator.migration.reference import parse
from generator.migration.serving import Runtimes, of_kind
from generator.release import Release
from generator.values.load import Values
from generator.yaml.document import parse as parse_yaml
from generator.yaml.fields import at

_KIND = "ClusterServingRuntime"


def rendered_runtimes(values: Values, release: Release) -> Runtimes:
    """The ClusterServingRuntimes that values make, by name.

    Raises ValuesError, ToolMissing without Helm, ToolFailed with what Helm said.
    """
    texts = (each for each in split(platform(values, release)) if each.kind == _KIND)
    return {each.name: parse_yaml(each.text, each.source).data for each in texts}


def version_before(install: Install) -> str:
    """KServe's version as the controller's image says it, such as v0.19.0; "" if it is ours.

    Without the controller's Deployment, what else says it; "of before" if nothing does.
    """
    ours = catalog().versions.kserve
    for found in of_kind(install.objects, "Deployment"):
        if found.data["metadata"]["name"] == CONTROLLER:
            image = manager(at(found.data, "spec.template.spec")).get("image", "")
            if tag := parse(str(image)).tag:
                return "" if tag == ours else tag
    said = f"v{install.state.version}.0" if install.state.version else "of before"
    return "" if said == ours else said
