/* Measures every kernel of this machine on text that is in the second level cache, and is another one each time: a CPU
 * learns where the marks of 128 KiB are, and then guesses what it could not guess in a log.
 *
 *     cmake --preset release && cmake --build --preset release --target coreio_bench
 *     build/release/tests/bench/kernels/coreio_bench [--json] [--repetitions N]
 *
 * Four questions: the marks of the template combined on its own text, the class of the free lexer on that text, the
 * marks of edge on its text, and the class of the free lexer on that. Two floors for each text: `copy`, memcpy of the
 * buffer to another, and `newlines`, memchr from line to line.
 *
 * The runs alternate: a repetition measures everything once, so that a slow spell of the machine falls on all.
 * Figures are medians of the repetitions; the spread is the middle half of them as a part of the median, and `best` is
 * the fastest in bytes/ns: where others use the machine, it is the steadier figure. Times under an emulator say
 * nothing.
 */
#include <cpu/cpu.h>
#include <errno.h>
#include <log/kernel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "text.h"

#define LENGTH ((size_t)128 * 1024)
/* Marks have positions of 16 bits. */
#define WINDOW ((size_t)64 * 1024)
/* Texts that take turns. */
#define TEXTS 64
#define MAX_REPETITIONS 1000
#define MAX_RUNS 64

/* One measurement lasts about this long: far above the clock's resolution, far below a scheduler's patience. */
#define RUN_NS 2000000.0

enum work { INDEX, MARK_QUOTED, MARK_BRACKETED };

struct question {
    const char *text_name;
    const char *class_name;
    enum work work;
    uint8_t *texts;
    uint8_t *text; /* a copy of the one whose turn it is */
    struct coreio__class class;
    size_t hits;
};

/* A kernel or a floor on one question, with its time for a byte in each repetition. */
struct run {
    const char *name;
    const struct question *question;
    size_t (*once)(const struct run *run);
    const struct coreio__kernel *kernel;
    int32_t passes;
    int32_t turn;
    double ns[MAX_REPETITIONS];
};

/* What a kernel finds: positions of an index, or of marks with their bytes. */
struct found {
    uint32_t *positions;
    uint16_t *marks;
    uint8_t *bytes;
};

static struct found found;
static uint8_t *copy;

/* Keeps results that nothing else reads. */
static volatile size_t sink;

/* Marks are written window by window, one behind the other. */
static size_t find(const struct coreio__kernel *kernel, const struct question *question, const struct found *to)
{
    if (question->work == INDEX)
        return kernel->index(question->text, LENGTH, &question->class, to->positions);
    coreio__mark *mark = question->work == MARK_QUOTED ? kernel->mark_quoted : kernel->mark_bracketed;
    size_t count = 0;
    for (size_t at = 0; at < LENGTH; at += WINDOW)
        count += mark(question->text + at, WINDOW, &question->class, to->marks + count, to->bytes + count);
    return count;
}

static size_t once_kernel(const struct run *run)
{
    return find(run->kernel, run->question, &found);
}

static size_t once_copy(const struct run *run)
{
    memcpy(copy, run->question->text, LENGTH);
    /* The copy counts as read here, so it is made. */
    __asm__ volatile("" : : "r"(copy) : "memory");
    return LENGTH;
}

static size_t once_newlines(const struct run *run)
{
    const uint8_t *end = run->question->text + LENGTH;
    size_t lines = 0;
    for (const uint8_t *at = run->question->text; at < end; at++, lines++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (at == NULL)
            break;
    }
    return lines;
}

static double now_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double measure(struct run *run)
{
    double ns = 0;
    for (int32_t i = 0; i < run->passes; i++) {
        memcpy(run->question->text, run->question->texts + (size_t)run->turn * LENGTH, LENGTH);
        run->turn = (run->turn + 1) % TEXTS;
        const double begin = now_ns();
        sink = run->once(run);
        ns += now_ns() - begin;
    }
    return ns / ((double)run->passes * (double)LENGTH);
}

