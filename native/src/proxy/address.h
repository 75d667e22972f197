/* Socket addresses: what they are, and what of them names a source. */
#ifndef COREIO_SRC_PROXY_ADDRESS_H
#define COREIO_SRC_PROXY_ADDRESS_H

#include <coreio/proxy.h>
#include <sys/socket.h>

/* An internet address without its sockaddr, as records and headers carry it. An IPv4 address takes the first four
 * bytes; an IPv6 address that maps an IPv4 one is kept as that. */
struct coreio__endpoint {
    uint16_t family; /* AF_INET, AF_INET6, or 0 for none */
    uint16_t port;   /* in host order */
    uint8_t bytes[16];
};

/* Whether the address is one that sockets take: its family, and a length that belongs to it. */
int32_t coreio__address_valid(const struct coreio_proxy_address *address);

/* The family, AF_INET, AF_INET6 or AF_UNIX, of a valid address. */
uint16_t coreio__address_family(const struct coreio_proxy_address *address);

/* The endpoint of a socket address; family 0 for a unix one. */
struct coreio__endpoint coreio__endpoint_of(const struct sockaddr_storage *address);

/* The socket address of an endpoint; returns its length. */
uint32_t coreio__endpoint_address(const struct coreio__endpoint *endpoint, struct sockaddr_storage *address);

/* A number for the source of a connection: the IPv4 address, or the first 64 bits of an IPv6 one, which is what one
 * subscriber has. 0 for none. */
uint64_t coreio__endpoint_source(const struct coreio__endpoint *endpoint);

/* Mixes a number so that each bit depends on all: the finalizer of SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t coreio__mix(uint64_t value)
{
    value ^= value >> 30;
    value *= UINT64_C(0xbf58476d1ce4e5b9);
    value ^= value >> 27;
    value *= UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

#endif
