/* Access logs: formats, a lexer, questions, and scans that answer them.
 *
 * A format says how a line is cut into fields; a query says what is asked (filter, tables, statistics);
 * a scan reads files and streams on pinned workers and holds the answer. What a line, a field, a number
 * and a statistic are is written in docs/formats.md and docs/queries.md, section by section; the answer
 * is the same, byte for byte, whatever the workers, the block size and the kernel.
 *
 * Text is bytes. Times are microseconds since 1970-01-01T00:00:00Z, durations are microseconds, sizes are
 * bytes. A number is an int64_t in units of its scale: scale 0 counts ones, scale 6 counts millionths.
 */
#ifndef COREIO_LOG_H
#define COREIO_LOG_H

#include <coreio/base.h>

/* A longer line, its newline included, is rejected as too_long. */
#define COREIO_LOG_MAX_LINE 8388608
/* Most variables in a template, and most columns, keys and statistics in one query. */
#define COREIO_LOG_MAX_FIELDS 256
#define COREIO_LOG_MAX_TABLES 16
#define COREIO_LOG_MAX_WORKERS 1024
#define COREIO_LOG_MIN_BLOCK 4096
#define COREIO_LOG_MAX_BLOCK 16777216
#define COREIO_LOG_DEFAULT_BLOCK 262144
#define COREIO_LOG_DEFAULT_MAX_GROUPS 1048576
/* Samples kept for each reason of rejection, and the most bytes kept of each. */
#define COREIO_LOG_SAMPLES 3
#define COREIO_LOG_SAMPLE_BYTES 256

/* Why a line is rejected. The names that reports print are in docs/formats.md. */
enum coreio_log_reason {
    COREIO_LOG_PARSED = 0,
    COREIO_LOG_OPEN_DELIMITER = 1, /* a quote or bracket is still open at the newline */
    COREIO_LOG_MISSING_TEXT = 2,   /* a literal of the format is not in the line */
    COREIO_LOG_TRAILING_TEXT = 3,  /* the line goes on after the last field of the format */
    COREIO_LOG_NOT_A_NUMBER = 4,   /* a field the question uses as a number is none */
    COREIO_LOG_NOT_A_TIME = 5,     /* a field the question uses as a time is none */
    COREIO_LOG_TOO_LONG = 6,       /* longer than COREIO_LOG_MAX_LINE */
    COREIO_LOG_REASONS = 7
};

/* Why a format, a filter, a list of keys or a list of statistics does not compile. */
enum coreio_log_fault_reason {
    COREIO_LOG_FAULT_NONE = 0,
    COREIO_LOG_FAULT_UNKNOWN_FORMAT = 1,
    COREIO_LOG_FAULT_BAD_VARIABLE = 2,
    COREIO_LOG_FAULT_ADJACENT_VARIABLES = 3,
    COREIO_LOG_FAULT_TOO_MANY = 4,
    COREIO_LOG_FAULT_UNKNOWN_FIELD = 5,
    COREIO_LOG_FAULT_EXPECTED_FIELD = 6,
    COREIO_LOG_FAULT_EXPECTED_OPERATOR = 7,
    COREIO_LOG_FAULT_EXPECTED_VALUE = 8,
    COREIO_LOG_FAULT_EXPECTED_CLOSE = 9,
    COREIO_LOG_FAULT_UNTERMINATED_STRING = 10,
    COREIO_LOG_FAULT_UNEXPECTED_TEXT = 11,
    COREIO_LOG_FAULT_BAD_NUMBER = 12,
    COREIO_LOG_FAULT_NOT_NUMERIC = 13,
    COREIO_LOG_FAULT_TEXT_OPERATOR = 14,
    COREIO_LOG_FAULT_BAD_PATTERN = 15,
    COREIO_LOG_FAULT_PATTERN_TOO_LARGE = 16,
    COREIO_LOG_FAULT_UNKNOWN_STATISTIC = 17,
    COREIO_LOG_FAULT_BAD_QUANTILE = 18,
    COREIO_LOG_FAULT_NO_CLOCK = 19,
    COREIO_LOG_FAULT_NO_INTERVAL = 20,
    COREIO_LOG_FAULT_TOO_DEEP = 21
};

