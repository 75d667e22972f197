/* Columns of whole batches against those of their lines one by one, with lines between that do not fit or do not pass.
 */
#include "check.h"

#include "allocations.h"
#include "log/columns.h"
#include "logs.h"

#include <errno.h>
#include <string.h>

#define BY "remote_addr,client,status,status_class,path,minute,time,method,uri,protocol,request"
#define STATS "count,sum(bytes),distinct(http_user_agent)"

/* Some lines, and where the picked fields of each are. */
struct lines {
    struct logs_text text;
    struct coreio_log_field rows[COREIO__BATCH * COREIO__MAX_PICKS];
    int8_t outcomes[COREIO__BATCH];
    uint32_t count;
};

static struct lines lines;

static void cut(const struct coreio_log_query *query, const struct coreio__picks *picks)
{
    struct coreio_log_field fields[COREIO_LOG_MAX_FIELDS];
    struct coreio__lexer lexer = {.format = query->format, .kernel = coreio__kernel_get(COREIO_LOG_KERNEL_AUTO)};
    REQUIRE(coreio__lexer_begin(&lexer, lines.text.bytes, lines.text.length, lines.text.length) == 0);
    struct coreio__line line;
    for (lines.count = 0; coreio__lexer_next(&lexer, fields, COREIO_LOG_MAX_FIELDS, &line); lines.count++) {
        REQUIRE(lines.count < COREIO__BATCH);
        for (int32_t i = 0; i < picks->count; i++)
            lines.rows[lines.count * (uint32_t)picks->count + (uint32_t)i] =
                picks->fields[i] < line.fields ? fields[picks->fields[i]]
                                               : (struct coreio_log_field){0, COREIO__MISSING};
        lines.outcomes[lines.count] = (int8_t)line.reason;
    }
    coreio__lexer_clear(&lexer);
}

/* Makes so many lines, some of them more than once in a row: neighbours of one instant share the text of their minute.
 */
static void make_lines(struct logs_random *random, uint32_t count, int damage)
{
    struct logs_text line = {0};
    lines.text.length = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || logs_below(random, 3) == 0) {
            line.length = 0;
            logs_combined(&line, random, damage);
            logs_append(&line, "\n", 1);
        }
        logs_append(&lines.text, line.bytes, line.length);
    }
    logs_free(&line);
}

/* Makes the columns of lines from .. from + count - 1. */
static struct coreio__batch make(struct coreio__columns *columns, uint32_t from, uint32_t count)
{
    const size_t width = (size_t)columns->picks->count;
    memcpy(columns->rows, lines.rows + from * width, count * width * sizeof *columns->rows);
    memcpy(columns->outcomes, lines.outcomes + from, count);
    return coreio__columns_make(columns, count, lines.text.bytes, (uint32_t)lines.text.length);
}

/* Line `one` of a batch is line `other` of the other. */
static void check_line(const struct coreio__plan *plan, const struct coreio__batch *batch, uint32_t one,
    const struct coreio__batch *others, uint32_t other)
{
    for (int32_t slot = 0; slot < plan->slot_count; slot++) {
        const struct coreio__number *number = &batch->numbers[(size_t)slot * batch->stride + one];
        const struct coreio__number *wanted = &others->numbers[(size_t)slot * others->stride + other];
        CHECK_EQ(number->is_null, wanted->is_null);
        CHECK(number->is_null || number->value == wanted->value);
    }
    for (int32_t text = 0; text < plan->text_count; text++) {
        const struct coreio__text found = batch->texts[(size_t)text * batch->stride + one];
        const struct coreio__text wanted = others->texts[(size_t)text * others->stride + other];
        CHECK_EQ(found.text == NULL, wanted.text == NULL);
        CHECK_BYTES(found.text, found.length, wanted.text, wanted.length);
    }
}

static void check_batches(const char *where)
{
    struct logs_random random = {41};
    struct coreio_log_query *query = logs_query("combined", where, BY, STATS);
    static struct coreio__columns whole;
    static struct coreio__columns single;
    REQUIRE(query != NULL);
    REQUIRE(coreio__columns_init(&whole, query) == 0 && coreio__columns_init(&single, query) == 0);
    uint32_t left_out = 0;
    uint32_t kept = 0;
    for (int round = 0; round < 40; round++) {
        make_lines(&random, 1 + logs_below(&random, COREIO__BATCH), round % 2);
        cut(query, whole.picks);
        check_context("%s, round %d", where == NULL ? "no filter" : where, round);
        const struct coreio__batch batch = make(&whole, 0, lines.count);
        uint32_t at = 0;
        for (uint32_t i = 0; i < lines.count; i++) {
            const struct coreio__batch one = make(&single, i, 1);
            CHECK_EQ(whole.outcomes[i], single.outcomes[0]);
            CHECK_EQ(one.count, single.outcomes[0] == COREIO_LOG_PARSED);
            if (one.count == 0)
                continue;
            REQUIRE(at < batch.count);
            CHECK_EQ(whole.lines[at], i);
            check_line(&query->plan, &batch, at++, &one, 0);
        }
        CHECK_EQ(batch.count, at);
        kept += at;
        left_out += lines.count - at;
    }
    CHECK(kept > 0 && left_out > 0);
    coreio__columns_clear(&whole);
    coreio__columns_clear(&single);
    coreio_log_query_destroy(query);
    logs_free(&lines.text);
}

