/* Names to groups of upstreams: a sorted table, made before the start and only read after. */
#ifndef COREIO_SRC_PROXY_ROUTES_H
#define COREIO_SRC_PROXY_ROUTES_H

#include <stdint.h>

struct coreio__route {
    uint8_t *name; /* lower case; begins with a dot when it stands for all names below it */
    int32_t length;
    int32_t group;
};

struct coreio__routes {
    struct coreio__route *all; /* by length and bytes */
    int32_t count;
    int32_t capacity;
};

/* Adds a route; returns 0, -EINVAL, -EEXIST or -ENOMEM. */
int32_t coreio__routes_add(struct coreio__routes *routes, const uint8_t *name, int32_t length, int32_t group);
void coreio__routes_end(struct coreio__routes *routes);

/* The group of a name in lower case: the name itself, or the longest "*." that fits; -1 for none. */
int32_t coreio__routes_find(const struct coreio__routes *routes, const uint8_t *name, int32_t length);

#endif
