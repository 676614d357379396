/*
 * What a host needs for -accel mshv, one question after the other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "mshv/hvabi-cpuid.h"
#include "mshv/uapi.h"
#include "checks.h"

/* The first Linux whose driver has all that the accelerator needs. */
#define LINUX_MAJOR     6
#define LINUX_MINOR     19
/* A small guest, and what the hypervisor takes for it. */
#define MEMORY_MIB      512

static char *path_of(Host *host, const char *path)
{
    return g_strconcat(host->root, path, NULL);
}

static bool is_hypervisor(void)
{
    unsigned a, b, c, d;

    __cpuid(1, a, b, c, d);
    if (!(c & HYPERV_HYPERVISOR_PRESENT_BIT)) {
        return false;
    }
    __cpuid(HYPERV_CPUID_VENDOR_AND_MAX_FUNCTIONS, a, b, c, d);
    return b == HV_CPUID_SIGNATURE_EBX && c == HV_CPUID_SIGNATURE_ECX &&
           d == HV_CPUID_SIGNATURE_EDX;
}

static bool ask_hypervisor(Host *host, char **said, char **remedy)
{
    if (!is_hypervisor()) {
        *said = g_strdup("this machine does not run on the Microsoft "
                         "hypervisor");
        *remedy = g_strdup("use an Azure VM of a type that offers nested "
                           "partitions (L1VH), or a Hyper-V root");
        return false;
    }
    *said = g_strdup("this is a partition of the Microsoft hypervisor");
    return true;
}

static bool ask_privilege(Host *host, char **said, char **remedy)
{
    unsigned a, b, c, d;

    __cpuid(HYPERV_CPUID_FEATURES, a, b, c, d);
    if (!(b & HV_CREATE_PARTITIONS)) {
        *said = g_strdup("this partition may not create partitions");
        *remedy = g_strdup("use a VM of a type that offers nested partitions "
                           "(L1VH)");
        return false;
    }
    *said = g_strdup("this partition may create partitions");
    return true;
}

static bool ask_kernel(Host *host, char **said, char **remedy)
{
    struct utsname name;
    int major = 0, minor = 0;

    uname(&name);
    *said = g_strdup_printf("Linux %s", name.release);
    if (sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
        (major > LINUX_MAJOR ||
         (major == LINUX_MAJOR && minor >= LINUX_MINOR))) {
        return true;
    }
    *remedy = g_strdup_printf("boot Linux %d.%d or newer", LINUX_MAJOR,
                              LINUX_MINOR);
    return false;
}

/* Built in, it has no directory there unless it has parameters. */
static bool ask_driver(Host *host, char **said, char **remedy)
{
    g_autofree char *module = path_of(host, "/sys/module/mshv_root");
    g_autofree char *misc = path_of(host, "/proc/misc");
    g_autofree char *text = NULL;

    if (g_file_get_contents(misc, &text, NULL, NULL) &&
        g_regex_match_simple("^ *[0-9]+ mshv$", text, G_REGEX_MULTILINE, 0)) {
        *said = g_strdup("the driver mshv_root runs");
        return true;
    }
    if (g_file_test(module, G_FILE_TEST_EXISTS)) {
        *said = g_strdup("the module mshv_root is loaded, but has made no "
                         "device");
        *remedy = g_strdup("dmesg says why, most often that the partition may "
                           "not create partitions");
    } else {
        *said = g_strdup("the driver mshv_root is not loaded");
        *remedy = g_strdup("modprobe mshv_root; if there is no such module, "
                           "the kernel needs CONFIG_MSHV_ROOT");
    }
    return false;
}

static bool ask_node(Host *host, char **said, char **remedy)
{
    struct stat st;

    if (stat(host->device, &st) < 0) {
        *said = g_strdup_printf("%s: %s", host->device, strerror(errno));
        *remedy = g_strdup("in a container, ask for the device (KubeVirt: "
                           "devices.kubevirt.io/mshv); elsewhere udev makes it");
        return false;
    }
    if (!S_ISCHR(st.st_mode)) {
        *said = g_strdup_printf("%s is no device node", host->device);
        *remedy = g_strdup("remove it, and make it anew: the number is in "
                           "/proc/misc, the major one is 10");
        return false;
    }
    *said = g_strdup_printf("%s is there, mode %03o, user %u, group %u",
                            host->device, st.st_mode & 0777, st.st_uid,
                            st.st_gid);
    return true;
}

static bool ask_permission(Host *host, char **said, char **remedy)
{
    host->fd = open(host->device, O_RDWR | O_CLOEXEC);
    if (host->fd >= 0) {
        *said = g_strdup_printf("user %u may open %s", getuid(), host->device);
        return true;
    }
    *said = g_strdup_printf("user %u cannot open %s: %s", getuid(),
                            host->device, strerror(errno));
    *remedy = errno == EACCES || errno == EPERM ?
        g_strdup("install the udev rule 60-mshv.rules, and add the user to the "
                 "group kvm; in a container, allow the device") :
        g_strdup("the node belongs to no driver; its number is in /proc/misc");
    return false;
}