enum coreio_log_kind {
    COREIO_LOG_TEXT = 0,
    COREIO_LOG_INTEGER = 1, /* scale 0 */
    COREIO_LOG_SECONDS = 2, /* scale 6 */
    COREIO_LOG_DECIMAL = 3, /* scale 6 */
    COREIO_LOG_TIME = 4     /* microseconds since 1970 */
};

enum coreio_log_stat_kind {
    COREIO_LOG_COUNT = 0,
    COREIO_LOG_SUM = 1,
    COREIO_LOG_AVG = 2,
    COREIO_LOG_MIN = 3,
    COREIO_LOG_MAX = 4,
    COREIO_LOG_QUANTILE = 5,
    COREIO_LOG_DISTINCT = 6
};

enum coreio_log_kernel_id {
    COREIO_LOG_KERNEL_AUTO = 0,
    COREIO_LOG_KERNEL_SCALAR = 1,
    COREIO_LOG_KERNEL_SSE42 = 2,
    COREIO_LOG_KERNEL_AVX2 = 3,
    COREIO_LOG_KERNEL_AVX512 = 4,
    COREIO_LOG_KERNEL_NEON = 5
};

/* What coreio_log_floor does with the bytes of a file, from the least to the most. */
enum coreio_log_floor_work {
    COREIO_LOG_FLOOR_READ = 1,     /* reads them */
    COREIO_LOG_FLOOR_NEWLINES = 2, /* finds the newlines */
    COREIO_LOG_FLOOR_INDEX = 3,    /* writes the position of each newline, quote, bracket, space, tab, bar, backslash */
    COREIO_LOG_FLOOR_SCALAR = 4,   /* cuts lines into fields by a plain state machine, a byte at a time */
    COREIO_LOG_FLOOR_LEX = 5       /* cuts lines into fields by the lexer */
};

/* rejects_fd of the scan options is valid: rejected lines are written there, in the order of the input. */
#define COREIO_LOG_SCAN_REJECTS 1u

struct coreio_log_format;
struct coreio_log_lexer;
struct coreio_log_query;
struct coreio_log_scan;

struct coreio_log_kernel_info {
    int32_t id;
    int32_t supported; /* 1 when this machine can run it */
    uint8_t name[24];  /* NUL-terminated */
};

/* Where and why text does not compile: `length` bytes from `offset` of the text that was passed. */
struct coreio_log_fault {
    int32_t reason; /* coreio_log_fault_reason */
    int32_t offset;
    int32_t length;
    int32_t reserved;
};

/* A field of a format, in order; its name is `name_length` bytes from `name_offset` of the names buffer. */
struct coreio_log_field_info {
    int32_t name_offset;
    int32_t name_length;
    int32_t kind; /* coreio_log_kind */
    int32_t list; /* 1 for $upstream_* lists */
};

/* A field of a line: bytes of the text that was fed. */
struct coreio_log_field {
    uint32_t offset;
    uint32_t length;
};

/* A line: its bytes without the line end, and its fields in the fields buffer of the same call. */
struct coreio_log_record {
    uint32_t offset;
    uint32_t length;
    uint32_t first_field;
    uint32_t field_count;
    int32_t reason; /* coreio_log_reason; a rejected line has no fields */
    uint32_t reserved;
};

struct coreio_log_lex_result {
    int64_t consumed; /* bytes of text that the records cover, line ends included */
    int32_t records;
    int32_t fields;
    int32_t needed_fields; /* with COREIO_ECAPACITY: fields of the one line that does not fit */
    int32_t reserved;
};

struct coreio_log_query_options {
    uint32_t size;
    int32_t where_length;
    const uint8_t *where; /* filter expression; NULL lets every line through */
    int64_t since_us;     /* first instant that is let through; 0 for no bound, so 1970 itself cannot be one */
    int64_t until_us;     /* first instant that is not; 0 for no bound */
    int64_t interval_us;  /* width of a `time` key; 0 when no table uses one */
};

struct coreio_log_table_options {
    uint32_t size;
    int32_t by_length;
    const uint8_t *by;    /* field[,field...]; NULL or empty for one group without a key */
    const uint8_t *stats; /* count,sum(bytes),...; NULL or empty for count */
    int32_t stats_length;
    int32_t max_groups; /* 0 for COREIO_LOG_DEFAULT_MAX_GROUPS */
};