TEST(a_batch_has_the_columns_of_its_lines)
{
    check_batches(NULL);
    check_batches("status >= 400");
    check_batches("method == \"GET\" and bytes > 1000 and not path =~ \"a\"");
    check_batches("status == 200 or protocol != \"HTTP/1.1\"");
}

/* A key that has to be a number rejects the same lines whether somebody reads the number or not. */
TEST(what_is_only_checked_rejects_what_a_number_rejects)
{
    static const struct {
        const char *text;
        int32_t fits;
    } rows[] = {{"200", 1}, {"7", 1}, {"12345678", 1}, {"123456789", 1}, {"9223372036854775807", 1}, {"-", 1},
        {"9223372036854775808", 0}, {"2x0", 0}, {"-1", 1}, {"+1", 0}, {"20/", 0}, {":00", 0}, {"x00", 0}, {"1.5", 0},
        {"\xb2\xb0\xb0", 0}, {"2000000x", 0}, {"x2000000", 0}, {"20", 1}};
    enum { ROWS = sizeof rows / sizeof rows[0] };
    lines.text.length = 0;
    for (int i = 0; i < ROWS; i++)
        logs_print(&lines.text, "x %s\n", rows[i].text);
    struct coreio_log_query *queries[] = {logs_query("$x $status", NULL, "status", "count"),
        logs_query("$x $status", NULL, "status", "count,sum(status)")};
    for (int32_t read = 0; read < 2; read++) {
        static struct coreio__columns columns;
        REQUIRE(queries[read] != NULL);
        CHECK_EQ(queries[read]->plan.slots[0].is_read, read);
        REQUIRE(coreio__columns_init(&columns, queries[read]) == 0);
        cut(queries[read], columns.picks);
        REQUIRE(lines.count == ROWS);
        const struct coreio__batch batch = make(&columns, 0, lines.count);
        uint32_t at = 0;
        for (int i = 0; i < ROWS; i++) {
            check_context("'%s', %s", rows[i].text, read ? "read" : "checked");
            CHECK_EQ(columns.outcomes[i], rows[i].fits ? COREIO_LOG_PARSED : COREIO_LOG_NOT_A_NUMBER);
            if (!rows[i].fits)
                continue;
            const struct coreio__text key = batch.texts[at++];
            const char *wanted = strcmp(rows[i].text, "-") == 0 ? "" : rows[i].text;
            CHECK_BYTES(key.text, key.length, wanted, strlen(wanted));
        }
        CHECK_EQ(batch.count, at);
        coreio__columns_clear(&columns);
        coreio_log_query_destroy(queries[read]);
    }
    logs_free(&lines.text);
}

/* Of several fields that are not of their kind the first of the line decides. */
TEST(what_is_only_checked_does_not_change_an_earlier_reason)
{
    static struct coreio__columns columns;
    struct coreio_log_query *query = logs_query("$time_local $status", NULL, "status", "count,max(time_local)");
    REQUIRE(query != NULL && coreio__columns_init(&columns, query) == 0);
    lines.text.length = 0;
    logs_print(&lines.text, "22/Jan/2019:03:56:14+0330 x\n22/Jan/2019:03:56:14+0330 200\n");
    cut(query, columns.picks);
    REQUIRE(lines.count == 2);
    (void)make(&columns, 0, lines.count);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(columns.outcomes[i], COREIO_LOG_NOT_A_TIME);
    coreio__columns_clear(&columns);
    coreio_log_query_destroy(query);
    logs_free(&lines.text);
}

TEST(columns_without_memory_say_so)
{
    struct coreio_log_query *query = logs_query("combined", NULL, BY, STATS);
    REQUIRE(query != NULL);
    static struct coreio__columns columns;
    int refusals = 0;
    for (int64_t passed = 0;; passed++) {
        allocations_refuse_after(passed);
        const int32_t status = coreio__columns_init(&columns, query);
        const int refused = allocations_refused();
        allocations_refuse_after(-1);
        CHECK_EQ(status, refused ? -ENOMEM : 0);
        CHECK(!refused || columns.picks == NULL);
        coreio__columns_clear(&columns);
        refusals += refused;
        if (!refused)
            break;
    }
    CHECK_EQ(refusals, 8);
    coreio_log_query_destroy(query);
}
