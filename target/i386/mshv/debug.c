/*
 * Guest debugging: what gdb has ordered, and the exits for exceptions, which
 * only exist while they are needed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "mshv-compat/memory.h"
#include "exec/cpu-common.h"
#include "exec/gdbstub.h"
#include "gdbstub/enums.h"
#include "accel/mshv/partition.h"
#include "debug.h"
#include "mshv-x86.h"
#include "smm.h"

#define INT3    0xcc

/* All changes are under the BQL while all vCPUs are stopped. */

/* ---- Exits ---- */

#define VECTOR(v)       (1u << EXCP##v)

/* A step into a handler is seen by its exception. */
#define STEP_VECTORS \
    (VECTOR(00_DIVZ) | VECTOR(01_DB) | VECTOR(03_INT3) | VECTOR(04_INTO) | \
     VECTOR(05_BOUND) | VECTOR(06_ILLOP) | VECTOR(07_PREX) | \
     VECTOR(0A_TSS) | VECTOR(0B_NOSEG) | VECTOR(0C_STACK) | \
     VECTOR(0D_GPF) | VECTOR(0E_PAGE) | VECTOR(10_COPR) | VECTOR(11_ALGN) | \
     1u << 19)

/* Exceptions that exit, in all of the partition */
static uint32_t intercepted;

static int intercept(unsigned vector, bool on, Error **errp)
{
    struct hv_input_install_intercept in = {
        .access_type = on ? HV_INTERCEPT_ACCESS_MASK_EXECUTE
                          : HV_INTERCEPT_ACCESS_MASK_NONE,
        .intercept_type = HV_INTERCEPT_TYPE_EXCEPTION,
        .intercept_parameter.exception_vector = vector,
    };
    int ret = mshv_pt_hvcall(HVCALL_INSTALL_INTERCEPT, 0, &in, sizeof(in),
                             NULL, 0, NULL, errp);

    if (ret == 0) {
        intercepted = (intercepted & ~(1u << vector)) | on << vector;
    }
    return ret;
}

/* One that is refused does without; who needs it looks at @intercepted. */
static void intercept_all_of(uint32_t wanted)
{
    Error *err = NULL;
    unsigned vector;

    for (vector = 0; vector < 32; vector++) {
        bool on = wanted >> vector & 1;

        if (on != (intercepted >> vector & 1) &&
            intercept(vector, on, &err) < 0) {
            warn_reportf_err(err, "mshv: debugging the guest, exception %u: ",
                             vector);
            err = NULL;
        }
    }
}

bool mshv_debug_can_step(void)
{
    return intercepted & VECTOR(01_DB);
}

/* ---- Breakpoints in memory ---- */

typedef struct Breakpoint {
    vaddr addr;
    hwaddr gpa;                 /* where that was when it was inserted */
    unsigned users;
    uint8_t original;           /* byte that INT3 replaces */
    QTAILQ_ENTRY(Breakpoint) next;
} Breakpoint;

static QTAILQ_HEAD(, Breakpoint) breakpoints =
    QTAILQ_HEAD_INITIALIZER(breakpoints);

static Breakpoint *find_breakpoint(vaddr addr)
{
    Breakpoint *b;

    QTAILQ_FOREACH(b, &breakpoints, next) {
        if (b->addr == addr) {
            return b;
        }
    }
    return NULL;
}

static int insert_int3(CPUState *cs, vaddr addr)
{
    Breakpoint *b = find_breakpoint(addr);
    uint8_t int3 = INT3, original;
    hwaddr page;

    if (b) {
        b->users++;
        return 0;
    }
    if (cpu_memory_rw_debug(cs, addr, &original, 1, false) ||
        cpu_memory_rw_debug(cs, addr, &int3, 1, true)) {
        return -EINVAL;
    }
    page = cpu_get_phys_page_debug(cs, addr & TARGET_PAGE_MASK);
    b = g_new0(Breakpoint, 1);
    b->addr = addr;
    b->gpa = page + (addr & ~TARGET_PAGE_MASK);
    b->users = 1;
    b->original = original;
    QTAILQ_INSERT_TAIL(&breakpoints, b, next);
    return 0;
}

