# SPDX-License-Identifier: MIT
"""Every lint finds what it is for: one file in an empty tree, and what is to be said about it."""

import importlib
import json

import pytest

from tree import Tree

HEAD = "/* SPDX-License-Identifier: MIT */\n"
HEADER = HEAD + "/**\n * A thing.\n */\n#pragma once\n"
FUNCTION_70 = "int f(void)\n{\n" + "    f();\n" * 67 + "}\n"
FUNCTION_71 = "int f(void)\n{\n" + "    f();\n" * 68 + "}\n"

# What else the lints of calls and names see: i_do() calls g_do(), f_do() and then e_do().
OTHERS = {
    "src/lib/dns/f.c": "struct f_state {\n    int f;\n};\nvoid f_do(void)\n{\n    e_do();\n}\n",
    "src/lib/dns/g.c": "void g_do(void)\n{\n    f_do();\n}\n",
    "src/lib/policy/i.c": "void i_do(void)\n{\n    g_do();\n}\n",
}

# lint, file, content, finding (None: nothing is found)
CASES = [
    ("format", "src/lib/base/a.c", HEAD + "int a = 1;\n", None),
    ("format", "src/lib/base/a.c", HEAD + "int  a=1;\n", "a.c:2:4: error: code should be clang-formatted"),
    ("format", "tests/unit/lib/base/test_a.h", "int  a;\n", "error: code should be clang-formatted"),

    ("sizes", "src/lib/base/a.c", "\n" * 600, None),
    ("sizes", "src/lib/base/a.c", "\n" * 601, "601 lines, at most 600"),
    ("sizes", "src/main.c", "\n" * 40, None),
    ("sizes", "src/main.c", "\n" * 41, "41 lines, at most 40"),
    ("sizes", "tests/unit/lib/base/test_a.c", "\n" * 601, "601 lines, at most 600"),
    ("sizes", "tests/integration/test_a.py", "\n" * 601, "601 lines, at most 600"),
    ("sizes", "src/lib/base/a.c", FUNCTION_70, None),
    ("sizes", "src/lib/base/a.c", FUNCTION_71, "a.c:1: f() has 71 lines, at most 70"),

    ("layers", "src/lib/dns/a.c", "#include <stdio.h>\n#include <sys/stat.h>\n", None),
    ("layers", "src/lib/dns/a.c", "#include <idn2.h>\n#include <uthash.h>\n", None),
    ("layers", "src/lib/base/a.c", "#include <idn2.h>\n", "idn2.h belongs to lib/dns only"),
    ("layers", "src/lib/policy/a.c", "#include <openssl/evp.h>\n", None),
    ("layers", "src/lib/policy/a.c", "#include <openssl/x509.h>\n", "belongs to check, daemon/tls, reports only"),
    ("layers", "src/daemon/worker/a.c", "#include <openssl/ssl.h>\n", None),
    ("layers", "src/daemon/worker/a.c", "#include <openssl/evp.h>\n", "belongs to check, daemon/tls, lib/policy, reports only"),
    ("layers", "src/daemon/main/a.c", "#include <h2o.h>\n", "h2o.h belongs to daemon/http, daemon/worker only"),
    ("layers", "src/daemon/main/a.c", "#include <h2o/socket.h>\n", "belongs to daemon/http, daemon/worker only"),
    ("layers", "src/daemon/http/a.c", "#include <uv.h>\n", "belongs to check, daemon/child, daemon/control, daemon/main only"),
    ("layers", "src/main.c", "#include <getopt.h>\n", "getopt.h belongs to check, cli, reports only"),
    ("layers", "src/lib/base/a.c", "#include <bzlib.h>\n", "is no header of the C library nor of"),
    ("layers", "src/lib/base/a.c", '#include "stdio.h"\n', "stdio.h does not stand below src/"),
    ("layers", "src/util/a.c", "\n", "util has no layer"),
    ("layers", "src/lib/policy/b.c", '#include "lib/policy/b.h"\n#include "lib/base/a.h"\n', None),
    ("layers", "src/lib/policy/b.c", '#include "lib/base/a.h"\n#include "lib/policy/b.h"\n',
     "b.c:1: lib/policy/b.h is to be included first"),
    ("layers", "src/lib/base/b.c", '#include "lib/policy/b.h"\n', "lib/policy/b.h lies above lib/base/"),
    ("layers", "src/lib/base/a.h", '#include "lib/base/c.h"\n', "headers include each other"),
    ("layers", "src/lib/dns/a.c", '#include "lib/policy/b.h"\n', "folders include each other"),

    ("layers", "src/lib/base/internal.h", HEADER, "a header for the inside of a folder"),
    ("layers", "src/lib/base/a_internal.h", HEADER, "a header for the inside of a folder"),

    ("calls", "src/lib/dns/e.c", "void e_do(void)\n{\n    f_do();\n}\n",
     "e.c:3: e_do() calls f_do() of lib/dns/f.c, in a circle of lib/dns/e, lib/dns/f"),
    ("calls", "src/lib/dns/e.h", "static inline void e_do(void)\n{\n    f_do();\n}\n",
     "e.h:3: e_do() calls f_do() of lib/dns/f.c, in a circle of lib/dns/e, lib/dns/f"),
    ("calls", "src/lib/dns/e.c", "void e_do(void)\n{\n    g_do();\n}\n",
     "g.c:3: g_do() calls f_do() of lib/dns/f.c, in a circle of lib/dns/e, lib/dns/f, lib/dns/g"),
    ("calls", "src/lib/policy/e.c", "void e_do(void)\n{\n}\n",
     "f.c:6: f_do() calls e_do() of lib/policy/e.c, in a circle of lib/dns, lib/policy"),
    ("calls", "src/lib/dns/e.c", "void e_do(void)\n{\n    /* f_do(); */\n}\n", None),
    ("calls", "src/lib/dns/e.c", "void e_do(void)\n{\n    x->f_do();\n}\n", None),
    ("calls", "src/lib/dns/e.c", "void e_do(void)\n{\n    later(f_do);\n}\n", None),
    ("calls", "src/lib/dns/e.c", "static void f_do(void)\n{\n}\nvoid e_do(void)\n{\n    f_do();\n}\n",
     None),

    ("names", "src/lib/base/e.c", "struct e_state;\nstatic int e_get(void)\n{\n    return 1;\n}\n", None),
    ("names", "src/lib/base/e.c", "struct f_state {\n    int f;\n};\n",
     "src/lib/base/e.c:1: f_state is also defined at src/lib/dns/f.c:1"),
    ("names", "src/lib/base/e.c", "enum f_state { E_A };\n", "f_state is also defined at src/lib/dns/f.c:1"),
    ("names", "src/lib/base/e.c", "typedef int f_state;\n", "f_state is also defined at src/lib/dns/f.c:1"),
    ("names", "src/lib/base/e.c", "struct f_state;\n", None),
    ("names", "src/lib/base/e.c", "static void f_do(void)\n{\n}\n",
     "src/lib/base/e.c:1: f_do is also defined at src/lib/dns/f.c:4"),
    ("names", "src/lib/base/e.c", "static void leap(void)\n{\n}\n",
     "src/lib/base/e.c:1: leap() is a single word: add the noun of its file"),
    ("names", "src/main.c", "int main(void)\n{\n    return 0;\n}\n", None),

    ("headers", "src/lib/base/d.h", HEADER + "#include <stddef.h>\n\nextern size_t d;\n", None),
    ("headers", "src/lib/base/d.h", HEADER + "extern size_t d;\n", "alone with clang"),
    ("headers", "src/lib/base/d.h", HEADER + "extern size_t d;\n", "alone with gcc"),
    ("headers", "src/lib/base/d.h", "struct d {\n    int d;\n};\n", "does not compile alone"),

    ("contracts", "src/lib/base/d.h", HEADER + "/** A. */\nint d(void);\nint e(int,\n      int);\n", None),
    ("contracts", "src/lib/base/d.h", HEADER + "/** A. */\nint d(void);\n\nint e(void);\n",
     "d.h:9: e() has no contract above it"),
    ("contracts", "src/lib/base/d.h", HEADER + "struct s {\n    int i; /* i */\n};\nint d(void);\n",
     "d() has no contract"),
    ("contracts", "src/lib/base/d.h", HEADER + "int i; /* i */\nint d(void);\n", "d() has no contract"),
    ("contracts", "src/lib/base/d.h", HEADER + "struct d *d_ref(struct d *d);\n", None),
    ("contracts", "src/lib/base/d.h", HEAD + "#pragma once\n", "no /** comment says what this header"),
    ("contracts", "src/lib/base/d.h", HEADER.replace("#pragma once", ""), "no #pragma once"),
    ("contracts", "src/lib/base/d.c", "int i;\n", "the first line is to be /* SPDX"),

    ("tests", "src/daemon/main/d.c", "\n", "d.c:1: has no tests/unit/daemon/main/test_d.c"),
    ("tests", "src/cli/d.c", "\n", "src/cli/d.c:1: has no tests/unit/cli/test_d.c"),
    ("tests", "src/lib/yaml/d.c", "\n", "src/lib/yaml/d.c:1: has no tests/unit/lib/yaml/test_d.c"),
    ("tests", "tests/unit/lib/yaml/test_d.c", "\n", "tests no source"),

    ("leftovers", "src/lib/base/d.c", 'char d[] = "https://x"; /* http://y */\nint e = \'"\'; // f\n',
     "d.c:2: a // comment"),
    ("leftovers", "src/lib/base/d.c", 'char d[] = "\\"//"; /* // XXXXXX */\n', None),
    ("leftovers", "src/lib/base/d.c", "/* TODO: more */\n", "a note to oneself"),
    ("leftovers", "tests/unit/lib/base/test_d.c", "/* FIXME */\n", "a note to oneself"),
    ("leftovers", "dev", "# XXX\n", "dev:1: a note to oneself"),
    ("leftovers", "src/lib/base/d.c", "#  if 0\n#endif\n", "code that is switched off"),
    ("leftovers", "src/lib/base/d.c", "/* ------ */\n", "a section banner"),

    ("shell", "dev", "#!/usr/bin/env bash\necho \"$1\"\n", None),
    ("shell", "dev", "#!/usr/bin/env bash\necho $1\n", "Double quote to prevent globbing"),
    ("shell", ".ci/run", "#!/bin/sh\necho $1\n", "Double quote to prevent globbing"),
    ("shell", "config/completions/a.bash", "# shellcheck shell=bash\necho $1\n",
     "Double quote to prevent globbing"),

    ("tidy", "src/lib/base/tidied.c", "int f(int *p);\nint f(int *p)\n{\n    *p = 1;\n    return 0;\n}\n",
     None),
    ("tidy", "src/lib/base/tidied.c", "int f(int a);\nint f(int a)\n{\n    return a == 1 || a == 1;\n}\n",
     "misc-redundant-expression"),
]


