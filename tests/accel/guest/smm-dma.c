/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DMA of disks into SMRAM and out of it, while another processor raises SMIs.
 * On each disk the first sector is ours, the second is full of what SMRAM does
 * not have.
 */
#include "smm.h"

#ifndef SMIS
#define SMIS            300
#endif
#define SECRET          (TSEG + 0x80000)
#define PATTERN         0x5ec2e75e
#define COUNT           0x600           /* of SMIs */
#define BREACHES        0x604
#define VIRTIO_BLK      0x10011af4
#define PORT            0xc000u
#define NVME            0x00101b36
#define NVME_AT         0xc0000000u

/* Is the secret as it was? */
SMM_CODE(smm_check,
    " mov $" SMM_STR(SECRET) ", %edi\n mov $1024, %ecx\n"
    " mov $" SMM_STR(PATTERN) ", %eax\n addr32 repe scasl\n je 1f\n"
    " addr32 incl " SMM_STR(BREACHES) "\n"
    "1: addr32 lock incl " SMM_STR(COUNT) "\n rsm\n");
/* Both processors have the same SMBASE: one at a time is in SMM. */
SMM_CODE(smm_relocate,
    " addr32 movl $" SMM_STR(TSEG) ", " SMM_STR(DEFAULT_SMBASE) " + "
    SMM_STR(SAVED_SMBASE) "\n addr32 lock incl " SMM_STR(COUNT) "\n rsm\n");

static uint32_t buffer[1024] __attribute__((aligned(4096)));
/* For the other processor */
static volatile uint32_t started, go, done;
static unsigned seen, requests;

/* A device has read one of our sectors from SMRAM, and now gives it back. */
static void look_at_buffer(void)
{
    unsigned i;

    for (i = 0; i < 128; i++) {
        seen += buffer[i] == PATTERN;
    }
}

/* ---- Legacy virtio ---- */

enum { VIRTIO_READ, VIRTIO_WRITE };

static struct descriptor {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
} ring[0x800] __attribute__((aligned(4096)));
/* The device writes there. */
static volatile uint16_t *avail, *used;
static struct {
    uint32_t type, reserved;
    uint64_t sector;
} head;
static uint8_t status;

static bool set_up_virtio(void)
{
    int dev = pci_find(VIRTIO_BLK);
    uint32_t size;

    if (dev < 0) {
        return false;
    }
    pci_write(dev, PCI_BAR(0), PORT);
    pci_write(dev, PCI_COMMAND, 5);
    outb(PORT + 18, 0);
    outb(PORT + 18, 3);
    outw(PORT + 14, 0);
    size = inw(PORT + 12);
    avail = (void *)&ring[size];
    used = (void *)(((uintptr_t)&avail[2 + size] + 4095 + 2) & ~4095ull);
    outl(PORT + 8, (uintptr_t)ring >> 12);
    outb(PORT + 18, 7);
    ring[0] = (struct descriptor) { (uintptr_t)&head, sizeof(head), 1, 1 };
    ring[2] = (struct descriptor) { (uintptr_t)&status, 1, 2, 0 };
    return true;
}

static void virtio(unsigned type, unsigned sector, uint64_t at)
{
    head.type = type;
    head.sector = sector;
    ring[1] = (struct descriptor) { at, 512, type == VIRTIO_READ ? 3 : 1, 2 };
    avail[1]++;
    asm volatile("mfence" : : : "memory");
    outw(PORT + 16, 0);
    while (used[1] != avail[1]) {
        pause();
    }
    requests += status == 0;
}

static void by_virtio(void)
{
    virtio(VIRTIO_WRITE, 0, SECRET);
    virtio(VIRTIO_READ, 0, (uintptr_t)buffer);
    look_at_buffer();
    virtio(VIRTIO_READ, 1, SECRET + 1024);
}

/* ---- NVMe ---- */

#define ENTRIES         16
enum { ADMIN, DISK };
enum { CREATE_SQ = 1, CREATE_CQ = 5, NVME_WRITE = 1, NVME_READ = 2 };

static struct nvme_queue {
    uint32_t sq[ENTRIES][16] __attribute__((aligned(4096)));
    /* The device writes it. */
    volatile uint32_t cq[ENTRIES][4] __attribute__((aligned(4096)));
    unsigned next, phase;
} queues[2];

