/* The answer copied out: batches of every size, buffers that are too small, cells of every statistic. */
#include "check.h"

#include "logs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A finished scan of a few lines; each value is a key of its own. */
static struct coreio_log_scan *make_scan(const char *text, const char *by, const char *stats)
{
    struct coreio_log_query *query = logs_query("$x $status", NULL, by, stats);
    struct coreio_log_scan *scan = logs_scan(query, 2, 0, 0, -1);
    struct coreio_log_totals totals;
    CHECK_EQ(coreio_log_scan_feed(scan, (const uint8_t *)text, (int64_t)strlen(text)), 0);
    CHECK_EQ(coreio_log_scan_feed_end(scan), 0);
    struct coreio_log_table_summary summary;
    struct coreio_log_reject reject;
    CHECK_EQ(coreio_log_scan_table(scan, 0, &summary), -EINVAL);
    CHECK_EQ(coreio_log_scan_groups(scan, 0, 0, NULL, 0, NULL, 0, NULL, 0), -EINVAL);
    CHECK_EQ(coreio_log_scan_rejects(scan, &reject, 1, NULL, 0), -EINVAL);
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
    coreio_log_query_destroy(query);
    return scan;
}

TEST(cells_hold_every_statistic)
{
    struct coreio_log_scan *scan = make_scan("1 200\n-3 404\n- 200\n0.5 -\n1 x\n", NULL,
        "count,sum(x),avg(x),min(x),max(x),p50(x),distinct(x),sum(status),min(status)");
    struct coreio_log_group group;
    struct coreio_log_cell cells[9];
    CHECK_EQ(coreio_log_scan_groups(scan, 0, 0, &group, 1, cells, 9, NULL, 0), 1);
    CHECK_EQ(group.count, 4);
    CHECK_EQ(group.key_length, 0);
    CHECK_EQ(group.other, 0);
    static const int64_t values[] = {4, -1500000, -1500000, -3000000, 1000000, 500000, 3, 804, 200};
    static const int64_t counts[] = {4, 3, 3, 3, 3, 3, 4, 3, 3};
    for (int i = 0; i < 9; i++) {
        check_context("cell %d", i);
        if (i == 5)
            CHECK(llabs((int64_t)cells[i].low - values[i]) * 100 <= 500000);
        else
            CHECK_EQ(cells[i].low, values[i]);
        CHECK_EQ(cells[i].high, values[i] < 0 ? -1 : 0);
        CHECK_EQ(cells[i].count, counts[i]);
    }
    CHECK_EQ(coreio_log_scan_groups(scan, 0, 1, &group, 1, cells, 9, NULL, 0), 0);
    coreio_log_scan_destroy(scan);
}

TEST(no_line_is_one_row_of_zeros_without_a_key_and_none_with_one)
{
    struct coreio_log_scan *scan = make_scan("", NULL, "count,sum(x),min(x),p99(x),distinct(x)");
    struct coreio_log_group group;
    struct coreio_log_cell cells[5];
    CHECK_EQ(coreio_log_scan_groups(scan, 0, 0, &group, 1, cells, 5, NULL, 0), 1);
    for (int i = 0; i < 5; i++)
        CHECK(cells[i].low == 0 && cells[i].high == 0 && cells[i].count == 0);
    coreio_log_scan_destroy(scan);
    scan = make_scan("", "x", "count");
    struct coreio_log_table_summary summary;
    CHECK_EQ(coreio_log_scan_table(scan, 0, &summary), 0);
    CHECK_EQ(summary.groups, 0);
    CHECK_EQ(summary.key_bytes, 0);
    CHECK_EQ(coreio_log_scan_groups(scan, 0, 0, &group, 1, cells, 5, NULL, 0), 0);
    CHECK_EQ(coreio_log_scan_rejects(scan, NULL, 0, NULL, 0), 0);
    coreio_log_scan_destroy(scan);
}

TEST(batches_stop_where_a_buffer_ends)
{
    struct coreio_log_scan *scan = make_scan("a 1\nbb 2\nccc 3\n- 4\n", "x", "count,sum(status)");
    struct coreio_log_table_summary summary;
    CHECK_EQ(coreio_log_scan_table(scan, 0, &summary), 0);
    CHECK_EQ(summary.groups, 4);
    CHECK_EQ(summary.key_bytes, 22);
    CHECK_EQ(summary.keys, 1);
    CHECK_EQ(summary.stats, 2);
    for (int32_t capacity = 1; capacity <= 5; capacity++) {
        for (int32_t cell_capacity = 0; cell_capacity <= 9; cell_capacity++) {
            for (int32_t key_capacity = 0; key_capacity <= 23; key_capacity++) {
                struct coreio_log_group groups[5];
                struct coreio_log_cell cells[9];
                uint8_t keys[23];
                int64_t sum = 0;
                int64_t at = 0;
                int32_t got = 0;
                check_context("%d rows, %d cells, %d bytes", capacity, cell_capacity, key_capacity);
                for (; at <= 4; at += got) {
                    got =
                        coreio_log_scan_groups(scan, 0, at, groups, capacity, cells, cell_capacity, keys, key_capacity);
                    if (got <= 0)
                        break;
                    for (int32_t i = 0; i < got; i++) {
                        CHECK((int64_t)groups[i].key_offset + groups[i].key_length <= key_capacity);
                        CHECK((int32_t)groups[i].first_cell + 2 <= cell_capacity);
                        sum += (int64_t)cells[groups[i].first_cell + 1].low;
                    }
                }
                if (cell_capacity >= 2 && key_capacity >= 7) {
                    CHECK_EQ(got, 0);
                    CHECK_EQ(at, 4);
                    CHECK_EQ(sum, 10);
                } else {
                    CHECK_EQ(got, COREIO_ECAPACITY);
                }
            }
        }
    }
    coreio_log_scan_destroy(scan);
}

