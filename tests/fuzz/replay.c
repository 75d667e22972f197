/* Runs a fuzz target over every file of the directories or files given, once each, without libFuzzer.
 *
 * The target is the same that a search runs, so a crash found once is a test ever after: its input is added to
 * the corpus. Each input lies at the end of its own allocation, where a sanitizer sees a read behind it. Files
 * are taken in the order of their names; no file at all is a failure, as nothing would have been tested.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static long replayed;

static int replay_file(const char *path, const struct stat *status)
{
    const size_t size = (size_t)status->st_size;
    uint8_t *data = malloc(size);
    FILE *file = fopen(path, "rbe");
    int failed = 1;
    if (file == NULL || (data == NULL && size > 0) || fread(data, 1, size, file) != size) {
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        goto out;
    }
    /* Printed before the run: the last line before a crash names the input. */
    printf("%s (%zu bytes)\n", path, size);
    (void)LLVMFuzzerTestOneInput(data, size);
    replayed++;
    failed = 0;
out:
    if (file != NULL) {
        fclose(file);
    }
    free(data);
    return failed;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int replay(const char *path)
{
    struct stat status;
    if (stat(path, &status) == -1) {
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        return 1;
    }
    if (!S_ISDIR(status.st_mode)) {
        return replay_file(path, &status);
    }
    struct dirent **entries = NULL;
    const int count = scandir(path, &entries, is_visible, alphasort);
    if (count == -1) {
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        return 1;
    }
    int failed = 0;
    for (int i = 0; i < count; i++) {
        char *child = NULL;
        if (asprintf(&child, "%s/%s", path, entries[i]->d_name) == -1) {
            failed = 1;
        } else {
            failed |= replay(child);
            free(child);
        }
        free(entries[i]);
    }
    free(entries);
    return failed;
}

int main(int count, char **arguments)
{
    int failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < count; i++) {
        failed |= replay(arguments[i]);
    }
    if (replayed == 0) {
        fprintf(stderr, "replay: no input was run; give files or directories of them\n");
        failed = 1;
    }
    printf("%ld inputs\n", replayed);
    return failed;
}
