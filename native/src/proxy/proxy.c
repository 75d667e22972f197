/* Proxies: set up, started, drained, stopped, and read from outside. See coreio/proxy.h. */
#include "proxy.h"

#include "base/options.h"
#include "cpu/cpu.h"
#include "socket.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)
#define WORKERS_MAX 1024

#define FLAGS (COREIO_PROXY_PIN | COREIO_PROXY_KEEP_PLACE | COREIO_PROXY_NO_RESET | COREIO_PROXY_JOURNAL)
#define LISTEN_FLAGS                                                                                                   \
    (COREIO_PROXY_LISTEN_TRANSPARENT | COREIO_PROXY_LISTEN_REDIRECTED | COREIO_PROXY_LISTEN_HEADER |                   \
        COREIO_PROXY_LISTEN_NAMES | COREIO_PROXY_LISTEN_V6ONLY | COREIO_PROXY_LISTEN_SPOOF)
#define UPSTREAM_FLAGS (COREIO_PROXY_SEND_V1 | COREIO_PROXY_SEND_V2 | COREIO_PROXY_SPOOF | COREIO_PROXY_BACKUP)

static int32_t or_default(int32_t value, int32_t fallback)
{
    return value == 0 ? fallback : value;
}

/* A time of the options: 0 is the default, below 0 is never, which is 0 from here on. */
static int64_t time_or(int64_t value, int64_t fallback)
{
    if (value < 0)
        return 0;
    return value == 0 ? fallback : value;
}

static void fill_defaults(struct coreio_proxy_options *options)
{
    options->connect_tries = or_default(options->connect_tries, 3);
    options->backlog = or_default(options->backlog, 4096);
    options->pipe_bytes = or_default(options->pipe_bytes, 1024 * 1024);
    options->pipes = or_default(options->pipes, 64);
    options->journal_capacity = or_default(options->journal_capacity, 4096);
    options->fall = or_default(options->fall, 3);
    options->rise = or_default(options->rise, 2);
    options->connect_timeout_ns = time_or(options->connect_timeout_ns, 5 * SECOND_NS);
    options->idle_timeout_ns = time_or(options->idle_timeout_ns, 0);
    options->half_close_timeout_ns = time_or(options->half_close_timeout_ns, 30 * SECOND_NS);
    options->lifetime_ns = time_or(options->lifetime_ns, 0);
    options->header_timeout_ns = time_or(options->header_timeout_ns, 5 * SECOND_NS);
    options->check_interval_ns = time_or(options->check_interval_ns, 0);
    options->retry_ns = options->retry_ns < 0 ? INT64_MAX : time_or(options->retry_ns, 10 * SECOND_NS);
}

static int32_t valid(const struct coreio_proxy_options *options)
{
    const int32_t numbers[] = {options->workers, options->cpu_count, options->connect_tries, options->max_connections,
        options->max_per_source, options->rate, options->backlog, options->pipe_bytes, options->pipes,
        options->journal_capacity, options->fall, options->rise};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i] < 0)
            return 0;
    }
    return (options->flags & ~FLAGS) == 0 && options->workers <= WORKERS_MAX && options->accept >= 0 &&
           options->accept <= COREIO_PROXY_SHARED && options->balance >= 0 && options->balance <= COREIO_PROXY_SOURCE &&
           options->splice >= 0 && options->splice <= COREIO_PROXY_SPLICE_ALWAYS && options->connect_tries <= 64 &&
           options->journal_capacity <= 1 << 24 && options->bandwidth >= 0 && options->reserved == 0 &&
           options->congestion[sizeof options->congestion - 1] == 0 &&
           (options->cpu_count == 0 || options->cpus != NULL);
}

