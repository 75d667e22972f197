/* Masks of equal bytes against a loop. */
#include "check.h"

#include "log/equal.h"
#include "logs.h"

TEST(a_mask_has_a_bit_for_each_byte_that_is_equal)
{
    struct logs_random random = {5};
    for (int round = 0; round < 20000; round++) {
        /* Bytes that differ by a bit or by one, for arithmetic that carries would take them for others. */
        static const uint8_t bytes[] = {0, 1, 0x7F, 0x80, 0x81, 0xFF, '?', '?' ^ 0x80, '?' + 1};
        uint8_t text[64];
        uint64_t wanted = 0;
        const uint8_t byte = bytes[logs_below(&random, sizeof bytes)];
        for (uint32_t i = 0; i < sizeof text; i++) {
            text[i] = bytes[logs_below(&random, sizeof bytes)];
            wanted |= (uint64_t)(text[i] == byte) << i;
        }
        const uint8_t *guarded = guarded_copy(text, sizeof text);
        CHECK_EQ(coreio__equal64(guarded, byte), wanted);
        CHECK_EQ(coreio__equal16(guarded + 48, byte), wanted >> 48);
    }
}
