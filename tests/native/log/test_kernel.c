/* Every kernel writes the positions that the definition writes, and none reads beyond the text. */
#include "check.h"

#include "log/kernel.h"
#include "logs.h"

#include <errno.h>
#include <string.h>

static uint32_t wanted[65536 + COREIO__KERNEL_SLACK];
static uint32_t found[65536 + COREIO__KERNEL_SLACK];

/* The positions by their definition: bytes of a set of 256, not by halves. */
static size_t index_by_set(const uint8_t *text, size_t length, const uint8_t *set)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        if (set[text[i]])
            wanted[count++] = (uint32_t)i;
    }
    return count;
}

static void check_kernels(const uint8_t *text, size_t length, const struct coreio__class *class, const uint8_t *set)
{
    const size_t count = index_by_set(text, length, set);
    for (int32_t i = 0; logs_kernel(i) != 0; i++) {
        const struct coreio__kernel *kernel = coreio__kernel_get(logs_kernel(i));
        check_context("kernel %s, length %zu", kernel->name, length);
        const size_t got = kernel->index(text, length, class, found);
        REQUIRE(got == count);
        REQUIRE(count == 0 || memcmp(wanted, found, count * sizeof *found) == 0);
    }
}

TEST(a_class_of_ascii_bytes_holds_them_alone)
{
    static const char bytes[] = {'\n', ' ', '\t', '|', '"', '[', ']', '\\', 0, 0x7f};
    struct coreio__class class = {0};
    uint8_t set[256] = {0};
    for (size_t i = 0; i < sizeof bytes; i++) {
        coreio__class_add(&class, (uint8_t)bytes[i]);
        set[(uint8_t)bytes[i]] = 1;
    }
    for (int byte = 0; byte < 256; byte++)
        CHECK_EQ(coreio__class_has(&class, (uint8_t)byte), set[byte]);
}

TEST(a_class_holds_all_that_was_added)
{
    struct logs_random random = {1};
    for (int round = 0; round < 200; round++) {
        struct coreio__class class = {0};
        uint8_t added[16];
        for (int i = 0; i < 16; i++) {
            added[i] = (uint8_t)logs_next(&random);
            coreio__class_add(&class, added[i]);
        }
        for (int i = 0; i < 16; i++)
            CHECK(coreio__class_has(&class, added[i]));
    }
}

TEST(kernels_agree_on_every_length_and_offset)
{
    struct logs_random random = {2};
    struct coreio__class class = {0};
    uint8_t set[256];
    /* NUL is what a kernel may see behind a text that does not fill its last block. */
    static const uint8_t bytes[] = {'\n', '"', '\\', ' ', 0xc3, 0};
    for (size_t i = 0; i < sizeof bytes; i++)
        coreio__class_add(&class, bytes[i]);
    for (int byte = 0; byte < 256; byte++)
        set[byte] = (uint8_t)coreio__class_has(&class, (uint8_t)byte);
    struct logs_text text = {0};
    for (int i = 0; i < 300; i++) {
        const uint8_t byte =
            logs_below(&random, 3) == 0 ? bytes[logs_below(&random, sizeof bytes)] : (uint8_t)logs_next(&random);
        logs_append(&text, &byte, 1);
    }
    /* The last byte lies against an unreadable page, so each length begins at another offset. */
    const uint8_t *end = guarded_copy(text.bytes, 300) + 300;
    const uint8_t *begin = guarded_copy_after(text.bytes, 300);
    for (size_t length = 0; length <= 300; length++) {
        check_kernels(end - length, length, &class, set);
        check_kernels(begin, length, &class, set);
        for (size_t offset = 1; offset < 33 && offset + length <= 300; offset++)
            check_kernels(begin + offset, length, &class, set);
    }
    logs_free(&text);
}

TEST(kernels_agree_on_texts_of_nothing_but_structure)
{
    struct coreio__class class = {0};
    uint8_t set[256] = {0};
    coreio__class_add(&class, '|');
    set['|'] = 1;
    uint8_t text[65536];
    memset(text, '|', sizeof text);
    check_kernels(text, sizeof text, &class, set);
    check_kernels(text, sizeof text - 1, &class, set);
    memset(text, 'x', sizeof text);
    check_kernels(text, sizeof text, &class, set);
    struct coreio__class none = {0};
    memset(set, 0, sizeof set);
    check_kernels(text, sizeof text, &none, set);
    check_kernels(NULL, 0, &none, set);
}