/* The guest may have put something else there. */
static bool restore_by_address(const Breakpoint *b)
{
    CPUState *cs;
    uint8_t now;

    CPU_FOREACH(cs) {
        if (cpu_memory_rw_debug(cs, b->addr, &now, 1, false) == 0 &&
            now == INT3) {
            return cpu_memory_rw_debug(cs, b->addr, (void *)&b->original, 1,
                                       true) == 0;
        }
    }
    return false;
}

/* No CPU may have that process's address space now. */
static void restore_in_ram(const Breakpoint *b)
{
    uint8_t now = 0;

    address_space_read(&address_space_memory, b->gpa, MEMTXATTRS_UNSPECIFIED,
                       &now, 1);
    if (now == INT3) {
        address_space_write_rom(&address_space_memory, b->gpa,
                                MEMTXATTRS_UNSPECIFIED, &b->original, 1);
    }
}

static void forget_breakpoint(Breakpoint *b)
{
    if (!restore_by_address(b)) {
        restore_in_ram(b);
    }
    QTAILQ_REMOVE(&breakpoints, b, next);
    g_free(b);
}

static int remove_int3(vaddr addr)
{
    Breakpoint *b = find_breakpoint(addr);

    if (!b) {
        return -ENOENT;
    }
    if (--b->users == 0) {
        forget_breakpoint(b);
    }
    return 0;
}

/* ---- Breakpoints and watchpoints in debug registers ---- */

typedef struct Point {
    int type;                   /* GDB_* */
    vaddr addr, len;
} Point;

static Point points[MSHV_DR_ADDRESSES];
static unsigned n_points;
static unsigned points_version;

/* The largest piece that one debug register covers: aligned to its length */
static unsigned piece_of(vaddr addr, vaddr len)
{
    unsigned size = 8;

    while (size > len || (addr & (size - 1))) {
        size /= 2;
    }
    return size;
}

static unsigned count_pieces(const Point *p)
{
    vaddr done;
    unsigned n = 0;

    for (done = 0; done < p->len && n <= MSHV_DR_ADDRESSES; n++) {
        done += piece_of(p->addr + done, p->len - done);
    }
    return n;
}

/* DR7's fields for @size bytes: length 1, 2, 8, 4 */
static uint64_t control_bits(unsigned i, int type, unsigned size)
{
    static const uint8_t length[] = { [1] = 0, [2] = 1, [4] = 3, [8] = 2 };
    uint64_t access = type == GDB_BREAKPOINT_HW ? DR7_TYPE_BP_INST
                      : type == GDB_WATCHPOINT_WRITE ? DR7_TYPE_DATA_WR
                      : DR7_TYPE_DATA_RW;

    return 2ull << (2 * i) |
           (access | length[size] << 2) << (DR7_TYPE_SHIFT + 4 * i);
}

/* The point of debug register @reg; or all registers, into @regs. */
static const Point *walk_points(unsigned reg, uint64_t *regs, unsigned *n)
{
    unsigned i, size;
    vaddr done;

    for (i = 0, *n = 0; i < n_points; i++) {
        for (done = 0; done < points[i].len; done += size, ++*n) {
            size = piece_of(points[i].addr + done, points[i].len - done);
            if (regs) {
                regs[*n] = points[i].addr + done;
                regs[7] |= control_bits(*n, points[i].type, size);
            } else if (*n == reg) {
                return &points[i];
            }
        }
    }
    return NULL;
}

unsigned mshv_debug_points(uint64_t *regs)
{
    unsigned n;

    memset(regs, 0, 8 * sizeof(*regs));
    walk_points(0, regs, &n);
    return n;
}

unsigned mshv_debug_points_version(void)
{
    return points_version;
}

