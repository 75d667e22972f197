/* Finished connections of one worker until they are read: a ring, one writer and one reader, no lock. */
#ifndef COREIO_SRC_PROXY_JOURNAL_H
#define COREIO_SRC_PROXY_JOURNAL_H

#include <coreio/proxy.h>
#include <stdatomic.h>

struct coreio__journal {
    struct coreio_proxy_record *records;
    int64_t capacity; /* a power of two, or 0 for a journal that keeps nothing */
    _Alignas(64) _Atomic int64_t written;
    _Alignas(64) _Atomic int64_t read;
};

/* Makes room for `capacity` records, rounded up; returns 0 or -ENOMEM. */
int32_t coreio__journal_start(struct coreio__journal *journal, int32_t capacity);
void coreio__journal_end(struct coreio__journal *journal);

/* Keeps a record; returns 0 when there is no room for it. The writer's thread. */
int32_t coreio__journal_write(struct coreio__journal *journal, const struct coreio_proxy_record *record);

/* Takes at most `capacity` records out; returns how many. The reader's thread. */
int32_t coreio__journal_read(struct coreio__journal *journal, struct coreio_proxy_record *records, int32_t capacity);

#endif