/* Which CPU each worker is pinned to, in proxy->cpus; and how many workers there are. Returns 0 or a status. */
static int32_t choose_cpus(struct coreio_proxy *proxy)
{
    struct coreio_proxy_options *options = &proxy->options;
    int32_t *allowed = malloc(COREIO_CPU_LIMIT * sizeof *allowed);
    if (allowed == NULL)
        return -ENOMEM;
    int32_t count = coreio__cpu_allowed(allowed, COREIO_CPU_LIMIT);
    if (count < 0)
        goto done;
    if (options->workers == 0)
        options->workers = options->cpu_count > 0 ? options->cpu_count : count;
    if (options->workers > WORKERS_MAX)
        options->workers = WORKERS_MAX;
    proxy->cpus = malloc((size_t)options->workers * sizeof *proxy->cpus);
    if (proxy->cpus == NULL) {
        count = -ENOMEM;
        goto done;
    }
    const int32_t *from = options->cpu_count > 0 ? options->cpus : allowed;
    const int32_t from_count = options->cpu_count > 0 ? options->cpu_count : count;
    for (int32_t i = 0; i < options->workers; i++) {
        proxy->cpus[i] = (options->flags & COREIO_PROXY_PIN) != 0 ? from[i % from_count] : -1;
        int32_t may = proxy->cpus[i] < 0;
        for (int32_t j = 0; j < count && !may; j++)
            may = allowed[j] == proxy->cpus[i];
        if (!may) {
            count = COREIO_ECPU;
            goto done;
        }
    }
    count = 0;
done:
    free(allowed);
    return count;
}

int32_t coreio_proxy_create(const struct coreio_proxy_options *options, struct coreio_proxy **out)
{
    *out = NULL;
    struct coreio_proxy_options own;
    int32_t status = coreio__options_read(&own, sizeof own, options);
    if (status < 0)
        return status;
    if (!valid(&own))
        return -EINVAL;
    struct coreio_proxy *proxy = calloc(1, sizeof *proxy);
    if (proxy == NULL)
        return -ENOMEM;
    fill_defaults(&own);
    proxy->options = own;
    coreio__sources_start(&proxy->sources);
    status = choose_cpus(proxy);
    /* The caller's array is not looked at again. */
    proxy->options.cpus = NULL;
    if (status < 0) {
        coreio_proxy_destroy(proxy);
        return status;
    }
    proxy->upstreams.balance = own.balance;
    proxy->upstreams.fall = own.fall;
    proxy->upstreams.rise = own.rise;
    proxy->upstreams.checked = own.check_interval_ns > 0;
    proxy->upstreams.retry_ns = own.retry_ns;
    *out = proxy;
    return 0;
}

/* Opens the sockets of a listener, or adopts those that were passed. Returns 0 or -errno. */
static int32_t open_listener(
    struct coreio_proxy *proxy, const struct coreio_proxy_listener *asked, struct coreio__listener *listener)
{
    const int32_t is_unix = coreio__address_family(&asked->address) == AF_UNIX;
    const int32_t own_each = !is_unix && proxy->options.accept == COREIO_PROXY_REUSEPORT;
    const int32_t count = asked->fd_count > 0 ? asked->fd_count : own_each ? proxy->options.workers : 1;
    listener->fds = calloc((size_t)count, sizeof *listener->fds);
    listener->users = calloc((size_t)count, sizeof *listener->users);
    if (listener->fds == NULL || listener->users == NULL)
        return -ENOMEM;
    listener->address = asked->address;
    const struct coreio__socket_plan plan = {
        .backlog = proxy->options.backlog,
        .reuse_port = own_each,
        .transparent = (asked->flags & COREIO_PROXY_LISTEN_TRANSPARENT) != 0,
        .v6_only = (asked->flags & COREIO_PROXY_LISTEN_V6ONLY) != 0,
        .congestion = (const char *)proxy->options.congestion,
    };
    if (asked->fd_count > 0) {
        listener->adopted = 1;
        listener->unlink = is_unix;
        int32_t status = 0;
        for (; listener->fd_count < count && status == 0; listener->fd_count++) {
            const int32_t fd = asked->fds[listener->fd_count];
            status = coreio__socket_adopt(fd, coreio__address_family(&asked->address), &plan);
            atomic_init(&listener->fds[listener->fd_count], fd);
        }
        return status;
    }
    for (; listener->fd_count < count; listener->fd_count++) {
        int32_t fd;
        const int32_t status = coreio__socket_listen(&listener->address, &plan, &fd);
        if (status < 0)
            return status;
        atomic_init(&listener->fds[listener->fd_count], fd);
        listener->unlink = is_unix;
        /* The port the kernel gave the first is that of all. */
        socklen_t length = sizeof listener->address.bytes;
        if (listener->fd_count == 0 && !is_unix &&
            getsockname(fd, (struct sockaddr *)listener->address.bytes, &length) == 0)
            listener->address.length = length;
    }
    return 0;
}

