/* The life of a scan: threads, inputs, the merge; see scan.h. */
#include "scan.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/clock.h"
#include "base/options.h"
#include "cpu/cpu.h"

/* Waits for the next job of the scan and returns it. */
static int32_t next_job(struct coreio_log_scan *scan, int64_t *generation)
{
    pthread_mutex_lock(&scan->lock);
    while (scan->generation == *generation)
        pthread_cond_wait(&scan->changed, &scan->lock);
    *generation = scan->generation;
    const int32_t job = scan->job;
    pthread_mutex_unlock(&scan->lock);
    return job;
}

static void end_job(struct coreio_log_scan *scan)
{
    pthread_mutex_lock(&scan->lock);
    if (--scan->working == 0)
        pthread_cond_broadcast(&scan->changed);
    pthread_mutex_unlock(&scan->lock);
}

static void *run_hand(void *argument)
{
    struct coreio__hand *hand = argument;
    struct coreio_log_scan *scan = hand->scan;
    int64_t generation = 0;
    char name[16]; /* the kernel's limit */
    snprintf(name, sizeof name, "coreio-log-%u", (uint32_t)hand->number % 1000);
    pthread_setname_np(pthread_self(), name);
    for (;;) {
        const int32_t job = next_job(scan, &generation);
        if (job == COREIO__JOB_START)
            hand->status = coreio__cpu_pin_self(hand->cpu, &hand->place);
        else if (job == COREIO__JOB_FILE)
            coreio__hand_file(hand);
        else if (job == COREIO__JOB_STREAM)
            coreio__hand_stream(hand);
        else
            hand->cpu_time_us = coreio__clock_ns(CLOCK_THREAD_CPUTIME_ID) / 1000;
        end_job(scan);
        if (job == COREIO__JOB_END)
            return NULL;
    }
}

void coreio__scan_begin(struct coreio_log_scan *scan, int32_t job)
{
    pthread_mutex_lock(&scan->lock);
    scan->job = job;
    scan->working = scan->started;
    scan->generation++;
    pthread_cond_broadcast(&scan->changed);
    pthread_mutex_unlock(&scan->lock);
}

void coreio__scan_join(struct coreio_log_scan *scan)
{
    pthread_mutex_lock(&scan->lock);
    while (scan->working > 0)
        pthread_cond_wait(&scan->changed, &scan->lock);
    pthread_mutex_unlock(&scan->lock);
}

int32_t coreio__scan_status(const struct coreio_log_scan *scan)
{
    if (coreio__scan_is_stopped(scan))
        return COREIO_ECLOSED;
    if (scan->stream.is_open)
        return __atomic_load_n(&scan->file_status, __ATOMIC_RELAXED);
    for (int32_t i = 0; i < scan->hand_count; i++) {
        if (scan->hands[i]->status < 0)
            return scan->hands[i]->status;
    }
    return __atomic_load_n(&scan->sink.status, __ATOMIC_RELAXED);
}

/* Starts a thread for each hand; none of them gets the host's signals. */
static int32_t start_hands(struct coreio_log_scan *scan)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    int status = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (status != 0)
        return -status;
    for (int32_t i = 0; i < scan->hand_count && status == 0; i++) {
        status = pthread_create(&scan->hands[i]->thread, NULL, run_hand, scan->hands[i]);
        scan->started += status == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != 0)
        return -status;
    coreio__scan_begin(scan, COREIO__JOB_START);
    coreio__scan_join(scan);
    return coreio__scan_status(scan);
}

static void end_hands(struct coreio_log_scan *scan)
{
    if (scan->started == 0)
        return;
    coreio__scan_begin(scan, COREIO__JOB_END);
    for (int32_t i = 0; i < scan->started; i++)
        pthread_join(scan->hands[i]->thread, NULL);
    scan->started = 0;
}

