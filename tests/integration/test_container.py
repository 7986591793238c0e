# SPDX-License-Identifier: MIT
"""docker/Dockerfile without Docker: its commands in a clean tree, its minimal stage as a root.

There the program serves as in compose*.yaml and in kubernetes/deployment.yaml: the same mounts, the
same YAML, in namespaces of its own.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

from client import POLICY_PATH, policy_body
from daemon import IS_TSAN, PATIENCE_S, ROOT, Output
from operated import wait_until

USER = 65532
HOST = "mta-sts.example.com"
DOCKERFILE = (ROOT / "docker/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
RUNS = re.findall(r"^RUN (.*)$", DOCKERFILE, re.MULTILINE)
COMPOSE_TEXTS = {path.name: path.read_text(encoding="utf-8")
                 for path in (ROOT / "docker").glob("compose*.yaml")}
COMPOSE = {name: yaml.safe_load(text)["services"] for name, text in COMPOSE_TEXTS.items()}
RECIPE = (ROOT / "docker/kubernetes/kustomization.yaml").read_text(encoding="utf-8")
POD = yaml.safe_load((ROOT / "docker/kubernetes/deployment.yaml").read_text())[
    "spec"]["template"]["spec"]
VOLUMES = yaml.safe_load((ROOT / "docker/kubernetes/generated/volume.yaml").read_text())[
    "spec"]["template"]["spec"]["volumes"]
# root, then: a folder and where it is to be seen, each pair read-only
START = """
root=$1; shift
ip link set lo up
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --bind /dev/null "$root/dev/null"
mount --bind /dev/urandom "$root/dev/urandom"
mount -t tmpfs -o uid=65532,gid=65532,mode=0700 tmpfs "$root/run/mta-stsd"
mount -t tmpfs -o uid=65532,gid=65532,mode=0755 tmpfs "$root/var/lib/mta-stsd"
while [ "$1" != -- ]; do
    mount --bind "$1" "$root$2"
    mount -o remount,bind,ro "$root$2"
    shift 2
