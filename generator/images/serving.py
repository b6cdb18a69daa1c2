"""The images of declared models: their own, and what KServe makes of their runtimes' images."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from generator.catalog import Format, catalog, formats
from generator.images.mention import OCI, mentions
from generator.images.platform import chosen, server_type, use_of, variables, with_derived
from generator.images.usage import Use
from generator.values.load import merge
from generator.yaml.path import Key, dotted

# The tag that KServe replaces (UpdateImageTag, as in catalog.py).
_TAG = re.compile(r":[\w.-]*$")


@dataclass(frozen=True)
class _Server:
    """A runtime that models can be given, and the use of its server's image by it."""

    name: str
    kind: str
    use: Use
    formats: tuple[Format, ...]
    protocols: tuple[str, ...]
    workers: bool

    def serves(self, model: Mapping[str, Any], *, workers: bool) -> bool:
        """Whether KServe may choose it for the `model:` of a predictor that names no runtime."""
        wanted = model.get("modelFormat") or {}
        protocol = model.get("protocolVersion", "v1")
        return (
            self.workers == workers
            and (not self.protocols or protocol in self.protocols)
            and any(
                each.automatic
                and each.name == wanted.get("name")
                and wanted.get("version", each.version) == each.version
                for each in self.formats
            )
        )


def model_uses(values: Mapping[str, Any]) -> Iterator[Use]:
    """Every use of an image by the models that whole values declare."""
    servers = list(_servers(values))
    art = use_of(
        chosen(catalog().images["artExplainer"], values["inference"]["artExplainer"]["image"]),
        values,
        "",
        "",
        (),
    )
    for name, model in values["models"].items():
        what = f"InferenceService {name}"
        spec = _spec(model)
        for path, image in mentions(spec):
            value = _value(name, model, path)
            if path[-1] == "env" and model.get("storageUri") == OCI + image:
                value = ("models", name, "storageUri")
            yield Use(image, what, dotted(("spec", *path)), value)
        for path, predictor in _predictors(spec):
            for use in _of_predictor(predictor, servers):
                value = _value(name, model, (*path, "model", "runtimeVersion"))
                field = dotted(("spec", *path, "model"))
                yield replace(use, object=what, field=field, value=value)
        explainer = (spec.get("explainer") or {}).get("art") or {}
        if (version := explainer.get("runtimeVersion")) and not explainer.get("image"):
            value = ("models", name, "spec", "explainer", "art", "runtimeVersion")
            use = _versioned(art, str(version))
            yield replace(use, object=what, field="spec.explainer.art", value=value)


def pinned_by_tag(values: Mapping[str, Any]) -> set[Key]:
    """The values of runtimes' images that a model replaces the tag of: with a digest, KServe would
    run that one instead.
    """
    servers = list(_servers(values))
    return {
        server.use.value
        for model in values["models"].values()
        for _, predictor in _predictors(_spec(model))
        if (predictor.get("model") or {}).get("runtimeVersion")
        for server in _candidates(predictor, servers)
    }


def unknown(values: Mapping[str, Any]) -> Iterator[tuple[Key, str]]:
    """The models whose runtime is not among the values, so that its image is not known here: the
    value that says so, and the model.
    """
    servers = list(_servers(values))
    for name, model in values["models"].items():
        for path, predictor in _predictors(_spec(model)):
            served = predictor.get("model") or {}
            if served and not served.get("image") and not _candidates(predictor, servers):
                key = "runtime" if served.get("runtime") else "modelFormat"
                value = _value(name, model, (*path, "model", key))
                outside_spec = key == "modelFormat" and value[2] != "spec"
                yield (*value[:-1], "format") if outside_spec else value, name


def _servers(values: Mapping[str, Any]) -> Iterator[_Server]:
    for key, own in values["runtimes"].items():
        runtime = catalog().runtimes[key]
        if own["enabled"]:
            use = use_of(
                chosen(runtime.image, own["image"]), values, "", "", ("runtimes", key, "image")
            )
            workers = "workerSpec" in runtime.spec
            server = runtime.serverType
            yield _Server(runtime.name, server, use, runtime.formats, runtime.protocols, workers)
    for name, custom in values["customRuntimes"].items():
        spec = custom["spec"] or {}
        for index, container in enumerate(spec.get("containers") or []):
            if container.get("name") == "kserve-container" and container.get("image"):
                value = ("customRuntimes", name, "spec", "containers", index, "image")
                use = Use(container["image"], "", "", value)
                protocols = tuple(spec.get("protocolVersions") or ())
                kind = server_type(name, custom)
                yield _Server(name, kind, use, formats(spec), protocols, "workerSpec" in spec)