/* A key or a statistic of a table, as compiled. */
struct coreio_log_column_info {
    int32_t kind;         /* key: coreio_log_kind; statistic: coreio_log_stat_kind */
    int32_t scale;        /* statistic: 0 or 6 */
    int32_t quantile_ppm; /* statistic: quantile in millionths, p99.9 is 999000 */
    int32_t reserved;
};

struct coreio_log_scan_options {
    uint32_t size;
    uint32_t flags;      /* COREIO_LOG_SCAN_ */
    int32_t workers;     /* 0 for one a CPU */
    int32_t cpu_count;   /* entries of cpus */
    const int32_t *cpus; /* worker i is pinned to cpus[i % cpu_count]; NULL for the allowed CPUs */
    int32_t kernel;      /* coreio_log_kernel_id */
    int32_t block_bytes; /* 0 for COREIO_LOG_DEFAULT_BLOCK; a worker keeps one, or 2 to 4 of 1 MiB together */
    int32_t rejects_fd;
    int32_t reserved;
};

struct coreio_log_progress {
    int64_t bytes_done;
    int64_t bytes_total;    /* of the file being read; -1 for a stream */
    int32_t rejects_status; /* -errno of a failed write to rejects_fd, after which nothing more is read; else 0 */
    int32_t reserved;
};

struct coreio_log_totals {
    int64_t lines;
    int64_t parsed;
    int64_t rejected;
    int64_t filtered;
    int64_t bytes;
    int32_t workers;
    int32_t kernel; /* coreio_log_kernel_id that ran */
};

struct coreio_log_worker_info {
    int32_t thread_id;
    int32_t cpu; /* where it was pinned, read back from the kernel */
    int64_t lines;
    int64_t bytes;
    int64_t cpu_time_us;
};

struct coreio_log_table_summary {
    int64_t groups;      /* groups with their own row, the (other) row not counted */
    int64_t other_lines; /* lines in the (other) row; 0 when every group has its own */
    int64_t key_bytes;   /* of all keys together, as coreio_log_scan_groups writes them */
    int32_t keys;        /* parts of a key */
    int32_t stats;       /* cells of a group */
};

/* A row: its key is `key_length` bytes from `key_offset`, its cells are `stats` cells from first_cell. */
struct coreio_log_group {
    int64_t count;
    uint32_t key_offset;
    uint32_t key_length;
    uint32_t first_cell;
    uint32_t other; /* 1 for the (other) row, which has no key */
};

/* The value of one statistic: high:low is a two's complement number of 128 bits, in units of its scale.
 * For avg it is the sum. `count` is how many values were not null; 0 makes the statistic null, but for
 * count and distinct. */
struct coreio_log_cell {
    uint64_t low;
    int64_t high;
    int64_t count;
};

/* A reason of rejection; its samples follow each other in the samples buffer, the oldest first. */
struct coreio_log_reject {
    int32_t reason;
    int32_t sample_count;
    int64_t count;
    uint32_t sample_offset[3];
    uint32_t sample_length[3];
};

/* What a floor found and took. */
struct coreio_log_floor_result {
    int64_t bytes;      /* read */
    int64_t lines;      /* newlines found, or lines cut; 0 where lines do not matter */
    int64_t hits;       /* positions written, or fields cut; 0 where neither is done */
    int64_t elapsed_ns; /* from opening the file to its end */
    int64_t cpu_ns;     /* of the calling thread in that time */
    int32_t kernel;     /* coreio_log_kernel_id; read and scalar do not use it */
    int32_t reserved;
};

/* Lists the kernels of this build, the slowest first, and returns how many there are.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL
 * Since:   1
 */
COREIO_API int32_t coreio_log_kernels(struct coreio_log_kernel_info *kernels, int32_t capacity);

/* Compiles a format: the name of a built-in one (delimited, combined, common, vhost_combined, main, edge)
 * or an nginx log_format template, which holds at least one variable.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL, -ENOMEM, COREIO_EFORMAT (see *fault)
 * Owns:    the caller destroys *out
 * Since:   1
 */
COREIO_API int32_t coreio_log_format_create(
    const uint8_t *text, int32_t length, struct coreio_log_format **out, struct coreio_log_fault *fault);

