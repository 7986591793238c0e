# SPDX-License-Identifier: MIT
"""--import: hand-made policies become YAML that the program takes, and serves as it says."""

import os

import pytest

from client import policy_body
from daemon import run
from test_vectors import REFUSED_MX, policy_bytes, vectors

SAME = "  # The same bytes as before"


def policy(*mx, mode="enforce", max_age=604800):
    lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {name}" for name in mx),
             f"max_age: {max_age}"]
    return "".join(f"{line}\r\n" for line in lines).encode()


def write(folder, files):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def imported(*arguments, stdin=b"", status=0):
    process = run("--import", *arguments, stdin=stdin)
    assert process.returncode == status, process.stderr
    return process.stdout.decode(), process.stderr.decode()


def served(tmp_path, yaml, domain):
    (tmp_path / "imported.yaml").write_text(yaml, encoding="utf-8")
    process = run("-c", tmp_path / "imported.yaml", "--print-policy", domain)
    assert process.returncode == 0, (yaml, process.stderr)
    return process.stdout


def test_provider(tmp_path):
    """Equal policies become one, whether equal as they are or but for the domain's name."""
    files = {
        "a.example.txt": policy("mail.a.example", "*.mx.a.example"),
        "mta-sts.b.example.txt": policy("mail.b.example", "*.mx.b.example"),
        "www/mta-sts.c.example/public/.well-known/mta-sts.txt": policy("mx.p.net", mode="testing"),
        "www/d.example/mta-sts/.well-known/mta-sts.txt": policy("mx.p.net", mode="testing"),
        "e-e.example.txt": policy("e-e-example.mail.protection.outlook.com", max_age=1209600),
        "f.example.txt": policy("f-example.mail.protection.outlook.com", max_age=1209600),
        "alone.example.txt": policy("mx.alone.example", "*.p.net", max_age=86401),
        "lf.example.txt": policy("mx.lf.example").replace(b"\r", b""),
        "cut.example.txt": policy("mx.lf.example")[:-2],
        "upper.example.txt": policy("MX.UPPER.EXAMPLE"),
        "order.example.txt": policy("mx.p.net") + b"more: fields\r\n",
        "leaves.example.txt": policy(mode="none", max_age=0),
        "notes.example.txt": b"nothing about mail\n", "robots.txt": b"Disallow: /\n",
        ".hidden/g.example.txt": policy("mx.p.net"),
    }
    write(tmp_path / "in", files)
    yaml, report = imported(tmp_path / "in")
    assert report == "12 domains, 8 with the same bytes; 0 errors\n"
    assert yaml.split("policies:\n")[1] == f"""\
  policy-1: # of 2 domains
    mode: enforce
    max_age: 1w
    mx: ["mail.{{domain}}", "*.mx.{{domain}}"]
  policy-2: # of 2 domains
    mode: testing
    max_age: 1w
    mx: [mx.p.net]
  policy-3: # of 2 domains
    mode: enforce
    max_age: 1w
    mx: [mx.lf.example]
  policy-4: # of 2 domains
    mode: enforce
    max_age: 2w
    mx: ["{{domain_dashed}}.mail.protection.outlook.com"]

domains:
{SAME}: an id that is published may stay until the policy changes.
  a.example: policy-1
  alone.example: {{mode: enforce, max_age: 86401, mx: [mx.alone.example, "*.p.net"]}}
  b.example: policy-1
  c.example: policy-2
  d.example: policy-2
  e-e.example: policy-4
  f.example: policy-4
  leaves.example: {{mode: none, max_age: 0}}
  # The same policy in other bytes: publish the new id once DNS points here.
  cut.example: policy-3 # line ends become CRLF
  lf.example: policy-3 # line ends become CRLF
  order.example: {{mode: enforce, max_age: 1w, mx: [mx.p.net]}} # line ends, order, spacing, \
case or extra fields change
  upper.example: {{mode: enforce, max_age: 1w, mx: [mx.upper.example]}} # mx becomes lower case
"""
    for path, content in files.items():
        name = next((part for part in path.replace("mta-sts.", "").removesuffix(".txt").split("/")
                     if part.endswith(".example")), None)
        if name and f"  {name}: " in yaml.split("  # The same policy")[0]:
            assert served(tmp_path, yaml, name) == content


def test_vectors_come_back(tmp_path):
    """Every valid policy is imported, and what is said of its bytes is true."""
    n_same = 0
    for parameter in vectors("policy"):
        row = parameter.values[0]
        content = policy_bytes(row)
        refused = row["rfc"] != "valid" or any(mx in REFUSED_MX for mx in row["parsed"].get("mx", []))
        yaml, report = imported("-", "--domain", "vector.example", stdin=content,
                                status=1 if refused else 0)
        if refused:
            assert not yaml and report.startswith("standard input:"), row["id"]
            continue
        body = served(tmp_path, yaml, "vector.example")
        assert (body == content) == (SAME in yaml), row["id"]
        n_same += body == content
    assert n_same > 0


