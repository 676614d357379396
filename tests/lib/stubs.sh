# SPDX-License-Identifier: GPL-2.0-or-later
# A mirror without a network: commands that come first in PATH, and what they
# "download". For tests of the scripts; needs tap.sh, and $tmp and $top.
# shellcheck shell=bash disable=SC2154

STUBS=$tmp/stubs
MIRROR=$tmp/mirror
mkdir -p "$STUBS" "$MIRROR"
export MIRROR

# stub NAME <SCRIPT
stub() {
    { echo '#!/bin/bash'; cat; } >"$STUBS/$1"
    chmod 755 "$STUBS/$1"
}

# The mirror's files come by fetch, a part of them first. $MIRROR/mode says how
# it goes on: ok, cut (the connection is lost), or hang (until somebody ends
# it); $MIRROR/log lists what was asked for.
stub fetch <<'END'
mode=$(cat "$MIRROR/mode")
for file; do
    echo "$file" >>"$MIRROR/log"
    size=$(stat -c %s "$MIRROR/$file")
    head -c $((size / 2)) "$MIRROR/$file" >"$file"
    case $mode in
    cut) echo "E: Connection reset: $file"; exit 100 ;;
    # As apt does, it ends in order.
    hang) trap 'exit 100' INT; touch "$MIRROR/hangs"
          while :; do sleep 0.1; done ;;
    esac
    sleep 0.1
    cp "$MIRROR/$file" "$file"
done
END

stub apt-get <<'END'
case " $* " in
*' indextargets '*) echo 'Debian|Debian|file:/nowhere' ;;
*' update '*)
    echo "update" >>"$MIRROR/log"
    ! grep -q refuse "$MIRROR/mode" || { echo 'E: Nobody is there'; exit 100; } ;;
*' source '*) cd "$PWD" && fetch qemu_10.0.99.orig.tar.xz \
    qemu_10.0.99-1.debian.tar.xz qemu_10.0.99-1.dsc ;;
*' download meson/'*) fetch meson_9_all.deb ;;
*' download linux-source-'*) fetch linux-source-7.2_9_all.deb ;;
*) echo "E: $*"; exit 100 ;;
esac
END
stub apt-cache </dev/null

mirror_does() {
    echo "$1" >"$MIRROR/mode"
    rm -f "$MIRROR/log" "$MIRROR/hangs"
}

# What was asked for, in one line.
asked() {
    [ ! -e "$MIRROR/log" ] || tr '\n' ' ' <"$MIRROR/log"
}

# deb NAME DIR: a package with the files of DIR.
deb() {
    mkdir -p "$2/DEBIAN"
    printf '%s\n' "Package: ${1%%_*}" 'Version: 9' 'Architecture: all' \
        'Maintainer: nobody' 'Description: none' >"$2/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$2" "$MIRROR/$1" >/dev/null
}

# A meson that only says its version; and one that is too old, in case that
# the machine's is new enough.
fake_meson() {
    local where=usr/lib/python3/dist-packages/mesonbuild
    mkdir -p "$tmp/meson/$where" "$tmp/old/mesonbuild"
    echo "version = '9.0.0'" >"$tmp/meson/$where/coredata.py"
    touch "$tmp/meson/$where/__init__.py" "$tmp/old/mesonbuild/__init__.py"
    echo "version = '0.1.0'" >"$tmp/old/mesonbuild/coredata.py"
    deb meson_9_all.deb "$tmp/meson"
}

# A kernel's source that has a version, and no /dev/mshv.
fake_kernel() {
    mkdir -p "$tmp/linux/linux-source-7.2" "$tmp/linux-deb/usr/src"
    printf 'kernelversion:\n\t@echo 7.2.99\n' \
        >"$tmp/linux/linux-source-7.2/Makefile"
    tar -C "$tmp/linux" -cJf "$tmp/linux-deb/usr/src/linux-source-7.2.tar.xz" .
    deb linux-source-7.2_9_all.deb "$tmp/linux-deb"
}

# dsc: the .dsc of the files in $MIRROR.
dsc() {
    local file
    printf '%s\n' 'Format: 3.0 (quilt)' 'Source: qemu' 'Version: 10.0.99-1' \
        'Maintainer: nobody <none>' 'Architecture: all' 'Binary: qemu' \
        'Checksums-Sha256:'
    for file in "$MIRROR"/qemu_*.tar.xz; do
        echo " $(sha256sum <"$file" | cut -d' ' -f1) $(stat -c %s "$file")" \
            "${file##*/}"
    done
    echo Files:
    for file in "$MIRROR"/qemu_*.tar.xz; do
        echo " $(md5sum <"$file" | cut -d' ' -f1) $(stat -c %s "$file")" \
            "${file##*/}"
    done
}

# A source package of QEMU: what the patches touch, and a configure that is
# content with everything.
fake_qemu() {
    local tree=$tmp/package/qemu-10.0.99
    mkdir -p "$tree" "$tmp/package/debian"
    cp -a "$top/build/qemu/.mshv-pristine/." "$tree/"
    mkdir -p "$tree/accel" "$tree/target/i386" "$tree/hw" "$tree/include"
    echo 10.0.99 >"$tree/VERSION"
    printf '#!/bin/sh\nmkdir -p %s\ntouch build.ninja\n' \
        pyvenv/lib/python3.11/site-packages >"$tree/configure"
    chmod 755 "$tree/configure"
    tar -C "$tmp/package" -cJf "$MIRROR/qemu_10.0.99.orig.tar.xz" qemu-10.0.99
    printf '%s\n' 'qemu (10.0.99-1) unstable; urgency=low' '' '  * None.' '' \
        ' -- nobody <none>  Thu, 01 Jan 1970 00:00:00 +0000' \
        >"$tmp/package/debian/changelog"
    tar -C "$tmp/package" -cJf "$MIRROR/qemu_10.0.99-1.debian.tar.xz" debian
    dsc >"$MIRROR/qemu_10.0.99-1.dsc"
}

# A debootstrap that makes a tree of nearly nothing, and what is done in it.
stub debootstrap <<'END'
for word; do
    case $word in */root|*/root.*) dir=$word ;; esac
done
mkdir -p "$dir/tmp"
cp "$MIRROR/mode" "$MIRROR/one"
(cd "$dir" && fetch one) || exit
END
stub chroot <<'END'
echo kernel >"$1/vmlinuz"
echo initrd >"$1/initrd.img"
END
stub unshare <<'END'
until [ "$1" = - ]; do shift; done
shift
exec chroot "$@"
END
stub mke2fs <<'END'
for word; do
    case $word in */disk.raw) echo disk >"$word" ;; esac
done
END
# We are root, or play it.
stub sudo <<'END'
exec "$@"
END

# interrupted COMMAND...: start it, and press Ctrl-C when its download hangs;
# its exit status.
interrupted() {
    local job status=0
    mirror_does hang
    setsid env --default-signal=INT "$@" </dev/null &
    job=$!
    until [ -e "$MIRROR/hangs" ]; do
        kill -0 $job 2>/dev/null || { echo 'it did not download'; return 1; }
        sleep 0.1
    done
    kill -INT -- -$job
    timeout 60 tail --pid=$job -f /dev/null || kill -KILL -- -$job
    wait $job || status=$?
    is "$status" 130
}