def _spec(model: Mapping[str, Any]) -> dict[str, Any]:
    """What a model's InferenceService says of images, arguments and runtimes."""
    spec: dict[str, Any] = {"predictor": _implementation(model)}
    for key in ("transformer", "explainer"):
        entry = model.get(key)
        if entry and entry.get("art"):
            own = {key: entry[key] for key in ("storageUri",) if key in entry}
            spec[key] = {"art": _container(entry) | own}
        elif entry:
            spec[key] = {"containers": [_container(entry)]}
    if versions := model.get("canary"):
        every = (merge(model, version) for _, version in sorted(versions.items()))
        spec["canary"] = [{"predictor": _implementation(version)} for version in every]
    merged: dict[str, Any] = merge(spec, model.get("spec") or {}, keep_null=True)
    return merged


def _implementation(model: Mapping[str, Any]) -> dict[str, Any]:
    """A predictor: `containers:` for an image, `model:` for a format."""
    uri = model.get("storageUri", "")
    if model.get("image"):
        env = {"STORAGE_URI": uri} if uri.startswith(OCI) else {}
        return {"containers": [_container(model, env)]}
    if not model.get("format"):
        return {}
    names = {"protocol": "protocolVersion"}
    keys = ("protocol", "runtime", "runtimeVersion", "storageUri")
    given = {names.get(key, key): model[key] for key in keys if model.get(key)}
    wanted = {"name": model["format"]}
    if model.get("formatVersion"):
        wanted["version"] = model["formatVersion"]
    return {"model": {"modelFormat": wanted} | given | _container(model)}


def _container(entry: Mapping[str, Any], env: Mapping[str, Any] | None = None) -> dict[str, Any]:
    own = {key: entry[key] for key in ("args", "command", "image") if key in entry}
    every = {**entry.get("env", {}), **(env or {})}
    return own | ({"env": variables(every)} if every else {})


def _predictors(spec: Mapping[str, Any]) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    yield ("predictor",), spec.get("predictor") or {}
    for index, version in enumerate(spec.get("canary") or []):
        yield ("canary", index, "predictor"), version.get("predictor") or {}


def _candidates(predictor: Mapping[str, Any], servers: list[_Server]) -> list[_Server]:
    """The runtimes that KServe may run a predictor by; one, where it names one that is there."""
    model = predictor.get("model") or {}
    if named := model.get("runtime"):
        return [server for server in servers if server.name == named]
    workers = "workerSpec" in predictor
    return [server for server in servers if server.serves(model, workers=workers)]


def _of_predictor(predictor: Mapping[str, Any], servers: list[_Server]) -> Iterator[Use]:
    """What KServe runs beside what objects name: by the model's runtimeVersion, or its hardware."""
    model = predictor.get("model") or {}
    version, own = model.get("runtimeVersion"), model.get("image")
    if not (version or own):
        return
    for server in _candidates(predictor, servers):
        use = Use(own, "", "", ()) if own else server.use
        if not version:
            yield from (use for use in with_derived(use, server.kind) if use.derived)
        elif "@sha256:" not in use.reference:
            yield _versioned(use, str(version))


def _versioned(use: Use, version: str) -> Use:
    """The use with another tag, as KServe puts a model's runtimeVersion there."""
    source = f"{_TAG.sub('', use.source)}:{version}" if use.source else ""
    reference = f"{_TAG.sub('', use.reference)}:{version}"
    return replace(
        use, reference=reference, source=source, derived=f"with runtimeVersion {version}"
    )


def _value(name: str, model: Mapping[str, Any], path: Key) -> Key:
    """The value of a model's entry that sets a field of its spec."""
    own: Any = model.get("spec") or {}
    for step in path:
        inside = isinstance(own, Mapping) and step in own
        listed = isinstance(own, list) and isinstance(step, int) and step < len(own)
        if not (inside or listed):
            break
        own = own[step]
    else:
        return ("models", name, "spec", *path)
    key: tuple[Any, ...] = ("models", name)
    if path[0] == "canary":
        key = (*key, "canary", sorted(model["canary"])[int(path[1])])
    elif path[0] != "predictor":
        key = (*key, path[0])
    return (*key, path[-1])