done
shift
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs chroot --userspec=65532:65532 "$root" "$@"
"""
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces and mounts need root"),
    pytest.mark.skipif(IS_TSAN, reason="built once is enough: it is no build of this preset"),
]


def words_of(instruction):
    """ENTRYPOINT's or HEALTHCHECK's, which all stages have alike."""
    found = set(re.findall(rf"^{instruction}\b[^\[\n]*(\[.*\])$", DOCKERFILE, re.MULTILINE))
    assert len(found) == 1, found
    return json.loads(found.pop())


def packages(command):
    words = command.split("apt-get install", 1)[1].split("&&")[0].split()
    return [word for word in words if not word.startswith("-")]


BUILDER, RUNTIME = [packages(command) for command in RUNS if "apt-get install" in command]


def names_of(words):
    return [word.partition("=")[0] for word in words]


def owners(paths):
    """The packages that the files are from; links of / into /usr are no part of their names."""
    names = sorted({str(pathlib.Path(path).resolve()) for path in paths})
    names += [name.removeprefix("/usr") for name in names]
    found = subprocess.run(["dpkg-query", "--search", *names], capture_output=True, text=True,
                           check=False).stdout
    return {line.split(":")[0] for line in found.splitlines() if not line.startswith("diversion")}


def installed_with(names):
    """What apt-get install --no-install-recommends brings, as far as it is installed here."""
    printed = subprocess.run(
        ["apt-cache", "depends", "--recurse", "--installed", "--no-recommends", "--no-suggests",
         "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances", *names],
        capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^([a-z0-9][^\s:]*)", printed, re.MULTILINE))


@pytest.fixture(name="built", scope="module")
def run_build_commands(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image")
    subprocess.run(["git", "clone", "--quiet", ROOT, folder / "source"], check=True)
    for command in RUNS:
        if "apt-get" in command or command.startswith("install "):
            continue
        for path in ("/installed", "/root-of-it"):
            command = command.replace(path, f"{folder}{path}")
        subprocess.run(command, shell=True, cwd=folder / "source", check=True,
                       stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(name="root", scope="module")
def copy_minimal_stage(built):
    """What COPY --from=builder takes; the folders are made by who runs the image."""
    root = built / "root-of-it"
    for name in ("proc", "dev", "etc/mta-stsd", "etc/letsencrypt", "certificates"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("null", "urandom"):
        (root / "dev" / name).touch()
    assert not any((root / folder / "sh").exists() for folder in ("bin", "usr/bin"))
    return root


def test_packages_are_there():
    """Each in the version named; and what builds is what ./dev builds with."""
    known = subprocess.run(["apt-cache", "madison", *names_of(BUILDER + RUNTIME)],
                           capture_output=True, text=True, check=True).stdout
    for word in BUILDER + RUNTIME:
        name, _, version = word.partition("=")
        assert re.search(rf"^ *{re.escape(name)} \| {re.escape(version)}", known, re.MULTILINE), word
    listed = re.search(r"build_packages=\((.*?)\)", (ROOT / "dev").read_text(), re.DOTALL)[1]
    assert sorted(names_of(BUILDER)) == sorted(listed.split())


def test_packages_suffice(built):
    """Those of the builder have all headers, those of the runtime stage all libraries."""
    read = subprocess.run(["ninja", "-C", built / "source/build/release", "-t", "deps"],
                          capture_output=True, text=True, check=True).stdout
    headers = set(re.findall(r"^ +(/usr/\S+)$", read, re.MULTILINE))
    assert owners(headers) - installed_with(names_of(BUILDER)) == set()
    programs = [built / "installed/usr/sbin" / name
                for name in ("mta-stsd", "mta-stsd-check", "mta-stsd-reports")]
    linked = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=True).stdout
    libraries = owners(re.findall(r"(/\S+) \(", linked))
    assert set(names_of(RUNTIME)) - {"ca-certificates", "uacme"} <= libraries
    assert libraries - installed_with(names_of(RUNTIME)) == set()


class Container:
    """Process 1 of its namespaces; the network is its own, so the ports are those of the YAML."""

    def __init__(self, root, mounts):
        pairs = [word for place, folder in mounts.items() for word in (folder, place)]
        self.outer = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-ec", START,
             "sh", root, *pairs, "--", *words_of("ENTRYPOINT")],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.log = Output(self.outer.stderr)

    def __enter__(self):
        try:
            self.log.wait_for("ready: ")
        except AssertionError:
            self.__exit__()
            raise AssertionError("\n".join(self.log.lines)) from None
        task = pathlib.Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children")
        self.pid = int(task.read_text())
        return self

    def __exit__(self, *_):
        self.outer.kill()
        self.outer.wait()

    def run(self, *words):
        """Runs one more of the image's programs there, as `docker exec` does."""
        return subprocess.run(
            ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--net", "--root",
             f"--setuid={USER}", f"--setgid={USER}", *words],
            capture_output=True, text=True, check=False, timeout=PATIENCE_S)

    def curl(self, *arguments):
        return subprocess.run(
            ["nsenter", f"--target={self.pid}", "--net", "curl", "--silent", "--show-error",
             "--fail", "--noproxy", "*", *arguments], capture_output=True, check=False,
            timeout=PATIENCE_S)

    def fetch(self, pki):
        return self.curl("--cacert", pki.ca, "--connect-to", f"{HOST}:443:127.0.0.1:8443",
                         f"https://{HOST}{POLICY_PATH}")

    def probe(self, name):
        http = POD["containers"][0][name]["httpGet"]
        port = {port["name"]: port["containerPort"] for port in POD["containers"][0]["ports"]}
        return self.curl(f"http://127.0.0.1:{port[http['port']]}{http['path']}").returncode == 0

    def end(self):
        os.kill(self.pid, 15)


def body_of(mode):
    return policy_body("mail.example.com", mode=mode)


def only_root_reads(folder):
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


def commands_of(name, start):
    """The commands in the comment at the head of a compose file that begin so."""
    return re.findall(f"^#   ({start}.*)$", COMPOSE_TEXTS[name], re.MULTILINE)


def volumes_of(name):
    """What is mounted where, read-only; and where the volumes are that Docker makes."""
    volumes = [volume.split(":") for volume in COMPOSE[name]["mta-stsd"]["volumes"]]
    return ({place: source for source, place, *_ in volumes if source[0] in "./"},
            [place for source, place, *_ in volumes if source[0] not in "./"])