/* Destroys a format; queries and lexers made from it stay valid.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  none
 * Since:   1
 */
COREIO_API void coreio_log_format_destroy(struct coreio_log_format *format);

/* Writes the named fields of a format in the order of the line and returns how many there are.
 *
 * `delimited` has none: its fields are f1, f2 and so on, as many as a line holds. At most `capacity`
 * fields and `name_capacity` bytes of names are written; *name_bytes is what all names take.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL
 * Since:   1
 */
COREIO_API int32_t coreio_log_format_fields(const struct coreio_log_format *format,
    struct coreio_log_field_info *fields, int32_t capacity, uint8_t *names, int32_t name_capacity, int32_t *name_bytes);

/* Makes a lexer for one format.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL, -ENOMEM, COREIO_ECPU (no such kernel here)
 * Owns:    the caller destroys *out
 * Since:   1
 */
COREIO_API int32_t coreio_log_lexer_create(
    const struct coreio_log_format *format, int32_t kernel, struct coreio_log_lexer **out);

/* Destroys a lexer.
 *
 * Threads: any, once no other call runs
 * Blocks:  no
 * Errors:  none
 * Since:   1
 */
COREIO_API void coreio_log_lexer_destroy(struct coreio_log_lexer *lexer);

/* Splits whole lines of `text` into records.
 *
 * Stops at `capacity` records, when `fields` is full, or at the last newline, whichever comes first; the
 * caller passes the rest again. With `last` not 0 a final line without a newline is a line, too. Records
 * and fields hold offsets into `text`, so `text` must outlive them. `length` is at most INT32_MAX.
 *
 * Threads: owner
 * Blocks:  no
 * Errors:  -EINVAL, -ENOMEM, COREIO_ECAPACITY (the first line alone has result->needed_fields fields)
 * Since:   1
 */
COREIO_API int32_t coreio_log_lexer_feed(struct coreio_log_lexer *lexer, const uint8_t *text, int64_t length,
    int32_t last, struct coreio_log_record *records, int32_t capacity, struct coreio_log_field *fields,
    int32_t field_capacity, struct coreio_log_lex_result *result);

/* Compiles the part of a question that all its tables share.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL, -ENOMEM, COREIO_EABI, COREIO_EFORMAT (see *fault, offsets are in `where`)
 * Owns:    the caller destroys *out
 * Since:   1
 */
COREIO_API int32_t coreio_log_query_create(const struct coreio_log_format *format,
    const struct coreio_log_query_options *options, struct coreio_log_query **out, struct coreio_log_fault *fault);

/* Adds a table and returns its index.
 *
 * Offsets of a fault in the keys are in `by`; those of a fault in the statistics are in `stats` and have
 * fault->reserved set to 1. A query that a scan was made of takes no more tables.
 *
 * Threads: owner
 * Blocks:  no
 * Errors:  -EINVAL, -ENOMEM, COREIO_EABI, COREIO_ECLOSED, COREIO_EFORMAT (see *fault)
 * Since:   1
 */
COREIO_API int32_t coreio_log_query_add_table(
    struct coreio_log_query *query, const struct coreio_log_table_options *options, struct coreio_log_fault *fault);

/* Writes the keys of a table, then its statistics, and returns how many both are.
 *
 * Threads: owner
 * Blocks:  no
 * Errors:  -EINVAL
 * Since:   1
 */
COREIO_API int32_t coreio_log_query_columns(
    const struct coreio_log_query *query, int32_t table, struct coreio_log_column_info *columns, int32_t capacity);

/* Destroys a query; scans made from it stay valid.
 *
 * Threads: any, once no other call runs
 * Blocks:  no
 * Errors:  none
 * Since:   1
 */
COREIO_API void coreio_log_query_destroy(struct coreio_log_query *query);

/* Makes a scan and starts its workers, each a named thread pinned to its CPU.
 *
 * Threads: owner of `query`
 * Blocks:  until the workers run where they are pinned
 * Errors:  -EINVAL, -ENOMEM, -EAGAIN (no thread to be had), -EMFILE, COREIO_EABI, COREIO_ECPU
 * Owns:    the caller destroys *out; rejects_fd stays the caller's
 * Since:   1
 */