static uint16_t wanted_marks[65536 + COREIO__KERNEL_SLACK];
static uint8_t wanted_bytes[65536 + COREIO__KERNEL_SLACK];
static uint16_t found_marks[65536 + COREIO__KERNEL_SLACK];
static uint8_t found_bytes[65536 + COREIO__KERNEL_SLACK];

/* Every kernel marks what the first one, the definition, marks. */
static void check_marks(const uint8_t *text, size_t length, const struct coreio__class *class)
{
    for (int bracketed = 0; bracketed < 2; bracketed++) {
        const struct coreio__kernel *definition = &coreio__kernel_scalar;
        const size_t count = (bracketed ? definition->mark_bracketed : definition->mark_quoted)(
            text, length, class, wanted_marks, wanted_bytes);
        for (int32_t i = 0; logs_kernel(i) != 0; i++) {
            const struct coreio__kernel *kernel = coreio__kernel_get(logs_kernel(i));
            check_context("kernel %s, length %zu, %s", kernel->name, length, bracketed ? "bracketed" : "quoted");
            /* Nothing is right that is left of the kernel before. */
            memset(found_marks, 0xff, count * sizeof *found_marks);
            memset(found_bytes, 0xff, count);
            const size_t got = (bracketed ? kernel->mark_bracketed : kernel->mark_quoted)(
                text, length, class, found_marks, found_bytes);
            REQUIRE(got == count);
            REQUIRE(count == 0 || memcmp(wanted_marks, found_marks, count * sizeof *found_marks) == 0);
            REQUIRE(count == 0 || memcmp(wanted_bytes, found_bytes, count) == 0);
        }
    }
}

/* What marks are of a short text, as the bytes at them. */
static void check_definition(const char *text, const char *quoted, const char *bracketed)
{
    struct coreio__class class = {0};
    coreio__class_add(&class, ' ');
    coreio__class_add(&class, '\\');
    const uint8_t *bytes = guarded_copy(text, (int64_t)strlen(text));
    check_context("%s", text);
    size_t count = coreio__kernel_scalar.mark_quoted(bytes, strlen(text), &class, found_marks, found_bytes);
    CHECK_BYTES(found_bytes, count, quoted, strlen(quoted));
    count = coreio__kernel_scalar.mark_bracketed(bytes, strlen(text), &class, found_marks, found_bytes);
    CHECK_BYTES(found_bytes, count, bracketed, strlen(bracketed));
    check_marks(bytes, strlen(text), &class);
}

TEST(marks_are_what_counts_where_it_stands)
{
    check_definition("", "", "");
    check_definition("a b\n\"c d\" e", " \n\"\" ", "\n");
    check_definition("\"a \\\" b\" \\ c", "\"\" \\ ", "\\\\");
    check_definition("\"a\\\\\" \"\\\n \"", "\"\" \"\n \"", "\\\\\\\n");
    check_definition("\" open\n \" \"", "\"\n \"\"", "\n");
    check_definition("x: [a [b]] [c][d]  [e] f[\n[g", "      \n", "[]][][]]\n[");
    check_definition("\xa0\"\xa0", "\"", "");
}

TEST(kernels_agree_on_marks_at_every_length_and_offset)
{
    static const char bytes[] = "\n\"\"\\ []][ x-";
    struct logs_random random = {3};
    /* NUL shares its lower half with the space. */
    struct coreio__class classes[2] = {0};
    static const uint8_t members[] = {' ', ']', '\\', 0};
    for (size_t i = 0; i < sizeof members; i++) {
        for (size_t j = 0; j < (members[i] == 0 ? 1 : 2); j++)
            coreio__class_add(&classes[j], members[i]);
    }
    CHECK(classes[0].shared && !classes[1].shared);
    for (int round = 0; round < 80; round++) {
        const struct coreio__class *class = &classes[round % 2];
        struct logs_text text = {0};
        /* From texts of nothing else to such with hardly any. */
        const uint32_t rarity = 1 + logs_below(&random, 12);
        for (int i = 0; i < 300; i++) {
            const uint8_t byte = logs_below(&random, rarity) == 0
                                     ? (uint8_t)bytes[logs_below(&random, sizeof bytes - 1)]
                                     : (uint8_t)logs_next(&random);
            logs_append(&text, &byte, 1);
        }
        const uint8_t *end = guarded_copy(text.bytes, 300) + 300;
        for (size_t length = 0; length <= 300; length += 1 + logs_below(&random, 3))
            check_marks(end - length, length, class);
        logs_free(&text);
    }
    static uint8_t full[65536];
    for (int i = 0; i < 2; i++) {
        memset(full, '"', sizeof full);
        check_marks(full, sizeof full, &classes[i]);
        memset(full, '\n', sizeof full);
        check_marks(full, sizeof full, &classes[i]);
        memset(full, ' ', sizeof full);
        check_marks(full, sizeof full, &classes[i]);
        memset(full, '\\', sizeof full);
        check_marks(full, sizeof full - 1, &classes[i]);
    }
}

