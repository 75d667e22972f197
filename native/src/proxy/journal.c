/* The ring of finished connections; see journal.h. */
#include "journal.h"

#include <errno.h>
#include <stdlib.h>

int32_t coreio__journal_start(struct coreio__journal *journal, int32_t capacity)
{
    journal->capacity = 1;
    while (journal->capacity < capacity)
        journal->capacity *= 2;
    atomic_init(&journal->written, 0);
    atomic_init(&journal->read, 0);
    journal->records = malloc((size_t)journal->capacity * sizeof *journal->records);
    return journal->records == NULL ? -ENOMEM : 0;
}

void coreio__journal_end(struct coreio__journal *journal)
{
    free(journal->records);
    journal->records = NULL;
    journal->capacity = 0;
}

int32_t coreio__journal_write(struct coreio__journal *journal, const struct coreio_proxy_record *record)
{
    const int64_t written = atomic_load_explicit(&journal->written, memory_order_relaxed);
    if (written - atomic_load_explicit(&journal->read, memory_order_acquire) == journal->capacity)
        return 0;
    journal->records[written & (journal->capacity - 1)] = *record;
    atomic_store_explicit(&journal->written, written + 1, memory_order_release);
    return 1;
}

int32_t coreio__journal_read(struct coreio__journal *journal, struct coreio_proxy_record *records, int32_t capacity)
{
    int64_t read = atomic_load_explicit(&journal->read, memory_order_relaxed);
    const int64_t written = atomic_load_explicit(&journal->written, memory_order_acquire);
    int32_t count = 0;
    while (count < capacity && read < written)
        records[count++] = journal->records[read++ & (journal->capacity - 1)];
    atomic_store_explicit(&journal->read, read, memory_order_release);
    return count;
}
