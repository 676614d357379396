# SPDX-License-Identifier: GPL-2.0-or-later
# The build tools: what is needed, and a meson that is new enough.
# Needs say.sh, cache.sh and apt.sh.
# shellcheck shell=bash

# Python of the distribution: its meson and venv belong to it. Another
# python3 that comes first in PATH often lacks both.
if [ -x /usr/bin/python3 ]; then
    PYTHON=/usr/bin/python3
else
    PYTHON=python3
fi

# QEMU 10.0 and we need this meson or a newer one.
MESON_MIN=1.5.0

# Whether the distribution's Python finds a meson that is new enough.
meson_is_new_enough() {
    "$PYTHON" - "$MESON_MIN" 2>/dev/null <<'END'
import sys
from mesonbuild.coredata import version
number = lambda v: [int(x) for x in v.split('.')[:3] if x.isdigit()]
sys.exit(number(version) < number(sys.argv[1]))
END
}

# Make sure that Python finds a meson that is new enough: the machine's own,
# or the one of a newer suite, unpacked in our cache. In the second case
# MESON_PATH is the directory for PYTHONPATH.
find_meson() {
    MESON_PATH=
    if meson_is_new_enough; then
        return
    fi
    cache_entry tools meson 30 apt_in_turn fetch_meson
    MESON_PATH=$ENTRY/usr/lib/python3/dist-packages
    PYTHONPATH=$MESON_PATH meson_is_new_enough ||
        die "the meson in $ENTRY does not work with $PYTHON"
}

fetch_meson() {
    say "fetching meson $MESON_MIN or newer: the machine's is older or missing"
    apt_get_deb "$WORK/deb" meson bookworm-backports trixie ||
        die "no meson $MESON_MIN or newer: $APT_WHY; install one for $PYTHON"
    dpkg-deb -x "$APT_DEB" "$WORK" || die "cannot unpack $APT_DEB"
    rm -rf "$WORK/deb"
}

# run_meson ARG...: after find_meson.
run_meson() {
    PYTHONPATH=${MESON_PATH:+$MESON_PATH:}${PYTHONPATH:-} \
        "$PYTHON" -c 'import sys; from mesonbuild.mesonmain import main
sys.argv[0] = "meson"; sys.exit(main())' "$@"
}

# need COMMAND...: die naming every command that is missing.
need() {
    local missing=() tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        die "missing: ${missing[*]}; scripts/setup installs what is needed"
    fi
}
