/*
 * The reader of counters: it reads what QEMU writes, and bears what a process
 * that is not trusted may put there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include "names.h"
#include "page.h"
#include "scan.h"
#include "snapshot.h"
#include "../runner.h"

static uint64_t exits(const VpSnapshot *vp, const char *name)
{
    unsigned i;

    for (i = 0; exit_name(i); i++) {
        if (g_str_equal(exit_name(i), name)) {
            return vp->exits[i];
        }
    }
    ck_abort_msg("no kind %s", name);
}

/* What is said of @page in a sealed memfd; NULL if it can be read. */
static char *complaint(const MshvCounters *page, size_t size, int sealed)
{
    g_autofree Snapshot *s = NULL;
    g_autoptr(GError) error = NULL;
    int fd = page_memfd(page, size, sealed, NULL);

    ck_assert_int_ge(fd, 0);
    s = snapshot_read(fd, &error);
    close(fd);
    ck_assert_msg(!s == !!error, "a snapshot or an error");
    return error ? g_strdup(error->message) : NULL;
}

START_TEST(what_qemu_writes_is_read)
{
    g_autofree MshvCounters *page = g_new(MshvCounters, 1);
    g_autofree Snapshot *s = NULL;
    g_autoptr(GError) error = NULL;
    int fd;

    page_fill(page, "a_name");
    fd = page_memfd(page, sizeof(*page), 1, NULL);
    s = snapshot_read(fd, &error);
    close(fd);
    ck_assert_msg(s != NULL, "%s", error ? error->message : "");
    ck_assert_str_eq(s->vm.name, "a_name");
    ck_assert_str_eq(s->uuid, "abababab-abab-abab-abab-abababababab");
    ck_assert_uint_eq(s->vm.state, MSHV_VM_RUNNING);
    ck_assert_uint_eq(s->vm.first_interrupt_time, 4000000000);
    ck_assert_uint_eq(s->vm.memory_bytes, 1 << 30);
    ck_assert_uint_eq(s->vp_count, 2);
    ck_assert_uint_eq(s->vps[1].index, 5);
    ck_assert_uint_eq(s->vps[1].kicks, 6);
    ck_assert_uint_eq(exits(&s->vps[1], "io-port"), 200);
    ck_assert_uint_eq(exits(&s->vps[1], "halt"), 20);
    ck_assert_uint_eq(exits(&s->vps[1], "other"), 2 + 14);
    ck_assert_uint_eq(s->calls[MSHV_CALL_SET_GUEST_MEMORY].made, 20);
    ck_assert_uint_eq(s->calls[MSHV_CALL_SET_GUEST_MEMORY].failed, 2);
    ck_assert_uint_eq(s->vm.refused[MSHV_REFUSED_MSI], 3);
    ck_assert_uint_eq(s->vm.other_msrs, 9);
    ck_assert_uint_eq(s->msr_count, 2);
    ck_assert_uint_eq(s->msrs[1].number, 0x1234);
    ck_assert_uint_eq(s->msrs[1].count, 6);
    /* (3 + 100 + 10 + 1 + 7) of the first VP, twice of the second, 5 failed */
    ck_assert_uint_eq(s->calls[MSHV_CALL_RUN_VP].made, 3 * 121 + 5);
}
END_TEST

START_TEST(what_is_not_sealed_is_refused)
{
    g_autofree MshvCounters *page = g_new(MshvCounters, 1);
    g_autofree char *said = NULL;

    page_fill(page, "x");
    said = complaint(page, sizeof(*page), 0);
    ck_assert_pstr_eq(said, "not sealed");
}
END_TEST

START_TEST(what_is_no_memfd_is_refused)
{
    int fd[2];

    ck_assert_int_eq(pipe(fd), 0);
    ck_assert_ptr_eq(snapshot_read(fd[0], NULL), NULL);
    ck_assert_ptr_eq(snapshot_read(-1, NULL), NULL);
    close(fd[0]);
    close(fd[1]);
}
END_TEST