COREIO_API int32_t coreio_log_scan_create(
    struct coreio_log_query *query, const struct coreio_log_scan_options *options, struct coreio_log_scan **out);

/* Numbers the next file or stream, which else comes after the one before; the first one is 0.
 *
 * Samples of rejected lines are the first ones by number and offset. So scans that share the inputs of one question and
 * are merged keep the samples that one scan would keep. `number` is larger than that of any input before.
 *
 * Threads: owner
 * Blocks:  no
 * Errors:  -EINVAL, COREIO_ECLOSED
 * Since:   1
 */
COREIO_API int32_t coreio_log_scan_number(struct coreio_log_scan *scan, int64_t number);

/* Reads one regular file to the end it had when it was opened; other kinds of files are read as a stream.
 *
 * `path` ends with a NUL byte. Returns the bytes read. After an error the blocks that were read whole are counted, some
 * of them perhaps behind it, and the scan goes on with the next file.
 *
 * Threads: owner
 * Blocks:  until the file is read
 * Errors:  -EINVAL, -ENOMEM, -EISDIR, COREIO_ETRUNCATED, COREIO_ECLOSED, -errno of open, read, writing rejects
 * Since:   1
 */
COREIO_API int64_t coreio_log_scan_file(struct coreio_log_scan *scan, const uint8_t *path);

/* Reads a descriptor (pipe, socket, terminal, file) to its end. Returns the bytes read.
 *
 * Threads: owner
 * Blocks:  until end of file
 * Errors:  -EINVAL, -ENOMEM, -errno of read, COREIO_ECLOSED, -errno of writing rejects
 * Owns:    fd stays the caller's
 * Since:   1
 */
COREIO_API int64_t coreio_log_scan_fd(struct coreio_log_scan *scan, int32_t fd);

/* Takes bytes of a stream; lines may span calls. The bytes are copied.
 *
 * Threads: owner
 * Blocks:  until a worker has room for them
 * Errors:  -EINVAL, -ENOMEM, COREIO_ECLOSED, -errno of writing rejects
 * Since:   1
 */
COREIO_API int32_t coreio_log_scan_feed(struct coreio_log_scan *scan, const uint8_t *bytes, int64_t length);

/* Lends room for the next bytes of a stream, so that they need not be copied: the caller writes to *room, at most
 * *capacity bytes, then says how many with coreio_log_scan_feed_done. There is room for at least one byte.
 *
 * The room is of no use after the next call with this scan, but for those that any thread may make.
 *
 * Threads: owner
 * Blocks:  until a worker has room
 * Errors:  -EINVAL, -ENOMEM, COREIO_ECLOSED, -errno of writing rejects
 * Owns:    the room stays the scan's
 * Since:   1
 */
COREIO_API int32_t coreio_log_scan_feed_room(struct coreio_log_scan *scan, uint8_t **room, int64_t *capacity);

/* Takes the first `length` bytes of the room that coreio_log_scan_feed_room lent as the next ones of the stream.
 *
 * Threads: owner
 * Blocks:  until a worker has room
 * Errors:  -EINVAL (no room was lent, or not as much), -ENOMEM, COREIO_ECLOSED, -errno of writing rejects
 * Since:   1
 */
COREIO_API int32_t coreio_log_scan_feed_done(struct coreio_log_scan *scan, int64_t length);

/* Ends the stream begun by coreio_log_scan_feed or coreio_log_scan_feed_room, if one is open: a final line without a
 * newline is a line.
 *
 * Threads: owner
 * Blocks:  until the workers have done what was fed
 * Errors:  -EINVAL, COREIO_ECLOSED, -errno of writing rejects
 * Since:   1
 */
COREIO_API int32_t coreio_log_scan_feed_end(struct coreio_log_scan *scan);

/* Tells how far the file or stream being read is.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL
 * Since:   1
 */
COREIO_API int32_t coreio_log_scan_progress(const struct coreio_log_scan *scan, struct coreio_log_progress *progress);

/* Makes the call that reads return COREIO_ECLOSED soon; so does every later one that reads.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL
 * Since:   1
 */
COREIO_API int32_t coreio_log_scan_stop(struct coreio_log_scan *scan);

