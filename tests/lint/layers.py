# SPDX-License-Identifier: MIT
"""Who may include what: lower layers never see higher ones, and a library lives in one folder.

No header is for the inside of a folder: each part has one of its own, with its contract.
Folders of one layer may know each other in one direction; src/CMakeLists.txt says which do.
"""

import graphlib
import pathlib
import re

# Lowest first.
LAYERS = [{"lib/base"}, {"lib/acme", "lib/diag"}, {"lib/yaml", "lib/policy", "lib/dns"},
          {"lib/config", "lib/import"}, {"lib/state"},
          {"daemon/net", "daemon/tls"}, {"daemon/worker"}, {"daemon/http"},
          {"daemon/confine", "daemon/child", "daemon/control"}, {"daemon/acme", "daemon/notify"}, {"daemon/main"},
          {"acme_hook", "check", "reports"}, {"cli"},
          {"main.c", "acme_hook_main.c", "check_main.c", "reports_main.c"}]
LAYER_OF = {folder: layer for layer, folders in enumerate(LAYERS) for folder in folders}

# The folders that may include a third party's header; a header's folder stands for what is in it.
THIRD_PARTY = {
    "yaml.h": {"lib/yaml"},
    "idn2.h": {"lib/dns"},
    "libpsl.h": {"lib/policy"},
    "openssl/evp.h": {"lib/policy", "daemon/tls", "check", "reports"},
    "openssl/err.h": {"daemon/tls", "daemon/worker", "check", "reports"},
    "openssl/ssl.h": {"daemon/tls", "daemon/worker", "check"},
    "openssl/": {"daemon/tls", "check", "reports"},
    "h2o.h": {"daemon/worker", "daemon/http"},
    "h2o/": {"daemon/worker", "daemon/http"},
    "uv.h": {"daemon/child", "daemon/control", "daemon/main", "check"},
    "unbound.h": {"check"},
    "curl/": {"check"},
    "seccomp.h": {"daemon/confine"},
    "gmime/": {"reports"},
    "jansson.h": {"reports"},
    "sqlite3.h": {"reports"},
    "zlib.h": {"reports"},
    "getopt.h": {"cli", "check", "reports"},
    "uthash.h": set(LAYER_OF),
    "utlist.h": set(LAYER_OF),
}
COMPILER_HEADERS = {"float.h", "iso646.h", "limits.h", "stdalign.h", "stdarg.h", "stdatomic.h",
                    "stdbool.h", "stddef.h", "stdint.h", "stdnoreturn.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def system_headers(tree):
    listing = tree.run(["dpkg-query", "--listfiles", "libc6-dev", "linux-libc-dev"], may_fail=False)
    shipped = re.findall(r"^/usr/include/(?:x86_64-linux-gnu/|aarch64-linux-gnu/)?(.+\.h)$", listing,
                         re.MULTILINE)
    return COMPILER_HEADERS | set(shipped)


def includes(tree, path):
    """Yields line, bracket and name of each #include."""
    text = tree.text(path)
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start(2)) + 1, match[1], match[2]


def folder_of(path):
    """The folder of a path below src/: "lib/base" of lib/base/arena.c; main.c is its own."""
    return path.rpartition("/")[0] or path


def system_fault(folder, header, system):
    allowed = THIRD_PARTY.get(header, THIRD_PARTY.get(header.split("/")[0] + "/"))
    if allowed is None:
        return None if header in system else "is no header of the C library nor of a library we use"
    return None if folder in allowed else f"belongs to {', '.join(sorted(allowed))} only"


def project_fault(tree, folder, header):
    if (tree.build / "generated" / header).exists():
        return None
    if not (tree.root / "src" / header).exists():
        return "does not stand below src/"
    other = folder_of(header)
    return f"lies above {folder}/" if LAYER_OF.get(other, 0) > LAYER_OF[folder] else None


def first_include_fault(tree, path, names):
    """The own header goes first: that shows that it needs nothing before it."""
    own = pathlib.PurePath(path).relative_to("src").with_suffix(".h")
    has_own = path.endswith(".c") and (tree.root / "src" / own).exists()
    if has_own and (not names or names[0][2] != str(own)):
        yield f"{path}:{names[0][0] if names else 1}: {own} is to be included first"


def cycles(what, graph):
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        yield f"src/CMakeLists.txt:1: {what} include each other: {' <- '.join(error.args[1])}"


def findings(tree):
    system = system_headers(tree)
    headers, folders = {}, {}
    for path in tree.files("src/**/*.[ch]"):
        folder = folder_of(path.removeprefix("src/"))
        if folder not in LAYER_OF:
            yield f"{path}:1: {folder} has no layer in tests/lint/layers.py"
            continue
        if path.endswith("internal.h"):
            yield f"{path}:1: a header for the inside of a folder: give each part one of its own"
        names = list(includes(tree, path))
        yield from first_include_fault(tree, path, names)
        for line, bracket, name in names:
            fault = (system_fault(folder, name, system) if bracket == "<" else
                     project_fault(tree, folder, name))
            if fault:
                yield f"{path}:{line}: {name} {fault}"
        own = {name for _, bracket, name in names if bracket == '"'}
        folders.setdefault(folder, set()).update({folder_of(name) for name in own} - {folder})
        if path.endswith(".h"):
            headers[path.removeprefix("src/")] = own
    yield from cycles("headers", headers)
    yield from cycles("folders", folders)
