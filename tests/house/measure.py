#!/usr/bin/env python3
"""Figures of how the code is built, tests cut off, of this checkout or of a commit: measure.py [COMMIT]...

files, production lines, the largest and the median file and function, how many definitions share the name of their
type with another, and circles of modules inside a room.
"""

import re
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import PurePosixPath

TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|b?r(#*)"(?:.|\n)*?"\1|b?"(?:[^"\\]|\\.)*"|b?'(?:[^'\\\n]|\\[^\n]{1,8}?)'""", re.S
)


def git(*arguments):
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


def sources(commit):
    """Path and text of every production file."""
    listed = git("ls-tree", "-r", "--name-only", commit) if commit else git("ls-files", "-co", "--exclude-standard")
    for path in listed.split("\n"):
        parts = PurePosixPath(path).parts
        if not path.endswith(".rs") or parts[0] not in ("gaserad", "gaseractl"):
            continue
        if "tests" in parts or path.endswith("tests.rs"):
            continue
        try:
            text = git("show", f"{commit}:{path}") if commit else open(path).read()
        except FileNotFoundError:
            continue
        yield path, text.split("#[cfg(test)]\nmod tests {")[0]


def blank(text):
    """The code alone, everything else as blanks, so that places and lines stay."""
    return TOKEN.sub(lambda found: re.sub(r"[^\n]", " ", found.group(0)), text)


def closing(code, start):
    depth = 0
    for place in range(start, len(code)):
        if code[place] == "{":
            depth += 1
        elif code[place] == "}":
            depth -= 1
            if depth == 0:
                return place
    return len(code)


def functions(code):
    """The length of each function that has a body."""
    for found in re.finditer(r"\bfn \w+", code):
        body = re.search(r"[{;]", re.sub(r"\[[^\]]*\]", lambda part: " " * len(part.group(0)), code[found.start():]))
        if body and body.group(0) == "{":
            end = closing(code, found.start() + body.start())
            yield code.count("\n", found.start(), end) + 1


def types(code):
    pattern = r"^(?:pub(?:\([^)]*\))? )?(?:struct|enum|trait|type|union) (\w+)|^    pub enum (\w+) \{ *$"
    return [one or other for one, other in re.findall(pattern, code, re.M)]


def module(path):
    """`gaserad/store/folder/mod.rs` is the module gaserad::store::folder."""
    parts = list(PurePosixPath(path).with_suffix("").parts)
    if parts[-1] in ("mod", "lib", "main"):
        parts.pop()
    return tuple(parts)


def imports(here, code, modules):
    """The modules of the same room whose names the code speaks."""
    for found in re.finditer(r"\b((?:crate|super|self)(?:::(?:super|\w+))+)(::\{([^}]*)\})?", code):
        path = found.group(1).split("::")
        branches = [part.split("::")[0].strip() for part in (found.group(3) or "").split(",")] or [""]
        at = list(here)
        if path[0] == "crate":
            at = [here[0]]
        elif path[0] == "super":
            at = at[:-1]
        for step in path[1:]:
            at = at[:-1] if step == "super" else at + [step]
        for branch in branches:
            whole = tuple(at + [branch] if branch else at)
            while len(whole) > 1 and whole not in modules:
                whole = whole[:-1]
            if len(whole) > 2 and whole[:2] == here[:2] and whole != here:
                yield whole


def circles(graph):
    """Groups of modules that need each other (Tarjan); a parent and its own parts are no circle."""
    index, low, stack, groups = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(group) > 1:
                groups.append(group)

    for node in list(graph):
        if node not in index:
            visit(node)
    return groups


def measure(commit):
    files = {path: text for path, text in sources(commit)}
    code = {path: blank(text) for path, text in files.items()}
    lengths = {path: text.count("\n") for path, text in files.items()}
    sizes = sorted(length for text in code.values() for length in functions(text))
    defined = defaultdict(list)
    for path, text in code.items():
        for name in types(text):
            defined[name].append(path)
    total = sum(map(len, defined.values()))
    repeated = sum(len(paths) for paths in defined.values() if len(paths) > 1)
    modules = {module(path) for path in files}
    graph = {module(path): set() for path in files}
    for path, text in code.items():
        here = module(path)
        kin = lambda other: here[: len(other)] == other or other[: len(here)] == here
        graph[here] |= {other for other in imports(here, text, modules) if not kin(other)}
    found = circles(graph)
    return {
        "files": len(files),
        "production lines": sum(lengths.values()),
        "median file": int(statistics.median(lengths.values())),
        "largest file": max(lengths.values()),
        "median function": int(statistics.median(sizes)),
        "largest function": sizes[-1],
        "types": total,
        "repeated type names": f"{100 * repeated / total:.1f} %",
        "circles inside rooms": len(found),
        "modules in circles": sum(map(len, found)),
    }


def main():
    commits = sys.argv[1:] or [None]
    columns = [measure(commit) for commit in commits]
    for figure in columns[0]:
        print(f"{figure:22}", *(f"{column[figure]!s:>12}" for column in columns))


main()
