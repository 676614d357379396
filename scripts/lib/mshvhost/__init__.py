# SPDX-License-Identifier: GPL-2.0-or-later
"""The emulated host of qemu-mshv: what scripts/mshv-host is made of."""

import os

EXIT_TIMEOUT = 124
EXIT_HOST_FAILED = 125

# The project's tree.
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__)))))


class HostError(Exception):
    """One clear line for the person (and perhaps lines that show more)."""


def cache_dir(*parts):
    base = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    return os.path.join(base, 'qemu-mshv', *parts)