/* Takes the path of a unix listener away; abstract names need none. */
static void unlink_path(const struct coreio__listener *listener)
{
    char path[sizeof(struct sockaddr_un) + 1] = {0};
    const size_t offset = offsetof(struct sockaddr_un, sun_path);
    memcpy(path, listener->address.bytes + offset, listener->address.length - offset);
    if (path[0] != '\0')
        (void)unlink(path);
}

/* Gives a listener back: closes the sockets that no worker has closed and takes the path away. Before the start,
 * sockets that were passed in, and their path, are left to the caller. */
static void end_listener(struct coreio__listener *listener, int32_t started)
{
    const int32_t own = started || !listener->adopted;
    for (int32_t i = 0; i < listener->fd_count && own; i++) {
        const int32_t fd = atomic_load(&listener->fds[i]);
        if (fd >= 0)
            (void)close(fd);
    }
    if (listener->unlink && own && !atomic_load(&listener->handed_over))
        unlink_path(listener);
    free(listener->fds);
    free(listener->users);
    *listener = (struct coreio__listener){.fds = NULL};
}

int32_t coreio_proxy_listen(struct coreio_proxy *proxy, const struct coreio_proxy_listener *theirs)
{
    struct coreio_proxy_listener asked;
    int32_t status = coreio__options_read(&asked, sizeof asked, theirs);
    if (status < 0)
        return status;
    if (atomic_load(&proxy->started))
        return -EBUSY;
    const uint32_t led = COREIO_PROXY_LISTEN_TRANSPARENT | COREIO_PROXY_LISTEN_REDIRECTED;
    if ((asked.flags & ~LISTEN_FLAGS) != 0 || (asked.flags & led) == led || !coreio__address_valid(&asked.address) ||
        asked.group < 0 || asked.fd_count < 0 || (asked.fd_count > 0 && asked.fds == NULL) ||
        ((asked.flags & led) != 0 && coreio__address_family(&asked.address) == AF_UNIX))
        return -EINVAL;
    struct coreio__listener *listeners =
        realloc(proxy->listeners, (size_t)(proxy->listener_count + 1) * sizeof *listeners);
    if (listeners == NULL)
        return -ENOMEM;
    proxy->listeners = listeners;
    struct coreio__listener *listener = &listeners[proxy->listener_count];
    *listener = (struct coreio__listener){.flags = asked.flags, .group = asked.group};
    status = open_listener(proxy, &asked, listener);
    if (status < 0) {
        end_listener(listener, 0);
        return status;
    }
    return proxy->listener_count++;
}

int32_t coreio_proxy_upstream(struct coreio_proxy *proxy, const struct coreio_proxy_upstream *theirs)
{
    struct coreio_proxy_upstream asked;
    const int32_t status = coreio__options_read(&asked, sizeof asked, theirs);
    if (status < 0)
        return status;
    if (atomic_load(&proxy->started))
        return -EBUSY;
    const uint32_t both = COREIO_PROXY_SEND_V1 | COREIO_PROXY_SEND_V2;
    if ((asked.flags & ~UPSTREAM_FLAGS) != 0 || (asked.flags & both) == both ||
        !coreio__address_valid(&asked.address) || asked.group < 0 || asked.weight < 0 || asked.weight > 256)
        return -EINVAL;
    return coreio__upstreams_add(&proxy->upstreams, &asked);
}

