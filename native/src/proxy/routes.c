/* Names to groups; see routes.h. */
#include "routes.h"

#include "hello.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int32_t compare(const struct coreio__route *route, const uint8_t *name, int32_t length)
{
    return route->length != length ? route->length - length : memcmp(route->name, name, (size_t)length);
}

/* The first place whose route is not before the name. */
static int32_t place_of(const struct coreio__routes *routes, const uint8_t *name, int32_t length)
{
    int32_t low = 0;
    int32_t high = routes->count;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (compare(&routes->all[middle], name, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct coreio__route *exact(const struct coreio__routes *routes, const uint8_t *name, int32_t length)
{
    const int32_t place = place_of(routes, name, length);
    if (place == routes->count || compare(&routes->all[place], name, length) != 0)
        return NULL;
    return &routes->all[place];
}

int32_t coreio__routes_add(struct coreio__routes *routes, const uint8_t *name, int32_t length, int32_t group)
{
    /* "*.example.com" is kept as ".example.com", which no name can be. */
    if (length >= 2 && name[0] == '*' && name[1] == '.') {
        name++;
        length--;
        if (length < 2)
            return -EINVAL;
    } else if (length >= 1 && name[0] == '.') {
        return -EINVAL;
    }
    if (length < 1 || length > COREIO__NAME_MAX || memchr(name, '*', (size_t)length) != NULL)
        return -EINVAL;
    uint8_t lower[COREIO__NAME_MAX];
    for (int32_t i = 0; i < length; i++)
        lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (uint8_t)(name[i] | 0x20) : name[i];
    if (exact(routes, lower, length) != NULL)
        return -EEXIST;
    if (routes->count == routes->capacity) {
        const int32_t capacity = routes->capacity == 0 ? 8 : 2 * routes->capacity;
        struct coreio__route *all = realloc(routes->all, (size_t)capacity * sizeof *all);
        if (all == NULL)
            return -ENOMEM;
        routes->all = all;
        routes->capacity = capacity;
    }
    uint8_t *copy = malloc((size_t)length);
    if (copy == NULL)
        return -ENOMEM;
    memcpy(copy, lower, (size_t)length);
    const int32_t place = place_of(routes, lower, length);
    memmove(&routes->all[place + 1], &routes->all[place], (size_t)(routes->count - place) * sizeof *routes->all);
    routes->all[place] = (struct coreio__route){.name = copy, .length = length, .group = group};
    routes->count++;
    return 0;
}

void coreio__routes_end(struct coreio__routes *routes)
{
    for (int32_t i = 0; i < routes->count; i++)
        free(routes->all[i].name);
    free(routes->all);
    *routes = (struct coreio__routes){.all = NULL};
}

int32_t coreio__routes_find(const struct coreio__routes *routes, const uint8_t *name, int32_t length)
{
    const struct coreio__route *route = exact(routes, name, length);
    while (route == NULL) {
        /* The next dot that has something before it. */
        const uint8_t *dot = length > 1 ? memchr(name + 1, '.', (size_t)length - 1) : NULL;
        if (dot == NULL)
            return -1;
        length -= (int32_t)(dot - name);
        name = dot;
        route = exact(routes, name, length);
    }
    return route->group;
}