TEST(kernels_agree_on_marks_of_many_blocks)
{
    static const char bytes[] = "\n\"\"\\ []][ x-:,J";
    /* Some share a lower half: with each other, a quote, a newline, a backslash. */
    static const char *const members[] = {" ]", " ]\\", " :\\", " ,", " J", " 2", " ,\\"};
    enum { CLASSES = sizeof members / sizeof members[0] };
    struct logs_random random = {4};
    struct coreio__class classes[CLASSES] = {0};
    for (int i = 0; i < CLASSES; i++) {
        for (const char *member = members[i]; *member != 0; member++)
            coreio__class_add(&classes[i], (uint8_t)*member);
    }
    for (int round = 0; round < 40 * CLASSES; round++) {
        const struct coreio__class *class = &classes[round % CLASSES];
        struct logs_text text = {0};
        /* From texts of little else to such with hardly any in a kilobyte. */
        const uint32_t rarity = 1 + logs_below(&random, logs_below(&random, 2) == 0 ? 30 : 700);
        const uint32_t length = 4000 + logs_below(&random, 9000);
        for (uint32_t i = 0; i < length; i++) {
            const uint8_t byte =
                logs_below(&random, rarity) == 0 ? (uint8_t)bytes[logs_below(&random, sizeof bytes - 1)] : 'a';
            logs_append(&text, &byte, 1);
        }
        /* What a bracket follows, or a backslash escapes, may be in the blocks that were told apart before. */
        static const char *const borders[] = {"", "] [", "a\\\"", "\\\\\"", "\"\n "};
        const char *border = borders[logs_below(&random, sizeof borders / sizeof borders[0])];
        for (size_t at = 512; at + 1 < length; at += 512 * (1 + logs_below(&random, 3)))
            memcpy(text.bytes + at - 2, border, strlen(border));
        check_context("round %d, %u bytes, one in %u", round, length, rarity);
        check_marks(guarded_copy(text.bytes, (int64_t)length), length, class);
        check_marks(guarded_copy(text.bytes, (int64_t)length), length / 64 * 64, class);
        logs_free(&text);
    }
}

/* Texts whose groups of blocks differ in what is hard about them: nothing, an escape, a line that ends inside of
 * quotes, a block with more marks than the others. */
TEST(kernels_agree_on_marks_of_groups_that_differ)
{
    static const uint8_t dense[] = {15, 16, 17, 18, 20, 31, 33, 64};
    struct logs_random random = {5};
    struct coreio__class class = {0};
    coreio__class_add(&class, ' ');
    coreio__class_add(&class, ']');
    coreio__class_add(&class, '\\');
    for (int round = 0; round < (LOGS_WATCHED ? 40 : 200); round++) {
        static uint8_t text[65536];
        const size_t length = round % 2 == 0 ? sizeof text - 512 * logs_below(&random, 128)
                                             : 1 + logs_below(&random, (uint32_t)sizeof text);
        const uint32_t rarity = 1 + logs_below(&random, 40);
        for (size_t i = 0; i < length; i++)
            text[i] = (uint8_t)(i % 20 == 7 ? ' ' : i % 50 == 20 || i % 50 == 40 ? '"' : i % 200 == 199 ? '\n' : 'a');
        for (size_t at = 0; at + 512 <= length; at += 512) {
            uint8_t *block = text + at + 64 * logs_below(&random, 8);
            if (logs_below(&random, rarity) != 0)
                continue;
            switch (logs_below(&random, 4)) {
            case 0:
                /* Alone or among others. */
                memset(text + at, 'a', 512);
                if (logs_below(&random, 2) == 0)
                    memset(text + at, ' ', 3);
                memset(block, 'a', 64);
                memset(block, ']', dense[logs_below(&random, sizeof dense)]);
                break;
            case 1:
                memcpy(block + logs_below(&random, 62), "\\\"", 2);
                break;
            case 2:
                memcpy(block + logs_below(&random, 62), "\"\n", 2);
                break;
            default:
                text[at + 511] = '\\';
            }
        }
        check_context("round %d, one in %u", round, rarity);
        check_marks(guarded_copy(text, (int64_t)length), length, &class);
    }
}