START_TEST(truncated_files_are_refused)
{
    g_autofree MshvCounters *page = g_new(MshvCounters, 1);
    size_t sizes[] = { 1, 8, 63, 64, 65, 1000, 4095, 4096, 4097, 40000,
                       sizeof(*page) - 8 };
    g_autofree char *said = NULL;
    g_autofree char *big = NULL;
    unsigned i;

    page_fill(page, "x");
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *why = complaint(page, sizes[i], 1);

        ck_assert_msg(why != NULL, "%zu bytes are taken", sizes[i]);
    }
    said = complaint(page, 0, 1);
    ck_assert_msg(said != NULL, "no bytes are taken");
    /* Nor one that is too large, whatever it says */
    page->header.size = 2 << 20;
    big = complaint(page, 2 << 20, 1);
    ck_assert_pstr_eq(big, "a file of 2097152 bytes");
}
END_TEST

START_TEST(half_built_pages_are_not_ready)
{
    g_autofree MshvCounters *page = g_new(MshvCounters, 1);
    g_autoptr(GError) error = NULL;
    int fd;

    page_fill(page, "x");
    page->header.magic = 0;
    fd = page_memfd(page, sizeof(*page), 1, NULL);
    ck_assert_ptr_eq(snapshot_read(fd, &error), NULL);
    ck_assert(g_error_matches(error, SNAPSHOT_ERROR, SNAPSHOT_NOT_READY));
    close(fd);
}
END_TEST

START_TEST(headers_that_cannot_be_are_refused)
{
    static const struct {
        size_t field;
        uint32_t value;
        const char *said;
    } row[] = {
#define F(name) offsetof(MshvCountersHeader, name)
        { F(magic), 1, "magic" },
        { F(version), 2, "version 2, and this program reads 1" },
        { F(version), 0, "version 0" },
        { F(size), 0, "0 bytes in a file of 87616" },
        { F(size), UINT32_MAX, "4294967295 bytes in a file" },
        { F(vm_offset), 0, "offsets" },
        { F(vm_offset), 4, "offsets" },
        { F(vm_offset), 68, "offsets" },
        { F(vm_offset), UINT32_MAX - 7, "offsets" },
        { F(vm_offset), sizeof(MshvCounters) - 368, "offsets" },
        { F(vm_size), 8, "offsets" },
        { F(vm_size), UINT32_MAX - 7, "offsets" },
        { F(call_offset), sizeof(MshvCounters), "offsets" },
        { F(call_size), 0, "offsets" },
        { F(call_size), 8, "offsets" },
        { F(call_size), 20, "offsets" },
        { F(call_count), UINT32_MAX, "offsets" },
        { F(call_count), 1 << 28, "offsets" },
        { F(msr_offset), 8, "offsets" },
        { F(msr_offset), UINT32_MAX - 7, "offsets" },
        { F(msr_size), 8, "offsets" },
        { F(msr_count), UINT32_MAX, "offsets" },
        { F(vp_offset), UINT32_MAX - 7, "offsets" },
        { F(vp_size), 312, "offsets" },
        { F(vp_size), UINT32_MAX - 7, "offsets" },
        { F(vp_count), 257, "offsets" },
        { F(vp_count), UINT32_MAX, "offsets" },
#undef F
    };
    g_autofree MshvCounters *page = g_new(MshvCounters, 1);
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(row); i++) {
        g_autofree char *said = NULL;

        page_fill(page, "x");
        memcpy((char *)page + row[i].field, &row[i].value, 4);
        said = complaint(page, sizeof(*page), 1);
        ck_assert_msg(said && strstr(said, row[i].said), "row %u: %s", i,
                      said ? said : "is taken");
    }
}
END_TEST