int32_t coreio_proxy_route(struct coreio_proxy *proxy, const uint8_t *host, int32_t length, int32_t group)
{
    if (atomic_load(&proxy->started))
        return -EBUSY;
    return group < 0 ? -EINVAL : coreio__routes_add(&proxy->routes, host, length, group);
}

/* Whether connections of every listener and route have somewhere to go. */
static int32_t complete(const struct coreio_proxy *proxy)
{
    const uint32_t led = COREIO_PROXY_LISTEN_TRANSPARENT | COREIO_PROXY_LISTEN_REDIRECTED;
    for (int32_t i = 0; i < proxy->listener_count; i++) {
        const struct coreio__listener *listener = &proxy->listeners[i];
        const int32_t named = (listener->flags & COREIO_PROXY_LISTEN_NAMES) != 0 && proxy->routes.count > 0;
        if ((listener->flags & led) == 0 && !named && !coreio__upstreams_has(&proxy->upstreams, listener->group))
            return 0;
    }
    for (int32_t i = 0; i < proxy->routes.count; i++) {
        if (!coreio__upstreams_has(&proxy->upstreams, proxy->routes.all[i].group))
            return 0;
    }
    return proxy->listener_count > 0;
}

/* Waits a little for a worker. */
static void moment(void)
{
    const struct timespec time = {.tv_nsec = 100000};
    (void)nanosleep(&time, NULL);
}

/* Starts the threads, which take no signal of the process, and waits until each has come up. */
static int32_t start_threads(struct coreio_proxy *proxy, int32_t *threads)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int32_t status = 0;
    for (*threads = 0; *threads < proxy->options.workers && status == 0; *threads += status == 0) {
        struct coreio__worker *worker = &proxy->workers[*threads];
        status = -pthread_create(&worker->thread, NULL, coreio__worker_run, worker);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    for (int32_t i = 0; i < *threads; i++) {
        int32_t started;
        while ((started = atomic_load(&proxy->workers[i].started)) == 0)
            moment();
        if (started < 0 && status == 0)
            status = started;
    }
    return status;
}

/* Ends the first `threads` workers. */
static void stop_threads(struct coreio_proxy *proxy, int32_t threads)
{
    for (int32_t i = 0; i < threads; i++)
        coreio__worker_order(&proxy->workers[i], ORDER_STOP);
    for (int32_t i = 0; i < threads; i++)
        (void)pthread_join(proxy->workers[i].thread, NULL);
}

int32_t coreio_proxy_start(struct coreio_proxy *proxy)
{
    if (atomic_load(&proxy->started))
        return -EBUSY;
    if (!complete(proxy))
        return -EINVAL;
    void *memory = NULL;
    const size_t bytes = (size_t)proxy->options.workers * sizeof *proxy->workers;
    if (posix_memalign(&memory, _Alignof(struct coreio__worker), bytes) != 0)
        return -ENOMEM;
    memset(memory, 0, bytes);
    proxy->workers = memory;
    int32_t status = 0;
    int32_t made = 0;
    for (; made < proxy->options.workers && status == 0; made++)
        status = coreio__worker_start(&proxy->workers[made], proxy, made, proxy->cpus[made]);
    if (status == 0) {
        int32_t threads;
        status = start_threads(proxy, &threads);
        if (status == 0) {
            atomic_store(&proxy->started, 1);
            return 0;
        }
        atomic_store(&proxy->keep, 1);
        stop_threads(proxy, threads);
        atomic_store(&proxy->keep, 0);
    }
    for (int32_t i = 0; i < proxy->listener_count; i++) {
        for (int32_t j = 0; j < proxy->listeners[i].fd_count; j++)
            atomic_store(&proxy->listeners[i].users[j], 0);
    }
    for (int32_t i = 0; i < made; i++) {
        coreio__worker_end(&proxy->workers[i]);
        coreio__journal_end(&proxy->workers[i].journal);
    }
    free(proxy->workers);
    proxy->workers = NULL;
    return status;
}