void mshv_debug_report(CPUState *cs, unsigned i)
{
    CPUWatchpoint *hit = &mshv_x86(cs)->debug.hit;
    unsigned n;
    const Point *p = walk_points(i, NULL, &n);

    if (p && p->type != GDB_BREAKPOINT_HW) {
        hit->vaddr = p->addr;
        hit->flags = p->type == GDB_WATCHPOINT_WRITE ? BP_MEM_WRITE
                                                     : BP_MEM_ACCESS;
        cs->watchpoint_hit = hit;
    }
}

/* VPs that are armed look at the version. */
static void points_have_changed(void)
{
    CPUState *cs;

    points_version++;
    CPU_FOREACH(cs) {
        cs->accel->debugged = true;
    }
}

static int find_point(const Point *p)
{
    unsigned i;

    for (i = 0; i < n_points; i++) {
        if (points[i].type == p->type && points[i].addr == p->addr &&
            points[i].len == p->len) {
            return i;
        }
    }
    return -ENOENT;
}

static int insert_point(const Point *p)
{
    unsigned n;

    if (find_point(p) >= 0) {
        return -EEXIST;
    }
    walk_points(MSHV_DR_ADDRESSES, NULL, &n);
    if (!p->len || n + count_pieces(p) > MSHV_DR_ADDRESSES) {
        return -ENOBUFS;
    }
    points[n_points++] = *p;
    points_have_changed();
    return 0;
}

static int remove_point(const Point *p)
{
    int i = find_point(p);

    if (i < 0) {
        return i;
    }
    points[i] = points[--n_points];
    points_have_changed();
    return 0;
}

/* ---- What gdb asks for ---- */

bool mshv_arch_supports_guest_debug(void)
{
    return true;
}

/*
 * gdb tries to do without a watchpoint for reads only, which debug registers
 * do not have.
 */
static bool in_registers(int type, vaddr addr, vaddr len, Point *p)
{
    *p = (Point) { .type = type, .addr = addr, .len = len };
    if (type == GDB_BREAKPOINT_HW) {
        p->len = 1;
    }
    return type == GDB_BREAKPOINT_HW || type == GDB_WATCHPOINT_WRITE ||
           type == GDB_WATCHPOINT_ACCESS;
}

int mshv_arch_insert_breakpoint(CPUState *cs, int type, vaddr addr, vaddr len)
{
    unsigned vector = type == GDB_BREAKPOINT_SW ? EXCP03_INT3 : EXCP01_DB;
    Error *err = NULL;
    Point p;

    if (type != GDB_BREAKPOINT_SW && !in_registers(type, addr, len, &p)) {
        return -ENOSYS;
    }
    if (!(intercepted >> vector & 1) && intercept(vector, true, &err) < 0) {
        error_reportf_err(err, "mshv: debugging the guest: ");
        return -EIO;
    }
    return type == GDB_BREAKPOINT_SW ? insert_int3(cs, addr)
                                     : insert_point(&p);
}

int mshv_arch_remove_breakpoint(CPUState *cs, int type, vaddr addr, vaddr len)
{
    Point p;

    if (type == GDB_BREAKPOINT_SW) {
        return remove_int3(addr);
    }
    return in_registers(type, addr, len, &p) ? remove_point(&p) : -ENOSYS;
}

void mshv_arch_remove_all_breakpoints(CPUState *cs)
{
    Breakpoint *b, *next;

    QTAILQ_FOREACH_SAFE(b, &breakpoints, next, next) {
        forget_breakpoint(b);
    }
    if (n_points) {
        n_points = 0;
        points_have_changed();
    }
}

void mshv_arch_pre_resume(bool step)
{
    CPUState *cs;

    CPU_FOREACH(cs) {
        step |= cs->singlestep_enabled != 0;
    }
    intercept_all_of((step ? STEP_VECTORS : 0) |
                     (n_points ? VECTOR(01_DB) : 0) |
                     (QTAILQ_EMPTY(&breakpoints) ? 0 : VECTOR(03_INT3)));
}

/* ---- Exits ---- */

typedef enum FaultClass { BENIGN, CONTRIBUTORY, PAGE_FAULT, DOUBLE } FaultClass;

