#!/usr/bin/env python3
"""Refuses an #include that goes against the layers of docs/architecture.md.

A folder may include itself and what its row lists, nothing else. The core (base, crypto, ledger, evm,
chain, payment) is values and functions: it can't include Asio, Beast, libpqxx, JSON or spdlog. Beast
stays in the few files named below, because each file that awaits it costs 10 to 30 seconds to compile.
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
    "webhook": APP + ["net"],
    "api": APP + ["net"],
    "checkout": APP + ["net"],
    "admin": APP + ["net"],
    "main": APP + ["net", "store", "node", "webhook", "api", "checkout", "admin"],
}
SHELL_LIBRARIES = ("boost/asio", "boost/beast", "pqxx", "libpq", "nlohmann", "spdlog", "fmt/")
BEAST_FILES = {"src/net/http_server.cpp", "src/net/http_client.cpp", "src/net/websocket_client.cpp"}
HEAVY_IN_HEADERS = ("boost/beast", "pqxx", "nlohmann/json.hpp", "spdlog", "CLI/", "toml++")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def problems(root):
    files = [*root.glob("src/*/*.[ch]pp"), *root.glob("include/sycee/*/*.hpp")]
    if not files:
        yield "no source files found: is this the repository's root?"
    for path in sorted(files):
        relative = path.relative_to(root).as_posix()
        module = path.parent.name
        if module == "boost_bodies":
            continue
        if module not in ALLOWED:
            yield f"{relative}: folder {module} is not in the table of layers"
            continue
        for included in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if included.startswith("sycee/"):
                other = included.split("/")[1]
                if other != module and other not in ALLOWED[module]:
                    yield f"{relative}: {module} may not include <{included}>"
            if module in CORE_HEADERS and included.startswith(SHELL_LIBRARIES):
                yield f"{relative}: the core may not include <{included}>"
            if included.startswith("boost/beast") and relative not in BEAST_FILES:
                yield f"{relative}: only {', '.join(sorted(BEAST_FILES))} include Beast"
            if relative.startswith("include/") and included.startswith(HEAVY_IN_HEADERS):
                yield f"{relative}: <{included}> is too heavy for a public header"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    found = list(problems(root))
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
