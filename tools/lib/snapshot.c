/*
 * The counters of one VM, read from the memfd of its QEMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "names.h"
#include "snapshot.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/*
 * With these a page that is there stays there: nobody can cut the file, nor
 * punch a hole into it.
 */
#define SEALS (F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE)

/* More than a page of ours could ever need. */
#define MAX_SIZE (1 << 20)
#define MAX_VPS 2048

GQuark snapshot_error_quark(void)
{
    return g_quark_from_static_string("snapshot-error");
}

static void G_GNUC_PRINTF(2, 3) refuse(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, SNAPSHOT_ERROR, SNAPSHOT_REFUSED, text);
}

/* Each word once and whole: it may change at any time. */
static void copy_words(void *to, const void *from, size_t size)
{
    const uint64_t *source = from;
    size_t i;

    for (i = 0; i < size / sizeof(*source); i++) {
        uint64_t word = __atomic_load_n(&source[i], __ATOMIC_RELAXED);

        memcpy((char *)to + i * sizeof(word), &word, sizeof(word));
    }
}

/* Whether @count rows of @stride bytes at @offset are in the page, aligned. */
static bool fits(size_t size, uint32_t offset, uint32_t stride,
                 uint32_t least, uint32_t count)
{
    return offset >= sizeof(MshvCountersHeader) && offset % 8 == 0 &&
           stride % 8 == 0 && stride >= least && offset <= size &&
           (uint64_t)stride * count <= size - offset;
}

static bool check_header(const MshvCountersHeader *h, size_t size,
                         GError **error)
{
    if (h->magic == 0) {
        g_set_error_literal(error, SNAPSHOT_ERROR, SNAPSHOT_NOT_READY,
                            "not filled in yet");
        return false;
    }
    if (h->magic != MSHV_COUNTERS_MAGIC) {
        refuse(error, "no counters: wrong magic number");
        return false;
    }
    if (h->version != MSHV_COUNTERS_VERSION) {
        refuse(error, "counters of version %u, and this program reads %u",
               h->version, MSHV_COUNTERS_VERSION);
        return false;
    }
    if (h->size != size) {
        refuse(error, "counters of %u bytes in a file of %zu", h->size, size);
        return false;
    }
    if (!fits(size, h->vm_offset, h->vm_size, MSHV_VM_COUNTERS_LEAST, 1) ||
        !fits(size, h->call_offset, h->call_size, sizeof(MshvCallCounters),
              h->call_count) ||
        (h->msr_offset &&
         !fits(size, h->msr_offset, h->msr_size, sizeof(MshvMsrCounters),
               h->msr_count)) ||
        !fits(size, h->vp_offset, h->vp_size, sizeof(MshvVpCounters),
              h->vp_count) || h->vp_count > MAX_VPS) {
        refuse(error, "counters with offsets or sizes that cannot be");
        return false;
    }
    return true;
}

/* Neither control characters nor what some take for the end of a line */
static bool is_plain(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);

    return g_unichar_isprint(c) && type != G_UNICODE_LINE_SEPARATOR &&
           type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

/* What goes to terminals and into labels: plain, valid UTF-8. */
static void clean_text(char *text, size_t size)
{
    g_autofree char *valid = NULL;
    char *at;

    text[size - 1] = '\0';
    valid = g_utf8_make_valid(text, -1);
    for (at = valid; *at; at = g_utf8_next_char(at)) {
        if (!is_plain(g_utf8_get_char(at))) {
            memset(at, '?', g_utf8_next_char(at) - at);
        }
    }
    /* Replacement characters make it longer: cut between characters. */
    if (strlen(valid) >= size) {
        at = g_utf8_find_prev_char(valid, valid + size);
        *at = '\0';
    }
    memset(text, 0, size);
    memcpy(text, valid, strlen(valid));
}

static void format_uuid(char *to, const MshvVmCounters *vm)
{
    int i;

    to[0] = '\0';
    for (i = 0; vm->flags & MSHV_VM_FLAG_UUID && i < 16; i++) {
        to += sprintf(to, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ?
                      "-" : "", vm->uuid[i]);
    }
}

static void clean_vm(Snapshot *s)
{
    MshvVmCounters *vm = &s->vm;

    clean_text(vm->name, sizeof(vm->name));
    format_uuid(s->uuid, vm);
    if (vm->state >= MSHV_VM__MAX) {
        vm->state = MSHV_VM_OTHER;
    }
    if (vm->first_exit_time < vm->start_time) {
        vm->first_exit_time = 0;
    }
    if (vm->first_interrupt_time < vm->first_exit_time ||
        !vm->first_exit_time) {
        vm->first_interrupt_time = 0;
    }
}

static void read_vp(VpSnapshot *vp, const MshvVpCounters *raw)
{
    unsigned row;

    vp->kicks = raw->kicks;
    for (row = 0; row < MSHV_COUNTERS_EXITS; row++) {
        vp->exits[exit_kind_of_type(raw->exits[row].type)] +=
            raw->exits[row].count;
    }
}

static uint64_t runs(const VpSnapshot *vp)
{
    uint64_t sum = vp->kicks;
    unsigned kind;

    for (kind = 0; kind < SNAPSHOT_KINDS; kind++) {
        sum += vp->exits[kind];
    }
    return sum;
}

