#!/usr/bin/env python3
"""Refuses an #include that goes against the layers of docs/architecture.md.

A folder may include itself and what its row lists, nothing else, and by plain paths: one that walks
("../store/session.hpp") would pass by the table. The core (base, crypto, ledger, evm, chain, payment) is
values and functions: it can't include Asio, Beast, libpqxx, JSON or spdlog. Beast stays in the few files
named below, because each file that awaits it costs 10 to 30 seconds to compile.
"""
import pathlib
import re
import sys

CORE_HEADERS = ["base", "crypto", "ledger", "evm", "chain", "payment"]
APP = CORE_HEADERS + ["runtime", "app"]
ALLOWED = {
    "base": [],
    "crypto": ["base"],
    "ledger": ["base"],
    "runtime": ["base"],
    "evm": ["base", "crypto"],
    "net": ["base", "runtime"],
    "chain": ["base", "crypto", "evm"],
    "payment": ["base", "crypto", "evm", "ledger"],
    "app": CORE_HEADERS + ["runtime"],
    "store": APP,
    "node": APP + ["net"],
    "testchain": APP,
    "webhook": APP + ["net"],
    "rates": APP + ["net"],
    "api": APP + ["net"],
    "checkout": APP + ["net"],
    "admin": APP + ["net"],
    "main": APP
    + ["net", "store", "node", "testchain", "webhook", "rates", "api", "checkout", "admin"],
}
SHELL_LIBRARIES = ("boost/asio", "boost/beast", "pqxx", "libpq", "nlohmann", "spdlog", "fmt/")
BEAST_FILES = {"src/net/http_server.cpp", "src/net/http_client.cpp", "src/net/websocket_client.cpp"}
HEAVY_IN_HEADERS = ("boost/beast", "pqxx", "nlohmann/json.hpp", "spdlog", "CLI/", "toml++")
INCLUDE_LINE = re.compile(r"^[ \t]*#[ \t]*include.*$", re.MULTILINE)
INCLUDE = re.compile(r'[ \t]*#[ \t]*include[ \t]*[<"]([^<>"]+)[>"][ \t]*(//.*)?')


def module_of(relative):
    """The folder that a file belongs to, however deep it lies in it."""
    parts = relative.parts[1:-1] if relative.parts[0] == "src" else relative.parts[2:-1]
    return parts[0] if parts else ""


def includes_of(text):
    """Each #include line, with its path, or None where it is not written plainly."""
    for line in INCLUDE_LINE.findall(text):
        plain = INCLUDE.fullmatch(line)
        yield line.strip(), plain.group(1) if plain else None


def problem_of(module, name, included):
    if any(part in ("", ".", "..") for part in included.split("/")):
        return f'"{included}" is not a plain path: <sycee/folder/file.hpp>, or a file of this folder'
    if included.startswith("sycee/"):
        other = included.split("/")[1]
        if other != module and other not in ALLOWED[module]:
            return f"{module} may not include <{included}>"
    if module in CORE_HEADERS and included.startswith(SHELL_LIBRARIES):
        return f"the core may not include <{included}>"
    if included.startswith("boost/beast") and name not in BEAST_FILES:
        return f"only {', '.join(sorted(BEAST_FILES))} include Beast"
    if name.startswith("include/") and included.startswith(HEAVY_IN_HEADERS):
        return f"<{included}> is too heavy for a public header"
    return None


def problems(root):
    files = [path for folder in ("src", "include/sycee") for path in root.glob(f"{folder}/**/*")]
    files = [path for path in files if path.is_file() and path.name != "CMakeLists.txt"]
    if not files:
        yield "no source files found: is this the repository's root?"
    for path in sorted(files):
        relative = path.relative_to(root)
        name = relative.as_posix()
        module = module_of(relative)
        if module == "boost_bodies":
            continue
        if module not in ALLOWED:
            yield f"{name}: folder {module or relative.parent} is not in the table of layers"
            continue
        if path.suffix not in (".cpp", ".hpp"):
            yield f"{name}: sources are only .cpp and .hpp"
            continue
        for line, included in includes_of(path.read_text(encoding="utf-8")):
            problem = f"{line} can't be read" if included is None else None
            problem = problem or problem_of(module, name, included)
            if problem:
                yield f"{name}: {problem}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    found = list(problems(root))
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
