/* The server name that a TLS client asks for, read from its ClientHello without decrypting anything. */
#ifndef COREIO_SRC_PROXY_HELLO_H
#define COREIO_SRC_PROXY_HELLO_H

#include <stdint.h>

#define COREIO__HELLO_MORE 0
#define COREIO__HELLO_BAD (-1) /* no TLS, or no ClientHello */
#define COREIO__HELLO_NAMELESS (-2)

/* The longest ClientHello that is read: one with post-quantum key shares and a session ticket fits several times. */
#define COREIO__HELLO_MAX 16384
#define COREIO__NAME_MAX 253

/* Finds the host_name (RFC 6066, section 3) in what `length` bytes begin with; writes it in lower case, without a dot
 * at its end, and returns its length, or one of the codes above. */
int32_t coreio__hello_name(const uint8_t *bytes, int32_t length, uint8_t name[COREIO__NAME_MAX]);

#endif
