"""How the pods of an InferenceService end, as the key `preStopSleepSeconds` has it."""

from __future__ import annotations

from generator.yaml.data import JsonObject

_PERIOD = "terminationGracePeriodSeconds"
# What the models chart leaves to the server after the sleep; _lifecycle.tpl adds the same.
_OF_THE_SERVER = 30
# Of these keys of an entry the chart makes containers.
_CONTAINERS = {"format", "image", "transformer", "explainer"}


def sleep_of(component: JsonObject, container: JsonObject) -> int:
    """The seconds of which the models chart makes these, a preStop and a grace period; else 0."""
    period = component.get(_PERIOD)
    seconds = period - _OF_THE_SERVER if isinstance(period, int) else 0
    written = {"preStop": {"sleep": {"seconds": seconds}}}
    return seconds if seconds > 0 and container.get("lifecycle") == written else 0


def drop_sleep(component: JsonObject, container: JsonObject) -> None:
    """Remove both, if they are what the chart makes of those seconds."""
    if sleep_of(component, container):
        del container["lifecycle"], component[_PERIOD]


def sleep_key(entry: JsonObject, seconds: int) -> JsonObject:
    """The key of an entry that says it, where the chart's default would change the pods."""
    if entry.keys().isdisjoint(_CONTAINERS) or entry.get("deploymentMode") == "Knative":
        return {}
    return {"preStopSleepSeconds": seconds}
