/*
 * MSI routes and irqfds.
 *
 * An irqfd is in the kernel while its route is one that the kernel can
 * deliver, and in QEMU's main loop otherwise: while a guest has not set the
 * vector up, for an APIC id that no VP has, behind an IOMMU that remaps
 * interrupts, or when the kernel refuses. So a live irqfd in the kernel always
 * has a valid route, which the kernel relies on (mshv_ret_girq_entry in
 * mshv_irq.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/event_notifier.h"
#include "qemu/main-loop.h"
#include "hw/pci/msi.h"
#include "hw/pci/pci.h"
#include "mshv/irqchip.h"
#include "arch.h"
#include "counters.h"
#include "ioctl.h"
#include "irq.h"
#include "partition.h"
#include "refusal.h"
#include "route-table.h"
#include "trace.h"

typedef struct MshvIrqfd {
    EventNotifier *notifier;
    int fd;
    unsigned gsi;
    bool in_kernel;
    QLIST_ENTRY(MshvIrqfd) next;
} MshvIrqfd;

static MshvRouteTable table;
static QLIST_HEAD(, MshvIrqfd) irqfds = QLIST_HEAD_INITIALIZER(irqfds);

static MshvRoute make_route(MSIMessage msg, PCIDevice *dev)
{
    return (MshvRoute) {
        .address = msg.address,
        .data = msg.data,
        .used = true,
        .routable = mshv_arch_msi_routable(msg.address, msg.data),
        .device = dev,
    };
}

static bool is_gsi(int virq)
{
    return virq > 0 && virq < MSHV_GSI_MAX && table.routes[virq].used;
}

int mshv_irqchip_add_msi_route(int vector, PCIDevice *dev)
{
    MSIMessage msg = dev ? pci_get_msi_message(dev, vector)
                         : (MSIMessage) { 0 };
    MshvRoute route = make_route(msg, dev);
    int gsi = mshv_route_add(&table, &route);

    trace_mshv_add_msi_route(gsi, msg.address, msg.data);
    return gsi < 0 ? -ENOSPC : gsi;
}

int mshv_irqchip_update_msi_route(int virq, MSIMessage msg, PCIDevice *dev)
{
    MshvRoute route = make_route(msg, dev);

    if (!is_gsi(virq)) {
        return -EINVAL;
    }
    mshv_route_set(&table, virq, &route);
    trace_mshv_update_msi_route(virq, msg.address, msg.data);
    return 0;
}

void mshv_irqchip_release_virq(int virq)
{
    if (is_gsi(virq)) {
        mshv_route_free(&table, virq);
    }
}

/* The main loop's way to deliver: through the device's own address space. */
static void on_event(void *opaque)
{
    MshvIrqfd *irqfd = opaque;
    MshvRoute *route = &table.routes[irqfd->gsi];

    if (event_notifier_test_and_clear(irqfd->notifier) && route->device &&
        route->address) {
        msi_send_message(route->device,
                         (MSIMessage) { route->address, route->data });
    }
}

static int set_irqfd(MshvIrqfd *irqfd, bool assign, Error **errp)
{
    struct mshv_user_irqfd args = {
        .fd = irqfd->fd,
        .resamplefd = -1,
        .gsi = irqfd->gsi,
        .flags = !assign << MSHV_IRQFD_BIT_DEASSIGN,
    };

    return mshv_ioctl(MSHV_CALL_IRQFD, mshv_partition_fd(), &args, errp);
}

/* A guest that has not set a vector up needs nobody to deliver it. */
static void count_irqfds(void)
{
    uint64_t in_kernel = 0, in_qemu = 0;
    MshvIrqfd *irqfd;

    QLIST_FOREACH(irqfd, &irqfds, next) {
        in_kernel += irqfd->in_kernel;
        in_qemu += !irqfd->in_kernel && table.routes[irqfd->gsi].routable;
    }
    qatomic_set(&mshv_counters->vm.irqfds, in_kernel);
    mshv_counters_fallback(MSHV_FALLBACK_IRQFD, in_qemu);
    if (in_kernel) {
        mshv_counters_first(&mshv_counters->vm.first_interrupt_time);
    }
}

static void move_to_kernel(MshvIrqfd *irqfd)
{
    Error *err = NULL;

    if (set_irqfd(irqfd, true, &err) < 0) {
        error_prepend(&err, "no irqfd for GSI %u: ", irqfd->gsi);
        mshv_refused(MSHV_REFUSED_IRQFD, err);
        return;
    }
    qemu_set_fd_handler(irqfd->fd, NULL, NULL, NULL);
    irqfd->in_kernel = true;
}

/*
 * Deassigning cannot fail but for a descriptor that is none, which the
 * kernel has let go of by itself.
 */