START_TEST(newer_pages_are_read)
{
    /* Twice as many rows of calls, each twice as large, behind the rest */
    size_t size = sizeof(MshvCounters) + 2 * MSHV_CALL__MAX * 32;
    g_autofree char *memory = g_malloc0(size);
    MshvCounters *page = (MshvCounters *)memory;
    g_autofree Snapshot *s = NULL;
    uint64_t *rows = (uint64_t *)(memory + sizeof(*page));
    unsigned i;

    page_fill(page, "newer");
    page->header.size = size;
    page->header.call_offset = sizeof(*page);
    page->header.call_size = 32;
    page->header.call_count = 2 * MSHV_CALL__MAX;
    for (i = 0; i < 2 * MSHV_CALL__MAX; i++) {
        rows[4 * i] = 1;
    }
    s = snapshot_parse(page, size, size, NULL);
    ck_assert_ptr_ne(s, NULL);
    ck_assert_uint_eq(s->calls[MSHV_CALL_CREATE_VP].made, 1);
    ck_assert_uint_eq(s->calls[MSHV_CALL_OTHER_HVCALL].made,
                      1 + MSHV_CALL__MAX);
}
END_TEST

START_TEST(older_pages_are_read)
{
    g_autofree MshvCounters *page = g_new(MshvCounters, 1);
    g_autofree Snapshot *s = NULL;

    page_fill(page, "older");
    page->header.vm_size = 376;
    page->header.msr_offset = page->header.msr_size = 0;
    page->header.msr_count = 0;
    s = snapshot_parse(page, sizeof(*page), sizeof(*page), NULL);
    ck_assert_ptr_ne(s, NULL);
    ck_assert_str_eq(s->vm.name, "older");
    ck_assert_uint_eq(s->vm.refused[MSHV_REFUSED_MSI], 0);
    ck_assert_uint_eq(s->vm.other_msrs, 0);
    ck_assert_uint_eq(s->msr_count, 0);
}
END_TEST

/* One metric with the same labels twice, and Prometheus takes no other. */
START_TEST(a_page_without_cpus_is_read)
{
    g_autofree MshvCounters *page = g_new(MshvCounters, 1);
    g_autofree Snapshot *s = NULL;

    page_fill(page, "x");
    page->header.vp_count = 0;
    s = snapshot_parse(page, sizeof(*page), sizeof(*page), NULL);
    ck_assert_ptr_nonnull(s);
    ck_assert_uint_eq(s->vp_count, 0);
}
END_TEST

START_TEST(no_msr_is_there_twice)
{
    g_autofree MshvCounters *page = g_new(MshvCounters, 1);
    g_autofree Snapshot *s = NULL;
    unsigned i;

    page_fill(page, "x");
    for (i = 0; i < MSHV_COUNTERS_MSRS; i++) {
        page->msrs[i].number = i % 3;
        page->msrs[i].count = 1;
    }
    s = snapshot_parse(page, sizeof(*page), sizeof(*page), NULL);
    ck_assert_ptr_ne(s, NULL);
    ck_assert_uint_eq(s->msr_count, 3);
    ck_assert_uint_eq(s->msrs[0].count, 86);
    ck_assert_uint_eq(s->msrs[2].count, 85);
    ck_assert_uint_eq(s->vm.other_msrs, 9);
}
END_TEST

START_TEST(texts_and_states_are_cleaned)
{
    g_autofree MshvCounters *page = g_new(MshvCounters, 1);
    unsigned i;

    for (i = 0; i < 2000; i++) {
        g_autofree Snapshot *s = NULL;
        unsigned at;

        page_fill(page, "x");
        for (at = 0; at < sizeof(page->vm.name); at++) {
            page->vm.name[at] = i < 256 ? (int)i : g_random_int_range(0, 256);
        }
        page->vm.state = g_random_int();
        page->vm.first_exit_time = 5;
        s = snapshot_parse(page, sizeof(*page), sizeof(*page), NULL);
        ck_assert_ptr_ne(s, NULL);
        ck_assert(memchr(s->vm.name, 0, sizeof(s->vm.name)) != NULL);
        ck_assert(g_utf8_validate(s->vm.name, -1, NULL));
        for (at = 0; s->vm.name[at]; at++) {
            ck_assert_uint_ge((uint8_t)s->vm.name[at], ' ');
        }
        ck_assert_uint_lt(s->vm.state, MSHV_VM__MAX);
        /* Before the process began: never */
        ck_assert_uint_eq(s->vm.first_exit_time, 0);
        ck_assert_uint_eq(s->vm.first_interrupt_time, 0);
    }
}
END_TEST

