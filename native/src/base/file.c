/* Small files and paths: what reading /sys and /proc takes.
 *
 * EINTR is retried here and nowhere else. Errors are -errno, unchanged.
 */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void coreio__path_start(struct coreio__path *path, const char *text)
{
    path->length = 0;
    path->text[0] = '\0';
    coreio__path_add(path, text);
}

void coreio__path_add(struct coreio__path *path, const char *text)
{
    const size_t length = strlen(text);
    if (path->length < 0 || length >= sizeof path->text - (size_t)path->length) {
        path->length = -1;
        path->text[0] = '\0';
        return;
    }
    memcpy(path->text + path->length, text, length + 1);
    path->length += (int32_t)length;
}

void coreio__path_add_number(struct coreio__path *path, int32_t number)
{
    char digits[12];
    int32_t first = (int32_t)sizeof digits - 1;
    uint32_t rest = number < 0 ? 0u - (uint32_t)number : (uint32_t)number;
    digits[first] = '\0';
    do {
        digits[--first] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (number < 0) {
        digits[--first] = '-';
    }
    coreio__path_add(path, digits + first);
}

int32_t coreio__open_read(const char *path)
{
    int fd;
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC);
    } while (fd == -1 && errno == EINTR);
    return fd == -1 ? -errno : fd;
}

int64_t coreio__read_full(int32_t fd, void *buffer, int64_t capacity)
{
    int64_t done = 0;
    while (done < capacity) {
        const ssize_t got = read(fd, (char *)buffer + done, (size_t)(capacity - done));
        if (got == -1) {
            if (errno == EINTR) {
                continue;
            }
            return -errno;
        }
        if (got == 0) {
            break;
        }
        done += got;
    }
    return done;
}

int32_t coreio__read_text(const char *path, char *text, int32_t capacity)
{
    text[0] = '\0';
    const int32_t fd = coreio__open_read(path);
    if (fd < 0) {
        return fd;
    }
    const int64_t length = coreio__read_full(fd, text, capacity - 1);
    text[length > 0 ? length : 0] = '\0';
    /* A descriptor that was only read has nothing to lose in close(2), whatever it returns. */
    (void)close(fd);
    return (int32_t)length;
}

int32_t coreio__parse_number(const char **text)
{
    const char *at = *text;
    int64_t number = 0;
    while (*at >= '0' && *at <= '9') {
        number = number * 10 + (*at - '0');
        if (number > INT32_MAX) {
            return -1;
        }
        at++;
    }
    if (at == *text) {
        return -1;
    }
    *text = at;
    return (int32_t)number;
}

int32_t coreio__read_number(const char *path)
{
    char text[32];
    if (coreio__read_text(path, text, (int32_t)sizeof text) < 0) {
        return -1;
    }
    const char *at = text;
    return coreio__parse_number(&at);
}
