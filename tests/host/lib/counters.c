/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypervisor's counters, which the host's init serves as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "vm.h"

#define COUNTERS_PATH   "/run/mshv-host/counters"

/* The whole text; the caller frees it. NULL: there is none. */
static char *read_counters(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = COUNTERS_PATH };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t len = 0, size = 1 << 20;
    char *text = malloc(size);
    ssize_t n;

    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
        while (len + 1 < size &&
               (n = read(fd, text + len, size - len - 1)) > 0) {
            len += n;
        }
    }
    close(fd);
    text[len] = 0;
    if (!len) {
        free(text);
        return NULL;
    }
    return text;
}

bool have_counters(void)
{
    char *text = read_counters();

    free(text);
    return text;
}

/* The end of the value that starts at @p: its closing bracket or a comma. */
static const char *value_end(const char *p)
{
    int depth = 0;

    for (; *p; p++) {
        if (*p == '{' || *p == '[') {
            depth++;
        } else if (*p == '}' || *p == ']') {
            if (--depth <= 0) {
                return depth ? p : p + 1;
            }
        } else if (*p == ',' && !depth) {
            return p;
        }
    }
    return p;
}

/* The value of a name in the object at @p, not in those within it. */
static const char *member(const char *p, const char *name, size_t len)
{
    p += strspn(p, " \n{");
    while (*p == '"') {
        const char *key = p + 1;
        const char *key_end = strchr(key, '"');

        if (!key_end) {
            break;
        }
        p = key_end + 1;
        p += strspn(p, " \n:");
        if ((size_t)(key_end - key) == len && !memcmp(key, name, len)) {
            return p;
        }
        p = value_end(p);
        p += strspn(p, " \n,");
    }
    return NULL;
}

uint64_t counter(const char *name)
{
    char *text = read_counters();
    const char *p = text;
    const char *part = name;
    uint64_t value;

    while (p && *part) {
        size_t len = strcspn(part, "/");

        p = member(p, part, len);
        part += len;
        part += *part == '/';
    }
    if (!p) {
        say("the hypervisor has no counter '%s'", name);
    }
    /* A list counts as its length. */
    if (p && *p == '[') {
        value = 0;
        for (p += 1 + strspn(p + 1, " \n"); *p && *p != ']';
             p += strspn(p, " \n,")) {
            value++;
            p = value_end(p);
        }
    } else {
        value = p ? strtoull(p, NULL, 10) : 0;
    }
    free(text);
    return value;
}
