/* The harness of the C tests.
 *
 *     #include "check.h"
 *
 *     TEST(a_name_says_what_holds)
 *     {
 *         CHECK_EQ(coreio_abi(), COREIO_ABI);
 *     }
 *
 * A failed check prints its place and both values and lets the case go on, so that one run shows every
 * difference; REQUIRE leaves the case, for what the rest of it cannot do without. The executable runs all cases,
 * or those whose name contains its first argument, and returns 0, 1 when a check failed, 2 when no case ran, or
 * 77 when every case was skipped. Cases run one after the other; checks may be made from any thread.
 */
#ifndef COREIO_CHECK_H
#define COREIO_CHECK_H

#include <stddef.h>
#include <stdint.h>

struct check_case {
    const char *name;
    void (*run)(void);
    struct check_case *next;
};

#define TEST(name)                                                                                                     \
    static void name(void);                                                                                            \
    __attribute__((constructor)) static void name##_register(void)                                                     \
    {                                                                                                                  \
        static struct check_case self = {#name, name, NULL};                                                           \
        check_register(&self);                                                                                         \
    }                                                                                                                  \
    static void name(void)

#define CHECK(condition) ((void)check_true((condition) ? 1 : 0, #condition, __FILE__, __LINE__))

/* Compares two integers as int64_t. */
#define CHECK_EQ(actual, expected)                                                                                     \
    ((void)check_equal((int64_t)(actual), (int64_t)(expected), #actual, #expected, __FILE__, __LINE__))

/* Compares `length` bytes at `actual` with a literal or buffer of `expected_length` bytes; shows both, escaped. */
#define CHECK_BYTES(actual, length, expected, expected_length)                                                         \
    ((void)check_bytes(                                                                                                \
        (actual), (int64_t)(length), (expected), (int64_t)(expected_length), #actual, __FILE__, __LINE__))

/* Compares bytes with a string literal. */
#define CHECK_TEXT(actual, length, literal) CHECK_BYTES(actual, length, literal, sizeof(literal) - 1)

/* Leaves the case when the condition does not hold. */
#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!check_true((condition) ? 1 : 0, #condition, __FILE__, __LINE__)) {                                        \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)

/* Leaves the case as skipped; the reason names what the machine lacks. */
#define SKIP(reason)                                                                                                   \
    do {                                                                                                               \
        check_skip(reason);                                                                                            \
        return;                                                                                                        \
    } while (0)

void check_register(struct check_case *self);
int check_true(int holds, const char *text, const char *file, int line);
int check_equal(
    int64_t actual, int64_t expected, const char *actual_text, const char *expected_text, const char *file, int line);
int check_bytes(const void *actual, int64_t length, const void *expected, int64_t expected_length, const char *text,
    const char *file, int line);
void check_skip(const char *reason);

/* Names what a loop is at, for the failures that follow: printf format; NULL ends it. */
void check_context(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A copy of `length` bytes whose last byte lies against an unreadable page: one byte read too far is a crash.
 * Lives until the case ends. The address has no alignment to speak of. */
uint8_t *guarded_copy(const void *bytes, int64_t length);

/* The same with the unreadable page right before the first byte. */
uint8_t *guarded_copy_after(const void *bytes, int64_t length);

/* The whole file at COREIO_ROOT/`path`, with its length; fails the case and returns NULL when it cannot be read.
 * Lives until the case ends; a NUL byte follows. */
uint8_t *check_file(const char *path, int64_t *length);

/* A new empty directory below /tmp, removed with all it holds when the case ends. */
const char *check_directory(void);

/* Writes a file below a directory, making the directories between; returns its path, which lives as long. */
const char *check_write(const char *directory, const char *name, const void *bytes, int64_t length);

#endif
