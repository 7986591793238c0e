# SPDX-License-Identifier: MIT
"""Who may include what: lower layers never see higher ones, and a library lives in one module.

Modules of one layer may know each other in one direction; src/CMakeLists.txt says which do.
"""

import graphlib
import pathlib
import re

# Lowest first.
LAYERS = [{"base"}, {"yaml", "policy", "dns"}, {"config", "tls", "state"}, {"http", "acme"},
          {"server"}, {"cli"}, {"main.c"}]
LAYER_OF = {module: layer for layer, modules in enumerate(LAYERS) for module in modules}

# The modules that may include a third party's header; a folder stands for what is in it.
THIRD_PARTY = {
    "yaml.h": {"yaml"},
    "idn2.h": {"dns"},
    "libpsl.h": {"policy"},
    "openssl/evp.h": {"policy", "tls"},
    "openssl/err.h": {"tls", "http"},
    "openssl/ssl.h": {"tls", "http"},
    "openssl/": {"tls"},
    "h2o.h": {"http"},
    "h2o/": {"http"},
    "uv.h": {"server"},
    "seccomp.h": {"server"},
    "getopt.h": {"cli"},
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


def system_fault(module, header, system):
    folder = header.split("/")[0] + "/"
    allowed = THIRD_PARTY.get(header, THIRD_PARTY.get(folder))
    if allowed is None:
        return None if header in system else "is no header of the C library nor of a library we use"
    return None if module in allowed else f"belongs to {', '.join(sorted(allowed))} only"


def project_fault(tree, module, header):
    if (tree.build / "generated" / header).exists():
        return None
    if not (tree.root / "src" / header).exists():
        return "does not stand below src/"
    other = header.split("/")[0]
    return f"lies above {module}/" if LAYER_OF.get(other, 0) > LAYER_OF[module] else None


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
    headers, modules = {}, {}
    for path in tree.files("src/**/*.[ch]"):
        module = path.split("/")[1]
        if module not in LAYER_OF:
            yield f"{path}:1: {module} has no layer in tests/lint/layers.py"
            continue
        names = list(includes(tree, path))
        yield from first_include_fault(tree, path, names)
        for line, bracket, name in names:
            fault = (system_fault(module, name, system) if bracket == "<" else
                     project_fault(tree, module, name))
            if fault:
                yield f"{path}:{line}: {name} {fault}"
        own = {name for _, bracket, name in names if bracket == '"'}
        modules.setdefault(module, set()).update({name.split("/")[0] for name in own} - {module})
        if path.endswith(".h"):
            headers[path.removeprefix("src/")] = own
    yield from cycles("headers", headers)
    yield from cycles("modules", modules)
