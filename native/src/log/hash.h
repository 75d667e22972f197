/* The hash of keys and of distinct texts.
 *
 * It is a part of the answer, not only of the speed: distinct counts and the choice of groups beyond
 * max_groups depend on it, so it is fixed, the same on every machine and in both backends. The
 * construction is the 64x64 to 128 bit multiply-and-fold of wyhash (Wang Yi, public domain): two
 * possibly overlapping loads for short texts, and for longer ones up to four lanes of 16 bytes that do not wait for
 * each other; the last lanes overlap what was read before instead of being shorter.
 *
 * No read passes the text.
 */
#ifndef COREIO_LOG_HASH_H
#define COREIO_LOG_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define COREIO__HASH_K0 0x9E3779B97F4A7C15u
#define COREIO__HASH_K1 0xBF58476D1CE4E5B9u
#define COREIO__HASH_K2 0x94D049BB133111EBu
#define COREIO__HASH_K3 0xD6E8FEB86659FD93u

__extension__ typedef unsigned __int128 coreio__u128;

static inline uint64_t coreio__hash_fold(uint64_t a, uint64_t b)
{
    const coreio__u128 product = (coreio__u128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t coreio__load64(const uint8_t *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return word;
}

static inline uint64_t coreio__load32(const uint8_t *text)
{
    uint32_t word;
    memcpy(&word, text, sizeof word);
    return word;
}

/* One step of a lane: 16 bytes. */
static inline uint64_t coreio__hash_lane(const uint8_t *text, uint64_t key, uint64_t lane)
{
    return coreio__hash_fold(coreio__load64(text) ^ key, coreio__load64(text + 8) ^ lane);
}

/* The hash of more than 16 bytes. */
static inline uint64_t coreio__hash_long(const uint8_t *text, size_t length, uint64_t seed)
{
    const uint8_t *end = text + length;
    uint64_t a = seed;
    uint64_t b = seed;
    uint64_t c = 0;
    uint64_t d = 0;
    if (length <= 32) {
        a = coreio__hash_lane(text, COREIO__HASH_K1, a);
        b = coreio__hash_lane(end - 16, COREIO__HASH_K2, b);
    } else {
        c = seed;
        d = seed;
        for (; end - text > 64; text += 64) {
            a = coreio__hash_lane(text, COREIO__HASH_K1, a);
            b = coreio__hash_lane(text + 16, COREIO__HASH_K2, b);
            c = coreio__hash_lane(text + 32, COREIO__HASH_K0, c);
            d = coreio__hash_lane(text + 48, COREIO__HASH_K3, d);
        }
        /* The last 64 bytes, or both halves of fewer. */
        const uint8_t *last = length > 64 ? end - 64 : text;
        a = coreio__hash_lane(last, COREIO__HASH_K1, a);
        b = coreio__hash_lane(last + 16, COREIO__HASH_K2, b);
        c = coreio__hash_lane(end - 32, COREIO__HASH_K0, c);
        d = coreio__hash_lane(end - 16, COREIO__HASH_K3, d);
    }
    return coreio__hash_fold(
        COREIO__HASH_K2 ^ length, coreio__hash_fold(a ^ c ^ COREIO__HASH_K1, b ^ d ^ COREIO__HASH_K0));
}

/* The hash of `length` bytes; `seed` is the hash of what comes before them, or 0. */
static inline uint64_t coreio__hash(const uint8_t *text, size_t length, uint64_t seed)
{
    uint64_t a = 0;
    uint64_t b = 0;
    seed ^= COREIO__HASH_K0;
    if (length > 16)
        return coreio__hash_long(text, length, seed);
    if (length >= 4) {
        const size_t middle = (length >> 3) << 2;
        a = coreio__load32(text) << 32 | coreio__load32(text + middle);
        b = coreio__load32(text + length - 4) << 32 | coreio__load32(text + length - 4 - middle);
    } else if (length > 0) {
        a = (uint64_t)text[0] << 16 | (uint64_t)text[length >> 1] << 8 | text[length - 1];
    }
    return coreio__hash_fold(COREIO__HASH_K2 ^ length, coreio__hash_fold(a ^ COREIO__HASH_K1, b ^ seed));
}

/* Whether two texts of one length are the same; keys are short, and a call costs more than two loads. */
static inline int32_t coreio__equal(const uint8_t *a, const uint8_t *b, size_t length)
{
    if (length > 32)
        return memcmp(a, b, length) == 0;
    if (length > 16)
        return ((coreio__load64(a) ^ coreio__load64(b)) | (coreio__load64(a + 8) ^ coreio__load64(b + 8)) |
                   (coreio__load64(a + length - 16) ^ coreio__load64(b + length - 16)) |
                   (coreio__load64(a + length - 8) ^ coreio__load64(b + length - 8))) == 0;
    if (length >= 8)
        return coreio__load64(a) == coreio__load64(b) &&
               coreio__load64(a + length - 8) == coreio__load64(b + length - 8);
    if (length >= 4)
        return coreio__load32(a) == coreio__load32(b) &&
               coreio__load32(a + length - 4) == coreio__load32(b + length - 4);
    return length == 0 || (a[0] == b[0] && a[length >> 1] == b[length >> 1] && a[length - 1] == b[length - 1]);
}

/* The hash of a null part of a key. */
static inline uint64_t coreio__hash_null(uint64_t seed)
{
    return coreio__hash_fold(seed ^ COREIO__HASH_K2, COREIO__HASH_K0);
}

#endif
