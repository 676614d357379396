/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The emulated host's file system, driver and network. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "init.h"

/* The kernel allows 9p requests of at most this over virtio. */
#define P9_OPTIONS  "trans=virtio,version=9p2000.L,access=any,msize=512000,"
#define MODULE      "/mshv_root.ko"
#define NEW_ROOT    "/newroot"

void early_mounts(void)
{
    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mkdir("/dev", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, NULL);
}

/* The device node of our port: devices are named by number, not by port. */
static bool find_port(char *node, size_t size)
{
    static const char dir[] = "/sys/class/virtio-ports";
    char path[PATH_MAX], name[64];
    struct dirent *e;
    DIR *d = opendir(dir);
    bool found = false;
    FILE *f;

    while (d && !found && (e = readdir(d))) {
        snprintf(path, sizeof(path), "%s/%s/name", dir, e->d_name);
        f = fopen(path, "r");
        if (!f) {
            continue;
        }
        found = fgets(name, sizeof(name), f) &&
                !strncmp(name, PORT_NAME, strlen(PORT_NAME));
        fclose(f);
        snprintf(node, size, "/dev/%s", e->d_name);
    }
    if (d) {
        closedir(d);
    }
    return found;
}

int open_port(void)
{
    const struct timespec tick = { .tv_nsec = 1000 * 1000 };
    char node[PATH_MAX];
    int fd, i;

    for (i = 0; i < 5000; i++) {
        if (find_port(node, sizeof(node))) {
            /*
             * Not blocking: a blocking write would spin in the kernel until
             * the other end has read.
             */
            fd = open(node, O_RDWR | O_CLOEXEC | O_NONBLOCK);
            if (fd >= 0) {
                return fd;
            }
        }
        nanosleep(&tick, NULL);
    }
    fprintf(stderr, "init: no virtio-serial port " PORT_NAME "\n");
    _exit(1);
}

/*
 * START is a list of records, each a letter, a value and a NUL: a argument,
 * e environment, c directory, s share, n address, m needs /dev/mshv,
 * t terminal (three digits), w rows and columns.
 */
bool parse_start(char *data, size_t len, Start *st)
{
    char *p, *end = data + len;
    size_t args = 0, envs = 0;
    unsigned rows, cols;

    if (!len || end[-1]) {
        return false;
    }
    st->argv = calloc(len + 1, sizeof(char *));
    st->env = calloc(len + 1, sizeof(char *));
    if (!st->argv || !st->env) {
        return false;
    }
    for (p = data; p < end; p += strlen(p) + 1) {
        char *v = p + 1;

        switch (*p) {
        case 'a':
            st->argv[args++] = v;
            break;
        case 'e':
            st->env[envs++] = v;
            break;
        case 'c':
            st->cwd = v;
            break;
        case 's':
            if (st->n_shares == sizeof(st->shares) / sizeof(*st->shares)) {
                return false;
            }
            st->shares[st->n_shares++] = v;
            break;
        case 'n':
            st->address = atoi(v);
            break;
        case 'm':
            st->need_mshv = true;
            break;
        case 't':
            for (int i = 0; i < 3 && v[i]; i++) {
                st->tty[i] = v[i] == '1';
            }
            break;
        case 'w':
            if (sscanf(v, "%u %u", &rows, &cols) == 2) {
                st->rows = rows;
                st->cols = cols;
            }
            break;
        default:
            return false;
        }
    }
    return args && st->cwd;
}

static void must_mount(const char *what, const char *where, const char *type,
                       unsigned long flags, const char *options)
{
    if (mount(what, where, type, flags, options) < 0) {
        fail("cannot mount %s (%s) at %s: %s", what, type, where,
             strerror(errno));
    }
}

static void make_dirs(const char *path)
{
    char copy[PATH_MAX];
    char *p;

    snprintf(copy, sizeof(copy), "%s", path);
    for (p = copy + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        mkdir(copy, 0755);
        *p = '/';
    }
    mkdir(copy, 0755);
}

/* Open it while it can be found: the root changes. */
static int open_module(void)
{
    int fd = open(MODULE, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        fail("the image has no " MODULE);
    }
    return fd;
}

static void load_driver(int fd, bool needed)
{
    int err = syscall(SYS_finit_module, fd, "", 0) < 0 ? errno : 0;

    if (needed && err) {
        fail("mshv_root does not load: %s", strerror(err));
    }
    if (needed && access("/dev/mshv", F_OK) < 0) {
        fail("mshv_root is loaded, but there is no /dev/mshv");
    }
}

/* The module stays at hand, so that it can be removed and loaded again. */
static void keep_module(int in, const char *to)
{
    int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    struct stat sb;

    if (out < 0 || fstat(in, &sb) < 0 || lseek(in, 0, SEEK_SET) < 0 ||
        sendfile(out, in, NULL, sb.st_size) != sb.st_size) {
        fail("cannot keep a copy of the driver: %s", strerror(errno));
    }
    close(out);
    close(in);
}

