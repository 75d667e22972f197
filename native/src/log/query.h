/* A compiled question: the plan of what each line must give, the filter, and the tables. */
#ifndef COREIO_LOG_QUERY_H
#define COREIO_LOG_QUERY_H

#include "filter.h"
#include "table.h"

struct coreio__stat {
    int32_t kind;    /* coreio_log_stat_kind */
    int32_t measure; /* of the shape; -1 for count */
    int32_t scale;
    int32_t quantile_ppm;
};

struct coreio__table_plan {
    struct coreio__shape shape;
    int32_t stat_count;
    int32_t keys[COREIO_LOG_MAX_FIELDS]; /* texts of the plan */
    int32_t key_kinds[COREIO_LOG_MAX_FIELDS];
    struct coreio__stat stats[COREIO_LOG_MAX_FIELDS];
};

struct coreio_log_query {
    int32_t references; /* atomic */
    int32_t sealed;     /* a scan was made of it: no more tables */
    int32_t table_count;
    int32_t clock; /* slot that since and until look at, or -1 */
    int64_t since_us;
    int64_t until_us;
    struct coreio_log_format *format;
    struct coreio__plan plan;
    struct coreio__filter filter;
    int32_t filter_texts; /* texts of the plan that the filter looks at: the first ones */
    struct coreio__table_plan *tables[COREIO_LOG_MAX_TABLES];
};

struct coreio_log_query *coreio__query_share(struct coreio_log_query *query);

#endif
