#!/usr/bin/env python3
"""Writes src/domain/cp950.bin: the assigned cells of code page 950, from Python's own codec.

For each lead byte A1 to F9 and each trail byte 40 to 7E and A1 to FE one big-endian 16-bit code point, 0 where the
cell is not assigned. The user-defined cells are not in the table: they go by formula (src/domain/cp950.rs).
"""
import struct
import sys

TRAILS = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]


def cell(lead, trail):
    if 0xC6A1 <= lead << 8 | trail <= 0xC8FE:
        return 0  # user-defined; the codec has ETEN's kana and Cyrillic here
    try:
        text = bytes((lead, trail)).decode("cp950")
    except UnicodeDecodeError:
        return 0
    return ord(text) if len(text) == 1 else 0


with open(sys.argv[1], "wb") as out:
    for lead in range(0xA1, 0xFA):
        for trail in TRAILS:
            out.write(struct.pack(">H", cell(lead, trail)))
