/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TCG plugin for the QEMU that is the emulated host: counts what the host's
 * own processors do, between marks.
 *
 * A mark is the instruction "nopl DISP32(%rax)" whose displacement is MARK +
 * number, with or without an address-size prefix (real mode). Host programs
 * and guests execute it alike, in any mode, without any effect on them. At each
 * one a line of JSON is appended to the file out=FILE: number, processor, time
 * in ns, and since the start, on all processors of the host together:
 * instructions in user and in kernel mode, system calls, ioctl(2) calls by
 * request and hypercalls by code. Instructions of guests are not counted.
 *
 * A repeated string instruction counts once for each time that TCG enters it.
 *
 * With profile=FILE, the instructions between marks 1 and 2 are summed up by
 * address: lines "address count" at the end.
 */
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "qemu-plugin.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

#define MARK            0x6d730000u
#define PROFILE_START   1
#define PROFILE_END     2
/* Processors from this index on run guests (hw/emuhv/base/pool.c). */
#define FIRST_GUEST     1024
#define SYS_IOCTL       16

/* Of one processor; the two counts are filled by translated code. */
typedef struct Counts {
    uint64_t user, kernel;
} Counts;

/* Of one translation block, for the profile */
typedef struct Block {
    uint64_t address, length, count;
} Block;

/* A number that occurred, and how often */
typedef struct Tally {
    uint32_t key;
    uint64_t count;
} Tally;

#define TALLIES         128

static struct qemu_plugin_scoreboard *board;
static qemu_plugin_u64 user_count, kernel_count;
static GMutex lock;             /* for all below */
static Tally ioctls[TALLIES], hypercalls[TALLIES];
static uint64_t syscalls;
static unsigned processors;
static int out = -1;
static const char *profile_path;
static GPtrArray *blocks;
static int profiling;           /* atomic */

/* Handles are the same for all processors of a type. */
static struct qemu_plugin_register *reg_rax, *reg_rcx, *reg_rsi;

static uint64_t read_register(struct qemu_plugin_register *reg)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    uint64_t value = 0;

    if (qemu_plugin_read_register(reg, bytes) > 0) {
        memcpy(&value, bytes->data, MIN(bytes->len, sizeof(value)));
    }
    return value;
}

static void add(Tally *list, uint32_t key)
{
    unsigned i = 0;

    while (i < TALLIES - 1 && list[i].count && list[i].key != key) {
        i++;
    }
    list[i].key = key;
    list[i].count++;
}

static void on_syscall(unsigned cpu, void *data)
{
    uint64_t number, request;

    (void)data;
    if (cpu >= FIRST_GUEST) {
        return;
    }
    number = read_register(reg_rax);
    request = read_register(reg_rsi);
    g_mutex_lock(&lock);
    syscalls++;
    if (number == SYS_IOCTL) {
        add(ioctls, request);
    }
    g_mutex_unlock(&lock);
}

static void on_vmcall(unsigned cpu, void *data)
{
    uint64_t control;

    (void)data;
    if (cpu >= FIRST_GUEST) {
        return;
    }
    control = read_register(reg_rcx);
    g_mutex_lock(&lock);
    add(hypercalls, control & 0xffff);
    g_mutex_unlock(&lock);
}

static void put_tallies(GString *line, const char *name, const Tally *list)
{
    unsigned i;

    g_string_append_printf(line, ", \"%s\": {", name);
    for (i = 0; i < TALLIES && list[i].count; i++) {
        g_string_append_printf(line, "%s\"0x%x\": %" PRIu64, i ? ", " : "",
                               list[i].key, list[i].count);
    }
    g_string_append_c(line, '}');
}

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void on_mark(unsigned cpu, void *data)
{
    unsigned number = GPOINTER_TO_UINT(data), i;
    g_autoptr(GString) line = g_string_new(NULL);
    uint64_t user = 0, kernel = 0;
    int64_t time = now();

    g_mutex_lock(&lock);
    for (i = 0; i < processors; i++) {
        user += qemu_plugin_u64_get(user_count, i);
        kernel += qemu_plugin_u64_get(kernel_count, i);
    }
    g_string_append_printf(line, "{\"mark\": %u, \"cpu\": %u, \"ns\": %"
                           PRId64 ", \"user\": %" PRIu64 ", \"kernel\": %"
                           PRIu64 ", \"syscalls\": %" PRIu64, number, cpu,
                           time, user, kernel, syscalls);
    put_tallies(line, "ioctls", ioctls);
    put_tallies(line, "hypercalls", hypercalls);
    g_string_append(line, "}\n");
    if (write(out, line->str, line->len) != (ssize_t)line->len) {
        qemu_plugin_outs("count: cannot write a mark\n");
    }
    if (number == PROFILE_START || number == PROFILE_END) {
        g_atomic_int_set(&profiling, number == PROFILE_START);
    }
    g_mutex_unlock(&lock);
}