int32_t coreio_proxy_hand_over(struct coreio_proxy *proxy, int32_t listener)
{
    if (!atomic_load(&proxy->started) || listener < 0 || listener >= proxy->listener_count)
        return -EINVAL;
    if (atomic_load(&proxy->stopped))
        return COREIO_ECLOSED;
    atomic_store(&proxy->listeners[listener].handed_over, 1);
    return 0;
}

int32_t coreio_proxy_drain(struct coreio_proxy *proxy, int64_t timeout_ns)
{
    if (!atomic_load(&proxy->started))
        return -EINVAL;
    if (atomic_load(&proxy->stopped))
        return COREIO_ECLOSED;
    atomic_store(&proxy->drain_timeout, timeout_ns);
    for (int32_t i = 0; i < proxy->options.workers; i++)
        coreio__worker_order(&proxy->workers[i], ORDER_DRAIN);
    for (int32_t i = 0; i < proxy->options.workers; i++) {
        while (atomic_load(&proxy->workers[i].deaf) == 0)
            moment();
    }
    return 0;
}

int32_t coreio_proxy_stop(struct coreio_proxy *proxy)
{
    if (!atomic_load(&proxy->started) || atomic_load(&proxy->stopped))
        return 0;
    stop_threads(proxy, proxy->options.workers);
    for (int32_t i = 0; i < proxy->options.workers; i++)
        coreio__worker_end(&proxy->workers[i]);
    for (int32_t i = 0; i < proxy->listener_count; i++) {
        struct coreio__listener *listener = &proxy->listeners[i];
        if (listener->unlink && !atomic_load(&listener->handed_over))
            unlink_path(listener);
        listener->unlink = 0;
    }
    atomic_store(&proxy->stopped, 1);
    return 0;
}

void coreio_proxy_destroy(struct coreio_proxy *proxy)
{
    if (proxy == NULL)
        return;
    (void)coreio_proxy_stop(proxy);
    for (int32_t i = 0; i < proxy->listener_count; i++)
        end_listener(&proxy->listeners[i], atomic_load(&proxy->started));
    for (int32_t i = 0; proxy->workers != NULL && i < proxy->options.workers; i++) {
        coreio__journal_end(&proxy->workers[i].journal);
        (void)pthread_mutex_destroy(&proxy->workers[i].inbox.lock);
    }
    free(proxy->workers);
    free(proxy->listeners);
    free(proxy->cpus);
    coreio__routes_end(&proxy->routes);
    coreio__upstreams_end(&proxy->upstreams);
    coreio__sources_end(&proxy->sources);
    free(proxy);
}

int32_t coreio_proxy_descriptors(const struct coreio_proxy *proxy, int32_t listener, int32_t *fds, int32_t capacity)
{
    if (listener < 0 || listener >= proxy->listener_count)
        return -EINVAL;
    const struct coreio__listener *found = &proxy->listeners[listener];
    int32_t count = 0;
    for (int32_t i = 0; i < found->fd_count; i++) {
        const int32_t fd = atomic_load(&found->fds[i]);
        if (fd >= 0 && count++ < capacity)
            fds[count - 1] = fd;
    }
    return count;
}

int32_t coreio_proxy_bound(const struct coreio_proxy *proxy, int32_t listener, struct coreio_proxy_address *address)
{
    if (listener < 0 || listener >= proxy->listener_count)
        return -EINVAL;
    *address = proxy->listeners[listener].address;
    return 0;
}

