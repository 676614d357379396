# SPDX-License-Identifier: GPL-2.0-or-later
# What QEMU is configured with.
# Needs tools.sh and qemu-source.sh.
# shellcheck shell=bash

# qemu_options OPTION...: all of the list without its comments, then what is
# given, and what this machine builds with; one a line.
qemu_options() {
    sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e "s/^$QEMU_SERIES: *//" \
        -e '/^[0-9.]*:/d' -e '/^$/d' \
        "$(dirname "${BASH_SOURCE[0]}")/../qemu-options.list"
    printf '%s\n' "--python=$PYTHON" "$@"
    if command -v ccache >/dev/null && [ -z "${CC:-}" ]; then
        printf '%s\n' '--cc=ccache gcc' '--host-cc=ccache gcc'
    fi
}