static int compare_doubles(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Doubles the passes until a measurement lasts long enough; this is the warm-up, too. */
static void calibrate(struct run *run)
{
    run->passes = 1;
    while (measure(run) * (double)run->passes * (double)LENGTH < RUN_NS)
        run->passes *= 2;
}

static int32_t add_runs(struct run *runs, int32_t count, const struct question *question)
{
    struct coreio_log_kernel_info kernels[16];
    const int32_t listed = coreio_log_kernels(kernels, 16);
    for (int32_t i = 0; i < listed && i < 16; i++) {
        const struct coreio__kernel *kernel = coreio__kernel_get(kernels[i].id);
        if (kernel != NULL)
            runs[count++] =
                (struct run){.name = kernel->name, .question = question, .once = once_kernel, .kernel = kernel};
    }
    runs[count++] = (struct run){.name = "newlines", .question = question, .once = once_newlines};
    runs[count++] = (struct run){.name = "copy", .question = question, .once = once_copy};
    return count;
}

static int32_t is_same(const struct question *question, const struct found *wanted, size_t hits)
{
    if (question->work == INDEX)
        return memcmp(wanted->positions, found.positions, hits * sizeof *found.positions) == 0;
    return memcmp(wanted->marks, found.marks, hits * sizeof *found.marks) == 0 &&
           memcmp(wanted->bytes, found.bytes, hits) == 0;
}

/* A kernel that finds something else than the definition has no speed. */
static int32_t all_agree(const struct run *runs, int32_t count, const struct found *wanted)
{
    for (int32_t i = 0; i < count; i++) {
        if (runs[i].kernel == NULL)
            continue;
        const struct question *question = runs[i].question;
        memcpy(question->text, question->texts, LENGTH);
        const size_t hits = find(&coreio__kernel_scalar, question, wanted);
        if (once_kernel(&runs[i]) != hits || !is_same(question, wanted, hits)) {
            (void)fprintf(stderr, "coreio_bench: kernel %s differs from scalar on %s, %s\n", runs[i].name,
                question->text_name, question->class_name);
            return 0;
        }
    }
    return 1;
}

/* Room for all a kernel may find in a text. Returns 0 without memory. */
static int32_t make_found(struct found *room)
{
    room->positions = calloc(LENGTH + COREIO__KERNEL_SLACK, sizeof *room->positions);
    room->marks = calloc(LENGTH + COREIO__KERNEL_SLACK, sizeof *room->marks);
    room->bytes = calloc(LENGTH + COREIO__KERNEL_SLACK, 1);
    return room->positions != NULL && room->marks != NULL && room->bytes != NULL;
}

static void free_found(struct found *room)
{
    free(room->positions);
    free(room->marks);
    free(room->bytes);
}

/* The CPU as /proc/cpuinfo names it, or the machine's family where it does not. */
static void cpu_name(char *name, size_t room)
{
    struct utsname system;
    (void)snprintf(name, room, "%s", uname(&system) == 0 ? system.machine : "unknown");
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256];
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && value != NULL) {
            (void)snprintf(name, room, "%.*s", (int)strcspn(value + 2, "\"\\\n"), value + 2);
            break;
        }
    }
    if (file != NULL)
        (void)fclose(file);
}

static void print_table(const struct run *runs, int32_t count, int32_t repetitions, const char *cpu, int32_t pinned)
{
    printf("%s, CPU %d; %zu bytes of text, median of %d alternated repetitions\n", cpu, pinned, LENGTH, repetitions);
    const struct question *question = NULL;
    for (int32_t i = 0; i < count; i++) {
        const struct run *run = &runs[i];
        if (run->question != question) {
            question = run->question;
            printf("\n%s, %s: %.1f %% of the bytes\n", question->text_name, question->class_name,
                100.0 * (double)question->hits / (double)LENGTH);
            printf("  %-10s %10s %10s %10s %10s\n", "", "bytes/ns", "ns/byte", "spread", "best");
        }
        const double median = run->ns[repetitions / 2];
        const double spread = run->ns[repetitions * 3 / 4] - run->ns[repetitions / 4];
        printf("  %-10s %10.2f %10.4f %8.1f %% %10.2f\n", run->name, 1 / median, median, 100 * spread / median,
            1 / run->ns[0]);
    }
}

static void print_json(const struct run *runs, int32_t count, int32_t repetitions, const char *cpu, int32_t pinned)
{
    printf("{\"schema\":1,\"machine\":\"%s\",\"cpu\":%d,\"bytes\":%zu,\"repetitions\":%d,\"results\":[", cpu, pinned,
        LENGTH, repetitions);
    for (int32_t i = 0; i < count; i++) {
        const struct run *run = &runs[i];
        const double *ns = run->ns;
        printf("%s\n{\"text\":\"%s\",\"class\":\"%s\",\"hits\":%zu,\"name\":\"%s\",\"floor\":%s,\"ns_per_byte\":%.5f,"
               "\"bytes_per_ns\":%.4f,\"ns_per_byte_min\":%.5f,\"ns_per_byte_q1\":%.5f,\"ns_per_byte_q3\":%.5f,"
               "\"ns_per_byte_max\":%.5f}",
            i > 0 ? "," : "", run->question->text_name, run->question->class_name, run->question->hits, run->name,
            run->kernel == NULL ? "true" : "false", ns[repetitions / 2], 1 / ns[repetitions / 2], ns[0],
            ns[repetitions / 4], ns[repetitions * 3 / 4], ns[repetitions - 1]);
    }
    printf("\n]}\n");
}

