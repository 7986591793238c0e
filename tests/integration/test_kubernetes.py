# SPDX-License-Identifier: MIT
"""docker/kubernetes/: what kubectl makes of it fits Kubernetes' API, and its parts fit each other."""

import copy
import json
import re
import shutil
import subprocess

import kubernetes.client
import pytest
import yaml

from daemon import ROOT, run

FOLDER = ROOT / "docker/kubernetes"
MODELS = {
    "ConfigMap": "V1ConfigMap", "Deployment": "V1Deployment", "Namespace": "V1Namespace",
    "NetworkPolicy": "V1NetworkPolicy", "PodDisruptionBudget": "V1PodDisruptionBudget",
    "Service": "V1Service",
}
CERTIFICATE, ISSUER = "Certificate", "Issuer"  # cert-manager's, of which there are no models here
SCALARS = {"bool": bool, "int": int, "str": str}
RESTRICTED_VOLUMES = {"configMap", "downwardAPI", "emptyDir", "persistentVolumeClaim", "projected",
                      "secret"}


def render(folder):
    """The objects by kind; there is one of each here."""
    printed = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True,
                             check=True, timeout=60)
    assert printed.stderr == ""  # of what is deprecated
    objects = list(yaml.safe_load_all(printed.stdout))
    by_kind = {item["kind"]: item for item in objects if item["kind"] != CERTIFICATE}
    by_kind[CERTIFICATE] = [item for item in objects if item["kind"] == CERTIFICATE]
    assert len(by_kind) + len(by_kind[CERTIFICATE]) == len(objects) + 1
    return by_kind


@pytest.fixture(name="objects", scope="module")
def rendered():
    return render(FOLDER)


@pytest.fixture(name="pod")
def pod_spec(objects):
    return objects["Deployment"]["spec"]["template"]["spec"]


@pytest.fixture(name="settings")
def settings_in_config_map(objects):
    return yaml.safe_load(objects["ConfigMap"]["data"]["mta-stsd.yaml"])


def check(value, kind, where):
    """Raises ValueError unless the value is what the API documents for it, to the last key."""
    many = re.fullmatch(r"list\[(.+)\]|dict\(str, (.+)\)", kind)
    if many:
        if not isinstance(value, list if many[1] else dict):
            raise ValueError(f"{where}: {value!r} is no {kind}")
        for key, item in enumerate(value) if many[1] else value.items():
            check(item, many[1] or many[2], f"{where}[{key}]")
    elif kind in SCALARS:
        if type(value) is not SCALARS[kind]:
            raise ValueError(f"{where}: {value!r} is no {kind}")
    elif hasattr(kubernetes.client, kind):
        check_model(value, getattr(kubernetes.client, kind), where)
    elif kind != "object":
        raise ValueError(f"{where}: what a {kind} is, this test does not know")


def check_model(value, model, where):
    names = {name: attribute for attribute, name in model.attribute_map.items()}
    if not isinstance(value, dict) or not value.keys() <= names.keys():
        raise ValueError(f"{where}: of {value!r}, {model.__name__} knows only {sorted(names)}")
    for name, item in value.items():
        check(item, model.openapi_types[names[name]], f"{where}.{name}")
    try:
        model(**{names[name]: item for name, item in value.items()})  # looks for what it requires
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def test_fits_the_api(objects):
    for kind, item in objects.items():
        if kind not in (CERTIFICATE, ISSUER):
            check(item, MODELS[kind], kind)


@pytest.mark.parametrize("path, key, value", [
    ("spec.template.spec", "securityContexts", {}),
    ("spec.template.spec", "containers", None),
    ("spec.template.spec.containers.0", "readinessProbe", {"httpGet": {"path": "/readyz"}}),
    ("spec.template.spec.containers.0.ports.0", "containerPort", "8443"),
    ("spec.template.spec.containers.0.securityContext.capabilities", "drop", "ALL"),
    ("spec.template.metadata.labels", "port", 8443),
    ("spec", "selector", None),
])
def test_what_does_not_fit_is_found(objects, path, key, value):
    item = deployment = copy.deepcopy(objects["Deployment"])
    for step in path.split("."):
        item = item[int(step) if step.isdigit() else step]
    item[key] = value
    with pytest.raises(ValueError, match="^Deployment"):
        check(deployment, MODELS["Deployment"], "Deployment")


def test_configuration_is_without_findings():
    recipe = (FOLDER / "kustomization.yaml").read_text(encoding="utf-8")
    command, = re.findall(r"^# +mta-stsd (-c .*)$", recipe, re.MULTILINE)
    tested = run(*command.split(), "--strict", cwd=ROOT)
    assert tested.returncode == 0 and tested.stdout.endswith(b" 0 errors, 0 warnings, 0 notes\n")


def add_lines(path, lines):
    path.write_text(path.read_text(encoding="utf-8") + lines, encoding="utf-8")


def test_change_is_a_rollout(objects, tmp_path):
    """Another configuration is a ConfigMap of another name, and the pods are of that name."""
    folder = shutil.copytree(FOLDER, tmp_path / "kubernetes")
    add_lines(folder / "customers.yaml", "    mode: enforce\n")
    names = []
    for items in (objects, render(folder)):
        names.append(items["ConfigMap"]["metadata"]["name"])
        volumes = items["Deployment"]["spec"]["template"]["spec"]["volumes"]
        assert [volume["configMap"]["name"] for volume in volumes if "configMap" in volume] == \
            names[-1:]
    assert names[0] != names[1]