/* Makes a hand; a worker's tables are beside nothing that another thread writes. */
static int32_t make_hand(struct coreio_log_scan *scan, int32_t number, int32_t cpu)
{
    struct coreio__hand *hand;
    if (posix_memalign((void **)&hand, 128, (sizeof *hand + 127) / 128 * 128) != 0)
        return -ENOMEM;
    memset(hand, 0, sizeof *hand);
    scan->hands[scan->hand_count++] = hand;
    coreio__ring_init(&hand->ring);
    hand->scan = scan;
    hand->number = number;
    hand->cpu = cpu;
    hand->turns = coreio__turns_make(scan->block_bytes);
    return coreio__worker_init(&hand->worker, scan->query, scan->kernel, &scan->sink);
}

static int32_t make_hands(struct coreio_log_scan *scan, const struct coreio_log_scan_options *options)
{
    int32_t *allowed = NULL;
    const int32_t *cpus = options->cpus;
    int32_t cpu_count = options->cpu_count;
    int32_t status = 0;
    if (cpu_count == 0) {
        allowed = malloc(COREIO_CPU_LIMIT * sizeof *allowed);
        if (allowed == NULL)
            return -ENOMEM;
        status = coreio__cpu_allowed(allowed, COREIO_CPU_LIMIT);
        cpus = allowed;
        cpu_count = status;
    }
    if (status >= 0) {
        const int32_t most = cpu_count < COREIO_LOG_MAX_WORKERS ? cpu_count : COREIO_LOG_MAX_WORKERS;
        const int32_t workers = options->workers > 0 ? options->workers : most;
        scan->hands = calloc((size_t)workers, sizeof(struct coreio__hand *));
        status = scan->hands == NULL ? -ENOMEM : 0;
        for (int32_t i = 0; i < workers && status == 0; i++)
            status = make_hand(scan, i, cpus[i % cpu_count]);
    }
    free(allowed);
    return status;
}

static int32_t options_valid(const struct coreio_log_scan_options *options)
{
    return options->workers >= 0 && options->workers <= COREIO_LOG_MAX_WORKERS && options->cpu_count >= 0 &&
           (options->cpus != NULL || options->cpu_count == 0) &&
           (options->block_bytes == 0 ||
               (options->block_bytes >= COREIO_LOG_MIN_BLOCK && options->block_bytes <= COREIO_LOG_MAX_BLOCK)) &&
           (options->flags & ~COREIO_LOG_SCAN_REJECTS) == 0 &&
           ((options->flags & COREIO_LOG_SCAN_REJECTS) == 0 || options->rejects_fd >= 0);
}

int32_t coreio_log_scan_create(
    struct coreio_log_query *query, const struct coreio_log_scan_options *options, struct coreio_log_scan **out)
{
    if (out != NULL)
        *out = NULL;
    if (out == NULL || query == NULL || query->table_count == 0)
        return -EINVAL;
    struct coreio_log_scan_options own;
    int32_t status = coreio__options_read(&own, sizeof own, options);
    if (status < 0)
        return status;
    if (!options_valid(&own))
        return -EINVAL;
    const struct coreio__kernel *kernel = coreio__kernel_get(own.kernel);
    if (kernel == NULL)
        return COREIO_ECPU;
    struct coreio_log_scan *scan = calloc(1, sizeof *scan);
    if (scan == NULL)
        return -ENOMEM;
    query->sealed = 1;
    scan->query = coreio__query_share(query);
    scan->kernel = kernel;
    scan->block_bytes = own.block_bytes == 0 ? COREIO_LOG_DEFAULT_BLOCK : own.block_bytes;
    scan->source = -1;
    pthread_mutex_init(&scan->lock, NULL);
    pthread_cond_init(&scan->changed, NULL);
    scan->stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    status = scan->stop_event < 0 ? -errno : 0;
    coreio__sink_init(&scan->sink, (own.flags & COREIO_LOG_SCAN_REJECTS) != 0 ? own.rejects_fd : -1, scan->stop_event);
    if (status == 0)
        status = make_hands(scan, &own);
    if (status == 0)
        status = start_hands(scan);
    if (status < 0) {
        coreio_log_scan_destroy(scan);
        return status;
    }
    *out = scan;
    return 0;
}