/* Newer rows than we know count as calls that have no row of their own. */
static void read_calls(Snapshot *s, const MshvCountersHeader *h,
                       const char *page)
{
    MshvCallCounters row;
    uint32_t i, to;

    for (i = 0; i < h->call_count; i++) {
        copy_words(&row, page + h->call_offset + (size_t)i * h->call_size,
                   sizeof(row));
        to = i < MSHV_CALL__MAX ? i : MSHV_CALL_OTHER_HVCALL;
        s->calls[to].made += row.made;
        s->calls[to].failed += row.failed;
    }
}

/* No number is there twice, whatever the page says. */
static void add_msr(Snapshot *s, const MshvMsrCounters *row)
{
    unsigned i;

    for (i = 0; i < s->msr_count && s->msrs[i].number != row->number; i++) {
        ;
    }
    if (i == G_N_ELEMENTS(s->msrs)) {
        s->vm.other_msrs += row->count;
        return;
    }
    s->msrs[i].number = row->number;
    s->msrs[i].count += row->count;
    s->msr_count = MAX(s->msr_count, i + 1);
}

static void read_msrs(Snapshot *s, const MshvCountersHeader *h,
                      const char *page, size_t present)
{
    MshvMsrCounters row;
    uint32_t i;

    for (i = 0; h->msr_offset && i < h->msr_count; i++) {
        size_t offset = h->msr_offset + (size_t)i * h->msr_size;

        if (offset + sizeof(row) > present) {
            break;
        }
        copy_words(&row, page + offset, sizeof(row));
        if (!row.count) {
            break;
        }
        add_msr(s, &row);
    }
}

static Snapshot *read_vps(const MshvCountersHeader *h,
                          const char *page, size_t present)
{
    g_autofree VpSnapshot *vps = g_new0(VpSnapshot, h->vp_count);
    unsigned i, count = 0;
    MshvVpCounters raw;
    Snapshot *s;

    for (i = 0; i < h->vp_count; i++) {
        size_t offset = h->vp_offset + (size_t)i * h->vp_size;
        const char *at = page + offset;

        if (offset + sizeof(raw) > present) {
            break;
        }
        copy_words(&raw, at, offsetof(MshvVpCounters, kicks));
        if (raw.created) {
            copy_words(&raw, at, sizeof(raw));
            vps[count].index = i;
            read_vp(&vps[count++], &raw);
        }
    }
    s = g_malloc0(sizeof(*s) + count * sizeof(vps[0]));
    s->vp_count = count;
    if (count) {
        memcpy(s->vps, vps, count * sizeof(vps[0]));
    }
    return s;
}

Snapshot *snapshot_parse(const void *page, size_t present,
                         size_t size, GError **error)
{
    MshvCountersHeader h;
    size_t vm_size;
    Snapshot *s;
    unsigned i;

    if (present < sizeof(h)) {
        refuse(error, "only %zu bytes", present);
        return NULL;
    }
    copy_words(&h, page, sizeof(h));
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (!check_header(&h, size, error)) {
        return NULL;
    }
    vm_size = MIN(h.vm_size, sizeof(s->vm));
    if (h.vm_offset + vm_size > present ||
        h.call_offset + (size_t)h.call_size * h.call_count > present) {
        refuse(error, "counters that have not been written");
        return NULL;
    }
    s = read_vps(&h, page, present);
    copy_words(&s->vm, (const char *)page + h.vm_offset, vm_size);
    clean_vm(s);
    read_calls(s, &h, page);
    read_msrs(s, &h, page, present);
    s->calls[MSHV_CALL_RUN_VP].made = s->calls[MSHV_CALL_RUN_VP].failed;
    for (i = 0; i < s->vp_count; i++) {
        s->calls[MSHV_CALL_RUN_VP].made += runs(&s->vps[i]);
    }
    return s;
}

/*
 * The pages are made present first: where that fails there is an error and not
 * a signal. After it they stay, by the seals.
 */
static const void *map(int fd, size_t size, GError **error)
{
    void *page = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

    if (page == MAP_FAILED) {
        refuse(error, "cannot be mapped: %s", g_strerror(errno));
        return NULL;
    }
    if (madvise(page, size, MADV_POPULATE_READ) < 0) {
        refuse(error, "cannot be read: %s", g_strerror(errno));
        munmap(page, size);
        return NULL;
    }
    return page;
}

/*
 * Where the last page ends that was ever written. What is behind it need not be
 * read, which would allocate it.
 */
static size_t end_of_data(int fd, size_t size)
{
    off_t end = 0, data;
    int i;

    for (i = 0; i < 64 && (data = lseek(fd, end, SEEK_DATA)) >= 0; i++) {
        end = lseek(fd, data, SEEK_HOLE);
        if (end < 0 || (size_t)end >= size) {
            return size;
        }
    }
    return i < 64 ? (size_t)end : size;
}

Snapshot *snapshot_read(int fd, GError **error)
{
    int seals = fcntl(fd, F_GET_SEALS);
    const void *page;
    size_t present;
    struct stat st;
    Snapshot *s;

    if (seals < 0 || (seals & SEALS) != SEALS) {
        refuse(error, "not sealed");
        return NULL;
    }
    if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > MAX_SIZE) {
        refuse(error, "a file of %lld bytes", (long long)st.st_size);
        return NULL;
    }
    present = end_of_data(fd, st.st_size);
    page = present ? map(fd, present, error) : NULL;
    if (!page) {
        if (!present) {
            g_set_error_literal(error, SNAPSHOT_ERROR, SNAPSHOT_NOT_READY,
                                "empty");
        }
        return NULL;
    }
    s = snapshot_parse(page, present, st.st_size, error);
    munmap((void *)page, present);
    return s;
}
