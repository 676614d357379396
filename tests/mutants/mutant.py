# SPDX-License-Identifier: GPL-2.0-or-later
"""A mutant: a patch that breaks the product, and the tests that must notice."""

import difflib
import os
import re

ROOMS = ('accel/mshv', 'target/i386/mshv', 'hw/emuhv', 'include/mshv')
HUNK = re.compile(r'@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@')
MAX_CONTEXT = 8


class Unfit(Exception):
    """The patch does not apply, or is no mutant."""


class Hunk:
    def __init__(self, line):
        self.line = line        # where the old text began, from 0
        self.rows = []          # (' ', '-' or '+', text)

    def old(self):
        return [text for kind, text in self.rows if kind != '+']

    def new(self):
        return [text for kind, text in self.rows if kind != '-']

    def trimmed(self, context):
        """This hunk with so many lines of context at most at either end."""
        kinds = [kind for kind, _ in self.rows]
        first = next(i for i, kind in enumerate(kinds) if kind != ' ')
        last = max(i for i, kind in enumerate(kinds) if kind != ' ')
        begin = max(0, first - context)
        less = Hunk(self.line + begin)
        less.rows = self.rows[begin:last + 1 + context]
        return less

    def context(self):
        kinds = ''.join(kind for kind, _ in self.rows)
        return max(len(kinds) - len(kinds.lstrip()),
                   len(kinds) - len(kinds.rstrip()))


def places(lines, block):
    """Where @block is in @lines."""
    return [i for i in range(len(lines) - len(block) + 1)
            if lines[i:i + len(block)] == block] if block else []


def find_hunk(lines, hunk):
    """(hunk, where): the hunk with as much of its context as is found."""
    for context in range(hunk.context(), -1, -1):
        less = hunk.trimmed(context)
        found = places(lines, less.old())
        if len(found) == 1:
            return less, found[0]
        if found:
            near = sorted(found, key=lambda i: abs(i - less.line))
            if abs(near[0] - less.line) < abs(near[1] - less.line) and \
                    context == hunk.context():
                return less, near[0]
            raise Unfit(f'{len(found)} places look like line {hunk.line + 1}')
    raise Unfit(f'nothing looks like line {hunk.line + 1} any more')


def apply_hunks(lines, hunks):
    """@lines with all hunks applied; each looks at the original text."""
    found = sorted(((where, hunk) for hunk, where in
                    (find_hunk(lines, hunk) for hunk in hunks)),
                   key=lambda pair: pair[0])
    result, done = [], 0
    for where, hunk in found:
        result += lines[done:where] + hunk.new()
        done = where + len(hunk.old())
    return result + lines[done:]


def read_lines(path):
    with open(path, encoding='utf-8') as f:
        return f.read().split('\n')


def diff_of(old, new, path):
    """A diff whose hunks have as much context as makes them unique."""
    for context in range(1, MAX_CONTEXT + 1):
        rows = list(difflib.unified_diff(old, new, f'a/{path}', f'b/{path}',
                                         lineterm='', n=context))
        hunks = parse_hunks(rows[2:])
        if all(len(places(old, hunk.old())) == 1 for hunk in hunks):
            break
    return rows


def parse_hunks(rows):
    hunks = []
    for row in rows:
        if head := HUNK.match(row):
            hunks.append(Hunk(int(head[1]) - 1))
        elif hunks and row[:1] in (' ', '-', '+'):
            hunks[-1].rows.append((row[0], row[1:]))
        elif row:
            raise Unfit(f'not a line of a patch: {row}')
    return hunks


def sources(tree):
    """Our C files in @tree."""
    for room in ROOMS:
        for where, _, names in os.walk(os.path.join(tree, room)):
            for name in names:
                if name.endswith(('.c', '.h')):
                    yield os.path.relpath(os.path.join(where, name), tree)


class Mutant:
    """What a .patch file says.

    Its first line is what it breaks. 'Test:' is a command that must fail with
    it, one a line, the quickest first. 'Alive:' says why nothing can notice.
    """

    def __init__(self, path, root):
        self.path = path
        self.name = os.path.relpath(path, root).removesuffix('.patch')
        with open(path, encoding='utf-8') as f:
            self.text = f.read()
        self.head, self.files = [], []
        self.parse(self.text.rstrip('\n').split('\n'))
        self.what = self.head[0] if self.head else ''
        self.tests = self.field('Test')
        self.alive = ' '.join(self.field('Alive'))
        if not self.files or not self.what or not (self.tests or self.alive):
            raise Unfit(f'{self.name}: a mutant has a line on what it breaks, '
                        "a line 'Test:' or 'Alive:', and a patch")

    def parse(self, rows):
        starts = [i for i, row in enumerate(rows) if row.startswith('--- a/')]
        self.head = rows[:starts[0]] if starts else rows
        for begin, end in zip(starts, starts[1:] + [len(rows)]):
            body = [r for r in rows[begin + 2:end]
                    if not r.startswith(('diff ', 'index '))]
            self.files.append((rows[begin][6:], parse_hunks(body)))

    def field(self, name):
        """Its values; a line that is indented goes on with the one above."""
        values, open_field = [], False
        for row in self.head:
            if row.startswith(name + ':'):
                values.append(row[len(name) + 1:].strip())
                open_field = True
            elif open_field and row.startswith(' '):
                values[-1] += ' ' + row.strip()
            else:
                open_field = False
        return values

    @staticmethod
    def apply_to(tree, path, hunks):
        """{path: (lines before, lines after)} of one file."""
        lines = read_lines(os.path.join(tree, path))
        try:
            return {path: (lines, apply_hunks(lines, hunks))}
        except Unfit as e:
            raise Unfit(f'{path}: {e}') from None

    def apply_elsewhere(self, tree, path, hunks):
        """The same for where the code has gone: the only file that has it."""
        found = []
        for other in sources(tree):
            try:
                found.append(self.apply_to(tree, other, hunks))
            except Unfit:
                pass
        if len(found) != 1:
            raise Unfit(f'what {path} had is in {len(found)} files')
        return found[0]

    def apply(self, tree):
        """{path: (lines before, lines after)}; writes nothing."""
        changed = {}
        for path, hunks in self.files:
            try:
                changed.update(self.apply_to(tree, path, hunks))
            except (FileNotFoundError, Unfit):
                changed.update(self.apply_elsewhere(tree, path, hunks))
        return changed

    def refresh(self, tree):
        """Write it anew as it applies now; whether it changed."""
        rows = list(self.head)
        for path, (old, new) in self.apply(tree).items():
            rows += diff_of(old, new, path)
        text = '\n'.join(rows) + '\n'
        if text != self.text:
            with open(self.path, 'w', encoding='utf-8') as f:
                f.write(text)
        return text != self.text


def all_mutants(root, words=()):
    """Those of which name, file or test contains one of @words."""
    paths = sorted(os.path.join(where, name)
                   for where, _, names in os.walk(root)
                   for name in names if name.endswith('.patch'))
    found = [Mutant(path, root) for path in paths]
    return [m for m in found if not words or any(
        word in text for word in words
        for text in [m.name, *m.tests, *(path for path, _ in m.files)])]