def test_ports_are_those_of_the_daemon(objects, pod, settings):
    container, = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    listener, = settings["listen"]
    assert ports == {"https": int(listener["address"].rpartition(":")[2]),
                     "admin": int(settings["admin"].rpartition(":")[2])}
    assert [port["targetPort"] for port in objects["Service"]["spec"]["ports"]] == ["https"]
    rules = objects["NetworkPolicy"]["spec"]["ingress"]
    assert [([port["port"] for port in rule["ports"]], "from" in rule) for rule in rules] == \
        [(["https"], False), (["admin"], True)]
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] == "admin"


def test_selectors_find_the_pods(objects, pod):
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    selectors = [objects[kind]["spec"][key]["matchLabels"] for kind, key in (
        ("Deployment", "selector"), ("NetworkPolicy", "podSelector"),
        ("PodDisruptionBudget", "selector"))]
    selectors.append(objects["Service"]["spec"]["selector"])
    selectors += [spread["labelSelector"]["matchLabels"]
                  for spread in pod["topologySpreadConstraints"]]
    assert all(selector == labels for selector in selectors)


def test_an_orderly_end_has_time(pod, settings):
    delay_s = int(settings["shutdown_delay"].removesuffix("s"))
    assert delay_s > 0 and pod["terminationGracePeriodSeconds"] > delay_s + 10


def test_restricted(objects, pod):
    """What the restricted Pod Security Standard asks for, which the namespace has enforced."""
    labels = objects["Namespace"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    context = pod["securityContext"]
    assert context["runAsNonRoot"] is True and context["runAsUser"] == 65532
    assert context["seccompProfile"]["type"] in ("RuntimeDefault", "Localhost")
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    for container in pod["containers"]:
        own = container["securityContext"]
        assert own["allowPrivilegeEscalation"] is False and own["readOnlyRootFilesystem"] is True
        assert own["capabilities"] == {"drop": ["ALL"]}
    assert all(volume.keys() - {"name"} <= RESTRICTED_VOLUMES for volume in pod["volumes"])


def generate(folder, *names):
    """By the program of this build, in MTA_STSD as the tests have it too."""
    subprocess.run([folder / "generate", *names], check=True, timeout=60)


def assert_certificates(objects, hosts):
    """Each of these hosts has a Certificate, whose Secret is where certificates: looks for it."""
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    issued = [item["spec"] for item in objects[CERTIFICATE]]
    assert sorted(spec["dnsNames"] for spec in issued) == [[host] for host in sorted(hosts)]
    issuer = {"kind": ISSUER, "name": objects[ISSUER]["metadata"]["name"]}
    assert all(spec["issuerRef"] == issuer for spec in issued)
    mount, = [mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]
              if mount["name"] == "certificates"]
    volume, = [volume for volume in pod["volumes"] if volume["name"] == "certificates"]
    assert volume["projected"]["defaultMode"] == 0o440
    mounted = {source["secret"]["name"]: {item["key"]: f"{mount}/{item['path']}"
                                          for item in source["secret"]["items"]}
               for source in volume["projected"]["sources"]}
    template, = yaml.safe_load(objects["ConfigMap"]["data"]["mta-stsd.yaml"])["certificates"]
    assert mounted == {spec["secretName"]: {
        f"tls.{end}": template[key].replace("{host}", spec["dnsNames"][0])
        for end, key in (("crt", "chain"), ("key", "key"))} for spec in issued}


def test_each_policy_host_has_its_certificate(objects):
    printed = run("-c", FOLDER / "mta-stsd.yaml", "--print-dns=json", "--no-certificates").stdout
    assert_certificates(objects, {record["name"] for record in json.loads(printed)
                                  if record["name"].startswith("mta-sts.")})


def test_generated_files_are_those_of_customers(tmp_path):
    folder = shutil.copytree(FOLDER, tmp_path / "kubernetes")
    generate(folder)
    for path in (FOLDER / "generated").iterdir():
        assert (folder / "generated" / path.name).read_bytes() == path.read_bytes()


def test_customer_is_added_in_one_place(tmp_path):
    """With an alias, with TLS reporting alone, and with policy_host.name, asked for."""
    folder = shutil.copytree(FOLDER, tmp_path / "kubernetes")
    add_lines(folder / "customers.yaml", """
  second.example:
    mx: [mail.second.example]
    aliases: [third.example]
  reports.example: {mta_sts: false, tls_rpt: ["mailto:tlsrpt@reports.example"]}
""")
    hosts = {f"mta-sts.{name}.example" for name in ("second", "third")} | {"mta-sts.example.com"}
    generate(folder)
    objects = render(folder)
    assert_certificates(objects, hosts)
    check(objects["Deployment"], MODELS["Deployment"], "Deployment")
    generate(folder, "policy.provider.example")
    assert_certificates(render(folder), hosts | {"policy.provider.example"})


def test_ingress_leads_to_the_service(objects):
    """Traefik is not here: its names are compared, and the listener that it needs is one."""
    text = (FOLDER / "ingress.yaml").read_text(encoding="utf-8")
    route, = yaml.safe_load(text)["spec"]["routes"]
    service, = route["services"]
    assert service["name"] == objects["Service"]["metadata"]["name"]
    assert service["port"] in [port["name"] for port in objects["Service"]["spec"]["ports"]]
    listen = re.search(r"^# +(listen: .*)$", text, re.MULTILINE)[1]
    assert yaml.safe_load(listen)["listen"][0]["proxy_protocol"]
