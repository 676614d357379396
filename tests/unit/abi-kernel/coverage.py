#!/usr/bin/env python3
#
# Fails if our headers and the kernel's both have a constant, a field or a bit
# field that the tables do not compare.
#
# coverage.py KERNEL_SOURCE OUR_HEADER... -- TABLE...
#
# SPDX-License-Identifier: GPL-2.0-or-later

import re
import sys

KERNEL_HEADERS = [
    'include/hyperv/hvgdk.h',
    'include/hyperv/hvgdk_ext.h',
    'include/hyperv/hvgdk_mini.h',
    'include/hyperv/hvhdk.h',
    'include/hyperv/hvhdk_mini.h',
    'include/uapi/linux/mshv.h',
]


def read(path):
    with open(path, encoding='utf-8') as f:
        return re.sub(r'/\*.*?\*/', ' ', f.read(), flags=re.S)


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
    split = sys.argv.index('--')
    source, headers, tables = (sys.argv[1], sys.argv[2:split],
                               sys.argv[split + 1:])
    ours = '\n'.join(map(read, headers))
    kernel = '\n'.join(read(source + '/' + h) for h in KERNEL_HEADERS)
    table = '\n'.join(map(read, tables))

    rows = set(re.findall(r'\w+', table))
    missing = sorted((constants(ours) & constants(kernel)) - rows)

    compared = {(name, path.split('.')[-1]) for name, path in re.findall(
        r'^(?:FIELD2?|FLEX2?|BITS)\((\w+ \w+),\s+([\w.]+)', table,
        flags=re.M)}
    kernel_bodies = bodies(kernel)
    shared = 0
    for name, path in sorted(fields(ours)):
        field = path.split('.')[-1]
        if re.search(r'\b%s\b' % field, kernel_bodies.get(name, '')):
            shared += 1
            if (name, field) not in compared:
                missing.append(name + ' ' + path)

    for what in missing:
        print('not compared: ' + what)
    print('%d constants and %d fields in both, %d not compared' %
          (len(constants(ours) & constants(kernel)), shared, len(missing)))
    return 1 if missing else 0


if __name__ == '__main__':
    sys.exit(main())