TEST(rejects_come_with_their_samples)
{
    struct coreio_log_scan *scan = make_scan("a 1\nbroken\na x\r\n\n", "x", "sum(status)");
    struct coreio_log_reject rejects[2];
    uint8_t samples[9];
    CHECK_EQ(coreio_log_scan_rejects(scan, rejects, 2, samples, 9), 2);
    CHECK_EQ(rejects[0].reason, COREIO_LOG_MISSING_TEXT);
    CHECK_EQ(rejects[0].count, 2);
    CHECK_EQ(rejects[0].sample_count, 2);
    CHECK_TEXT(samples + rejects[0].sample_offset[0], rejects[0].sample_length[0], "broken");
    CHECK_EQ(rejects[0].sample_length[1], 0);
    CHECK_EQ(rejects[1].reason, COREIO_LOG_NOT_A_NUMBER);
    CHECK_EQ(rejects[1].count, 1);
    CHECK_TEXT(samples + rejects[1].sample_offset[0], rejects[1].sample_length[0], "a x");
    CHECK_EQ(coreio_log_scan_rejects(scan, rejects, 2, samples, 8), COREIO_ECAPACITY);
    CHECK_EQ(coreio_log_scan_rejects(scan, rejects, 1, samples, 6), 2);
    CHECK_EQ(coreio_log_scan_rejects(scan, NULL, 0, NULL, 0), 2);
    CHECK_EQ(coreio_log_scan_rejects(NULL, rejects, 2, samples, 9), -EINVAL);
    CHECK_EQ(coreio_log_scan_rejects(scan, NULL, 2, samples, 9), -EINVAL);
    CHECK_EQ(coreio_log_scan_rejects(scan, rejects, -1, samples, 9), -EINVAL);
    CHECK_EQ(coreio_log_scan_rejects(scan, rejects, 2, NULL, 9), -EINVAL);
    CHECK_EQ(coreio_log_scan_rejects(scan, rejects, 2, samples, -1), -EINVAL);
    coreio_log_scan_destroy(scan);
}

TEST(arguments_are_checked)
{
    struct coreio_log_scan *scan = make_scan("a 1\n", "x", "count");
    struct coreio_log_table_summary summary;
    struct coreio_log_group group;
    struct coreio_log_cell cell;
    uint8_t key[8];
    CHECK_EQ(coreio_log_scan_table(NULL, 0, &summary), -EINVAL);
    CHECK_EQ(coreio_log_scan_table(scan, 1, &summary), -EINVAL);
    CHECK_EQ(coreio_log_scan_table(scan, -1, &summary), -EINVAL);
    CHECK_EQ(coreio_log_scan_table(scan, 0, NULL), -EINVAL);
    CHECK_EQ(coreio_log_scan_groups(NULL, 0, 0, &group, 1, &cell, 1, key, 8), -EINVAL);
    CHECK_EQ(coreio_log_scan_groups(scan, 1, 0, &group, 1, &cell, 1, key, 8), -EINVAL);
    CHECK_EQ(coreio_log_scan_groups(scan, 0, -1, &group, 1, &cell, 1, key, 8), -EINVAL);
    CHECK_EQ(coreio_log_scan_groups(scan, 0, 0, NULL, 1, &cell, 1, key, 8), -EINVAL);
    CHECK_EQ(coreio_log_scan_groups(scan, 0, 0, &group, -1, &cell, 1, key, 8), -EINVAL);
    CHECK_EQ(coreio_log_scan_groups(scan, 0, 0, &group, 1, NULL, 1, key, 8), -EINVAL);
    CHECK_EQ(coreio_log_scan_groups(scan, 0, 0, &group, 1, &cell, -1, key, 8), -EINVAL);
    CHECK_EQ(coreio_log_scan_groups(scan, 0, 0, &group, 1, &cell, 1, NULL, 8), -EINVAL);
    CHECK_EQ(coreio_log_scan_groups(scan, 0, 0, &group, 1, &cell, 1, key, -1), -EINVAL);
    CHECK_EQ(coreio_log_scan_groups(scan, 0, INT64_MAX - 1, &group, 1, &cell, 1, key, 8), 0);
    coreio_log_scan_destroy(scan);
}