def test_compose_files_differ_in_what_they_must():
    """Each is to be copied alone, so what they have in common is written three times."""
    assert sorted(COMPOSE) == ["compose-http.yaml", "compose-traefik.yaml", "compose.yaml"]
    common = []
    for name, services in COMPOSE.items():
        common.append({key: value for key, value in services["mta-stsd"].items()
                       if key not in ("ports", "labels", "volumes")})
        assert volumes_of(name)[1] == ["/var/lib/mta-stsd"]
    assert common[0] == common[1] == common[2]
    assert common[0]["read_only"] and common[0]["cap_drop"] == ["ALL"]
    assert common[0]["tmpfs"] == ["/run/mta-stsd:uid=65532,gid=65532,mode=0700"]


def reload_command(name):
    command, = commands_of(name, "docker compose .*--reload")
    return command.partition("mta-stsd ")[2].split()


def check_reload(it, config, fetch, command):
    assert fetch() == body_of("testing")
    text = (config / "mta-stsd.yaml").read_text(encoding="utf-8")
    (config / "new").write_text(text + "    mode: enforce\n", encoding="utf-8")
    (config / "new").rename(config / "mta-stsd.yaml")
    reload = it.run(*command)
    assert reload.returncode == 0 and "testing" in reload.stdout, reload
    assert fetch() == body_of("enforce")
    it.end()
    assert it.outer.wait(PATIENCE_S) == 0
    assert not [line for line in it.log.lines if "warning: " in line or "error: " in line]


def test_compose(root, pki, tmp_path):
    name = "compose.yaml"
    assert COMPOSE[name]["mta-stsd"]["ports"] == ["443:8443"]
    assert volumes_of(name)[0] == {"/etc/mta-stsd": "./config", "/etc/letsencrypt": "/etc/letsencrypt"}
    config = shutil.copytree(ROOT / "docker/config", tmp_path / "config")
    letsencrypt = tmp_path / "letsencrypt"
    live = letsencrypt / "live" / HOST
    for issued, file in zip(pki.issue(live, HOST), ("fullchain.pem", "privkey.pem")):
        issued.rename(live / file)
    (letsencrypt / "archive").mkdir()
    only_root_reads(tmp_path)
    installed, = commands_of(name, "install ")
    hook, target = installed.split()[-2:]
    line, = re.findall("deploy-hook = ([^']*)", COMPOSE_TEXTS[name])
    assert line.split() == [target, str(USER)] and commands_of(name, "/etc") == [line]
    for command in commands_of(name, "chmod "):
        subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    subprocess.run([ROOT / "docker" / hook, str(USER)], check=True,
                   env={**os.environ, "RENEWED_LINEAGE": str(live)})
    letsencrypt.chmod(0o755)  # as certbot's package has it
    with Container(root, {"/etc/mta-stsd": config, "/etc/letsencrypt": letsencrypt}) as it:
        status = pathlib.Path(f"/proc/{it.pid}/status").read_text(encoding="ascii")
        assert re.search(rf"^Uid:\s+{USER}\s", status, re.MULTILINE)
        assert it.log.find("sandbox: user 65532, no capabilities, ")
        assert it.run(*words_of("HEALTHCHECK")).returncode == 0
        check_reload(it, config, lambda: it.fetch(pki).stdout, reload_command(name))


@pytest.mark.parametrize("name", ["compose-http.yaml", "compose-traefik.yaml"])
def test_compose_behind_a_proxy(root, tmp_path, name):
    """By plain HTTP, as the proxy asks, and without certificates."""
    assert volumes_of(name)[0] == {"/etc/mta-stsd": "./config-http"}
    config = shutil.copytree(ROOT / "docker/config-http", tmp_path / "config-http")
    only_root_reads(config)
    for command in commands_of(name, "chmod "):
        subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    port = {"compose-http.yaml": lambda it: it["ports"][0].rpartition(":")[2],
            "compose-traefik.yaml": lambda it:
                it["labels"]["traefik.http.services.mta-stsd.loadBalancer.server.port"],
            }[name](COMPOSE[name]["mta-stsd"])
    with Container(root, {"/etc/mta-stsd": config}) as it:
        assert records_to_publish(it.run(*words_of("ENTRYPOINT"), "--print-dns"))
        check_reload(it, config, lambda: it.curl(
            "--header", f"Host: {HOST}", f"http://127.0.0.1:{port}{POLICY_PATH}").stdout,
            reload_command(name))


