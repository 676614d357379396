/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: doorbell ports.
 *
 * A port belongs to the parent; a connection puts it at a GPA of a child.  A
 * matching write of the child then adds the port's id to an event ring of the
 * parent (drivers/hv/mshv_synic.c:mshv_register_doorbell()).
 */
#include "qemu/osdep.h"
#include "hw/emuhv/memory/memory.h"
#include "hw/emuhv/partition/partition-int.h"

#define MAX_ID      0xffffffu
/* An emulator has no memory limit of its own: keep a broken parent small. */
#define MAX_PORTS   65536u
#define FEW_PORTS   2u

typedef struct Port {
    QLIST_ENTRY(Port) next;
    uint32_t id;
    uint64_t partition_id;      /* that may connect */
    uint32_t sint;
    uint32_t target_vp;         /* of the parent; ~0: any */
    bool connected;
    /* When connected: the doorbell */
    uint32_t connection_id;
    uint64_t gpa, value, flags;
} Port;

static QLIST_HEAD(, Port) ports;
static unsigned n_ports;

static Port *find_port(uint32_t id)
{
    Port *port;

    QLIST_FOREACH(port, &ports, next) {
        if (port->id == id) {
            return port;
        }
    }
    return NULL;
}

static Port *find_connection(uint64_t partition_id, uint32_t id)
{
    Port *port;

    QLIST_FOREACH(port, &ports, next) {
        if (port->connected && port->partition_id == partition_id &&
            port->connection_id == id) {
            return port;
        }
    }
    return NULL;
}

static void free_port(Port *port)
{
    QLIST_REMOVE(port, next);
    n_ports--;
    g_free(port);
}

uint16_t emuhv_port_create(uint32_t id, uint64_t partition_id, uint32_t sint,
                           uint32_t target_vp)
{
    Port *port;

    if (!id || id > MAX_ID || find_port(id)) {
        return HV_STATUS_INVALID_PORT_ID;
    }
    if (sint >= EMUHV_SINTS) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (target_vp != EMUHV_ANY_VP && target_vp >= emuhv_parent.n_cpus) {
        return HV_STATUS_INVALID_VP_INDEX;
    }
    if (n_ports >= (emuhv_answers(EMUHV_FEW_PORTS) ? FEW_PORTS : MAX_PORTS)) {
        return HV_STATUS_NO_RESOURCES;
    }
    port = g_new0(Port, 1);
    port->id = id;
    port->partition_id = partition_id;
    port->sint = sint;
    port->target_vp = target_vp;
    QLIST_INSERT_HEAD(&ports, port, next);
    n_ports++;
    return HV_STATUS_SUCCESS;
}

/* Take the doorbell off its page; the caller commits the second stage. */
static void cut(EmuhvPartition *p, Port *port)
{
    port->connected = false;
    emuhv_stage2_doorbell(p, port->gpa >> EMUHV_PAGE_BITS, false);
}

uint16_t emuhv_port_delete(uint32_t id)
{
    Port *port = find_port(id);
    EmuhvPartition *p = NULL;

    if (!port) {
        return HV_STATUS_INVALID_PORT_ID;
    }
    if (port->connected) {
        p = emuhv_partition_get(port->partition_id);
        if (p) {
            cut(p, port);
        }
    }
    free_port(port);
    if (p) {
        emuhv_stage2_commit(p);
        emuhv_partition_unref(p);
    }
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_port_connect(EmuhvPartition *p, uint32_t connection_id,
                            uint32_t port_id, uint64_t gpa, uint64_t value,
                            uint64_t flags)
{
    Port *port = find_port(port_id);

    if (!port || port->partition_id != p->id || port->connected) {
        return HV_STATUS_INVALID_PORT_ID;
    }
    if (!connection_id || connection_id > MAX_ID ||
        find_connection(p->id, connection_id)) {
        return HV_STATUS_INVALID_CONNECTION_ID;
    }
    if ((flags & ~(uint64_t)(HV_DOORBELL_FLAG_TRIGGER_SIZE_MASK |
                             HV_DOORBELL_FLAG_TRIGGER_ANY_VALUE)) ||
        (flags & HV_DOORBELL_FLAG_TRIGGER_SIZE_MASK) >
        HV_DOORBELL_FLAG_TRIGGER_SIZE_QWORD ||
        gpa >> EMUHV_PAGE_BITS >= emuhv_stage2_max_gfn()) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (!emuhv_stage2_doorbell(p, gpa >> EMUHV_PAGE_BITS, true)) {
        return HV_STATUS_NO_RESOURCES;
    }
    port->connected = true;
    port->connection_id = connection_id;
    port->gpa = gpa;
    port->value = value;
    port->flags = flags;
    emuhv_stage2_commit(p);
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_port_disconnect(EmuhvPartition *p, uint32_t connection_id)
{
    Port *port = find_connection(p->id, connection_id);

    if (!port) {
        return HV_STATUS_INVALID_CONNECTION_ID;
    }
    cut(p, port);
    emuhv_stage2_commit(p);
    return HV_STATUS_SUCCESS;
}

void emuhv_ports_drop(EmuhvPartition *p)
{
    Port *port, *next;

    QLIST_FOREACH_SAFE(port, &ports, next, next) {
        if (port->partition_id != p->id) {
            continue;
        }
        if (port->connected) {
            cut(p, port);
        }
        /* The port itself is the parent's until it deletes it. */
        port->partition_id = HV_PARTITION_ID_INVALID;
    }
}

void emuhv_ports_reset(void)
{
    Port *port, *next;

    QLIST_FOREACH_SAFE(port, &ports, next, next) {
        free_port(port);
    }
}

static bool matches(const Port *port, uint64_t gpa, unsigned size,
                    uint64_t value)
{
    unsigned code = port->flags & HV_DOORBELL_FLAG_TRIGGER_SIZE_MASK;

    if (!port->connected || port->gpa != gpa ||
        (code && size != 1u << (code - 1))) {
        return false;
    }
    if (port->flags & HV_DOORBELL_FLAG_TRIGGER_ANY_VALUE) {
        return true;
    }
    return value == (port->value & MAKE_64BIT_MASK(0, 8 * size));
}

bool emuhv_ports_doorbell(EmuhvPartition *p, uint64_t gpa, unsigned size,
                          uint64_t value)
{
    Port *port;
    bool hit = false;

    QLIST_FOREACH(port, &ports, next) {
        if (port->partition_id == p->id && matches(port, gpa, size, value)) {
            trace_emuhv_doorbell(p->id, gpa, size, value, port->id);
            p->account->doorbells++;
            emuhv_counters.doorbells++;
            emuhv_parent_ring(port->target_vp, port->sint, port->id);
            hit = true;
        }
    }
    return hit;
}
