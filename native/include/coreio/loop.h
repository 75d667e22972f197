/* The event loop: descriptors, timers and wake-ups of one thread, in batches, on epoll(7).
 *
 * Interest and events are the bits of sys/epoll.h, unchanged: EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP, EPOLLET,
 * EPOLLONESHOT, EPOLLEXCLUSIVE. What is added: an event bears an identifier that is not given again (before 2^30 uses
 * of its place), so an event of a descriptor that was closed, and whose number lives on in another, reaches nobody;
 * changes of interest are kept until the next wait, and those that come to nothing make no system call; timers cost no
 * system call; any thread can end a wait; and what an owner left undone comes again without the kernel being asked
 * (coreio_loop_again).
 *
 * A loop has one owner: the thread that waits on it also adds, changes and removes. Only coreio_loop_wake is for
 * others. Nothing is called back, and nothing allocates for an event; adding allocates now and then, in pages that are
 * used again. The loop never closes, reads or writes a descriptor that it was given.
 */
#ifndef COREIO_LOOP_H
#define COREIO_LOOP_H

#include <coreio/base.h>

struct coreio_loop;

/* Flags of a loop. */
#define COREIO_LOOP_INTERRUPTIBLE (1u << 0) /* a signal ends a wait with -EINTR */

/* Flags of coreio_loop_remove. */
#define COREIO_LOOP_CLOSING (1u << 0) /* the caller closes the descriptor next, and it has no duplicate */

/* What an event tells of. */
enum coreio_loop_kind {
    COREIO_LOOP_DESCRIPTOR = 1, /* `events` are ready */
    COREIO_LOOP_TIMER = 2,      /* it fired */
    COREIO_LOOP_WOKEN = 3,      /* coreio_loop_wake was called, once or more */
    COREIO_LOOP_LOST = 4        /* a change of interest was refused with `status`: the descriptor was closed */
};

struct coreio_loop_options {
    uint32_t size; /* of this structure */
    uint32_t flags;
};

/* One event of a batch. */
struct coreio_loop_event {
    int64_t id;      /* of the descriptor or the timer; 0 for COREIO_LOOP_WOKEN */
    uint64_t data;   /* what was given with it */
    uint32_t events; /* EPOLL bits; EPOLLERR and EPOLLHUP come unasked. 0 for other kinds */
    int32_t kind;
    int32_t status; /* of COREIO_LOOP_LOST, else 0 */
    int32_t reserved;
};

/* What a loop has done since it was created, and holds now. */
struct coreio_loop_counters {
    int64_t waits;         /* calls of coreio_loop_wait */
    int64_t polls;         /* system calls made to wait */
    int64_t events;        /* given out, of all kinds */
    int64_t wakes;         /* given out as COREIO_LOOP_WOKEN */
    int64_t stale;         /* events of the kernel for what was removed meanwhile, and dropped */
    int64_t changes;       /* asked for: added, modified, removed */
    int64_t kernel_calls;  /* epoll_ctl(2) made for them */
    int64_t timers_fired;  /* given out */
    int64_t again;         /* given out once more because the owner asked */
    int64_t descriptors;   /* held now */
    int64_t timers;        /* running now */
    int64_t timers_behind; /* ns that the last timer given out was late */
};

/* Makes a loop. `options` may be NULL.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL, -EMFILE, -ENFILE, -ENOMEM, -ENOSPC (fs.epoll.max_user_watches), COREIO_EABI
 * Owns:    the caller, who destroys it
 * Since:   1
 */
COREIO_API int32_t coreio_loop_create(const struct coreio_loop_options *options, struct coreio_loop **loop);

/* Gives back what the loop holds; the descriptors that were added stay open. NULL does nothing.
 *
 * Threads: any, when no other call is running
 * Blocks:  no
 * Errors:  none
 * Since:   1
 */
COREIO_API void coreio_loop_destroy(struct coreio_loop *loop);

/* Watches a descriptor for `interest` and writes its identifier, which is above 0.
 *
 * `fd` is anything that epoll takes: a socket, a pipe, an eventfd, timerfd, signalfd, inotify or pidfd, the master of a
 * pseudo-terminal, a POSIX message queue, the descriptor of another loop. A regular file or a directory is always
 * ready, so the kernel does not watch it: -EPERM; read it directly. A descriptor that was closed without
 * coreio_loop_remove may be added again under its number: the earlier identifier then gets no more events.
 *
 * With EPOLLEXCLUSIVE, which is for a descriptor that several loops watch, the kernel allows EPOLLIN, EPOLLOUT and
 * EPOLLET beside it, and no change later.
 *
 * Threads: loop
 * Blocks:  no
 * Errors:  -EBADF, -EEXIST (watched already), -EPERM, -ELOOP (loops that watch each other, or five deep), -ENOSPC
 *          (fs.epoll.max_user_watches), -EINVAL, -ENOMEM
 * Since:   1
 */
COREIO_API int32_t coreio_loop_add(struct coreio_loop *loop, int32_t fd, uint32_t interest, uint64_t data, int64_t *id);

/* Changes what a descriptor is watched for; 0 watches for nothing but errors.
 *
 * The kernel hears of it at the next wait, and only when something differs then: interest that is taken away and given
 * back costs nothing. After an event of EPOLLONESHOT this call watches for the next one. With EPOLLET a call that
 * changes nothing is no new edge. A refusal comes as COREIO_LOOP_LOST.
 *
 * Threads: loop
 * Blocks:  no
 * Errors:  -ENOENT (no such identifier, or no more), -EINVAL (EPOLLEXCLUSIVE, before or now)
 * Since:   1
 */
