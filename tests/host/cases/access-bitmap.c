/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSHV_GET_GPAP_ACCESS_BITMAP: what the guest read and wrote. */
#include <stdlib.h>
#include "vm.h"

enum { PAGES = 64, BASE = 0x20000 };

/* Writes page 3 and 5, reads page 7, of those from ES:0. */
GUEST16(guest, "movb $1, %es:0x3000\n movb $1, %es:0x5123\n"
               "mov %es:0x7000, %al\n out %al, $1");

/* Reads page 9 and writes it then; once more. */
GUEST16(again, "mov %es:0x9000, %al\n movb $1, %es:0x9000\n out %al, $1\n"
               "movb $1, %es:0x9000\n out %al, $2");

static int get(Vm *vm, uint8_t type, uint8_t op, uint64_t count,
               uint64_t *bitmap, uint8_t reserved)
{
    struct mshv_gpap_access_bitmap args = {
        .access_type = type, .access_op = op, .page_count = count,
        .gpap_base = BASE / PAGE, .bitmap_ptr = (uintptr_t)bitmap,
    };

    args.rsvd[0] = reserved;
    if (bitmap) {
        *bitmap = ~0ull;
    }
    return ioctl(vm->fd, MSHV_GET_GPAP_ACCESS_BITMAP, &args);
}

static void start(Vm *vm, Code code)
{
    vp_start16(vm, 0, code);
    if (try_set_reg(vm, 0, R_ES, segment(BASE, 0xffff, 0, ATTR_DATA16))) {
        give_up("ES cannot be set");
    }
}

static void run(Vm *vm)
{
    Msg m;

    start(vm, CODE_OF(guest));
    vp_gives(vm, 0, &m, MSG_IO_PORT, "the guest runs");
}

/* What translations the VP keeps from before must not hide a write. */
static void test_kept_translations(Vm *vm)
{
    uint64_t bits;
    uint16_t port;
    Msg m;

    start(vm, CODE_OF(again));
    for (port = 1; port <= 2; port++) {
        vp_at_port(vm, 0, port, "a guest that writes what it has read", &m);
        works(get(vm, MSHV_GPAP_ACCESS_TYPE_DIRTY,
                  MSHV_GPAP_ACCESS_OP_CLEAR, PAGES, &bits, 0), "dirty bits");
        is_u64(bits, 1 << 9, "page 9 is dirty");
    }
}

/* Nothing is seen before the tracking begins. */
static void test_begin(Vm *vm)
{
    uint64_t bits, on = 7;

    run(vm);
    works(get(vm, MSHV_GPAP_ACCESS_TYPE_DIRTY, MSHV_GPAP_ACCESS_OP_NOOP,
              PAGES, &bits, 0), "dirty bits without tracking");
    is_u64(bits, 0, "nothing is dirty, for nobody tracks it");
    is_u64(set_property(vm->fd, PROP_ACCESS_TRACKING, 1), ST_SUCCESS,
           "the tracking begins");
    is_u64(get_property(vm->fd, PROP_ACCESS_TRACKING, &on), ST_SUCCESS,
           "it can be asked");
    is_u64(on, 1, "it is on");
}

/* It ends only when all pages count as dirty. */
static void test_end(Vm *vm)
{
    struct mshv_gpap_access_bitmap args = {
        .access_type = MSHV_GPAP_ACCESS_TYPE_DIRTY,
        .access_op = MSHV_GPAP_ACCESS_OP_SET,
        .page_count = vm->size / PAGE,
        .bitmap_ptr = (uintptr_t)calloc(1, vm->size / PAGE / 8),
    };
    uint64_t bits;

    is_u64(set_property(vm->fd, PROP_ACCESS_TRACKING, 0),
           ST_OPERATION_DENIED, "the tracking does not end with clean pages");
    works(ioctl(vm->fd, MSHV_GET_GPAP_ACCESS_BITMAP, &args),
          "all pages are marked dirty");
    is_u64(set_property(vm->fd, PROP_ACCESS_TRACKING, 0), ST_SUCCESS,
           "then it ends");
    works(get(vm, MSHV_GPAP_ACCESS_TYPE_DIRTY, MSHV_GPAP_ACCESS_OP_CLEAR,
              PAGES, &bits, 0), "dirty bits");
    is_u64(bits, ~0ull, "they are as they were set");
    run(vm);
    works(get(vm, MSHV_GPAP_ACCESS_TYPE_DIRTY, MSHV_GPAP_ACCESS_OP_NOOP,
              PAGES, &bits, 0), "dirty bits");
    is_u64(bits, 0, "and nothing is seen any more");
}

int main(void)
{
    enum { A = MSHV_GPAP_ACCESS_TYPE_ACCESSED, D = MSHV_GPAP_ACCESS_TYPE_DIRTY,
           NOOP = MSHV_GPAP_ACCESS_OP_NOOP, CLEAR = MSHV_GPAP_ACCESS_OP_CLEAR };
    uint64_t bits;
    Vm vm;

    vm_make(&vm, 1 << 20, 1);
    test_begin(&vm);
    works(get(&vm, D, CLEAR, PAGES, &bits, 0), "dirty bits are cleared");
    works(get(&vm, A, CLEAR, PAGES, &bits, 0), "accessed bits are cleared");
    works(get(&vm, D, CLEAR, PAGES, &bits, 0), "dirty bits again");
    is_u64(bits, 0, "nothing is dirty");
    run(&vm);
    works(get(&vm, A, CLEAR, PAGES, &bits, 0), "accessed bits");
    is_u64(bits, 1 << 3 | 1 << 5 | 1 << 7, "pages 3, 5 and 7 were accessed");
    run(&vm);
    works(get(&vm, D, CLEAR, PAGES, &bits, 0), "dirty bits");
    is_u64(bits, 1 << 3 | 1 << 5, "pages 3 and 5 are dirty");
    works(get(&vm, D, CLEAR, PAGES, &bits, 0), "once more");
    is_u64(bits, 0, "they were cleared");
    run(&vm);
    works(get(&vm, D, CLEAR, PAGES, &bits, 0), "after another run");
    is_u64(bits, 1 << 3 | 1 << 5, "they are dirty again");
    test_kept_translations(&vm);
    works(get(&vm, D, CLEAR, 5, &bits, 0), "a count of 5");
    is_u64(bits & 0xff, 0, "the rest of the byte is zero");
    refuses(get(&vm, D + 1, NOOP, PAGES, &bits, 0),
            EINVAL, "an unknown type");
    refuses(get(&vm, D, MSHV_GPAP_ACCESS_OP_SET + 1, PAGES, &bits, 0), EINVAL,
            "an unknown operation");
    refuses(get(&vm, D, CLEAR, 0, &bits, 0), EINVAL, "no pages");
    refuses(get(&vm, D, CLEAR, PAGES, NULL, 0), EINVAL, "no bitmap");
    refuses(get(&vm, D, CLEAR, PAGES, &bits, 1), EINVAL, "reserved bytes");
    refuses(ioctl(vm.fd, MSHV_GET_GPAP_ACCESS_BITMAP, NULL), EFAULT,
            "arguments from nowhere");
    test_end(&vm);
    vm_free(&vm);
    return done();
}
