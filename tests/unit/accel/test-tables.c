/*
 * Tests of the accelerator's tables: memory regions, MSI routes, HV_STATUS.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <check.h>
#include "mshv/hvabi.h"
#include "mshv/uapi.h"
#include "hvstatus.h"
#include "region-table.h"
#include "route-table.h"
#include "../runner.h"

START_TEST(region_is_cut_to_whole_pages)
{
    static const struct {
        uint64_t gpa, size, hva;
        bool usable;
        uint64_t new_gpa, new_size;
    } row[] = {
        { 0x1000, 0x2000, 0x7000, true, 0x1000, 0x2000 },
        { 0x1800, 0x2000, 0x7800, true, 0x2000, 0x1000 },
        { 0x1800, 0x1000, 0x7800, false, 0, 0 },
        { 0x1800, 0x0800, 0x7800, false, 0, 0 },
        { 0x1800, 0x0100, 0x7800, false, 0, 0 },
        { 0x1000, 0x0fff, 0x7000, false, 0, 0 },
        { 0x1000, 0x2fff, 0x7000, true, 0x1000, 0x2000 },
        /* aligned in the guest, and not in the host */
        { 0x1000, 0x2000, 0x7800, false, 0, 0 },
        { 0xfffffffffffff000, 0x1000, 0x7000, true,
          0xfffffffffffff000, 0x1000 },
    };

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        MshvRegion region = {
            .gpa = row[i].gpa, .size = row[i].size, .hva = row[i].hva,
            .offset = 0x100000,
        };

        ck_assert_msg(mshv_region_align(&region) == row[i].usable,
                      "row %zu", i);
        if (row[i].usable) {
            ck_assert_uint_eq(region.gpa, row[i].new_gpa);
            ck_assert_uint_eq(region.size, row[i].new_size);
            ck_assert_uint_eq(region.hva - row[i].hva,
                              row[i].new_gpa - row[i].gpa);
            ck_assert_uint_eq(region.offset - 0x100000,
                              row[i].new_gpa - row[i].gpa);
        }
    }
}
END_TEST

static MshvRegion at(uint64_t gpa, uint64_t size)
{
    return (MshvRegion) { .gpa = gpa, .size = size, .hva = gpa + 0x10000000 };
}

START_TEST(regions_are_found_by_any_address)
{
    MshvRegionTable table = { 0 };
    MshvRegion region;

    /* Every second 16 KiB, inserted in an order that is not sorted. */
    for (unsigned i = 0; i < 1000; i++) {
        region = at((i * 7919 % 1000) * 0x8000ull, 0x4000);
        ck_assert(mshv_region_insert(&table, &region));
    }
    ck_assert_uint_eq(table.count, 1000);
    for (uint64_t gpa = 0; gpa < 1000 * 0x8000ull; gpa += 0x7ff) {
        MshvRegion *found = mshv_region_find(&table, gpa);

        ck_assert((gpa % 0x8000 < 0x4000) == (found != NULL));
        if (found) {
            ck_assert_uint_eq(found->gpa, gpa / 0x8000 * 0x8000);
        }
    }
    /* Take away every third, and look again. */
    for (unsigned i = 0; i < 1000; i += 3) {
        mshv_region_remove(&table, mshv_region_find(&table, i * 0x8000ull));
    }
    for (unsigned i = 0; i < 1000; i++) {
        ck_assert((mshv_region_find(&table, i * 0x8000ull + 0x3fff) != NULL)
                  == (i % 3 != 0));
    }
    free(table.regions);
}
END_TEST

START_TEST(region_that_overlaps_is_refused)
{
    static const struct {
        uint64_t gpa, size;
        bool fits;
    } row[] = {
        { 0x4000, 0x1000, false }, { 0x3000, 0x1000, true },
        { 0x3000, 0x2000, false }, { 0x7000, 0x1000, false },
        { 0x8000, 0x1000, true }, { 0x7000, 0x4000, false },
        { 0x0000, 0x100000, false }, { 0x5000, 0x1000, false },
        { 0x8000, 0x8000, true }, { 0x8000, 0x8001000, false },
    };

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        MshvRegionTable table = { 0 };
        MshvRegion low = at(0x4000, 0x4000), high = at(0x10000, 0x1000);
        MshvRegion region = at(row[i].gpa, row[i].size);

        ck_assert(mshv_region_insert(&table, &low));
        ck_assert(mshv_region_insert(&table, &high));
        ck_assert_msg(mshv_region_insert(&table, &region) == row[i].fits,
                      "row %zu", i);
        ck_assert_uint_eq(table.count, 2 + row[i].fits);
        free(table.regions);
    }
}
END_TEST

