/* The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt, 2020/03/05): one header in front of the bytes
 * of a connection says where it really comes from and goes to. */
#ifndef COREIO_SRC_PROXY_HEADER_H
#define COREIO_SRC_PROXY_HEADER_H

#include "address.h"

/* The longest header that is read: a worker's look at a connection. The largest that is written. */
#define COREIO__HEADER_MAX 4096
#define COREIO__HEADER_WRITTEN_MAX 107

/* Not all of it is there yet. */
#define COREIO__HEADER_MORE 0
#define COREIO__HEADER_BAD (-1)

/* Reads the header that `length` bytes begin with; returns its length, COREIO__HEADER_MORE or COREIO__HEADER_BAD.
 * Source and target are left alone when the header does not tell them (UNKNOWN, LOCAL, other families). */
int32_t coreio__header_read(
    const uint8_t *bytes, int32_t length, struct coreio__endpoint *source, struct coreio__endpoint *target);

/* Writes a header of version 1 or 2; returns its length. Endpoints of no or of different families are "unknown". */
int32_t coreio__header_write(int32_t version, const struct coreio__endpoint *source,
    const struct coreio__endpoint *target, uint8_t bytes[COREIO__HEADER_WRITTEN_MAX]);

#endif