int32_t coreio_log_scan_number(struct coreio_log_scan *scan, int64_t number)
{
    if (scan == NULL || scan->stream.is_open || number <= scan->source)
        return -EINVAL;
    if (scan->finished)
        return COREIO_ECLOSED;
    scan->source = number - 1; /* each input is the one after */
    return 0;
}

/* Reads a regular file whose size is known. */
static int64_t read_file(struct coreio_log_scan *scan, int32_t file, int64_t size)
{
    scan->file = file;
    scan->size = size;
    scan->source++;
    coreio__sink_restart(&scan->sink);
    __atomic_store_n(&scan->next_block, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&scan->done, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&scan->total, size, __ATOMIC_RELAXED);
    __atomic_store_n(&scan->file_status, 0, __ATOMIC_RELAXED);
    coreio__scan_begin(scan, COREIO__JOB_FILE);
    coreio__scan_join(scan);
    const int32_t fatal = coreio__scan_status(scan);
    if (fatal < 0)
        return fatal;
    const int32_t status = __atomic_load_n(&scan->file_status, __ATOMIC_RELAXED);
    return status < 0 ? status : size;
}

int64_t coreio_log_scan_file(struct coreio_log_scan *scan, const uint8_t *path)
{
    struct stat about;
    if (scan == NULL || path == NULL || scan->stream.is_open)
        return -EINVAL;
    const int32_t status = scan->finished ? COREIO_ECLOSED : coreio__scan_status(scan);
    if (status < 0)
        return status;
    const int32_t file = coreio__open_read((const char *)path);
    if (file < 0)
        return file;
    int64_t result;
    if (fstat(file, &about) < 0)
        result = -errno;
    else if (S_ISDIR(about.st_mode))
        result = -EISDIR;
    else if (S_ISREG(about.st_mode) && about.st_size > 0)
        result = read_file(scan, file, about.st_size);
    else /* files of /proc have no size, either */
        result = coreio__scan_read(scan, file);
    close(file);
    return result;
}

int32_t coreio_log_scan_progress(const struct coreio_log_scan *scan, struct coreio_log_progress *progress)
{
    if (scan == NULL || progress == NULL)
        return -EINVAL;
    progress->bytes_done = __atomic_load_n(&scan->done, __ATOMIC_RELAXED);
    progress->bytes_total = __atomic_load_n(&scan->total, __ATOMIC_RELAXED);
    progress->rejects_status = __atomic_load_n(&scan->sink.write_status, __ATOMIC_RELAXED);
    progress->reserved = 0;
    return 0;
}

int32_t coreio_log_scan_stop(struct coreio_log_scan *scan)
{
    if (scan == NULL)
        return -EINVAL;
    __atomic_store_n(&scan->stopped, 1, __ATOMIC_RELEASE);
    coreio__sink_fail(&scan->sink, COREIO_ECLOSED);
    const uint64_t one = 1;
    /* The counter of an eventfd cannot be full after a few stops; a failure would leave nothing to do. */
    const ssize_t ignored = write(scan->stop_event, &one, sizeof one);
    (void)ignored;
    return 0;
}

/* Adds what a hand of a part did to the hand of the same CPU, or else to the first. */
static void credit(const struct coreio_log_scan *scan, const struct coreio__hand *done)
{
    struct coreio__hand *to = scan->hands[0];
    for (int32_t i = scan->hand_count - 1; i >= 0; i--) {
        if (scan->hands[i]->cpu == done->cpu)
            to = scan->hands[i];
    }
    to->merged_lines += done->worker.tally.lines + done->merged_lines;
    to->merged_bytes += done->worker.tally.bytes + done->merged_bytes;
    to->merged_time_us += done->cpu_time_us + done->merged_time_us;
}

