/* Runs the cases of one test executable and keeps what they allocated until they end. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a case holds: memory (length 0), a mapping, or a directory, freed in reverse when it ends. */
struct held {
    void *address;
    size_t length;
    int directory;
    struct held *next;
};

static struct check_case *first_case;
static struct held *held;
static atomic_int failures;
static const char *skip_reason;
static char context[512];

/* The harness itself cannot go on: not a failed check, but a machine without memory or /tmp. */
__attribute__((noreturn)) static void give_up(const char *what)
{
    fprintf(stderr, "check: %s: %s\n", what, strerror(errno));
    exit(3);
}

static void *hold(void *address, size_t length, int directory)
{
    struct held *entry = malloc(sizeof *entry);
    if (entry == NULL) {
        give_up("malloc");
    }
    *entry = (struct held){address, length, directory, held};
    held = entry;
    return address;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void release_held(void)
{
    while (held != NULL) {
        struct held *entry = held;
        held = entry->next;
        if (entry->length > 0) {
            munmap(entry->address, entry->length);
        } else {
            if (entry->directory) {
                nftw(entry->address, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
            }
            free(entry->address);
        }
        free(entry);
    }
}

static void fail(const char *file, int line)
{
    atomic_fetch_add(&failures, 1);
    printf("  %s:%d: ", file, line);
    if (context[0] != '\0') {
        printf("[%s] ", context);
    }
}

/* Prints at most 256 bytes; what is not printable ASCII as \xHH. */
static void print_bytes(const uint8_t *bytes, int64_t length)
{
    putchar('"');
    for (int64_t i = 0; i < length && i < 256; i++) {
        if (bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '\\' && bytes[i] != '"') {
            putchar(bytes[i]);
        } else {
            printf("\\x%02x", (unsigned int)bytes[i]);
        }
    }
    printf("\"%s (%lld bytes)", length > 256 ? "..." : "", (long long)length);
}

void check_register(struct check_case *self)
{
    /* Constructors of one file run in the order of the file, so the case goes to the end. */
    struct check_case **end = &first_case;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = self;
}

int check_true(int holds, const char *text, const char *file, int line)
{
    if (!holds) {
        fail(file, line);
        printf("%s\n", text);
    }
    return holds;
}

int check_equal(
    int64_t actual, int64_t expected, const char *actual_text, const char *expected_text, const char *file, int line)
{
    if (actual != expected) {
        fail(file, line);
        printf("%s is %lld, not %s = %lld\n", actual_text, (long long)actual, expected_text, (long long)expected);
    }
    return actual == expected;
}

int check_bytes(const void *actual, int64_t length, const void *expected, int64_t expected_length, const char *text,
    const char *file, int line)
{
    const int equal =
        length == expected_length && (length == 0 || memcmp(actual, expected, (size_t)expected_length) == 0);
    if (!equal) {
        fail(file, line);
        printf("%s is ", text);
        print_bytes(actual, length);
        printf("\n    not ");
        print_bytes(expected, expected_length);
        printf("\n");
    }
    return equal;
}

void check_skip(const char *reason)
{
    skip_reason = reason;
}

void check_context(const char *format, ...)
{
    context[0] = '\0';
    if (format != NULL) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(context, sizeof context, format, arguments);
        va_end(arguments);
    }
}

/* Maps room for `length` bytes between two unreadable pages and returns the first readable byte. */
static uint8_t *map_guarded(int64_t length, size_t *room)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    *room = ((size_t)length + page - 1) / page * page;
    const size_t whole = *room + 2 * page;
    uint8_t *base = mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || (*room > 0 && mprotect(base + page, *room, PROT_READ | PROT_WRITE) == -1)) {
        give_up("mmap");
    }
    hold(base, whole, 0);
    return base + page;
}

uint8_t *guarded_copy(const void *bytes, int64_t length)
{
    size_t room;
    uint8_t *copy = map_guarded(length, &room) + room - (size_t)length;
    if (length > 0) {
        memcpy(copy, bytes, (size_t)length);
    }
    return copy;
}

uint8_t *guarded_copy_after(const void *bytes, int64_t length)
{
    size_t room;
    uint8_t *copy = map_guarded(length, &room);
    if (length > 0) {
        memcpy(copy, bytes, (size_t)length);
    }
    return copy;
}

uint8_t *check_file(const char *path, int64_t *length)
{
    char whole[1024];
    *length = 0;
    snprintf(whole, sizeof whole, "%s/%s", COREIO_ROOT, path);
    FILE *file = fopen(whole, "rbe");
    struct stat status;
    if (file == NULL || fstat(fileno(file), &status) == -1) {
        if (file != NULL) {
            fclose(file);
        }
        check_true(0, whole, __FILE__, __LINE__);
        return NULL;
    }
    uint8_t *bytes = malloc((size_t)status.st_size + 1);
    if (bytes == NULL) {
        give_up("malloc");
    }
    *length = (int64_t)fread(bytes, 1, (size_t)status.st_size, file);
    bytes[*length] = 0;
    fclose(file);
    return hold(bytes, 0, 0);
}

const char *check_directory(void)
{
    char *path = strdup("/tmp/coreio-test-XXXXXX");
    if (path == NULL || mkdtemp(path) == NULL) {
        give_up("mkdtemp");
    }
    return hold(path, 0, 1);
}

const char *check_write(const char *directory, const char *name, const void *bytes, int64_t length)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", directory, name) == -1) {
        give_up("asprintf");
    }
    for (char *slash = strchr(path + strlen(directory) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) == -1 && errno != EEXIST) {
            give_up(path);
        }
        *slash = '/';
    }
    FILE *file = fopen(path, "wbe");
    if (file == NULL || fwrite(bytes, 1, (size_t)length, file) != (size_t)length || fclose(file) != 0) {
        give_up(path);
    }
    return hold(path, 0, 0);
}

int main(int count, char **arguments)
{
    int ran = 0;
    int skipped = 0;
    int failed = 0;
    /* A crash must not take the lines before it along. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (struct check_case *self = first_case; self != NULL; self = self->next) {
        if (count > 1 && strstr(self->name, arguments[1]) == NULL) {
            continue;
        }
        const int before = atomic_load(&failures);
        skip_reason = NULL;
        self->run();
        check_context(NULL);
        release_held();
        ran++;
        if (atomic_load(&failures) != before) {
            failed++;
            printf("failed %s\n", self->name);
        } else if (skip_reason != NULL) {
            skipped++;
            printf("skip %s: %s\n", self->name, skip_reason);
        } else {
            printf("ok %s\n", self->name);
        }
    }
    printf("%d cases, %d failed, %d skipped\n", ran, failed, skipped);
    if (failed > 0) {
        return 1;
    }
    if (ran == 0) {
        return 2;
    }
    return skipped == ran ? 77 : 0;
}