@pytest.fixture(name="tree")
def small_tree(tmp_path):
    """The files that the cases above include, and a build folder that has seen one source."""
    root, build = tmp_path / "root", tmp_path / "build"
    files = {"src/lib/base/a.h": HEADER, "src/lib/base/c.h": HEADER + '#include "lib/base/a.h"\n',
             "src/lib/dns/b.h": HEADER, "src/lib/policy/b.h": HEADER + '#include "lib/dns/b.h"\n'}
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    checkout = Tree(__file__ + "/../../..", build)
    for name in (".clang-format", ".clang-tidy"):
        (root / name).write_text(checkout.text(name))
    source = f"{root}/src/lib/base/tidied.c"
    build.mkdir()
    (build / "compile_commands.json").write_text(json.dumps([
        {"directory": str(build), "file": source,
         "command": f"gcc -std=c11 -I{root}/src -c {source}"}]))
    return Tree(root, build)


@pytest.mark.parametrize("lint, path, content, wanted", CASES)
def test_lint(tree, monkeypatch, lint, path, content, wanted):
    files = OTHERS | {path: content} if lint in ("calls", "names") else {path: content}
    for name, text in files.items():
        (tree.root / name).parent.mkdir(parents=True, exist_ok=True)
        (tree.root / name).write_text(text)
    module = importlib.import_module(lint)
    monkeypatch.setattr(module, "EXEMPT", {}, raising=False)
    seen = list(module.findings(tree))
    if wanted is None:
        assert seen == []
    else:
        assert any(wanted in finding for finding in seen), seen


@pytest.mark.parametrize("files, wanted", [
    (["src/lib/yaml/d.c", "tests/integration/test_d.py"], None),
    (["src/lib/yaml/d.c"], "src/lib/yaml/d.c:1: has no tests/integration/test_d.py"),
    (["src/lib/yaml/d.c", "tests/unit/lib/yaml/test_d.c"], "take it out of EXEMPT"),
    ([], "src/lib/yaml/d.c is exempt and does not exist"),
])
def test_exempt(tree, monkeypatch, files, wanted):
    for path in files:
        (tree.root / path).parent.mkdir(parents=True, exist_ok=True)
        (tree.root / path).touch()
    module = importlib.import_module("tests")
    monkeypatch.setattr(module, "EXEMPT", {"src/lib/yaml/d.c": "tests/integration/test_d.py"})
    seen = list(module.findings(tree))
    assert any(wanted in finding for finding in seen) if wanted else seen == []
