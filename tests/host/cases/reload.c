/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver goes and comes back; CPUs go offline and come back. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "vm.h"

#define MODULE "/run/mshv-host/mshv_root.ko"

GUEST16(guest, "out %al, $1");

static void run_guest(const char *when)
{
    Vm vm;
    Msg m;

    vm_make(&vm, 1 << 20, 1);
    START16(&vm, 0, guest);
    vp_gives(&vm, 0, &m, MSG_IO_PORT, when);
    vm_free(&vm);
}

static int set_online(unsigned cpu, char value)
{
    char path[64];
    int fd, ret;

    snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
    fd = open(path, O_WRONLY);
    ret = fd < 0 || write(fd, &value, 1) != 1 ? -1 : 0;
    close(fd);
    return ret;
}

int main(void)
{
    int fd = open(MODULE, O_RDONLY), dev;
    unsigned i;

    if (fd < 0) {
        give_up("this host keeps no copy of the driver");
    }
    run_guest("a guest runs before");
    dev = open_dev();
    refuses(syscall(SYS_delete_module, "mshv_root", O_NONBLOCK), EAGAIN,
            "the driver stays while somebody uses it");
    close(dev);
    for (i = 0; i < 3; i++) {
        works(syscall(SYS_delete_module, "mshv_root", O_NONBLOCK),
              "the driver goes (%u)", i);
        ok(access("/dev/mshv", F_OK) < 0, "the device goes with it");
        works(syscall(SYS_finit_module, fd, "", 0), "the driver comes back");
        run_guest("a guest runs after that");
    }
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1) {
        for (i = 0; i < 3; i++) {
            works(set_online(1, '0'), "CPU 1 goes offline (%u)", i);
            run_guest("a guest runs without it");
            works(set_online(1, '1'), "CPU 1 comes back");
            run_guest("a guest runs with it");
        }
    }
    return done();
}
