"""What the Python driver suites share: the server to talk to, the table of values, and a runner.

The server is told by environment variables, set by `cargo xtask drivers`:
DRIVER_HOST, DRIVER_PORT, DRIVER_USER, DRIVER_PASSWORD, DRIVER_DATABASE, and DRIVER_CA (a CA certificate; unset when the
server has no TLS, which leaves the TLS checks out).
"""

import asyncio
import inspect
import json
import os
import pathlib
import sys
import traceback

HERE = pathlib.Path(__file__).parent
HOST = os.environ.get("DRIVER_HOST", "127.0.0.1")
PORT = int(os.environ.get("DRIVER_PORT", "5432"))
USER = os.environ.get("DRIVER_USER", "driver")
PASSWORD = os.environ.get("DRIVER_PASSWORD", "pencil")
DATABASE = os.environ.get("DRIVER_DATABASE", "driver")
CA = os.environ.get("DRIVER_CA")

TYPES = HERE / "types.json"


def values():
    """(type, text, hex of the binary form or None) of every value of the shared table."""
    for entry in json.loads(TYPES.read_text()):
        for text, binary in entry["values"]:
            yield entry["type"], text, binary


def setup_statements():
    return (HERE / "setup.sql").read_text()


TESTS = []


def test(function):
    TESTS.append(function)
    return function


def tls_test(function):
    return test(function) if CA else function


def expect(actual, expected, what=""):
    if actual != expected or type(actual) is not type(expected):
        raise AssertionError(f"{what}: got {actual!r}, expected {expected!r}")


async def _run_async():
    failed = 0
    only = sys.argv[1:]
    for function in TESTS:
        if only and function.__name__ not in only:
            continue
        try:
            result = function()
            if inspect.isawaitable(result):
                await asyncio.wait_for(result, 60)
            print(f"ok   {function.__name__}", flush=True)
        except BaseException as e:  # one failed check must not hide the others
            failed += 1
            print(f"FAIL {function.__name__}: {type(e).__name__}: {str(e)[:1500]}", flush=True)
            if os.environ.get("DRIVER_TRACE"):
                traceback.print_exc()
    return failed


def main(driver):
    failed = asyncio.run(_run_async())
    print(f"{driver}: {len(TESTS) - failed} of {len(TESTS)} checks passed")
    sys.exit(1 if failed else 0)