def test_what_is_not_valid(tmp_path):
    write(tmp_path, {"a.example.txt": policy("mx.a.example", mode="Enforce"),
                     "b.example.txt": policy("mx.b.example", "mta-sts.b.example"),
                     "c.example.txt": policy("mx.c.example"),
                     "mta-sts.c.example/.well-known/mta-sts.txt": policy("mx2.c.example"),
                     "d/.well-known/mta-sts.txt": policy("mx.d.example"),
                     "mta-sts.large.example/mta-sts.txt": b"max_age" + b" " * 65536,
                     "wide.example.txt": policy(*(f"mx{n}.wide.example" for n in range(900))),
                     f"{'z' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 55}.example.txt": policy("x")})
    yaml, report = imported(tmp_path, status=1)
    seen = report.replace(f"{tmp_path}/", "").splitlines()
    assert "c.example: {mode" in yaml and yaml.count("example: ") == 1
    assert [line.split(" [")[0] for line in seen[:5]] == [
        "a.example.txt:2:7: error: mode 'Enforce' is not testing, enforce or none, in lower case",
        "b.example.txt:4:5: error: mx 'mta-sts.b.example' is a policy host; an mx names a mail "
        "server",
        "d/.well-known/mta-sts.txt: error: the path names no domain; expected example.com.txt or a "
        "folder mta-sts.example.com above it; or give this file alone with --domain",
        "mta-sts.c.example/.well-known/mta-sts.txt: error: c.example has another policy in "
        "c.example.txt, which was taken; remove one of the files",
        "mta-sts.large.example/mta-sts.txt: error: the file is larger than 65536 bytes",
    ]
    assert "wide.example.txt: error: the policy is " in report
    assert "[name-too-long]" in report
    assert seen[-1] == "1 domain, 1 with the same bytes; 7 errors"


def test_links(tmp_path):
    """Hosts that share a folder are each a domain; a folder within itself ends."""
    write(tmp_path, {"in/mta-sts.a.example/.well-known/mta-sts.txt": policy("mx.p.net")})
    os.symlink("mta-sts.a.example", tmp_path / "in/mta-sts.b.example")
    os.symlink(".", tmp_path / "in/loop")
    os.symlink("nowhere", tmp_path / "in/c.example.txt")
    os.mkfifo(tmp_path / "in/d.example.txt")
    yaml, report = imported(tmp_path / "in")
    assert "  a.example: policy-1\n  b.example: policy-1\n" in yaml
    assert report == "2 domains, 2 with the same bytes; 0 errors\n"


def test_depth_is_bounded(tmp_path):
    write(tmp_path, {"a.example.txt": policy("mx.p.net"),
                     f"{'x/' * 40}b.example.txt": policy("mx.p.net")})
    yaml, report = imported(tmp_path, status=1)
    assert "a.example" in yaml and "b.example" not in yaml
    assert "error: the folder is too deep: 32 levels [too-large]" in report


def test_hostile_names(tmp_path):
    """A name cannot write to the terminal, nor a line into the YAML."""
    name = "mta-sts.\n\x1b[31mevil: 'x'.example"
    write(tmp_path, {f"{name}/.well-known/mta-sts.txt": policy("mx.p.net"),
                     "mta-sts.a.example\n/mta-sts.txt": policy("mx.p.net")})
    yaml, report = imported(tmp_path, status=1)
    assert yaml == "" and "\x1b" not in report
    assert r"mta-sts.\x0a\x1b[31mevil: \'x\'.example/.well-known/mta-sts.txt': error: " in report


@pytest.mark.parametrize("arguments, status, message", [
    (["-"], 2, "standard input has no name; add --domain DOMAIN"),
    (["absent"], 3, "absent cannot be read: No such file or directory"),
    (["a", "b", "--domain", "a.example"], 2, "--domain names the domain of one file; give one of "
                                             "each"),
    (["-", "--domain", "localhost"], 2, "'localhost' is no domain; write one like example.com"),
    (["-", "--domain", "a..b"], 2, "'a..b' has an empty label"),
    ([], 2, "--import needs PATH..."),
])
def test_usage(arguments, status, message):
    process = run("--import", *arguments)
    assert (process.returncode, process.stdout) == (status, b"")
    assert process.stderr.decode() == f"mta-stsd: {message}\n"


def test_name_of_the_real_path(tmp_path):
    """Run where the files are, "." has the name of its folder."""
    write(tmp_path, {"mta-sts.a.example/.well-known/mta-sts.txt": policy_body("mx.p.net")})
    process = run("--import", ".", cwd=tmp_path / "mta-sts.a.example")
    assert (process.returncode, b"  a.example: " in process.stdout) == (0, True)


def test_nothing_found(tmp_path):
    _, report = imported(tmp_path, status=1)
    assert report.startswith("mta-stsd: no policy was found; expected files example.com.txt or ")