static int64_t read_tally(const _Atomic int64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

int32_t coreio_proxy_counters(const struct coreio_proxy *proxy, struct coreio_proxy_counters *counters)
{
    *counters = (struct coreio_proxy_counters){0};
    for (int32_t i = 0; proxy->workers != NULL && i < proxy->options.workers; i++) {
        const struct coreio__tally *tally = &proxy->workers[i].tally;
        counters->live += read_tally(&proxy->workers[i].live);
        counters->accepted += read_tally(&tally->accepted);
        counters->connected += read_tally(&tally->connected);
        counters->ended += read_tally(&tally->ended);
        counters->bytes_to_upstream += read_tally(&tally->bytes[CLIENT]);
        counters->bytes_to_client += read_tally(&tally->bytes[UPSTREAM]);
        counters->bytes_spliced += read_tally(&tally->spliced);
        counters->connect_retries += read_tally(&tally->retries);
        counters->accept_failures += read_tally(&tally->accept_failures);
        counters->over_limit += read_tally(&tally->over_limit);
        counters->handed_over += read_tally(&tally->handed_over);
        counters->pipes += read_tally(&tally->pipes);
        counters->buffers += read_tally(&tally->buffers);
        counters->journal_lost += read_tally(&tally->journal_lost);
        counters->stale_events += read_tally(&tally->stale);
        for (size_t j = 0; j < sizeof counters->ends / sizeof counters->ends[0]; j++)
            counters->ends[j] += read_tally(&tally->ends[j]);
    }
    return 0;
}

/* CPU time of a thread that runs; 0 when it has ended. Asked by the kernel's number of the thread, which may be asked
 * for at any time, unlike one of pthreads: the clock of a thread is the complement of its number, and 6 for
 * CPUCLOCK_PERTHREAD_MASK and CPUCLOCK_SCHED (clock_getcpuclockid of the C library does the same for processes). */
static int64_t cpu_time_of(const struct coreio__worker *worker)
{
    const int32_t thread = atomic_load(&worker->thread_id);
    const clockid_t clock = (clockid_t)(~(uint32_t)thread << 3 | 6);
    struct timespec time;
    if (thread == 0 || clock_gettime(clock, &time) != 0)
        return 0;
    return (int64_t)time.tv_sec * SECOND_NS + time.tv_nsec;
}

int32_t coreio_proxy_workers(const struct coreio_proxy *proxy, struct coreio_proxy_worker *workers, int32_t capacity)
{
    if (proxy->workers == NULL)
        return 0;
    for (int32_t i = 0; i < proxy->options.workers && i < capacity; i++) {
        const struct coreio__worker *worker = &proxy->workers[i];
        workers[i] = (struct coreio_proxy_worker){
            .thread_id = atomic_load(&worker->thread_id),
            .cpu = worker->cpu,
            .live = read_tally(&worker->live),
            .accepted = read_tally(&worker->tally.accepted),
            .waits = read_tally(&worker->tally.waits),
            .cpu_time_ns = cpu_time_of(worker),
        };
    }
    return proxy->options.workers;
}

int32_t coreio_proxy_upstreams(
    const struct coreio_proxy *proxy, struct coreio_proxy_upstream_state *states, int32_t capacity)
{
    for (int32_t i = 0; i < proxy->upstreams.count && i < capacity; i++) {
        const struct coreio__upstream *upstream = &proxy->upstreams.all[i];
        states[i] = (struct coreio_proxy_upstream_state){
            .index = i,
            .group = upstream->group,
            .up = atomic_load(&upstream->up),
            .last_error = atomic_load(&upstream->last_error),
            .live = read_tally(&upstream->live),
            .connects = read_tally(&upstream->connects),
            .failures = read_tally(&upstream->failures),
            .checks = read_tally(&upstream->checks),
            .bytes_in = read_tally(&upstream->bytes_in),
            .bytes_out = read_tally(&upstream->bytes_out),
        };
    }
    return proxy->upstreams.count;
}

int32_t coreio_proxy_journal(struct coreio_proxy *proxy, struct coreio_proxy_record *records, int32_t capacity)
{
    int32_t count = 0;
    for (int32_t i = 0; proxy->workers != NULL && i < proxy->options.workers && count < capacity; i++) {
        if (proxy->workers[i].journal.capacity > 0)
            count += coreio__journal_read(&proxy->workers[i].journal, records + count, capacity - count);
    }
    return count;
}