/* SDM vol. 3, 7.15, table 7-4 */
static FaultClass fault_class(unsigned vector)
{
    switch (vector) {
    case EXCP00_DIVZ: case EXCP0A_TSS ... EXCP0D_GPF:
        return CONTRIBUTORY;
    case EXCP0E_PAGE:
        return PAGE_FAULT;
    case EXCP08_DBLE:
        return DOUBLE;
    default:
        return BENIGN;
    }
}

/*
 * An exception in the delivery of the event @old, which the exit has kept from
 * being joined with it. The vector that the guest gets; 0 and @shutdown: none.
 */
static unsigned join(union hv_x64_pending_interruption_register old,
                     unsigned vector, bool *shutdown)
{
    FaultClass first = BENIGN, second = fault_class(vector);

    if (old.interruption_pending &&
        old.interruption_type == HV_X64_PENDING_EXCEPTION) {
        first = fault_class(old.interruption_vector);
    }
    *shutdown = first == DOUBLE && second != BENIGN;
    if ((first == CONTRIBUTORY && second == CONTRIBUTORY) ||
        (first == PAGE_FAULT && second != BENIGN)) {
        return EXCP08_DBLE;
    }
    return vector;
}

/* The guest's own exception: it takes it as it would have. */
static int reflect(CPUState *cs,
                   const struct hv_x64_exception_intercept_message *m,
                   Error **errp)
{
    uint32_t name = HV_REGISTER_PENDING_INTERRUPTION;
    union hv_register_value now = { 0 };
    bool shutdown, error_code = m->exception_info.error_code_valid;
    unsigned vector;
    int ret;

    ret = mshv_vp_get_regs(cs, &name, &now, 1, errp);
    if (ret < 0) {
        return ret;
    }
    vector = join(now.pending_interruption, m->exception_vector, &shutdown);
    if (shutdown) {
        return mshv_exit_triple_fault(cs, NULL, errp);
    }
    if (vector == EXCP03_INT3 || vector == EXCP04_INTO) {
        return mshv_inject_software_exception(cs, vector, 1, errp);
    }
    return vector == EXCP08_DBLE
           ? mshv_inject_exception(cs, vector, true, 0, 0, errp)
           : mshv_inject_exception(cs, vector, error_code, m->error_code,
                                   m->exception_parameter, errp);
}

/* Hosts may leave RIP at INT3, or behind it, as the guest would see it. */
static int at_breakpoint(CPUState *cs,
                         const struct hv_x64_exception_intercept_message *m,
                         bool *found, Error **errp)
{
    vaddr at = m->header.cs_segment.base + m->header.rip;
    struct hv_register_assoc rip = {
        .name = HV_X64_REGISTER_RIP, .value.reg64 = m->header.rip - 1,
    };
    bool behind = !find_breakpoint(at) && find_breakpoint(at - 1) &&
                  m->header.rip;

    *found = behind || find_breakpoint(at);
    if (behind && m->instruction_byte_count &&
        m->instruction_bytes[0] == INT3) {
        /* The guest's own, which follows one of gdb's */
        *found = false;
    }
    return *found && behind ? mshv_x86_set_regs(cs, &rip, 1, errp) : 0;
}

int mshv_exit_exception(CPUState *cs, const struct hv_message *msg,
                        Error **errp)
{
    const struct hv_x64_exception_intercept_message *m =
        (const void *)msg->u.payload;
    uint64_t causes = m->exception_parameter;
    bool found = false;
    int ret = 0;

    if (mshv_smm_is_rsm(cs, m)) {
        return mshv_smm_return(cs);
    }
    if (m->exception_vector == EXCP01_DB) {
        return mshv_debug_event(cs, causes, errp);
    }
    if (m->exception_vector == EXCP03_INT3) {
        ret = at_breakpoint(cs, m, &found, errp);
    }
    if (ret < 0) {
        return ret;
    }
    return found ? mshv_debug_stop(cs) : reflect(cs, m, errp);
}