static MshvRoute msi(uint64_t address, uint32_t data, bool routable)
{
    return (MshvRoute) { address, data, true, routable, NULL };
}

START_TEST(gsi_0_is_never_used_and_all_others_are)
{
    static MshvRouteTable table;
    static MshvRouteEntry entries[MSHV_GSI_MAX];
    MshvRoute route = msi(0xfee01000, 0x4041, true);

    for (int gsi = 1; gsi < MSHV_GSI_MAX; gsi++) {
        ck_assert_int_eq(mshv_route_add(&table, &route), gsi);
    }
    ck_assert_int_eq(mshv_route_add(&table, &route), -1);
    ck_assert_uint_eq(mshv_route_list(&table, entries), MSHV_GSI_MAX - 1);
    mshv_route_free(&table, 77);
    ck_assert_int_eq(mshv_route_add(&table, &route), 77);
}
END_TEST

/* Whether @table wants to be uploaded after @route is set; then it has been. */
static bool changes(MshvRouteTable *table, int gsi, MshvRoute route)
{
    bool changed;

    mshv_route_set(table, gsi, &route);
    changed = table->changed;
    table->changed = false;
    return changed;
}

START_TEST(only_what_the_kernel_sees_is_a_change)
{
    static MshvRouteTable table;
    static MshvRouteEntry entries[MSHV_GSI_MAX];
    MshvRoute unset = msi(0, 0, false);
    MshvRoute one = msi(0xfee01000, 0x4041, true);
    MshvRoute two = msi(0x1fee02000, 0x4042, true);
    int gsi = mshv_route_add(&table, &unset);

    ck_assert(!table.changed);
    ck_assert_uint_eq(mshv_route_list(&table, entries), 0);
    ck_assert(changes(&table, gsi, one));
    ck_assert(!changes(&table, gsi, one));
    /* One of the two alone: another vector, another processor */
    ck_assert(changes(&table, gsi, msi(0xfee01000, 0x4043, true)));
    ck_assert(changes(&table, gsi, msi(0xfee03000, 0x4043, true)));
    ck_assert(changes(&table, gsi, two));
    ck_assert_uint_eq(mshv_route_list(&table, entries), 1);
    ck_assert_uint_eq(entries[0].gsi, gsi);
    ck_assert_uint_eq(entries[0].address_lo, 0xfee02000);
    ck_assert_uint_eq(entries[0].address_hi, 1);
    ck_assert_uint_eq(entries[0].data, 0x4042);
    ck_assert(changes(&table, gsi, unset));
    /* It cannot be delivered, so the kernel does not have it. */
    ck_assert(!changes(&table, gsi, msi(0xfee01000, 0x4043, false)));
    mshv_route_free(&table, gsi);
    ck_assert(!table.changed);
}
END_TEST

START_TEST(route_entry_is_what_the_kernel_takes)
{
    ck_assert_uint_eq(sizeof(MshvRouteEntry),
                      sizeof(struct mshv_user_irq_entry));
    ck_assert_uint_eq(offsetof(MshvRouteEntry, address_lo),
                      offsetof(struct mshv_user_irq_entry, address_lo));
    ck_assert_uint_eq(offsetof(MshvRouteEntry, address_hi),
                      offsetof(struct mshv_user_irq_entry, address_hi));
    ck_assert_uint_eq(offsetof(MshvRouteEntry, data),
                      offsetof(struct mshv_user_irq_entry, data));
}
END_TEST

START_TEST(status_has_its_name)
{
#define IS(name) \
    ck_assert_pstr_eq(mshv_hv_status_name(HV_STATUS_##name), #name)
    IS(SUCCESS);
    IS(INVALID_PARAMETER);
    IS(PROPERTY_VALUE_OUT_OF_RANGE);
    IS(INSUFFICIENT_MEMORY);
    IS(INVALID_VP_STATE);
    IS(PROCESSOR_FEATURE_NOT_SUPPORTED);
    IS(INVALID_REGISTER_VALUE);
    IS(OPERATION_FAILED);
    IS(CALL_PENDING);
    IS(VTL_ALREADY_ENABLED);
    ck_assert_ptr_null(mshv_hv_status_name(0xffff));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("accel-tables");
    TCase *test = tcase_create("tables");

    tcase_add_test(test, region_is_cut_to_whole_pages);
    tcase_add_test(test, regions_are_found_by_any_address);
    tcase_add_test(test, region_that_overlaps_is_refused);
    tcase_add_test(test, gsi_0_is_never_used_and_all_others_are);
    tcase_add_test(test, only_what_the_kernel_sees_is_a_change);
    tcase_add_test(test, route_entry_is_what_the_kernel_takes);
    tcase_add_test(test, status_has_its_name);
    suite_add_tcase(suite, test);
    return run_suite(suite);
}
