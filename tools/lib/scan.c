/*
 * All VMs of this host that run on -accel mshv.
 *
 * Each of their processes has a memfd of a known name open. What such a
 * descriptor really is only the kernel knows, and a file of somebody's own file
 * system could block whoever opens it. So it is first taken without opening it
 * (O_PATH), and looked at: only the kernel's own mount has memfds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "scan.h"

#define LINK "/memfd:" MSHV_COUNTERS_NAME " (deleted)"

/* QEMU opens it early; who has more descriptors need not be searched whole. */
#define MAX_DESCRIPTORS 4096
#define MAX_CMDLINE (64 * 1024)

static void vm_free(void *data)
{
    Vm *vm = data;

    g_free(vm->snapshot);
    g_free(vm->namespace);
    g_free(vm->name);
    g_free(vm);
}

/* The first @size - 1 bytes of a file of /proc/PID, and a NUL. */
static ssize_t read_file(int dir, const char *name, char *to, size_t size)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t done = 0, n;

    if (fd < 0) {
        return -1;
    }
    while ((size_t)done < size - 1 &&
           (n = read(fd, to + done, size - 1 - done)) > 0) {
        done += n;
    }
    close(fd);
    to[done] = '\0';
    return done;
}

/* The number behind @key at the begin of a line, or -1. */
static long long number_of(const char *text, const char *key)
{
    const char *at = text;

    while (at && strncmp(at, key, strlen(key)) != 0) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    return at ? atoll(at + strlen(key)) : -1;
}

/* Of a descriptor of ours: the mount that its file is on, or -1. */
static long long mount_of(int fd)
{
    char path[64], text[1024];

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    return read_file(AT_FDCWD, path, text, sizeof(text)) < 0 ? -1 :
           number_of(text, "mnt_id:");
}

static long long memfd_mount(void)
{
    static long long mount = -1;

    if (mount < 0) {
        int fd = memfd_create("mshv-reader", MFD_CLOEXEC);

        if (fd >= 0) {
            mount = mount_of(fd);
            close(fd);
        }
    }
    return mount;
}

