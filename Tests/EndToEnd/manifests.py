"""What Kubernetes would make of the manifests in packaging/kubernetes.

manifests.py valid DIRECTORY VERSION    they fit the schemas, and what their comments promise holds
manifests.py config FILE                the text of procvitals.yaml in the file's ConfigMap
manifests.py rights FILE [PATCH]        UID GID CAPABILITY... of the container procvitals
"""

import sys

import kubernetes_validate
import yaml


def load(path):
    with open(path, encoding="utf-8") as file:
        return [resource for resource in yaml.safe_load_all(file) if resource]


def merged(old, new):
    """A strategic merge: mappings key by key, containers by name; other lists are replaced."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {key: merged(old.get(key), new.get(key, old.get(key))) for key in {**old, **new}}
    if isinstance(new, list) and new and isinstance(new[0], dict) and "name" in new[0]:
        named = {entry["name"]: entry for entry in old or []}
        return list({**named, **{e["name"]: merged(named.get(e["name"]), e) for e in new}}.values())
    return new


def pod(resource):
    return resource["spec"]["template"]["spec"] if "template" in resource["spec"] else resource["spec"]


def workload(path, patch=None):
    resource = next(r for r in load(path) if r["kind"] in ("Pod", "DaemonSet"))
    return merged(resource, load(patch)[0]) if patch else resource


def effective(spec, container):
    return merged(spec.get("securityContext", {}), container["securityContext"])


def of_procvitals(spec):
    return next(c for c in spec["containers"] if c["name"] == "procvitals")


def restricted(spec):
    """The rules of the Pod Security Standard "restricted" that concern such pods."""
    yield not any(spec.get(key) for key in ("hostPID", "hostIPC", "hostNetwork"))
    yield all({"name", "configMap"} == set(volume) for volume in spec["volumes"])
    for container in spec["containers"]:
        context = effective(spec, container)
        yield context.get("runAsNonRoot") and context["runAsUser"] != 0
        yield context.get("seccompProfile") == {"type": "RuntimeDefault"}
        yield context.get("allowPrivilegeEscalation") is False and "privileged" not in context
        yield context["capabilities"] == {"drop": ["ALL"]}
        yield "appArmorProfile" not in context


def valid(directory, version):
    sidecar, daemonset = f"{directory}/sidecar.yaml", f"{directory}/daemonset.yaml"
    patched = workload(daemonset, f"{directory}/daemonset-capabilities.yaml")
    # 1.30 is the first that knows appArmorProfile.
    for release in ("1.30", kubernetes_validate.latest_version()):
        for resource in load(sidecar) + load(daemonset) + [patched]:
            kubernetes_validate.validate(resource, release, strict=True)
    assert all(restricted(pod(workload(sidecar)))), "the sidecar is not restricted"
    assert not all(restricted(pod(workload(daemonset)))), "nothing is unrestricted"
    for resource in (workload(sidecar), workload(daemonset), patched):
        container = of_procvitals(pod(resource))
        image = container["image"]
        assert image.endswith(f"/procvitals:{version}"), f"{image} is not version {version}"
        mounted = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
        volume = next(v for v in pod(resource)["volumes"] if v["name"] in mounted)
        assert mounted[volume["name"]] == "/etc/procvitals", "the configuration is elsewhere"
        maps = [r for r in load(sidecar) + load(daemonset) if r["kind"] == "ConfigMap"]
        assert volume["configMap"]["name"] in [m["metadata"]["name"] for m in maps], "no such map"


command, arguments = sys.argv[1], sys.argv[2:]
if command == "valid":
    valid(*arguments)
elif command == "config":
    print(next(r for r in load(arguments[0]) if r["kind"] == "ConfigMap")["data"]["procvitals.yaml"])
else:
    spec = pod(workload(*arguments))
    context = effective(spec, of_procvitals(spec))
    print(context["runAsUser"], context["runAsGroup"], *context["capabilities"].get("add", []))
