"""Draws a sample again from its proof, by docs/sampling.md alone: standard library, none of Batchward's code.

Prints the places that are drawn, one a line. The proof's entries are taken as they stand in it: that they are the
register's is what 'batchward audit verify' and any verifier of C2SP tlog-proof look at.
"""

import base64
import hashlib
import json
import sys


def entry(proof):
    extra = [line for line in proof.split("\n") if line.startswith("extra ")]
    return json.loads(base64.b64decode(extra[0][6:]))["body"]


def be(number):
    return number.to_bytes(8, "big")


def number(seed, root, *places):
    return hashlib.sha256(seed + root + b"".join(be(place) for place in places)).digest()


def share(counted, rule):
    if counted < rule["all_below"]:
        return counted
    return min(counted, max(-(-counted * rule["rate"] // 100), rule["floor"]))


proof = json.load(open(sys.argv[1], encoding="utf-8"))
terms = entry(proof["drawn"])["terms"]
seed, root = bytes.fromhex(terms["seed"]), bytes.fromhex(terms["root"])
assert hashlib.sha256(seed).hexdigest() == entry(proof["sealed"])["seed"], "another seed"
items = proof["population"]
canonical = json.dumps(items, sort_keys=True, separators=(",", ":")).encode()
assert hashlib.sha256(canonical).hexdigest() == terms["population"], "another population"

if terms["unit"] == "cases":
    all_numbers = [(number(seed, root, unit), unit) for unit in {item["unit"] for item in items}]
elif terms["unit"] == "queries":
    all_numbers = [(number(seed, root, item["entry"]), item["entry"]) for item in items]
else:
    all_numbers = [
        (number(seed, root, item["entry"], which), item["entry"])
        for item in items
        for which in range(item["records"])
    ]
assert len(all_numbers) == terms["counted"], "another number"
assert terms["size"] >= share(len(all_numbers), terms["rule"]), "fewer than asked for"
drawn = {of for _, of in sorted(all_numbers)[: terms["size"]]}
if terms["unit"] == "cases":
    drawn = {item["entry"] for item in items if item["unit"] in drawn}
for place in sorted(drawn):
    print(place)