/* Open the memfd that @name in @dir is; -1 if it is none. */
static int open_memfd(int dir, const char *name)
{
    int fd = -1, path = openat(dir, name, O_PATH | O_CLOEXEC);
    char self[64];

    if (path < 0) {
        return -1;
    }
    if (mount_of(path) == memfd_mount() && memfd_mount() >= 0) {
        snprintf(self, sizeof(self), "/proc/self/fd/%d", path);
        fd = open(self, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    }
    close(path);
    return fd;
}

/* The descriptor of its counters, opened; -1 if it has none. */
static int find_counters(int proc, Scan *scan)
{
    int fd = openat(proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dirent *entry;
    int seen = 0, found = -1;
    char link[sizeof(LINK) + 1];
    DIR *dir;

    if (fd < 0) {
        scan->denied += errno == EACCES || errno == EPERM;
        return -1;
    }
    dir = fdopendir(fd);
    while (dir && found < 0 && seen++ < MAX_DESCRIPTORS &&
           (entry = readdir(dir))) {
        ssize_t n = readlinkat(fd, entry->d_name, link, sizeof(link));

        if (n == (ssize_t)strlen(LINK) && memcmp(link, LINK, n) == 0) {
            found = open_memfd(fd, entry->d_name);
        } else if (n < 0 && (errno == EACCES || errno == EPERM)) {
            scan->denied++;
            break;
        }
    }
    if (dir) {
        closedir(dir);
    } else {
        close(fd);
    }
    return found;
}

void scan_name(Vm *vm, const char *name, const char *cmdline, size_t size)
{
    static const char mark[] = "manufacturer=KubeVirt";
    const char *line = strchr(name, '_');

    /* A domain of KubeVirt is NAMESPACE_NAME; a namespace has no "_". */
    if (line && memmem(cmdline, size, mark, strlen(mark))) {
        vm->namespace = g_strndup(name, line - name);
        vm->name = g_strdup(line + 1);
    } else {
        vm->namespace = g_strdup("");
        vm->name = g_strdup(name);
    }
}

static uint64_t kib(const char *status, const char *key)
{
    long long n = number_of(status, key);

    return n < 0 ? 0 : n * 1024ULL;
}

/* The 22nd field: see proc_pid_stat(5). The second ends at the last ")". */
static uint64_t start_ticks(const char *stat)
{
    const char *at = strrchr(stat, ')');
    int field;

    for (field = 2; at && field < 22; field++) {
        at = strchr(at + 1, ' ');
    }
    return at ? g_ascii_strtoull(at + 1, NULL, 10) : 0;
}

static Vm *describe(int proc, pid_t pid, Snapshot *snapshot)
{
    g_autofree char *text = g_malloc(MAX_CMDLINE);
    Vm *vm = g_new0(Vm, 1);
    ssize_t n = read_file(proc, "cmdline", text, MAX_CMDLINE);

    vm->pid = pid;
    vm->snapshot = snapshot;
    scan_name(vm, snapshot->vm.name, text, n < 0 ? 0 : n);
    if (read_file(proc, "stat", text, MAX_CMDLINE) >= 0) {
        vm->start_ticks = start_ticks(text);
    }
    if (read_file(proc, "status", text, MAX_CMDLINE) >= 0) {
        vm->rss_anon = kib(text, "RssAnon:");
        vm->rss_file = kib(text, "RssFile:");
        vm->rss_shmem = kib(text, "RssShmem:");
    }
    return vm;
}

/*
 * Between fork and exec a child has its parent's descriptors: whose inode was
 * seen is not counted again.
 */
static bool is_new(GHashTable *seen, int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 &&
           g_hash_table_add(seen, GSIZE_TO_POINTER(st.st_ino));
}

static void look_at(Scan *scan, int proc, pid_t pid, GHashTable *seen)
{
    int fd = find_counters(proc, scan);
    g_autoptr(GError) error = NULL;
    Snapshot *snapshot;

    if (fd < 0) {
        return;
    }
    if (scan->vms->len >= SCAN_MAX_VMS) {
        scan->left_out++;
    } else if (is_new(seen, fd)) {
        snapshot = snapshot_read(fd, &error);
        if (snapshot) {
            g_ptr_array_add(scan->vms, describe(proc, pid, snapshot));
        } else if (error->code != SNAPSHOT_NOT_READY) {
            scan->refused++;
            g_free(scan->why);
            scan->why = g_strdup_printf("process %d: %s", pid,
                                        error->message);
        }
    }
    close(fd);
}

/* Whether we may look at the descriptors of everybody's processes. */
static bool is_entitled(void)
{
    uint64_t wanted = 1 << CAP_SYS_PTRACE | 1 << CAP_DAC_READ_SEARCH, has = 0;
    const char *at = NULL;
    char text[4096];

    if (read_file(AT_FDCWD, "/proc/self/status", text, sizeof(text)) >= 0) {
        at = strstr(text, "\nCapEff:");
    }
    if (at) {
        has = g_ascii_strtoull(at + strlen("\nCapEff:"), NULL, 16);
    }
    return (has & wanted) == wanted;
}

Scan *scan_vms(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    Scan *scan = g_new0(Scan, 1);
    DIR *all = opendir("/proc");
    struct dirent *entry;

    scan->vms = g_ptr_array_new_with_free_func(vm_free);
    scan->entitled = is_entitled();
    while (all && (entry = readdir(all))) {
        int proc;

        if (!g_ascii_isdigit(entry->d_name[0])) {
            continue;
        }
        proc = openat(dirfd(all), entry->d_name,
                      O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (proc >= 0) {
            look_at(scan, proc, atoi(entry->d_name), seen);
            close(proc);
        }
    }
    if (all) {
        closedir(all);
    }
    return scan;
}

void scan_free(Scan *scan)
{
    g_ptr_array_free(scan->vms, TRUE);
    g_free(scan->why);
    g_free(scan);
}