static void add_bytes(struct coreio__class *class, const char *bytes)
{
    for (; *bytes != '\0'; bytes++)
        coreio__class_add(class, (uint8_t)*bytes);
}

/* Pins this thread to the last allowed CPU, where the machine's own work is least likely; returns it or -1. */
static int32_t pin(void)
{
    int32_t cpus[COREIO_CPU_LIMIT];
    struct coreio_cpu_place place;
    const int32_t allowed = coreio__cpu_allowed(cpus, COREIO_CPU_LIMIT);
    if (allowed <= 0 || coreio__cpu_pin_self(cpus[allowed - 1], &place) != 0)
        return -1;
    return place.cpu;
}

int main(int argc, char **argv)
{
    int32_t json = 0;
    int32_t repetitions = 51;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = 1;
        } else if (strcmp(argv[i], "--repetitions") == 0 && i + 1 < argc) {
            repetitions = atoi(argv[++i]);
        } else {
            repetitions = 0;
        }
    }
    if (repetitions < 1 || repetitions > MAX_REPETITIONS) {
        (void)fprintf(stderr, "usage: coreio_bench [--json] [--repetitions 1..%d]\n", MAX_REPETITIONS);
        return 64;
    }

    static struct run runs[MAX_RUNS];
    uint8_t *combined = aligned_alloc(4096, LENGTH * TEXTS);
    uint8_t *edge = aligned_alloc(4096, LENGTH * TEXTS);
    uint8_t *text = aligned_alloc(4096, LENGTH);
    copy = aligned_alloc(4096, LENGTH);
    struct found wanted = {NULL, NULL, NULL};
    int status = 2;
    if (combined == NULL || edge == NULL || text == NULL || copy == NULL || !make_found(&found) ||
        !make_found(&wanted)) {
        (void)fprintf(stderr, "coreio_bench: cannot allocate %zu KiB\n", LENGTH * (2 * TEXTS + 16) / 1024);
        goto done;
    }
    text_combined(combined, LENGTH * TEXTS);
    text_edge(edge, LENGTH * TEXTS);
    struct question questions[] = {
        {.text_name = "combined", .class_name = "marks", .work = MARK_QUOTED, .texts = combined, .text = text},
        {.text_name = "combined", .class_name = "class free", .texts = combined, .text = text},
        {.text_name = "edge", .class_name = "marks", .work = MARK_BRACKETED, .texts = edge, .text = text},
        {.text_name = "edge", .class_name = "class free", .texts = edge, .text = text},
    };
    add_bytes(&questions[0].class, " ]\\\xA0\xDD\xDC");
    add_bytes(&questions[1].class, "\n \t|\"[]\\");
    add_bytes(&questions[3].class, "\n \t|\"[]\\");

    const int32_t pinned = pin();
    int32_t count = 0;
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        struct question *question = &questions[i];
        memcpy(text, question->texts, LENGTH);
        question->hits = find(&coreio__kernel_scalar, question, &wanted);
        count = add_runs(runs, count, question);
    }
    if (!all_agree(runs, count, &wanted))
        goto done;
    for (int32_t i = 0; i < count; i++)
        calibrate(&runs[i]);
    for (int32_t repetition = 0; repetition < repetitions; repetition++) {
        for (int32_t i = 0; i < count; i++)
            runs[i].ns[repetition] = measure(&runs[i]);
    }
    for (int32_t i = 0; i < count; i++)
        qsort(runs[i].ns, (size_t)repetitions, sizeof runs[i].ns[0], compare_doubles);

    char cpu[256];
    cpu_name(cpu, sizeof cpu);
    (json ? print_json : print_table)(runs, count, repetitions, cpu, pinned);
    status = 0;
done:
    free_found(&wanted);
    free_found(&found);
    free(copy);
    free(text);
    free(edge);
    free(combined);
    return status;
}
