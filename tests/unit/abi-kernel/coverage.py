#!/usr/bin/env python3
#
# Fails if our headers and the kernel's both have a constant, a field or a bit
# field that the tables do not compare.
#
# coverage.py KERNEL_SOURCE
#
# SPDX-License-Identifier: GPL-2.0-or-later

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
OUR_HEADERS = sorted((HERE / '../../../include/mshv').glob('*.h'))
TABLES = sorted(HERE.glob('*.inc'))
KERNEL_HEADERS = [
    'include/hyperv/hvgdk.h',
    'include/hyperv/hvgdk_ext.h',
    'include/hyperv/hvgdk_mini.h',
    'include/hyperv/hvhdk.h',
    'include/hyperv/hvhdk_mini.h',
    'include/uapi/linux/mshv.h',
]


def read(paths):
    """Text of the files, without comments"""
    text = '\n'.join(path.read_text(encoding='utf-8') for path in paths)
    return re.sub(r'/\*.*?\*/', ' ', text, flags=re.S)


def constants(text):
    defines = re.findall(r'^#define\s+((?:HV|MSHV)\w*)\s', text, flags=re.M)
    enums = re.findall(r'\benum\b[^;{]*\{(.*?)\}', text, flags=re.S)
    return set(defines) | {name for body in enums
                           for name in re.findall(r'\b(?:HV|MSHV)\w*', body)}


def bodies(text):
    """Text between the braces of each structure or union with a name"""
    found = {}
    for match in re.finditer(r'^(struct|union) (\w+) \{', text, flags=re.M):
        depth, end = 1, match.end()
        while depth:
            depth += {'{': 1, '}': -1}.get(text[end], 0)
            end += 1
        found[match.group(1) + ' ' + match.group(2)] = text[match.end():end]
    return found


def fields(text):
    """Pairs of a type and one of its fields, as our headers assert them"""
    pairs = set(re.findall(
        r'^HV_ASSERT_AT\((\w+ \w+),\s+([\w.]+),', text, flags=re.M))
    for name, body in bodies(text).items():
        pairs |= {(name, field) for field in re.findall(r'(\w+):\d+;', body)}
    return pairs


def main():
    source = pathlib.Path(sys.argv[1])
    ours = read(OUR_HEADERS)
    kernel = read(source / header for header in KERNEL_HEADERS)
    table = read(TABLES)

    shared = constants(ours) & constants(kernel)
    missing = sorted(shared - set(re.findall(r'\w+', table)))

    compared = {(name, path.split('.')[-1]) for name, path in re.findall(
        r'^(?:FIELD2?|FLEX2?|BITS)\((\w+ \w+),\s+([\w.]+)', table,
        flags=re.M)}
    kernel_bodies = bodies(kernel)
    for name, path in sorted(fields(ours)):
        field = path.split('.')[-1]
        if re.search(rf'\b{field}\b', kernel_bodies.get(name, '')):
            shared.add((name, path))
            if (name, field) not in compared:
                missing.append(f'{name} .{path}')

    print('1..1')
    print('not ok' if missing else 'ok',
          f'1 - all of {len(shared)} names that both have are compared')
    for what in missing:
        print('# not in the tables: ' + what)
    return 1 if missing else 0


if __name__ == '__main__':
    sys.exit(main())
