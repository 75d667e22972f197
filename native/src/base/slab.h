/* A slab: items of one size in pages that stay where they are until the slab ends.
 *
 * An item is named by its index, and by an identifier that also holds its generation: the generation moves on when the
 * item is taken and when it is given back, so an identifier of an earlier owner finds nothing. Pages are used again and
 * not returned, so what points to an item points to memory for as long as the slab lives.
 *
 * One thread at a time. Taking allocates when a page is full, and then only.
 */
#ifndef COREIO_BASE_SLAB_H
#define COREIO_BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

/* What every item begins with. */
struct coreio__slab_head {
    uint32_t generation; /* odd while the item is taken; 31 bits */
    int32_t next;        /* index of the next free item, -1 for none; its owner's while it is taken */
};

struct coreio__slab {
    uint8_t **pages;
    int32_t page_count;
    int32_t page_capacity; /* of `pages` */
    int32_t item_bytes;
    int32_t shift; /* a page holds 1 << shift items */
    int32_t free;  /* first free item, -1 for none */
    int32_t high;  /* items that were ever taken */
    int32_t taken;
};

/* An empty slab; `item_bytes` is a multiple of 8 and at least the size of the head. */
void coreio__slab_start(struct coreio__slab *slab, int32_t item_bytes);

/* Frees every page. */
void coreio__slab_end(struct coreio__slab *slab);

/* Takes an item, all zero behind its head, and returns its index, or -ENOMEM. */
int32_t coreio__slab_take(struct coreio__slab *slab);

/* Gives an item back that is taken. */
void coreio__slab_give(struct coreio__slab *slab, int32_t index);

static inline void *coreio__slab_item(const struct coreio__slab *slab, int32_t index)
{
    return slab->pages[index >> slab->shift] + (size_t)(index & ((1 << slab->shift) - 1)) * (size_t)slab->item_bytes;
}

/* The identifier of a taken item; above 0. */
static inline int64_t coreio__slab_id(const struct coreio__slab *slab, int32_t index)
{
    const struct coreio__slab_head *head = coreio__slab_item(slab, index);
    return (int64_t)head->generation << 32 | index;
}

/* The taken item with this identifier, or NULL. Any number may be asked for. */
static inline void *coreio__slab_find(const struct coreio__slab *slab, int64_t id)
{
    const uint32_t index = (uint32_t)id;
    if (index >= (uint32_t)slab->high)
        return NULL;
    struct coreio__slab_head *head = coreio__slab_item(slab, (int32_t)index);
    return (head->generation & 1) != 0 && head->generation == (uint64_t)id >> 32 ? head : NULL;
}

#endif
