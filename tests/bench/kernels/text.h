/* Seeded text for the benchmark of the kernels: the same bytes on every machine.
 *
 * What decides a kernel's speed is how many structural bytes there are and how they lie, so lines have the lengths
 * and the punctuation of real logs; their values mean nothing.
 */
#ifndef COREIO_BENCH_TEXT_H
#define COREIO_BENCH_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Fill all of `text`; the last line may be cut. */
void text_combined(uint8_t *text, size_t length);
void text_edge(uint8_t *text, size_t length);

#endif