static void move_to_main_loop(MshvIrqfd *irqfd)
{
    set_irqfd(irqfd, false, NULL);
    irqfd->in_kernel = false;
    qemu_set_fd_handler(irqfd->fd, on_event, NULL, irqfd);
}

static int upload(Error **errp)
{
    g_autofree struct mshv_user_irq_table *args =
        g_malloc0(sizeof(*args) + MSHV_GSI_MAX * sizeof(args->entries[0]));
    int ret;

    QEMU_BUILD_BUG_ON(sizeof(MshvRouteEntry) != sizeof(args->entries[0]));
    args->nr = mshv_route_list(&table, (MshvRouteEntry *)args->entries);
    ret = mshv_ioctl(MSHV_CALL_SET_MSI_ROUTING, mshv_partition_fd(), args,
                     errp);
    trace_mshv_set_msi_routing(args->nr, ret);
    return ret;
}

void mshv_irqchip_commit_routes(void)
{
    Error *err = NULL;
    MshvIrqfd *irqfd;
    bool usable = true;

    QLIST_FOREACH(irqfd, &irqfds, next) {
        if (irqfd->in_kernel && !table.routes[irqfd->gsi].routable) {
            move_to_main_loop(irqfd);
        }
    }
    if (table.changed) {
        usable = upload(&err) >= 0;
        table.changed = !usable;
    }
    if (err) {
        error_prepend(&err, "the kernel does not take the interrupt routes: ");
        mshv_refused(MSHV_REFUSED_ROUTES, err);
    }
    QLIST_FOREACH(irqfd, &irqfds, next) {
        if (irqfd->in_kernel && !usable) {
            move_to_main_loop(irqfd);
        } else if (!irqfd->in_kernel && usable &&
                   table.routes[irqfd->gsi].routable) {
            move_to_kernel(irqfd);
        }
    }
    count_irqfds();
}

void mshv_irq_vp_added(void)
{
    unsigned gsi;

    if (QLIST_EMPTY(&irqfds)) {
        return;
    }
    for (gsi = 0; gsi < MSHV_GSI_MAX; gsi++) {
        MshvRoute route = table.routes[gsi];

        if (route.used) {
            route.routable = mshv_arch_msi_routable(route.address, route.data);
            mshv_route_set(&table, gsi, &route);
        }
    }
    mshv_irqchip_commit_routes();
}

static MshvIrqfd *find_irqfd(int fd)
{
    MshvIrqfd *irqfd;

    QLIST_FOREACH(irqfd, &irqfds, next) {
        if (irqfd->fd == fd) {
            break;
        }
    }
    return irqfd;
}

static void remove_irqfd(MshvIrqfd *irqfd)
{
    if (irqfd->in_kernel) {
        set_irqfd(irqfd, false, NULL);
    } else {
        qemu_set_fd_handler(irqfd->fd, NULL, NULL, NULL);
    }
    QLIST_REMOVE(irqfd, next);
    g_free(irqfd);
}

/*
 * virtio loses sight of a notifier whose queue's vector the guest changes while
 * the device runs, and closes it. The next one has its number.
 */
int mshv_irqchip_add_irqfd_notifier_gsi(EventNotifier *n, EventNotifier *rn,
                                        int virq)
{
    int fd = event_notifier_get_fd(n);
    MshvIrqfd *irqfd = find_irqfd(fd);

    if (!is_gsi(virq)) {
        return -EINVAL;
    }
    if (irqfd) {
        remove_irqfd(irqfd);
    }
    irqfd = g_new0(MshvIrqfd, 1);
    irqfd->notifier = n;
    irqfd->fd = fd;
    irqfd->gsi = virq;
    QLIST_INSERT_HEAD(&irqfds, irqfd, next);
    qemu_set_fd_handler(irqfd->fd, on_event, NULL, irqfd);
    mshv_irqchip_commit_routes();
    return 0;
}

/* For the same reason @virq may be wrong; and it is no error to have none. */
int mshv_irqchip_remove_irqfd_notifier_gsi(EventNotifier *n, int virq)
{
    MshvIrqfd *irqfd = find_irqfd(event_notifier_get_fd(n));

    if (irqfd) {
        remove_irqfd(irqfd);
        count_irqfds();
    }
    return 0;
}

void mshv_irq_count(unsigned *n_irqfds, unsigned *n_routes)
{
    MshvIrqfd *irqfd;
    unsigned gsi;

    *n_irqfds = *n_routes = 0;
    QLIST_FOREACH(irqfd, &irqfds, next) {
        ++*n_irqfds;
    }
    for (gsi = 0; gsi < MSHV_GSI_MAX; gsi++) {
        *n_routes += table.routes[gsi].used;
    }
}