/* Adds what `part`, another scan of the same query, has counted, and ends its workers: it gives no answer any more.
 *
 * What a worker of the part did is added to the worker of `scan` that is pinned to the same CPU, or else to the first.
 * Rejected lines that the part has written stay where they are.
 *
 * Threads: owner of both
 * Blocks:  until the tables are merged
 * Errors:  -EINVAL, -ENOMEM (the scan has no answer then), COREIO_ECLOSED, what ended the work of either
 * Since:   1
 */
COREIO_API int32_t coreio_log_scan_merge(struct coreio_log_scan *scan, struct coreio_log_scan *part);

/* Ends the workers, merges their tables, and writes the totals. Later calls write them again.
 *
 * -ENOMEM says that lines are lost, here, by a worker before or in a merge, so there is no answer.
 *
 * Threads: owner
 * Blocks:  until the tables are merged
 * Errors:  -EINVAL, -ENOMEM, COREIO_ECLOSED (it was merged into another scan)
 * Since:   1
 */
COREIO_API int32_t coreio_log_scan_finish(struct coreio_log_scan *scan, struct coreio_log_totals *totals);

/* Writes where each worker ran and what it did, and returns how many there are. After finish.
 *
 * Threads: owner
 * Blocks:  no
 * Errors:  -EINVAL
 * Since:   1
 */
COREIO_API int32_t coreio_log_scan_workers(
    const struct coreio_log_scan *scan, struct coreio_log_worker_info *workers, int32_t capacity);

/* Writes the size of a table. After finish.
 *
 * Threads: owner
 * Blocks:  no
 * Errors:  -EINVAL
 * Since:   1
 */
COREIO_API int32_t coreio_log_scan_table(
    const struct coreio_log_scan *scan, int32_t table, struct coreio_log_table_summary *summary);

/* Writes the rows of a table from row `first` on, in no order, and returns how many were written.
 *
 * A key is its parts one after the other, each a uint32_t length in the machine's byte order and as many
 * bytes; length UINT32_MAX is null. A part of kind COREIO_LOG_TIME is the int64_t start of the interval.
 * The (other) row, if there is one, is the last. Stops when one of the buffers is full; 0 is the end.
 *
 * Threads: owner
 * Blocks:  no
 * Errors:  -EINVAL, COREIO_ECAPACITY (the first row alone does not fit)
 * Since:   1
 */
COREIO_API int32_t coreio_log_scan_groups(const struct coreio_log_scan *scan, int32_t table, int64_t first,
    struct coreio_log_group *groups, int32_t capacity, struct coreio_log_cell *cells, int32_t cell_capacity,
    uint8_t *keys, int32_t key_capacity);

/* Writes the reasons lines were rejected for, and returns how many there are. After finish.
 *
 * A `samples` buffer of COREIO_LOG_REASONS * COREIO_LOG_SAMPLES * COREIO_LOG_SAMPLE_BYTES always suffices.
 *
 * Threads: owner
 * Blocks:  no
 * Errors:  -EINVAL, COREIO_ECAPACITY
 * Since:   1
 */
COREIO_API int32_t coreio_log_scan_rejects(const struct coreio_log_scan *scan, struct coreio_log_reject *rejects,
    int32_t capacity, uint8_t *samples, int32_t sample_capacity);

/* Stops and destroys a scan.
 *
 * Threads: any, once no other call runs
 * Blocks:  until its workers have ended
 * Errors:  none
 * Since:   1
 */
COREIO_API void coreio_log_scan_destroy(struct coreio_log_scan *scan);

/* Reads a file on the calling thread and does one bounded piece of work with its bytes: what a figure of a scan is held
 * against.
 *
 * `path` ends with a NUL byte. The file is read with read(2) in blocks of COREIO_LOG_DEFAULT_BLOCK, to one buffer or to
 * four in turn, whichever is faster, as a scan does.
 * `format` may be NULL for work that does not cut lines. Memory grows with the longest line.
 *
 * Threads: any
 * Blocks:  until the file is read
 * Errors:  -EINVAL, -ENOMEM, -errno of open and read, COREIO_ECPU
 * Since:   1
 */
COREIO_API int32_t coreio_log_floor(const uint8_t *path, const struct coreio_log_format *format, int32_t work,
    int32_t kernel, struct coreio_log_floor_result *result);

#endif