static void on_block(unsigned cpu, void *data)
{
    Block *block = data;

    if (cpu < FIRST_GUEST && g_atomic_int_get(&profiling)) {
        __atomic_fetch_add(&block->count, 1, __ATOMIC_RELAXED);
    }
}

/* Whether it is a mark, and its number. */
static bool is_mark(const uint8_t *bytes, size_t len, unsigned *number)
{
    static const uint8_t nop[] = { 0x0f, 0x1f, 0x80 };
    uint32_t value;

    if (len == 8 && bytes[0] == 0x67) {
        bytes++;
        len--;
    }
    if (len != 7 || memcmp(bytes, nop, sizeof(nop))) {
        return false;
    }
    memcpy(&value, bytes + sizeof(nop), sizeof(value));
    *number = value & 0xffff;
    return (value & 0xffff0000) == MARK;
}

static void watch(struct qemu_plugin_insn *insn)
{
    uint8_t bytes[16];
    size_t len = qemu_plugin_insn_data(insn, bytes, sizeof(bytes));
    unsigned number;

    if (len == 2 && bytes[0] == 0x0f && bytes[1] == 0x05) {
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_syscall,
                                               QEMU_PLUGIN_CB_R_REGS, NULL);
    } else if (len == 3 && bytes[0] == 0x0f && bytes[1] == 0x01 &&
               (bytes[2] == 0xc1 || bytes[2] == 0xd9)) {
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_vmcall,
                                               QEMU_PLUGIN_CB_R_REGS, NULL);
    } else if (is_mark(bytes, len, &number)) {
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark,
                                               QEMU_PLUGIN_CB_NO_REGS,
                                               GUINT_TO_POINTER(number));
    }
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t n = qemu_plugin_tb_n_insns(tb), i;
    uint64_t address = qemu_plugin_tb_vaddr(tb);
    bool kernel = address >> 63;

    (void)id;
    if (profile_path) {
        Block *block = g_new0(Block, 1);

        block->address = address;
        block->length = n;
        g_mutex_lock(&lock);
        g_ptr_array_add(blocks, block);
        g_mutex_unlock(&lock);
        qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block,
                                             QEMU_PLUGIN_CB_NO_REGS, block);
    }
    for (i = 0; i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

        qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
            insn, QEMU_PLUGIN_INLINE_ADD_U64,
            kernel ? kernel_count : user_count, 1);
        watch(insn);
    }
}

static void find_registers(void)
{
    g_autoptr(GArray) list = qemu_plugin_get_registers();
    unsigned i;

    for (i = 0; i < list->len; i++) {
        qemu_plugin_reg_descriptor *d =
            &g_array_index(list, qemu_plugin_reg_descriptor, i);

        if (g_str_equal(d->name, "rax")) {
            reg_rax = d->handle;
        } else if (g_str_equal(d->name, "rcx")) {
            reg_rcx = d->handle;
        } else if (g_str_equal(d->name, "rsi")) {
            reg_rsi = d->handle;
        }
    }
}

static void on_vcpu(qemu_plugin_id_t id, unsigned cpu)
{
    (void)id;
    g_mutex_lock(&lock);
    if (!reg_rax) {
        find_registers();
    }
    if (cpu < FIRST_GUEST && cpu >= processors) {
        processors = cpu + 1;
    }
    g_mutex_unlock(&lock);
}

static void write_profile(qemu_plugin_id_t id, void *data)
{
    FILE *f = fopen(profile_path, "w");
    unsigned i;

    (void)id;
    (void)data;
    for (i = 0; f && i < blocks->len; i++) {
        const Block *block = g_ptr_array_index(blocks, i);

        if (block->count) {
            fprintf(f, "%" PRIx64 " %" PRIu64 "\n", block->address,
                    block->count * block->length);
        }
    }
    if (!f || fclose(f)) {
        qemu_plugin_outs("count: cannot write the profile\n");
    }
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
                                           const qemu_info_t *info, int argc,
                                           char **argv)
{
    int i;

    if (!info->system_emulation || strcmp(info->target_name, "x86_64")) {
        fprintf(stderr, "count: this is no x86-64 machine\n");
        return -1;
    }
    for (i = 0; i < argc; i++) {
        if (g_str_has_prefix(argv[i], "out=")) {
            out = open(argv[i] + 4, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND |
                       O_CLOEXEC, 0644);
        } else if (g_str_has_prefix(argv[i], "profile=")) {
            profile_path = g_strdup(argv[i] + 8);
        }
    }
    if (out < 0) {
        fprintf(stderr, "count: out=FILE is missing or cannot be written\n");
        return -1;
    }
    blocks = g_ptr_array_new();
    board = qemu_plugin_scoreboard_new(sizeof(Counts));
    user_count = qemu_plugin_scoreboard_u64_in_struct(board, Counts, user);
    kernel_count = qemu_plugin_scoreboard_u64_in_struct(board, Counts, kernel);
    qemu_plugin_register_vcpu_init_cb(id, on_vcpu);
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    if (profile_path) {
        qemu_plugin_register_atexit_cb(id, write_profile, NULL);
    }
    return 0;
}