/* Any header at all, on a page that ends where the sanitizer sees it. */
START_TEST(no_header_makes_it_read_outside)
{
    g_autofree MshvCounters *good = g_new(MshvCounters, 1);
    unsigned i, taken = 0;

    page_fill(good, "x");
    for (i = 0; i < 30000; i++) {
        size_t size = g_random_int_range(2, 64) * 8 +
                      (i & 1 ? sizeof(*good) - 256 : 0);
        uint32_t *words = g_malloc0(size);
        g_autofree Snapshot *s = NULL;
        unsigned changes = g_random_int_range(0, 4);

        memcpy(words, good, MIN(size, sizeof(*good)));
        while (changes-- && size >= sizeof(MshvCountersHeader)) {
            words[g_random_int_range(4, 12)] = i & 2 ? g_random_int() :
                (uint32_t)g_random_int_range(0, size) & ~7u;
        }
        words[3] = i & 4 ? words[3] : size;
        s = snapshot_parse(words, size, words[3] >= size ? words[3] : size,
                           NULL);
        taken += s != NULL;
        g_free(words);
    }
    /* Else it would have tried nothing. */
    ck_assert_uint_gt(taken, 100);
}
END_TEST

/* ---- A page that changes ---- */

static void *change(void *opaque)
{
    MshvCounters *page = opaque;
    uint32_t *words = (uint32_t *)page;
    g_autoptr(GRand) rand = g_rand_new();

    while (__atomic_load_n(&page->vm.reserved[0], __ATOMIC_RELAXED) != 77) {
        int at = g_rand_int_range(rand, 2, 60);
        uint32_t old = words[at];

        words[at] = g_rand_int(rand);
        words[at] = old;
    }
    return NULL;
}

