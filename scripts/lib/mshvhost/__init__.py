# SPDX-License-Identifier: GPL-2.0-or-later
"""The emulated host of qemu-mshv: what scripts/mshv-host is made of."""

import os
import pwd

EXIT_TIMEOUT = 124
EXIT_HOST_FAILED = 125

# The project's tree.
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__)))))


class HostError(Exception):
    """One clear line for the person (and perhaps lines that show more)."""


def cache_dir(*parts):
    """A path in the cache directory: that of scripts/lib/cache.sh."""
    base = os.environ.get('XDG_CACHE_HOME')
    if not base:
        home = os.environ.get('HOME') or home_of_user()
        if not home:
            raise HostError('you have no home directory: set HOME or '
                            'XDG_CACHE_HOME')
        base = os.path.join(home, '.cache')
    if not os.path.isabs(base):
        raise HostError(f'the cache directory, {base}, must be an absolute '
                        'path: see HOME and XDG_CACHE_HOME')
    return os.path.join(base, 'qemu-mshv', *parts)


def home_of_user():
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return None