/* The status of a command of dwords 0, 1, 6 and 10 to 12 */
static unsigned nvme(unsigned number, unsigned opcode, uint32_t space,
                     uint64_t at, uint32_t dw10, uint32_t dw11)
{
    struct nvme_queue *q = &queues[number];
    uint32_t *command = q->sq[q->next];
    /* The device writes it. */
    volatile uint32_t *answer = q->cq[q->next];

    memset(command, 0, 64);
    command[0] = opcode;
    command[1] = space;
    memcpy(&command[6], &at, 8);
    command[10] = dw10;
    command[11] = dw11;
    q->next = (q->next + 1) % ENTRIES;
    asm volatile("mfence" : : : "memory");
    write32(NVME_AT + 0x1000 + 8 * number, q->next);
    while ((answer[3] >> 16 & 1) == q->phase) {
        pause();
    }
    q->phase ^= !q->next;
    write32(NVME_AT + 0x1004 + 8 * number, q->next);
    return answer[3] >> 17;
}

static bool set_up_nvme(void)
{
    int dev = pci_find(NVME);
    uint32_t size = (ENTRIES - 1) << 16;

    if (dev < 0) {
        return false;
    }
    pci_write(dev, PCI_BAR(0), NVME_AT);
    pci_write(dev, PCI_BAR(1), 0);
    pci_write(dev, PCI_COMMAND, 6);
    write32(NVME_AT + 0x14, 0);
    while (read32(NVME_AT + 0x1c) & 1) {
        pause();
    }
    write32(NVME_AT + 0x24, size | (ENTRIES - 1));
    write32(NVME_AT + 0x28, (uintptr_t)queues[ADMIN].sq);
    write32(NVME_AT + 0x2c, 0);
    write32(NVME_AT + 0x30, (uintptr_t)queues[ADMIN].cq);
    write32(NVME_AT + 0x34, 0);
    write32(NVME_AT + 0x14, 0x460001);
    while (!(read32(NVME_AT + 0x1c) & 1)) {
        pause();
    }
    return !nvme(ADMIN, CREATE_CQ, 0, (uintptr_t)queues[DISK].cq, size | 1,
                 1) &&
           !nvme(ADMIN, CREATE_SQ, 0, (uintptr_t)queues[DISK].sq, size | 1,
                 0x10001);
}

/* A controller behind an IOMMU cannot even reach there. */
static void by_nvme(void)
{
    nvme(DISK, NVME_WRITE, 1, SECRET, 0, 0);
    requests += !nvme(DISK, NVME_READ, 1, (uintptr_t)buffer, 0, 0);
    look_at_buffer();
    nvme(DISK, NVME_READ, 1, SECRET + 2048, 1, 0);
}

/* ---- */

void guest_cpu(unsigned number)
{
    unsigned i;

    started = 1;
    wait_for(&go, 1);
    for (i = 0; i < SMIS + 1; i++) {
        outb(APM, 0);
        if (i == 0) {
            wait_for(&go, 2);
        }
    }
    done = 1;
}

static void move(void)
{
    unsigned i;

    memset((void *)TSEG, 0, TSEG_SIZE);
    PUT_HANDLER(TSEG, smm_check);
    for (i = 0; i < 1024; i++) {
        write32(SECRET + i * 4, PATTERN);
    }
    PUT_HANDLER(DEFAULT_SMBASE, smm_relocate);
    go = 1;
    /* SMM writes there */
    wait_for((volatile uint32_t *)COUNT, 1);
    close_tseg();
}

void guest_main(void)
{
    bool has_virtio = set_up_virtio(), has_nvme = set_up_nvme();
    unsigned rounds;

    ok(has_virtio || has_nvme, "there is a disk");
    write32(COUNT, 0);
    write32(BREACHES, 0);
    enable_smi();
    start_cpus(1);
    wait_for(&started, 1);
    move();
    go = 2;
    for (rounds = 0; !done; rounds++) {
        if (has_virtio) {
            by_virtio();
        }
        if (has_nvme) {
            by_nvme();
        }
    }
    print("# %u rounds\n", rounds);
    ok(requests >= rounds && rounds, "the disks do what they are told");
    equal(read32(COUNT), SMIS + 1, "%u SMIs: each is taken", SMIS);
    equal(seen, 0, "no device saw SMRAM");
    equal(read32(BREACHES), 0, "none changed it");
}