COREIO_API int32_t coreio_loop_modify(struct coreio_loop *loop, int64_t id, uint32_t interest);

/* Ends the watch of a descriptor. Call it before the descriptor is closed; `flags` is 0 or COREIO_LOOP_CLOSING, which
 * leaves the work to close(2). With a duplicate alive the kernel then goes on telling of it, level-triggered, and waits
 * are busy with events that reach nobody (`stale`): epoll(7) offers no way to end that.
 *
 * Events with this identifier may still follow in the batch at hand: coreio_loop_holds tells.
 *
 * Threads: loop
 * Blocks:  no
 * Errors:  -ENOENT, -EINVAL
 * Since:   1
 */
COREIO_API int32_t coreio_loop_remove(struct coreio_loop *loop, int64_t id, uint32_t flags);

/* Whether an identifier, of a descriptor or of a timer that runs, is held: 1 or 0. A timer that was given out and does
 * not repeat is not.
 *
 * Threads: loop
 * Blocks:  no
 * Errors:  none
 * Since:   1
 */
COREIO_API int32_t coreio_loop_holds(const struct coreio_loop *loop, int64_t id);

/* Lets `events` of a descriptor come again with the next wait, which then does not block.
 *
 * For an owner who stops before the descriptor has run dry, so that others get their turn: with EPOLLET the kernel does
 * not tell again. Those who ask are served in turn, beside what the kernel has.
 *
 * Threads: loop
 * Blocks:  no
 * Errors:  -ENOENT, -EINVAL (no events)
 * Since:   1
 */
COREIO_API int32_t coreio_loop_again(struct coreio_loop *loop, int64_t id, uint32_t events);

/* Starts a timer that fires `delay_ns` from the loop's time, and then every `period_ns` unless that is 0; writes its
 * identifier, which is above 0.
 *
 * A timer never fires early; it fires up to 1.1 ms after its time, or later while the loop is busy. One without delay
 * fires with the next wait. A periodic timer
 * that falls behind fires once for what it missed. Starting, moving and ending take the same time however many there
 * are, without a system call: Varghese and Lauck, Hashed and Hierarchical Timing Wheels (1987).
 *
 * Threads: loop
 * Blocks:  no
 * Errors:  -EINVAL (below 0), -ENOMEM
 * Since:   1
 */
COREIO_API int32_t coreio_loop_start(
    struct coreio_loop *loop, int64_t delay_ns, int64_t period_ns, uint64_t data, int64_t *id);

/* Moves a timer that runs to `delay_ns` from the loop's time; its period stays.
 *
 * Threads: loop
 * Blocks:  no
 * Errors:  -ENOENT (it fired, was stopped, or never was), -EINVAL
 * Since:   1
 */
COREIO_API int32_t coreio_loop_restart(struct coreio_loop *loop, int64_t id, int64_t delay_ns);

/* Ends a timer.
 *
 * Threads: loop
 * Blocks:  no
 * Errors:  -ENOENT
 * Since:   1
 */
COREIO_API int32_t coreio_loop_stop(struct coreio_loop *loop, int64_t id);

/* The time of the loop: CLOCK_MONOTONIC in ns, as of the end of the last wait. Timers count from it.
 *
 * Threads: loop
 * Blocks:  no
 * Errors:  none
 * Since:   1
 */
COREIO_API int64_t coreio_loop_now(const struct coreio_loop *loop);

/* Waits for events and writes at most `capacity` of them; returns how many, 0 after `timeout_ns`.
 *
 * A negative timeout waits for ever, 0 does not wait. Descriptors, timers and what was asked for again take turns in
 * being first, so none of them waits for ever, whatever the capacity. A signal does not end the wait unless the loop
 * was created so.
 *
 * Threads: loop
 * Blocks:  up to timeout_ns
 * Errors:  -EINVAL (capacity below 1), -EINTR (when asked for)
 * Since:   1
 */
COREIO_API int32_t coreio_loop_wait(
    struct coreio_loop *loop, struct coreio_loop_event *events, int32_t capacity, int64_t timeout_ns);

/* Lets the wait that runs, or else the next one, return with COREIO_LOOP_WOKEN. Calls before it returns are one.
 * What the caller wrote before is visible to the thread that gets the event.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  none
 * Since:   1
 */
COREIO_API int32_t coreio_loop_wake(struct coreio_loop *loop);

/* The descriptor of the loop, which another loop, poll(2) or epoll(7) can watch for reading: it is readable when a wait
 * would return at once. Borrowed. From the first call on every change goes to the kernel at once, timers by timerfd.
 *
 * Threads: loop
 * Blocks:  no
 * Errors:  -EMFILE, -ENFILE, -ENOMEM, -ENOSPC
 * Since:   1
 */
COREIO_API int32_t coreio_loop_descriptor(struct coreio_loop *loop);

/* Writes the counters.
 *
 * Threads: loop
 * Blocks:  no
 * Errors:  none
 * Since:   1
 */
COREIO_API int32_t coreio_loop_counters(const struct coreio_loop *loop, struct coreio_loop_counters *counters);

#endif