int32_t coreio_log_scan_merge(struct coreio_log_scan *scan, struct coreio_log_scan *part)
{
    if (scan == NULL || part == NULL || scan == part || scan->query != part->query || scan->stream.is_open ||
        part->stream.is_open)
        return -EINVAL;
    if (scan->finished || part->finished)
        return COREIO_ECLOSED;
    int32_t status = coreio__scan_status(scan);
    if (status == 0)
        status = coreio__scan_status(part);
    if (status < 0) {
        /* What the part has lost for want of memory cannot be added any more. */
        if (status == -ENOMEM)
            scan->finish_status = status;
        return status;
    }
    end_hands(part);
    part->finished = 1;
    part->finish_status = COREIO_ECLOSED;
    /* Not into the tally of the reader, which counts on its samples being its own. */
    coreio__tally_merge(&scan->merged, &part->tally);
    coreio__tally_merge(&scan->merged, &part->merged);
    memset(&part->tally, 0, sizeof part->tally);
    struct coreio__worker *first = &scan->hands[0]->worker;
    for (int32_t i = 0; i < part->hand_count; i++) {
        struct coreio__worker *worker = &part->hands[i]->worker;
        coreio__tally_merge(&scan->merged, &worker->tally);
        credit(scan, part->hands[i]);
        for (int32_t table = 0; table < scan->query->table_count && status == 0; table++)
            status = coreio__table_merge(&first->tables[table], &worker->tables[table]);
    }
    if (status < 0)
        scan->finish_status = status;
    return status;
}

/* -ENOMEM when a hand lacked memory: it has lost lines, so what all hold together is no answer. Else 0. */
static int32_t memory_status(const struct coreio_log_scan *scan)
{
    int32_t status = 0;
    for (int32_t i = 0; i < scan->hand_count && status == 0; i++)
        status = scan->hands[i]->status == -ENOMEM ? -ENOMEM : 0;
    return status;
}

/* Merges what the hands hold into the first hand's tables and the scan's tally. */
static int32_t merge_hands(struct coreio_log_scan *scan)
{
    int32_t status = 0;
    struct coreio__worker *first = &scan->hands[0]->worker;
    coreio__tally_merge(&scan->tally, &scan->merged);
    for (int32_t i = 0; i < scan->hand_count; i++)
        coreio__tally_merge(&scan->tally, &scan->hands[i]->worker.tally);
    for (int32_t table = 0; table < scan->query->table_count && status == 0; table++) {
        for (int32_t i = 1; i < scan->hand_count && status == 0; i++)
            status = coreio__table_merge(&first->tables[table], &scan->hands[i]->worker.tables[table]);
        if (status == 0)
            status = coreio__table_limit(&first->tables[table]);
    }
    return status;
}

int32_t coreio_log_scan_finish(struct coreio_log_scan *scan, struct coreio_log_totals *totals)
{
    if (scan == NULL || totals == NULL || scan->stream.is_open)
        return -EINVAL;
    if (!scan->finished) {
        end_hands(scan);
        const int32_t merged = merge_hands(scan);
        if (scan->finish_status == 0)
            scan->finish_status = merged < 0 ? merged : memory_status(scan);
        scan->finished = 1;
    }
    memset(totals, 0, sizeof *totals);
    totals->lines = scan->tally.lines;
    totals->parsed = scan->tally.parsed;
    totals->rejected = scan->tally.rejected;
    totals->filtered = scan->tally.filtered;
    totals->bytes = scan->tally.bytes;
    totals->workers = scan->hand_count;
    totals->kernel = scan->kernel->id;
    return scan->finish_status;
}

void coreio_log_scan_destroy(struct coreio_log_scan *scan)
{
    if (scan == NULL)
        return;
    coreio_log_scan_stop(scan);
    if (scan->stream.is_open)
        coreio_log_scan_feed_end(scan);
    end_hands(scan);
    for (int32_t i = 0; i < scan->hand_count; i++) {
        coreio__worker_clear(&scan->hands[i]->worker);
        coreio__ring_clear(&scan->hands[i]->ring);
        for (int32_t room = 0; room < COREIO__TURNS; room++)
            free(scan->hands[i]->rooms[room].memory);
        free(scan->hands[i]);
    }
    free(scan->hands);
    coreio__sink_clear(&scan->sink);
    pthread_cond_destroy(&scan->changed);
    pthread_mutex_destroy(&scan->lock);
    if (scan->stop_event >= 0)
        close(scan->stop_event);
    coreio_log_query_destroy(scan->query);
    free(scan);
}
