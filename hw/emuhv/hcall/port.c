/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: hypercalls about ports and statistics pages.
 */
#include "qemu/osdep.h"
#include "hw/emuhv/hcall/hcall-int.h"

/* The port's owner must be the caller itself. */
static bool own_port(uint64_t partition_id)
{
    return partition_id == HV_PARTITION_ID_SELF ||
           partition_id == emuhv_partitions.parent->id;
}

/*
 * { u64 port_partition; u32 port; u8[4]; u64 connection_partition;
 *   u32 type; u32; u32 sint; u32 vp; u64; u64 proximity }
 */
static uint16_t create_port(EmuhvHcall *c)
{
    g_autoptr(EmuhvPartition) p = NULL;

    if (!own_port(hcall_u64(c, 0))) {
        return HV_STATUS_ACCESS_DENIED;
    }
    if (hcall_u32(c, 24) != HV_PORT_TYPE_DOORBELL) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    p = emuhv_partition_get(hcall_u64(c, 16));
    if (!p || p == emuhv_partitions.parent) {
        return HV_STATUS_INVALID_PARTITION_ID;
    }
    if (p->state != EMUHV_PARTITION_ACTIVE) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    return emuhv_port_create(hcall_u32(c, 8), p->id, hcall_u32(c, 32),
                             hcall_u32(c, 36));
}

/* { u64 port_partition; u32 port; u32 } */
static uint16_t delete_port(EmuhvHcall *c)
{
    if (!own_port(hcall_u64(c, 0))) {
        return HV_STATUS_ACCESS_DENIED;
    }
    return emuhv_port_delete(hcall_u32(c, 8));
}

/*
 * { u64 connection_partition; u32 connection; u8[4]; u64 port_partition;
 *   u32 port; u32; u32 type; u32; u64 gpa; u64 value; u64 flags;
 *   u64 proximity }
 */
static uint16_t connect_port(EmuhvHcall *c)
{
    if (!own_port(hcall_u64(c, 16))) {
        return HV_STATUS_ACCESS_DENIED;
    }
    if (hcall_u32(c, 32) != HV_PORT_TYPE_DOORBELL) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    return emuhv_port_connect(c->p, hcall_u32(c, 8), hcall_u32(c, 24),
                              hcall_u64(c, 40), hcall_u64(c, 48),
                              hcall_u64(c, 56));
}

/* { u64 connection_partition; u32 connection; u32 is_doorbell } */
static uint16_t disconnect_port(EmuhvHcall *c)
{
    if (!(hcall_u32(c, 12) & 1)) {
        return HV_STATUS_INVALID_CONNECTION_ID;
    }
    return emuhv_port_disconnect(c->p, hcall_u32(c, 8));
}

/* { u32 sint; u32 } */
static uint16_t notify_port_ring_empty(EmuhvHcall *c)
{
    return emuhv_parent_ring_empty(c->pc, hcall_u32(c, 0));
}

const EmuhvHcallDef emuhv_hcalls_port[] = {
    { HVCALL_CREATE_PORT, HCALL_MEMORY, 56, 0, 0, 0,
      "CREATE_PORT", create_port, HV_CREATE_PORT },
    { HVCALL_DELETE_PORT, 0, 16, 0, 0, 0,
      "DELETE_PORT", delete_port, HV_CREATE_PORT },
    { HVCALL_CONNECT_PORT, HCALL_ACTIVE | HCALL_MEMORY, 72, 0, 0, 0,
      "CONNECT_PORT", connect_port, HV_CONNECT_PORT },
    { HVCALL_DISCONNECT_PORT, HCALL_ACTIVE, 16, 0, 0, 0,
      "DISCONNECT_PORT", disconnect_port, HV_CONNECT_PORT },
    { HVCALL_NOTIFY_PORT_RING_EMPTY, 0, 8, 0, 0, 0,
      "NOTIFY_PORT_RING_EMPTY", notify_port_ring_empty },
    {}
};

/* ---- Statistics pages: { u32 type; u32; 16 bytes identity } ---- */

/*
 * { ... } -> { u64 pfn }: the hypervisor would provide the page.  It says in
 * its VMM capabilities that the parent does, so this is never used.
 */
static uint16_t map_stats_page(EmuhvHcall *c)
{
    return HV_STATUS_OPERATION_DENIED;
}

/* { ...; u64 pfn } */
static uint16_t map_stats_page2(EmuhvHcall *c)
{
    return emuhv_stats_map(hcall_u32(c, 0), c->in + 8, hcall_u64(c, 24));
}

static uint16_t unmap_stats_page(EmuhvHcall *c)
{
    return emuhv_stats_unmap(hcall_u32(c, 0), c->in + 8);
}

const EmuhvHcallDef emuhv_hcalls_stats[] = {
    { HVCALL_MAP_STATS_PAGE, 0, 24, 8, 0, 0,
      "MAP_STATS_PAGE", map_stats_page, HV_ACCESS_STATS },
    { HVCALL_MAP_STATS_PAGE2, HCALL_MEMORY, 32, 0, 0, 0,
      "MAP_STATS_PAGE2", map_stats_page2, HV_ACCESS_STATS },
    { HVCALL_UNMAP_STATS_PAGE, 0, 24, 0, 0, 0,
      "UNMAP_STATS_PAGE", unmap_stats_page, HV_ACCESS_STATS },
    {}
};
