/*
 * What there is to know about this host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "host.h"

#define DEVICE "/dev/mshv"

static void look_at_device(Host *host)
{
    struct stat st;
    int fd;

    host->device_present = stat(DEVICE, &st) == 0 && S_ISCHR(st.st_mode);
    if (!host->device_present) {
        return;
    }
    fd = open(DEVICE, O_RDWR | O_CLOEXEC);
    host->device_usable = fd >= 0;
    if (fd >= 0) {
        close(fd);
    } else {
        host->device_unknown = errno == EACCES || errno == EPERM;
    }
}

static void look_at_module(Host *host)
{
    struct utsname name;

    host->kernel = g_strdup(uname(&name) == 0 ? name.release : "");
    /* A driver that is built in, or without a version, has only the kernel's */
    if (g_file_get_contents("/sys/module/mshv_root/version", &host->module,
                            NULL, NULL) ||
        g_file_get_contents("/sys/module/mshv_root/srcversion", &host->module,
                            NULL, NULL)) {
        g_strstrip(host->module);
    } else {
        host->module = g_strdup("");
    }
}

static uint64_t kib_of(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    return at ? g_ascii_strtoull(at + strlen(key), NULL, 10) * 1024 : 0;
}

static void look_at_memory(Host *host)
{
    g_autofree char *text = NULL;

    if (g_file_get_contents("/proc/meminfo", &text, NULL, NULL)) {
        host->memory_total = kib_of(text, "MemTotal:");
        host->memory_available = kib_of(text, "MemAvailable:");
    }
}

Host *host_look(void)
{
    Host *host = g_new0(Host, 1);

    host->scan = scan_vms();
    look_at_device(host);
    look_at_module(host);
    look_at_memory(host);
    host->hv = hvstats_read(&host->hv_why);
    return host;
}

void host_free(Host *host)
{
    scan_free(host->scan);
    hvstats_free(host->hv);
    g_free(host->module);
    g_free(host->kernel);
    g_free(host->hv_why);
    g_free(host);
}
