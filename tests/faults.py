"""What an API server refuses of an object, beyond what a JSON schema says of it.

The rules are those of pkg/apis/core/validation, apps and networking of k8s.io/kubernetes v1.34, of
Gateway API's CRDs and of Istio's validation webhook, for the fields that this project renders. A
pod that KServe makes later is held to them too, wherever its parts stand in a custom resource.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from generator.values.quantities import amount
from tests.rendering import walk

Object = dict[str, Any]
Found = Iterator[str]

_DNS = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
# The parts of a subdomain have no limit of their own; all of it has.
_PART = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_PART}(\.{_PART})*"
_LABEL = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_IMAGE_PATH = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"([A-Za-z0-9]|[A-Za-z0-9][-A-Za-z0-9]*[A-Za-z0-9])(\.([A-Za-z0-9]|[A-Za-z0-9][-A-Za-z0-9]*[A-Za-z0-9]))*"
FORMATS = {
    "DNS label": (_DNS, 63),
    "name of a Service": (r"[a-z]([-a-z0-9]*[a-z0-9])?", 63),
    "DNS subdomain": (_SUBDOMAIN, 253),
    "path segment": (r"(?!\.{1,2}$)[^/%]+", 253),
    "label key": (rf"({_SUBDOMAIN}/)?{_LABEL}", 317),
    "label value": (rf"({_LABEL})?", 63),
    "variable": (r"[-._a-zA-Z][-._a-zA-Z0-9]*", 10**6),
    "name of a port": (r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?", 15),
    "quantity": (r"\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]+)?", 100),
    "image": (
        rf"({_HOST}(:[0-9]+)?/)?{_IMAGE_PATH}(/{_IMAGE_PATH})*(:\w[\w.-]{{0,127}})?(@sha256:[a-f0-9]{{64}})?",
        10**6,
    ),
    "data key": (r"(?!\.{1,2}$)(?!\.\..)[-._a-zA-Z0-9]+", 253),
    "hostname": (rf"(\*\.)?{_SUBDOMAIN}", 253),
    "Istio host": (rf"([-a-z0-9.]+/)?(\*|(\*\.)?{_SUBDOMAIN})", 253),
    "Istio duration": (r"([0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns))+", 100),
    "Gateway API duration": (r"([0-9]{1,5}(h|m|s|ms)){1,4}", 100),
    "Prometheus duration": (r"(?=.)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?", 100),
    "kind": (r"[A-Z][A-Za-z0-9]*", 63),
    "absolute path": (r"/[^:\0]*", 4096),
    "controller": (rf"{_SUBDOMAIN}/[-A-Za-z0-9/._~%!$&'()*+,;=:@]+", 250),
}  # fmt: skip
_PATTERNS = {
    name: (re.compile(text, re.ASCII), longest) for name, (text, longest) in FORMATS.items()
}

# What the API groups of objects take as names.
_NAMES = {"Service": "name of a Service", "Namespace": "DNS label"}
_OF_KSERVE = "serving.kserve.io/"


def faults(thing: Object) -> Found:
    """What of an object an API server would refuse; nothing for one that it takes."""
    yield from _metadata(thing)
    for path, value in walk(thing):
        where, key = ".".join(map(str, path)), path[-1] if path else ""
        if key in _OPAQUE or any(step in _OPAQUE for step in path):
            continue
        if isinstance(key, str) and value is not None:
            for field, kind, check in _FIELDS:
                if key == field and isinstance(value, kind):
                    yield from check(value, where)
        if isinstance(value, list) and None in value:
            yield f"{where}: an item is null"
        if isinstance(value, dict) and isinstance(value.get("containers"), list):
            yield from _pod(value, where, whole="template" in path)
    if check := _KINDS.get(thing["kind"]):
        yield from check(thing)


def wrong(kind: str, value: Any, where: str) -> Found:
    """A line if `value` is not of a format."""
    pattern, longest = _PATTERNS[kind]
    if not (isinstance(value, str) and len(value) <= longest and pattern.fullmatch(value)):
        yield f"{where}: {value!r} is no {kind}"


def _metadata(thing: Object) -> Found:
    metadata = thing["metadata"]
    kind = _NAMES.get(thing["kind"], "DNS subdomain")
    if thing["apiVersion"].startswith("rbac.authorization.k8s.io/"):
        kind = "path segment"
    yield from wrong(kind, metadata["name"], "metadata.name")
    if "namespace" in metadata:
        yield from wrong("DNS label", metadata["namespace"], "metadata.namespace")
    size = sum(
        len(f"{key}{value}".encode()) for key, value in metadata.get("annotations", {}).items()
    )
    if size > 256 * 1024:
        yield f"metadata.annotations: {size} bytes are too many"


def _each(key: str | None, value: str | None) -> Callable[[Object, str], Found]:
    """A check of each key and value of a mapping."""

    def check(mapping: Object, where: str) -> Found:
        for name, content in mapping.items():
            if key is not None:
                yield from wrong(key, name, where)
            if value is not None:
                yield from wrong(value, content, f"{where}.{name}")

    return check


def _annotations(mapping: Object, where: str) -> Found:
    for name, text in mapping.items():
        yield from wrong("label key", name.lower() if isinstance(name, str) else name, where)
        if not isinstance(text, str):
            yield f"{where}.{name}: {text!r} is not text"


def _amounts(mapping: Object, where: str) -> Found:
    for name, quantity in mapping.items():
        yield from wrong("label key", name, where)
        if isinstance(quantity, bool):
            yield f"{where}.{name}: {quantity!r} is no quantity"
        yield from wrong("quantity", str(quantity), f"{where}.{name}")
        number = amount(quantity)
        if "/" in name and number is not None and number != int(number):
            yield f"{where}.{name}: {quantity} is not whole"


def _resources(resources: Object, where: str) -> Found:
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    for name in requests.keys() & limits.keys():
        if (amount(requests[name]) or Decimal(0)) > (amount(limits[name]) or Decimal(0)):
            yield f"{where}: requests more {name} than its limit"
        if "/" in name and amount(requests[name]) != amount(limits[name]):
            yield f"{where}: {name} cannot be overcommitted"


def _text(kind: str) -> Callable[[str, str], Found]:
    return lambda value, where: wrong(kind, value, where)


def _number(low: int, high: int) -> Callable[[int, str], Found]:
    def check(value: int, where: str) -> Found:
        if isinstance(value, bool) or not low <= value <= high:
            yield f"{where}: {value!r} is not from {low} to {high}"

    return check


def _one_of(*words: str) -> Callable[[str, str], Found]:
    def check(value: str, where: str) -> Found:
        if value not in words:
            yield f"{where}: {value!r} is not one of {words}"

    return check


def _items(check: Callable[[Any, str], Found]) -> Callable[[list[Any], str], Found]:
    def each(values: list[Any], where: str) -> Found:
        for index, value in enumerate(values):
            yield from check(value, f"{where}.{index}")

    return each


def _env(variables: list[Any], where: str) -> Found:
    for variable in variables:
        if not isinstance(variable, dict):
            continue
        yield from wrong("variable", variable.get("name"), where)
        source = variable.get("valueFrom")
        if source is not None and (variable.get("value") or len(source) != 1):
            yield f"{where}.{variable['name']}: one source of the value is wanted"
        if not isinstance(variable.get("value", ""), str):
            yield f"{where}.{variable['name']}: {variable['value']!r} is not text"


def _mounts(mounts: list[Any], where: str) -> Found:
    paths = Counter(mount.get("mountPath") for mount in mounts if isinstance(mount, dict))
    for path, count in paths.items():
        if not path or ":" in path or count > 1:
            yield f"{where}: {path!r} is no mountPath, or is there twice"
    for mount in mounts:
        sub = mount.get("subPath") or mount.get("subPathExpr") or ""
        if sub.startswith("/") or ".." in sub.split("/"):
            yield f"{where}: {sub!r} is no path below a volume"
        if mount.get("subPath") and mount.get("subPathExpr"):
            yield f"{where}: subPath and subPathExpr exclude each other"


def _ports(ports: list[Any], where: str) -> Found:
    names = Counter(port.get("name") for port in ports if isinstance(port, dict))
    for name, count in names.items():
        if name and count > 1:
            yield f"{where}: {name} is there twice"
    for index, port in enumerate(ports):
        if "containerPort" in port and port.get("name"):
            yield from wrong("name of a port", port["name"], f"{where}.{index}.name")


def _probe(probe: Object, where: str) -> Found:
    handlers = [
        key for key in ("exec", "grpc", "httpGet", "tcpSocket") if probe.get(key) is not None
    ]
    if len(handlers) > 1:
        yield f"{where}: {handlers} exclude each other"
    for key in ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold"):  # fmt: skip
        yield from _number(0, 2**31 - 1)(probe.get(key) or 0, f"{where}.{key}")
    if (
        where.endswith(("livenessProbe", "startupProbe"))
        and (probe.get("successThreshold") or 1) != 1
    ):
        yield f"{where}.successThreshold: is not 1"
    if where.endswith("readinessProbe") and probe.get("terminationGracePeriodSeconds") is not None:
        yield f"{where}.terminationGracePeriodSeconds: a readiness probe has none"


def _handler_port(handler: Object, where: str) -> Found:
    port = handler.get("port")
    if isinstance(port, str):
        yield from wrong("name of a port", port, f"{where}.port")


def _tolerations(tolerations: list[Any], where: str) -> Found:
    for index, toleration in enumerate(tolerations):
        here = f"{where}.{index}"
        if key := toleration.get("key"):
            yield from wrong("label key", key, f"{here}.key")
        if not toleration.get("key") and toleration.get("operator") != "Exists":
            yield f"{here}: no key, and the operator is not Exists"
        if toleration.get("operator") == "Exists" and toleration.get("value"):
            yield f"{here}: a value for Exists"
        yield from wrong("label value", toleration.get("value") or "", f"{here}.value")
        if (
            toleration.get("tolerationSeconds") is not None
            and toleration.get("effect") != "NoExecute"
        ):
            yield f"{here}: tolerationSeconds without NoExecute"


def _expressions(expressions: list[Any], where: str) -> Found:
    for index, expression in enumerate(expressions):
        here, operator = f"{where}.{index}", expression.get("operator")
        yield from wrong("label key", expression.get("key"), f"{here}.key")
        values = expression.get("values") or []
        if operator in ("In", "NotIn"):
            if not values:
                yield f"{here}: {operator} without values"
            for value in values:
                yield from wrong("label value", value, f"{here}.values")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                yield f"{here}: {operator} with values"
        elif (
            operator not in ("Gt", "Lt")
            or len(values) != 1
            or not re.fullmatch(r"-?\d+", values[0])
        ):
            yield f"{here}: {operator!r} {values}"


def _spread(constraints: list[Any], where: str) -> Found:
    pairs = Counter(
        (each.get("topologyKey"), each.get("whenUnsatisfiable")) for each in constraints
    )
    for index, each in enumerate(constraints):
        yield from _number(1, 2**31 - 1)(each.get("maxSkew", 0), f"{where}.{index}.maxSkew")
        yield from wrong("label key", each.get("topologyKey"), f"{where}.{index}.topologyKey")
        if each.get("minDomains") and each.get("whenUnsatisfiable") != "DoNotSchedule":
            yield f"{where}.{index}.minDomains: is for DoNotSchedule"
    if any(count > 1 for count in pairs.values()):
        yield f"{where}: a key and whenUnsatisfiable are there twice"


def _security(context: Object, where: str) -> Found:
    if context.get("privileged") and context.get("allowPrivilegeEscalation") is False:
        yield f"{where}: privileged without escalation"
    for profile in ("seccompProfile", "appArmorProfile"):
        own = context.get(profile) or {}
        if own and (own.get("type") == "Localhost") != bool(own.get("localhostProfile")):
            yield f"{where}.{profile}: Localhost and localhostProfile go together"


def _pod(spec: Object, where: str, *, whole: bool) -> Found:
    """What must hold between the parts of a pod; `whole` if nobody adds volumes to it."""
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    names = Counter(
        each["name"] for each in containers if isinstance(each, dict) and "name" in each
    )
    volumes = Counter(volume["name"] for volume in spec.get("volumes") or [])
    for what, counter in (("container", names), ("volume", volumes)):
        for name, count in counter.items():
            yield from wrong("DNS label", name, f"{where}: {what}")
            if count > 1:
                yield f"{where}: two of its {what}s are {name}"
    for volume in spec.get("volumes") or []:
        if len(volume) > 2:
            yield f"{where}: volume {volume['name']} has several sources"
    for container in containers if whole else []:
        for mount in container.get("volumeMounts") or []:
            if mount["name"] not in volumes:
                yield f"{where}: there is no volume {mount['name']}"
        ports = Counter(
            (port["containerPort"], port.get("protocol", "TCP"))
            for port in container.get("ports") or []
        )
        if any(count > 1 for count in ports.values()):
            yield f"{where}: two ports of {container['name']} are the same"


def _cidr(text: str, where: str) -> Found:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        yield f"{where}: {text!r} is no range of addresses"


def _base64(text: str, where: str) -> Found:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        yield f"{where}: is not base64"


def _config_map(thing: Object) -> Found:
    yield from _each("data key", None)(thing.get("data") or {}, "data")
    for key, value in (thing.get("data") or {}).items():
        if not isinstance(value, str):
            yield f"data.{key}: {value!r} is not text"


def _service(thing: Object) -> Found:
    ports = thing["spec"].get("ports") or []
    for index, port in enumerate(ports):
        here = f"spec.ports.{index}"
        if port.get("name") or len(ports) > 1:
            yield from wrong("DNS label", port.get("name"), f"{here}.name")
        if isinstance(target := port.get("targetPort"), str):
            yield from wrong("name of a port", target, f"{here}.targetPort")
    yield from _each("label key", "label value")(
        thing["spec"].get("selector") or {}, "spec.selector"
    )


def _gateway(thing: Object) -> Found:
    if thing["apiVersion"].startswith("networking.istio.io/"):
        yield from _each("label key", "label value")(thing["spec"]["selector"], "spec.selector")
        for index, server in enumerate(thing["spec"]["servers"]):
            yield from _items(_text("Istio host"))(server["hosts"], f"spec.servers.{index}.hosts")
        return
    listeners = thing["spec"]["listeners"]
    for index, listener in enumerate(listeners):
        yield from wrong("DNS subdomain", listener["name"], f"spec.listeners.{index}.name")
    same = Counter((each["port"], each["protocol"], each.get("hostname")) for each in listeners)
    protocols: dict[int, set[str]] = {}
    for each in listeners:
        protocols.setdefault(each["port"], set()).add(each["protocol"])
    if any(count > 1 for count in same.values()) or any(len(own) > 1 for own in protocols.values()):
        yield "spec.listeners: two of them are the same, or have one port for two protocols"


def _virtual_service(thing: Object) -> Found:
    hosts = Counter(thing["spec"]["hosts"])
    for host, count in hosts.items():
        yield from wrong("Istio host", host, "spec.hosts")
        if count > 1:
            yield f"spec.hosts: {host} is there twice"
    for index, route in enumerate(thing["spec"]["http"]):
        where = f"spec.http.{index}"
        for key, text in (("timeout", route.get("timeout")), ("perTryTimeout", (route.get("retries") or {}).get("perTryTimeout"))):  # fmt: skip
            if text is not None:
                yield from wrong("Istio duration", text, f"{where}.{key}")
        weights = [part.get("weight", 0) for part in route.get("route") or []]
        if len(weights) > 1 and (min(weights) < 0 or not sum(weights)):
            yield f"{where}.route: the weights are {weights}"
        if route.get("retries"):
            yield from _number(0, 2**31 - 1)(
                route["retries"]["attempts"], f"{where}.retries.attempts"
            )


def _http_route(thing: Object) -> Found:
    yield from _items(_text("hostname"))(thing["spec"].get("hostnames") or [], "spec.hostnames")
    for index, rule in enumerate(thing["spec"]["rules"]):
        where = f"spec.rules.{index}"
        for key, text in (rule.get("timeouts") or {}).items():
            yield from wrong("Gateway API duration", text, f"{where}.timeouts.{key}")
        for backend in rule.get("backendRefs") or []:
            yield from _number(0, 1_000_000)(
                backend.get("weight", 1), f"{where}.backendRefs.weight"
            )


def _webhooks(thing: Object) -> Found:
    for index, webhook in enumerate(thing["webhooks"]):
        where = f"webhooks.{index}"
        yield from _number(1, 30)(webhook["timeoutSeconds"], f"{where}.timeoutSeconds")
        if webhook["name"].count(".") < 2:
            yield f"{where}.name: has fewer than three parts"


def _ingress_class(thing: Object) -> Found:
    yield from wrong("controller", thing["spec"]["controller"], "spec.controller")


def _service_monitor(thing: Object) -> Found:
    for index, endpoint in enumerate(thing["spec"]["endpoints"]):
        for key in ("interval", "scrapeTimeout"):
            yield from wrong("Prometheus duration", endpoint[key], f"spec.endpoints.{index}.{key}")


def _replicas(thing: Object) -> Found:
    """What KServe's own webhook and HPA refuse of the numbers of pods."""
    for component in ("predictor", "transformer", "explainer"):
        own = thing["spec"].get(component) or {}
        if own.get("maxReplicas") and (own.get("minReplicas") or 0) > own["maxReplicas"]:
            yield f"spec.{component}: minReplicas is more than maxReplicas"
        if not own.get("maxReplicas", 1):
            yield f"spec.{component}: maxReplicas is 0"


