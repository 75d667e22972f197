/* Private helpers of libcoreio that need nothing but the kernel.
 *
 * Text that the kernel shows under /sys and /proc is small, has no locale, and is read whole in one call.
 * Nothing here allocates.
 */
#ifndef COREIO_SRC_BASE_H
#define COREIO_SRC_BASE_H

#include <coreio/base.h>

/* A path being built; `length` is -1 once it did not fit, and stays so. */
struct coreio__path {
    char text[256];
    int32_t length;
};

void coreio__path_start(struct coreio__path *path, const char *text);
void coreio__path_add(struct coreio__path *path, const char *text);
void coreio__path_add_number(struct coreio__path *path, int32_t number);

/* Opens for reading, close-on-exec; retries EINTR. Returns the descriptor or -errno. */
int32_t coreio__open_read(const char *path);

/* Reads until `capacity` bytes or the end; retries EINTR. Returns the bytes read or -errno. */
int64_t coreio__read_full(int32_t fd, void *buffer, int64_t capacity);

/* Reads a small file as text and ends it with NUL, cut to `capacity` - 1 bytes. Returns its length or -errno. */
int32_t coreio__read_text(const char *path, char *text, int32_t capacity);

/* Reads the decimal number a file begins with. Returns it, or -1 when there is no such file or number, or when
 * it is more than INT32_MAX. */
int32_t coreio__read_number(const char *path);

/* Parses decimal digits at *text and moves *text behind them; -1, without moving, when there is no digit or the
 * number is more than INT32_MAX. */
int32_t coreio__parse_number(const char **text);

#endif