START_TEST(a_page_may_change_meanwhile)
{
    g_autofree MshvCounters *page = g_new(MshvCounters, 1);
    MshvCounters *mapped;
    pthread_t thread;
    unsigned i;
    int fd;

    page_fill(page, "x");
    fd = page_memfd(page, sizeof(*page), 1, &mapped);
    ck_assert_int_eq(pthread_create(&thread, NULL, change, mapped), 0);
    for (i = 0; i < 3000; i++) {
        g_autofree Snapshot *s = snapshot_read(fd, NULL);

        ck_assert(!s || (s->vp_count <= 256 && s->vm.state < MSHV_VM__MAX));
    }
    __atomic_store_n(&mapped->vm.reserved[0], 77, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    munmap(mapped, sizeof(*page));
    close(fd);
}
END_TEST

/* Both halves of a number change at once: no reader may see one of them. */
static void *count(void *opaque)
{
    MshvCounters *page = opaque;
    uint64_t n = 0;

    while (__atomic_load_n(&page->vm.reserved[0], __ATOMIC_RELAXED) != 77) {
        n++;
        __atomic_store_n(&page->vps[0].exits[0].count, n << 32 | n,
                         __ATOMIC_RELAXED);
    }
    return NULL;
}

START_TEST(no_number_is_torn)
{
    g_autofree MshvCounters *page = g_new(MshvCounters, 1);
    MshvCounters *mapped;
    pthread_t thread;
    uint64_t last = 0;
    unsigned i;
    int fd;

    page_fill(page, "x");
    page->vps[0].exits[0].count = 0;
    fd = page_memfd(page, sizeof(*page), 1, &mapped);
    ck_assert_int_eq(pthread_create(&thread, NULL, count, mapped), 0);
    for (i = 0; i < 3000; i++) {
        g_autofree Snapshot *s = snapshot_read(fd, NULL);
        uint64_t n = exits(&s->vps[0], "io-port");

        ck_assert_uint_eq(n >> 32, n & UINT32_MAX);
        ck_assert_uint_ge(n, last);
        last = n;
    }
    __atomic_store_n(&mapped->vm.reserved[0], 77, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    munmap(mapped, sizeof(*page));
    close(fd);
}
END_TEST

/* ---- Processes ---- */

/* A child that has @count memfds of @page open until it is killed. */
static pid_t spawn(const MshvCounters *page, int count, int sealed)
{
    int ready[2], i;
    pid_t pid;
    char c;

    ck_assert_int_eq(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        for (i = 0; i < count; i++) {
            page_memfd(page, sizeof(*page), sealed, NULL);
        }
        i = write(ready[1], "x", 1);
        for (;;) {
            pause();
        }
    }
    ck_assert_int_eq(read(ready[0], &c, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void finish(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static Vm *find(Scan *scan, pid_t pid)
{
    unsigned i;

    for (i = 0; i < scan->vms->len; i++) {
        Vm *vm = g_ptr_array_index(scan->vms, i);

        if (vm->pid == pid) {
            return vm;
        }
    }
    return NULL;
}

START_TEST(a_process_is_found_once)
{
    g_autofree MshvCounters *page = g_new(MshvCounters, 1);
    g_autoptr(Scan) scan = NULL;
    g_autoptr(Scan) after = NULL;
    pid_t pid;
    Vm *vm;

    page_fill(page, "reader-test");
    pid = spawn(page, 3, 1);
    scan = scan_vms();
    finish(pid);
    vm = find(scan, pid);
    ck_assert_ptr_ne(vm, NULL);
    ck_assert_str_eq(vm->name, "reader-test");
    ck_assert_str_eq(vm->namespace, "");
    ck_assert_uint_gt(vm->rss_anon, 0);
    after = scan_vms();
    ck_assert_ptr_eq(find(after, pid), NULL);
}
END_TEST

START_TEST(one_bad_process_hides_no_other)
{
    g_autofree MshvCounters *page = g_new(MshvCounters, 1);
    g_autoptr(Scan) scan = NULL;
    pid_t bad, good;

    page_fill(page, "bad");
    bad = spawn(page, 1, 0);
    page_fill(page, "good");
    good = spawn(page, 1, 1);
    scan = scan_vms();
    finish(bad);
    finish(good);
    ck_assert_ptr_eq(find(scan, bad), NULL);
    ck_assert_ptr_ne(find(scan, good), NULL);
    ck_assert_uint_ge(scan->refused, 1);
    ck_assert_msg(scan->why && strstr(scan->why, "not sealed"), "%s",
                  scan->why);
}
END_TEST

/* Between fork and exec a child has all that its parent has open. */
START_TEST(a_child_is_no_other_vm)
{
    g_autofree MshvCounters *page = g_new(MshvCounters, 1);
    g_autoptr(Scan) scan = NULL;
    pid_t child;
    int fd;

    page_fill(page, "parent");
    fd = page_memfd(page, sizeof(*page), 1, NULL);
    child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    scan = scan_vms();
    finish(child);
    close(fd);
    ck_assert_int_eq(!!find(scan, getpid()) + !!find(scan, child), 1);
}
END_TEST

/* A child that has a file of that name open, on a mount that nobody sees. */
static pid_t spawn_impostor(const char *dir)
{
    int ready[2], fd;
    pid_t pid;
    char c = 0;

    ck_assert_int_eq(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        if ((unshare(CLONE_NEWNS) < 0 &&
             unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) ||
            mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("none", dir, "tmpfs", 0, NULL) < 0 || chdir(dir) < 0) {
            _exit(1);
        }
        fd = open("memfd:mshv-counters (deleted)", O_RDWR | O_CREAT, 0600);
        if (umount2(dir, MNT_DETACH) < 0 || chdir("/") < 0 ||
            write(ready[1], "x", 1) < 0 || fd < 0) {
            _exit(1);
        }
        pause();
        _exit(0);
    }
    close(ready[1]);
    if (read(ready[0], &c, 1) != 1) {
        waitpid(pid, NULL, 0);
        pid = -1;
    }
    close(ready[0]);
    return pid;
}

/* It could block whoever opens it, so nobody opens it, nor complains. */
START_TEST(a_file_with_that_name_is_not_opened)
{
    g_autofree char *dir = g_dir_make_tmp("reader-XXXXXX", NULL);
    pid_t pid = spawn_impostor(dir);
    g_autofree char *name = g_strdup_printf("process %d:", pid);
    g_autoptr(Scan) scan = NULL;

    rmdir(dir);
    if (pid < 0) {
        return;                 /* who may not make mounts cannot be one */
    }
    scan = scan_vms();
    finish(pid);
    ck_assert_ptr_eq(find(scan, pid), NULL);
    ck_assert_msg(!scan->why || !strstr(scan->why, name), "%s", scan->why);
}
END_TEST

START_TEST(processes_may_be_killed_in_mid_read)
{
    g_autofree MshvCounters *page = g_new(MshvCounters, 1);
    unsigned round, i, seen = 0;
    pid_t pid[8], killer;

    page_fill(page, "mortal");
    for (round = 0; round < 4; round++) {
        g_autoptr(Scan) before = NULL;

        for (i = 0; i < G_N_ELEMENTS(pid); i++) {
            pid[i] = spawn(page, 1, 1);
        }
        before = scan_vms();
        seen += before->vms->len;
        killer = fork();
        if (killer == 0) {
            for (i = 0; i < G_N_ELEMENTS(pid); i++) {
                usleep(500);
                kill(pid[i], SIGKILL);
            }
            _exit(0);
        }
        while (waitpid(killer, NULL, WNOHANG) == 0) {
            g_autoptr(Scan) scan = scan_vms();

            ck_assert_msg(!scan->why || !strstr(scan->why, "mortal"), "%s",
                          scan->why);
        }
        for (i = 0; i < G_N_ELEMENTS(pid); i++) {
            waitpid(pid[i], NULL, 0);
        }
    }
    ck_assert_uint_ge(seen, 4 * G_N_ELEMENTS(pid));
}
END_TEST

START_TEST(names_are_those_of_kubevirt)
{
    static const struct {
        const char *name;
        char cmdline[64];
        const char *space, *wanted;
    } row[] = {
        { "default_my_vm", "-smbios\0type=1,manufacturer=KubeVirt,family=x",
          "default", "my_vm" },
        { "default_my_vm", "-smbios\0type=1,manufacturer=Somebody", "",
          "default_my_vm" },
        { "plain", "-smbios\0type=1,manufacturer=KubeVirt", "", "plain" },
        { "", "", "", "" },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(row); i++) {
        Vm vm = { 0 };

        scan_name(&vm, row[i].name, row[i].cmdline, sizeof(row[i].cmdline));
        ck_assert_str_eq(vm.namespace, row[i].space);
        ck_assert_str_eq(vm.name, row[i].wanted);
        g_free(vm.namespace);
        g_free(vm.name);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("reader");
    TCase *tc = tcase_create("reader");
    const char *seed = g_getenv("MSHV_TEST_SEED");

    /* The same cases each time, unless others are asked for. */
    g_random_set_seed(seed ? g_ascii_strtoull(seed, NULL, 0) : 1);
    tcase_add_test(tc, what_qemu_writes_is_read);
    tcase_add_test(tc, what_is_not_sealed_is_refused);
    tcase_add_test(tc, what_is_no_memfd_is_refused);
    tcase_add_test(tc, truncated_files_are_refused);
    tcase_add_test(tc, half_built_pages_are_not_ready);
    tcase_add_test(tc, headers_that_cannot_be_are_refused);
    tcase_add_test(tc, newer_pages_are_read);
    tcase_add_test(tc, older_pages_are_read);
    tcase_add_test(tc, a_page_without_cpus_is_read);
    tcase_add_test(tc, no_msr_is_there_twice);
    tcase_add_test(tc, texts_and_states_are_cleaned);
    tcase_add_test(tc, no_header_makes_it_read_outside);
    tcase_add_test(tc, a_page_may_change_meanwhile);
    tcase_add_test(tc, no_number_is_torn);
    tcase_add_test(tc, a_process_is_found_once);
    tcase_add_test(tc, one_bad_process_hides_no_other);
    tcase_add_test(tc, a_child_is_no_other_vm);
    tcase_add_test(tc, a_file_with_that_name_is_not_opened);
    tcase_add_test(tc, processes_may_be_killed_in_mid_read);
    tcase_add_test(tc, names_are_those_of_kubevirt);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