TEST(positions_stay_in_their_room)
{
    struct coreio__class class = {0};
    coreio__class_add(&class, '|');
    uint8_t text[1100];
    uint8_t closes[1100];
    memset(text, '|', sizeof text);
    memset(closes, ']', sizeof closes);
    for (size_t length = 0; length <= sizeof text; length += length < 200 ? 1 : 52) {
        const size_t room = (length + COREIO__KERNEL_SLACK) * sizeof(uint32_t);
        uint32_t blank[1100 + COREIO__KERNEL_SLACK] = {0};
        uint32_t *positions = (uint32_t *)(void *)guarded_copy(blank, (int64_t)room);
        for (int32_t i = 0; logs_kernel(i) != 0; i++)
            CHECK_EQ(coreio__kernel_get(logs_kernel(i))->index(text, length, &class, positions), length);
        uint16_t *marks = (uint16_t *)(void *)guarded_copy(blank, (int64_t)(room / 2));
        for (int32_t i = 0; logs_kernel(i) != 0; i++)
            CHECK_EQ(coreio__kernel_get(logs_kernel(i))->mark_quoted(text, length, &class, marks, found_bytes), length);
        uint8_t *bytes = (uint8_t *)guarded_copy(blank, (int64_t)(length + COREIO__KERNEL_SLACK));
        for (int32_t i = 0; logs_kernel(i) != 0; i++)
            CHECK_EQ(coreio__kernel_get(logs_kernel(i))->mark_quoted(text, length, &class, marks, bytes), length);
        for (int32_t i = 0; logs_kernel(i) != 0; i++)
            CHECK_EQ(coreio__kernel_get(logs_kernel(i))->mark_bracketed(closes, length, &class, marks, bytes), length);
    }
}

TEST(kernels_are_listed_the_slowest_first)
{
    struct coreio_log_kernel_info infos[16];
    memset(infos, 0xff, sizeof infos);
    const int32_t count = coreio_log_kernels(infos, 16);
    REQUIRE(count >= 1 && count <= 16);
    CHECK_EQ(infos[0].id, COREIO_LOG_KERNEL_SCALAR);
    CHECK_EQ(infos[0].supported, 1);
    CHECK_TEXT(infos[0].name, strlen((const char *)infos[0].name), "scalar");
    int32_t best = 0;
    for (int32_t i = 0; i < count; i++) {
        const struct coreio__kernel *kernel = coreio__kernel_get(infos[i].id);
        CHECK_EQ(kernel != NULL, infos[i].supported);
        best = infos[i].supported ? infos[i].id : best;
        for (int32_t j = 0; j < i; j++)
            CHECK(infos[j].id != infos[i].id);
    }
    CHECK_EQ(coreio__kernel_get(COREIO_LOG_KERNEL_AUTO)->id, best);
    CHECK(coreio__kernel_get(-1) == NULL);
    CHECK(coreio__kernel_get(99) == NULL);
}

TEST(a_short_list_is_filled_as_far_as_it_goes)
{
    struct coreio_log_kernel_info infos[2];
    memset(infos, 0x55, sizeof infos);
    const int32_t count = coreio_log_kernels(NULL, 0);
    CHECK_EQ(coreio_log_kernels(infos, 1), count);
    CHECK_EQ(infos[0].id, COREIO_LOG_KERNEL_SCALAR);
    CHECK_EQ(infos[1].id, 0x55555555);
    CHECK_EQ(coreio_log_kernels(infos, -1), -EINVAL);
    CHECK_EQ(coreio_log_kernels(NULL, 1), -EINVAL);
}
