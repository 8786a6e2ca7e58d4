"""Engines that judge one object at a time, on the first policy's facts: prints objects per second of CEL and of Rego.

Run in an environment of its own (requirements/peers.txt).
"""

import json
import sys
import time

import celpy
from regopy import Interpreter

CEL = """key1 == null ? "101" : key1 && key2 == null ? "102" : key1 && key2 ? "199" : "200" """
REGO = """package reeve
code(user) := 101 if { user.key1 == null }
code(user) := 102 if { user.key1 == true; user.key2 == null }
code(user) := 199 if { user.key1 == true; user.key2 == true }
code(user) := 200 if { user.key1 == true; user.key2 == false }
code(user) := 200 if { user.key1 == false }
codes := [code(user) | user := input.users[_]]
"""


def users(count):
    return [{"key1": n % 3 == 0, "key2": None if n % 101 == 0 else n % 5 == 0} for n in range(count)]


def expected(user):
    if user["key1"] is None:
        return 101
    return 200 if not user["key1"] else 102 if user["key2"] is None else 199 if user["key2"] else 200


def cel(count):
    environment = celpy.Environment()
    program = environment.program(environment.compile(CEL))
    rows = users(count)
    start = time.perf_counter()
    found = [int(program.evaluate({key: celpy.json_to_cel(value) for key, value in row.items()})) for row in rows]
    taken = time.perf_counter() - start
    assert found == [expected(row) for row in rows]
    return count / taken


def rego(count):
    interpreter, rows = Interpreter(), users(count)
    interpreter.add_module("reeve", REGO)
    start = time.perf_counter()
    interpreter.set_input({"users": rows})
    found = json.loads(str(interpreter.query("data.reeve.codes")))["expressions"][0]
    taken = time.perf_counter() - start
    assert [int(code) for code in found] == [expected(row) for row in rows]
    return count / taken


if __name__ == "__main__":
    count = int(sys.argv[1])
    print(cel(count), rego(count))
