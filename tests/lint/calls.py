# SPDX-License-Identifier: MIT
"""No circles of calls: a file calls the functions of files that do not call it back.

A call is a name with its arguments in the body of a function. A function that is handed over by
its name is a callback: whoever takes it may call it. A header and its source count as one file.
"""

import collections
import re

from leftovers import TOKEN

# `x->name(` and `x.name(` call through a pointer.
CALL = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*\(")


def without_comments_and_texts(text):
    """The same characters in the same lines, but for what only looks like code."""
    return TOKEN.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def unit_of(path):
    return path.removeprefix("src/").rpartition(".")[0]


def calls(tree):
    """Yields place, caller, file of the caller, callee and file of the callee of each call."""
    paths = tree.files("src/**/*.[ch]")
    functions = tree.tags("f", paths)
    home = {function["name"]: unit_of(function["path"]) for function in functions
            if not function.get("file")}
    own = {(unit_of(function["path"]), function["name"]) for function in functions}
    lines = {path: without_comments_and_texts(tree.text(path)).splitlines() for path in paths}
    for function in functions:
        path, unit = function["path"], unit_of(function["path"])
        for number in range(function["line"], function["end"] + 1):
            for name in CALL.findall(lines[path][number - 1]):
                if name in home and (unit, name) not in own:
                    yield f"{path}:{number}", function["name"], unit, name, home[name]


def circles(graph):
    """The sets of two nodes and more that reach each other: Tarjan's algorithm."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            circle = set(stack[stack.index(node):])
            del stack[stack.index(node):]
            if len(circle) > 1:
                found.append(circle)

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def circles_of(edges, group):
    """Yields each circle of groups with the edges in it."""
    graph = collections.defaultdict(set)
    for _, _, source, _, target in edges:
        if group(source) != group(target):
            graph[group(source)].add(group(target))
    for circle in circles(graph):
        yield circle, [edge for edge in edges if group(edge[2]) != group(edge[4]) and
                       {group(edge[2]), group(edge[4])} <= circle]


def findings(tree):
    edges = list(calls(tree))
    for group in (lambda unit: unit, lambda unit: unit.rpartition("/")[0]):
        for circle, inside in circles_of(edges, group):
            for place, caller, _, callee, target in inside:
                yield f"{place}: {caller}() calls {callee}() of {target}.c, " \
                      f"in a circle of {', '.join(sorted(circle))}"
