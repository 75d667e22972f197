/* Slabs; see slab.h. */
#include "slab.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes a page has about: a few system pages, so that the allocator asks the kernel seldom and little lies idle. */
#define PAGE_BYTES (32 * 1024)

/* An index keeps its highest bit clear, for those who mark identifiers with it. */
#define ITEMS_MAX INT32_MAX

void coreio__slab_start(struct coreio__slab *slab, int32_t item_bytes)
{
    assert(item_bytes % 8 == 0 && item_bytes >= (int32_t)sizeof(struct coreio__slab_head));
    int32_t shift = 0;
    while (shift < 12 && (2 << shift) * item_bytes <= PAGE_BYTES)
        shift++;
    *slab = (struct coreio__slab){.item_bytes = item_bytes, .shift = shift, .free = -1};
}

void coreio__slab_end(struct coreio__slab *slab)
{
    for (int32_t i = 0; i < slab->page_count; i++)
        free(slab->pages[i]);
    free(slab->pages);
    *slab = (struct coreio__slab){.item_bytes = slab->item_bytes, .shift = slab->shift, .free = -1};
}

static int32_t add_page(struct coreio__slab *slab)
{
    if (slab->high > ITEMS_MAX - (1 << slab->shift))
        return -ENOMEM;
    if (slab->page_count == slab->page_capacity) {
        const int32_t capacity = slab->page_capacity == 0 ? 8 : 2 * slab->page_capacity;
        uint8_t **pages = realloc(slab->pages, (size_t)capacity * sizeof *pages);
        if (pages == NULL)
            return -ENOMEM;
        slab->pages = pages;
        slab->page_capacity = capacity;
    }
    /* The generation of an item that was never taken is 0. */
    uint8_t *page = calloc((size_t)1 << slab->shift, (size_t)slab->item_bytes);
    if (page == NULL)
        return -ENOMEM;
    slab->pages[slab->page_count++] = page;
    return 0;
}

static void turn(struct coreio__slab_head *head)
{
    head->generation = (head->generation + 1) & INT32_MAX;
}

int32_t coreio__slab_take(struct coreio__slab *slab)
{
    int32_t index = slab->free;
    struct coreio__slab_head *head;
    if (index >= 0) {
        head = coreio__slab_item(slab, index);
        slab->free = head->next;
        memset(head + 1, 0, (size_t)slab->item_bytes - sizeof *head);
    } else {
        if (slab->high == slab->page_count << slab->shift && add_page(slab) != 0)
            return -ENOMEM;
        index = slab->high++;
        head = coreio__slab_item(slab, index);
    }
    head->next = -1;
    turn(head);
    slab->taken++;
    return index;
}

void coreio__slab_give(struct coreio__slab *slab, int32_t index)
{
    struct coreio__slab_head *head = coreio__slab_item(slab, index);
    assert((head->generation & 1) != 0);
    turn(head);
    head->next = slab->free;
    slab->free = index;
    slab->taken--;
}
