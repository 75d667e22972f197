/* The frame of a line: which marks a line that fits its format has, and where its fields stand between them.
 *
 * Nearly every line of a log has the marks that its template says and no others. Such a line needs no walk: one compare
 * of the bytes of its marks tells that it fits, one of the distances between them that the literals are whole, and each
 * field is known by the numbers of the marks around it. A line that does not is left to the definition in lexer.c; what
 * the frame accepts is exactly what the definition finds.
 *
 * Mark 0 of a line is the newline before it. Lines of edge need no frame of their own: their marks are pairs of
 * brackets.
 */
#ifndef COREIO_LOG_FRAME_H
#define COREIO_LOG_FRAME_H

#include <coreio/log.h>

/* Room for the marks of a frame; a format with as many or more has none. A multiple of 32. */
#define COREIO__FRAME_MARKS 128

/* Marks that one vector of positions holds, and fields that one vector of fields holds. */
#define COREIO__FRAME_LANES 32
#define COREIO__FRAME_FIELDS 8

/* The same for a quarter of the marks and half of the fields, which smaller vectors hold. */
#define COREIO__FOUR_LANES 8
#define COREIO__FOUR_FIELDS 4

/* Fields behind a row that cutting it may overwrite. */
#define COREIO__ROW_SLACK 16

/* Bytes of a literal that no marks are, compared as a masked word. */
struct coreio__frame_text {
    uint64_t word;
    uint64_t mask;
    uint32_t mark;
    uint32_t offset; /* from the mark */
};

/* A field goes from `offset` behind one mark to another. */
struct coreio__frame_field {
    uint16_t begin;
    uint16_t end;
    uint16_t offset;
    uint16_t spaceless; /* holds no space, and no mark would tell */
};

struct coreio__frame {
    int32_t marks;     /* of a line, its newline included; 0 for none: lines of this format are not framed */
    int32_t open;      /* the last field ends at the newline, so a carriage return may be a part of the line end */
    int32_t spaceless; /* some field is */
    int32_t text_count;
    uint8_t bytes[COREIO__FRAME_MARKS]; /* of marks 1, 2, ... */
    uint16_t gaps[COREIO__FRAME_MARKS]; /* from mark i to mark i + 1; 0 where no literal says */
    struct coreio__frame_text texts[COREIO__FRAME_MARKS];
    struct coreio__frame_field fields[COREIO_LOG_MAX_FIELDS];
};

/* Whether one vector holds the positions of all marks of a line and of the newline before it: fields are then cut from
 * the positions that were compared with the frame. */
static inline int32_t coreio__frame_is_one_vector(const struct coreio__frame *frame)
{
    return frame->marks < COREIO__FRAME_LANES;
}

/* Up to eight fields that are made at once of the positions of 32 marks from `first` on. Lane 2i is the offset of field
 * i, lane 2i + 1 its length: one position plus `add`, minus another where it is a length. */
struct coreio__pick_group {
    uint16_t first;
    uint16_t count;
    uint16_t place; /* of the first of them in the row */
    uint16_t reserved;
    uint16_t plus[2 * COREIO__FRAME_FIELDS];
    uint16_t minus[2 * COREIO__FRAME_FIELDS];
    uint16_t add[2 * COREIO__FRAME_FIELDS];
};

/* Up to four fields that are made at once of the positions of eight marks from `first` on, in lanes as above; the
 * shuffles are by bytes, and give 0 where there is nothing to take. */
struct coreio__pick_four {
    uint16_t first;
    uint16_t count;
    uint16_t place; /* of the first of them in the row */
    uint16_t reserved;
    uint8_t plus[16];
    uint8_t minus[16];
    uint16_t add[8];
};

/* Most fields that can be wanted: each slot and each text of a plan may name another one. */
#define COREIO__MAX_PICKS (2 * COREIO_LOG_MAX_FIELDS)

/* The fields that are wanted of a line, in its order. */
struct coreio__picks {
    int32_t count;
    int32_t limit;  /* one more than the highest field wanted */
    int32_t prefix; /* how many of them are of the syslog part of edge */
    int32_t group_count;
    int32_t four_count;
    uint16_t fields[COREIO__MAX_PICKS];
    struct coreio__pick_four *fours; /* behind the groups */
    struct coreio__pick_group groups[];
};

struct coreio_log_format;

/* Finds the frame of a template, and adds what marks are to the format's class; leaves it without where there is none.
 */
void coreio__frame_compile(struct coreio_log_format *format);

/* Plans the cut of `count` fields, in ascending order. NULL without memory. The caller frees it. */
struct coreio__picks *coreio__picks_make(const struct coreio_log_format *format, const uint16_t *fields, int32_t count);

#endif