def test_labels_name_what_traefik_has():
    """Debian has no Traefik: its names are compared."""
    traefik, labels = (COMPOSE["compose-traefik.yaml"][name] for name in ("traefik", "mta-stsd"))
    labels = labels["labels"]
    router = "traefik.http.routers.mta-stsd."
    keys = [word.removeprefix("--").split("=")[0] for word in traefik["command"]]
    assert f"entryPoints.{labels[router + 'entryPoints']}.address" in keys
    assert f"certificatesResolvers.{labels[router + 'tls.certResolver']}.acme.storage" in keys
    config = yaml.safe_load((ROOT / "docker/config-http/mta-stsd.yaml").read_text())
    assert re.findall("Host\\(`(.*?)`\\)", labels[router + "rule"]) == \
        [f"mta-sts.{domain}" for domain in config["domains"]]
    assert labels["traefik.enable"] == "true"


def write_volume(folder, files, generation):
    """As the kubelet does: the names are links into ..data, which is swapped."""
    new, old = folder / f"..{generation}", folder / f"..{generation - 1}"
    new.mkdir(parents=True)
    for name, content in files.items():
        (new / name).parent.mkdir(exist_ok=True)
        (new / name).write_bytes(content)
        (new / name).chmod(0o440)
        os.chown(new / name, 0, POD["securityContext"]["fsGroup"])
    (folder / "..data_tmp").symlink_to(new.name)
    (folder / "..data_tmp").rename(folder / "..data")
    for name in {name.split("/")[0] for name in files}:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    shutil.rmtree(old, ignore_errors=True)


def secrets(pki, folder):
    """The files of the projected volume, when every Secret is there."""
    volume, = [volume["projected"] for volume in VOLUMES]
    files = {}
    for source in volume["sources"]:
        assert source["secret"]["optional"]
        name = source["secret"]["name"]
        secret = dict(zip(("tls.crt", "tls.key"), pki.issue(folder / name, name)))
        for item in source["secret"]["items"]:
            files[item["path"]] = secret[item["key"]].read_bytes()
    return files


def records_to_publish(printed):
    """The _mta-sts records, which are withheld while there is no certificate."""
    assert printed.returncode == 0, printed
    return re.findall(r"^_mta-sts\.example\.com\. .*v=STSv1", printed.stdout, re.MULTILINE)


def test_kubernetes(root, pki, tmp_path):
    """Secrets that come, and are renewed, while a replica runs; and how it goes."""
    volumes = {mount["name"]: mount["mountPath"] for mount in POD["containers"][0]["volumeMounts"]}
    assert volumes.pop("run") == "/run/mta-stsd"
    files = {name: (ROOT / "docker/kubernetes" / name).read_bytes()
             for name in ("mta-stsd.yaml", "customers.yaml")}
    write_volume(tmp_path / "configuration", files, 1)
    write_volume(tmp_path / "certificates", {}, 1)
    with Container(root, {place: tmp_path / name for name, place in volumes.items()}) as it:
        assert it.probe("livenessProbe") and it.probe("readinessProbe")
        assert it.fetch(pki).returncode != 0
        print_dns, = re.findall("^# .* exec deployment/mta-stsd -- (.*)$", RECIPE, re.MULTILINE)
        assert not records_to_publish(it.run(*print_dns.split()))
        seen = set()
        for generation in (2, 3):
            files = secrets(pki, tmp_path / f"secrets-{generation}")
            write_volume(tmp_path / "certificates", files, generation)
            assert it.run(*words_of("ENTRYPOINT"), "--reload").returncode == 0
            fetched = wait_until(lambda: it.fetch(pki).stdout, "the policy")
            assert fetched == body_of("testing")
            seen.add(it.curl("--insecure", "--connect-to", f"{HOST}:443:127.0.0.1:8443",
                             "--write-out", "%{certs}", f"https://{HOST}{POLICY_PATH}").stdout)
        assert len(seen) == 2
        assert records_to_publish(it.run(*print_dns.split()))
        it.end()
        wait_until(lambda: not it.probe("readinessProbe"), "/readyz says no")
        assert it.probe("livenessProbe") and it.fetch(pki).stdout == body_of("testing")
        it.end()
        it.outer.wait(PATIENCE_S)
    assert it.log.find("sandbox: user 65532, no capabilities, ")