/* Refused with EINVAL before any hypercall is made: no input is so small. */
static bool ask_abi(Host *host, char **said, char **remedy)
{
    struct mshv_root_hvcall nothing = { 0 };

    if (ioctl(host->fd, MSHV_ROOT_HVCALL, &nothing) < 0 && errno == EINVAL) {
        *said = g_strdup("the driver speaks the ABI of Linux 6.19 or newer");
        return true;
    }
    *said = g_strdup("the driver does not speak the ABI of Linux 6.19");
    *remedy = g_strdup("this kernel's driver is older or a different one: boot "
                       "Linux 6.19 or newer");
    return false;
}

static bool ask_partition(Host *host, char **said, char **remedy)
{
    struct mshv_create_partition args = { 0 };
    int fd = ioctl(host->fd, MSHV_CREATE_PARTITION, &args);

    if (fd >= 0) {
        close(fd);
        *said = g_strdup("a partition can be created");
        return true;
    }
    *said = g_strdup_printf("no partition can be created: %s", strerror(errno));
    *remedy = errno == ENOMEM ?
        g_strdup("the hypervisor needs memory of the host for each: stop other "
                 "guests") :
        g_strdup("dmesg has the hypervisor's answer");
    return false;
}

static bool ask_kvm(Host *host, char **said, char **remedy)
{
    g_autofree char *path = path_of(host, "/dev/kvm");

    if (access(path, R_OK | W_OK) < 0) {
        *said = g_strdup("there is no /dev/kvm in the way");
        return true;
    }
    *said = g_strdup("/dev/kvm can be used: libvirt offers the type kvm, and "
                     "not hyperv");
    *remedy = g_strdup("unload the modules kvm_intel and kvm_amd");
    return false;
}

static bool ask_vhost_net(Host *host, char **said, char **remedy)
{
    g_autofree char *path = path_of(host, "/dev/vhost-net");

    if (access(path, R_OK | W_OK) == 0) {
        *said = g_strdup("/dev/vhost-net can be used");
        return true;
    }
    *said = g_strdup_printf("/dev/vhost-net: %s: network goes through QEMU",
                            strerror(errno));
    *remedy = g_strdup("modprobe vhost_net, and let the user open it");
    return false;
}

/* A file of what libvirt has found out of a QEMU, without the accelerator. */
static char *misled_cache(Host *host)
{
    static const char where[] = "/var/cache/libvirt/qemu/capabilities";
    g_autofree char *dir_path = path_of(host, where);
    GDir *dir = g_dir_open(dir_path, 0, NULL);
    char *found = NULL;
    const char *name;

    while (dir && !found && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(dir_path, name, NULL);
        g_autofree char *text = NULL;

        if (g_str_has_suffix(name, ".xml") &&
            g_file_get_contents(path, &text, NULL, NULL) &&
            strstr(text, "<arch>x86_64</arch>") &&
            !strstr(text, "<flag name='mshv'/>")) {
            found = g_steal_pointer(&path);
        }
    }
    if (dir) {
        g_dir_close(dir);
    }
    return found;
}

static bool ask_libvirt(Host *host, char **said, char **remedy)
{
    g_autofree char *path = misled_cache(host);

    if (!path) {
        *said = g_strdup("libvirt remembers nothing wrong");
        return true;
    }
    *said = g_strdup_printf("libvirt remembers a QEMU without the accelerator: "
                            "%s", path);
    *remedy = g_strdup("if that QEMU has it, libvirt asked before the device "
                       "could be opened: remove the file and restart libvirt");
    return false;
}

static bool ask_memory(Host *host, char **said, char **remedy)
{
    g_autofree char *path = path_of(host, "/proc/meminfo");
    g_autofree char *text = NULL;
    const char *line = NULL;
    guint64 mib = 0;

    if (g_file_get_contents(path, &text, NULL, NULL)) {
        line = strstr(text, "MemAvailable:");
    }
    if (line) {
        mib = g_ascii_strtoull(line + strlen("MemAvailable:"), NULL, 10);
        mib >>= 10;
    }
    *said = g_strdup_printf("%" G_GUINT64_FORMAT " MiB of memory are available",
                            mib);
    if (mib >= MEMORY_MIB) {
        return true;
    }
    *remedy = g_strdup("free some: a guest of that size, or what the "
                       "hypervisor needs for one, may be refused");
    return false;
}

const Check checks[] = {
    { "hypervisor", NEEDED, 10, ask_hypervisor },
    { "privilege", NEEDED, 11, ask_privilege },
    { "kernel", NEEDED, 12, ask_kernel },
    { "driver", NEEDED, 13, ask_driver },
    { "node", NEEDED, 14, ask_node },
    { "permission", NEEDED, 15, ask_permission },
    { "abi", NEEDED, 16, ask_abi },
    { "partition", NEEDED, 17, ask_partition },
    { "kvm", ADVISED, 0, ask_kvm },
    { "vhost-net", ADVISED, 0, ask_vhost_net },
    { "libvirt", ADVISED, 0, ask_libvirt },
    { "memory", ADVISED, 0, ask_memory },
};
const unsigned n_checks = G_N_ELEMENTS(checks);