_KINDS: dict[str, Callable[[Object], Found]] = {
    "ConfigMap": _config_map,
    "Gateway": _gateway,
    "HTTPRoute": _http_route,
    "InferenceService": _replicas,
    "IngressClass": _ingress_class,
    "MutatingWebhookConfiguration": _webhooks,
    "Service": _service,
    "ServiceMonitor": _service_monitor,
    "ValidatingWebhookConfiguration": _webhooks,
    "VirtualService": _virtual_service,
}
_COUNT = _number(0, 2**31 - 1)
_POSITIVE = _number(1, 2**31 - 1)
_PORT = _number(1, 65535)
# By the name of a field and the type of its value, wherever it stands.
_FIELDS: tuple[tuple[str, type, Callable[[Any, str], Found]], ...] = (
    ("activeDeadlineSeconds", int, _POSITIVE),
    ("annotations", dict, _annotations),
    ("caBundle", str, _base64),
    ("cidr", str, _cidr),
    ("configMap", dict, lambda value, where: wrong("DNS subdomain", value.get("name"), where)),
    ("containerPort", int, _PORT),
    ("defaultMode", int, _number(0, 0o777)),
    ("env", list, _env),
    ("except", list, _items(_cidr)),
    ("fsGroup", int, _COUNT),
    ("grpc", dict, _handler_port),
    ("hostPort", int, _PORT),
    ("hostname", str, _text("hostname")),
    ("httpGet", dict, _handler_port),
    ("image", str, _text("image")),
    ("imagePullPolicy", str, _one_of("Always", "IfNotPresent", "Never")),
    ("imagePullSecrets", list, _items(lambda value, where: wrong("DNS subdomain", value.get("name"), where))),
    ("labels", dict, _each("label key", "label value")),
    ("limits", dict, _amounts),
    ("livenessProbe", dict, _probe),
    ("matchExpressions", list, _expressions),
    ("matchLabels", dict, _each("label key", "label value")),
    ("maxReplicas", int, _COUNT),
    ("minReplicas", int, _COUNT),
    ("mountPath", str, _text("absolute path")),
    ("nodeSelector", dict, _each("label key", "label value")),
    ("port", int, _PORT),
    ("ports", list, _ports),
    ("priorityClassName", str, _text("DNS subdomain")),
    ("readinessProbe", dict, _probe),
    ("replicas", int, _COUNT),
    ("requests", dict, _amounts),
    ("resources", dict, _resources),
    ("runAsGroup", int, _COUNT),
    ("runAsUser", int, _COUNT),
    ("runtimeClassName", str, _text("DNS subdomain")),
    ("secret", dict, lambda value, where: wrong("DNS subdomain", value.get("secretName"), where)),
    ("securityContext", dict, _security),
    ("serviceAccountName", str, _text("DNS subdomain")),
    ("startupProbe", dict, _probe),
    ("storageUri", str, lambda value, where: iter(() if value.strip() == value and value else (where,))),
    ("supplementalGroups", list, _items(_COUNT)),
    ("terminationGracePeriodSeconds", int, _COUNT),
    ("tolerations", list, _tolerations),
    ("topologyKey", str, _text("label key")),
    ("topologySpreadConstraints", list, _spread),
    ("volumeMounts", list, _mounts),
)  # fmt: skip
# Whatever stands below these means nothing to an API server.
_OPAQUE = ("data", "stringData", "openAPIV3Schema")