static void interface_up(const char *name, const char *addr)
{
    struct ifreq r = { 0 };
    struct sockaddr_in *in = (struct sockaddr_in *)&r.ifr_addr;
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    if (addr) {
        in->sin_family = AF_INET;
        inet_pton(AF_INET, addr, &in->sin_addr);
        if (ioctl(s, SIOCSIFADDR, &r) < 0) {
            fail("cannot set the address %s of %s: %s", addr, name,
                 strerror(errno));
        }
        inet_pton(AF_INET, "255.255.255.0", &in->sin_addr);
        ioctl(s, SIOCSIFNETMASK, &r);
    }
    if (ioctl(s, SIOCGIFFLAGS, &r) == 0) {
        r.ifr_flags |= IFF_UP;
        ioctl(s, SIOCSIFFLAGS, &r);
    }
    close(s);
}

static void set_up_network(unsigned address)
{
    char text[32];

    sethostname("mshv-host", strlen("mshv-host"));
    interface_up("lo", NULL);
    if (address) {
        snprintf(text, sizeof(text), "mshv-host-%u", address);
        sethostname(text, strlen(text));
        snprintf(text, sizeof(text), "10.77.0.%u", address);
        interface_up("eth0", text);
    }
}

/* The path of a share: what follows the tag. */
static const char *share_path(char *share)
{
    char *space = strchr(share, ' ');

    if (!space) {
        fail("the share '%s' has no path", share);
    }
    *space = 0;
    return space + 1;
}

static void mount_shares(const Start *st)
{
    char where[PATH_MAX];
    unsigned i;

    for (i = 0; i < st->n_shares; i++) {
        const char *path = share_path(st->shares[i]);

        snprintf(where, sizeof(where), NEW_ROOT "%s", path);
        make_dirs(where);
        /*
         * Others may write there, too. With writes cached (mmap, loose),
         * Linux 7.2 fills a file that is read meanwhile with zeros.
         */
        must_mount(st->shares[i], where, "9p", 0, P9_OPTIONS "cache=readahead");
    }
}

/* The machine's file system, read-only, below one that is lost at the end. */
static void mount_root(void)
{
    mkdir("/lower", 0755);
    mkdir("/upper", 0755);
    mkdir(NEW_ROOT, 0755);
    must_mount("root", "/lower", "9p", MS_RDONLY, P9_OPTIONS "cache=loose");
    must_mount("tmpfs", "/upper", "tmpfs", 0, "mode=755,size=75%");
    mkdir("/upper/data", 0755);
    mkdir("/upper/work", 0755);
    must_mount("overlay", NEW_ROOT, "overlay", 0, "lowerdir=/lower,"
               "upperdir=/upper/data,workdir=/upper/work");
}

/* What programs expect at the usual places; called in the new root. */
static void mount_usual(void)
{
    make_dirs("/dev/pts");
    make_dirs("/dev/shm");
    make_dirs("/dev/hugepages");
    must_mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
               "mode=620,ptmxmode=666");
    must_mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, NULL);
    must_mount("hugetlbfs", "/dev/hugepages", "hugetlbfs", 0, NULL);
    must_mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
    /* A kernel of the user's own (--kernel) may have no control groups. */
    if (access("/sys/fs/cgroup", F_OK) == 0) {
        must_mount("cgroup2", "/sys/fs/cgroup", "cgroup2",
                   MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    }
    make_dirs("/run");
    must_mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
    make_dirs("/run/lock");
    make_dirs("/run/mshv-host");
    symlink("/proc/self/fd", "/dev/fd");
    symlink("/proc/self/fd/0", "/dev/stdin");
    symlink("/proc/self/fd/1", "/dev/stdout");
    symlink("/proc/self/fd/2", "/dev/stderr");
    unlink("/dev/ptmx");
    symlink("pts/ptmx", "/dev/ptmx");
}

static void take_along(const char *from)
{
    char to[PATH_MAX];

    snprintf(to, sizeof(to), NEW_ROOT "%s", from);
    make_dirs(to);
    must_mount(from, to, "none", MS_MOVE, NULL);
}

void set_up_host(const Start *st)
{
    int module = open_module();

    load_driver(module, st->need_mshv);
    mount_root();
    /* Before /dev and so on: a share may lie above them, but never below. */
    mount_shares(st);
    take_along("/proc");
    take_along("/sys");
    take_along("/dev");
    if (chdir(NEW_ROOT) < 0) {
        fail("cannot enter " NEW_ROOT ": %s", strerror(errno));
    }
    must_mount(".", "/", "none", MS_MOVE, NULL);
    if (chroot(".") < 0 || chdir("/") < 0) {
        fail("cannot change the root: %s", strerror(errno));
    }
    mount_usual();
    keep_module(module, "/run/mshv-host/mshv_root.ko");
    set_up_network(st->address);
    if (chdir(st->cwd) < 0) {
        fail("cannot change to the directory %s: %s", st->cwd,
             strerror(errno));
    }
}

void unmount_shares(const Start *st)
{
    unsigned i = st->n_shares;

    chdir("/");
    while (i--) {
        const char *path = st->shares[i] + strlen(st->shares[i]) + 1;

        if (umount2(path, 0) < 0) {
            sync();
            umount2(path, MNT_DETACH);
        }
    }
}
