/* Socket addresses; see address.h. */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

uint16_t coreio__address_family(const struct coreio_proxy_address *address)
{
    uint16_t family;
    memcpy(&family, address->bytes, sizeof family);
    return family;
}

int32_t coreio__address_valid(const struct coreio_proxy_address *address)
{
    if (address->length < sizeof(uint16_t) || address->length > sizeof address->bytes)
        return 0;
    switch (coreio__address_family(address)) {
    case AF_INET:
        return address->length == sizeof(struct sockaddr_in);
    case AF_INET6:
        return address->length == sizeof(struct sockaddr_in6);
    case AF_UNIX:
        /* A name is there: autobind and unnamed sockets are nothing to listen on or to connect to. */
        return address->length > offsetof(struct sockaddr_un, sun_path) &&
               address->length <= sizeof(struct sockaddr_un);
    default:
        return 0;
    }
}

struct coreio__endpoint coreio__endpoint_of(const struct sockaddr_storage *address)
{
    struct coreio__endpoint endpoint = {0};
    if (address->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        endpoint.family = AF_INET;
        endpoint.port = ntohs(in.sin_port);
        memcpy(endpoint.bytes, &in.sin_addr, 4);
    } else if (address->ss_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, address, sizeof in);
        endpoint.port = ntohs(in.sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
            endpoint.family = AF_INET;
            memcpy(endpoint.bytes, in.sin6_addr.s6_addr + 12, 4);
        } else {
            endpoint.family = AF_INET6;
            memcpy(endpoint.bytes, &in.sin6_addr, 16);
        }
    }
    return endpoint;
}

uint32_t coreio__endpoint_address(const struct coreio__endpoint *endpoint, struct sockaddr_storage *address)
{
    memset(address, 0, sizeof *address);
    if (endpoint->family == AF_INET) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(endpoint->port)};
        memcpy(&in.sin_addr, endpoint->bytes, 4);
        memcpy(address, &in, sizeof in);
        return sizeof in;
    }
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons(endpoint->port)};
    memcpy(&in.sin6_addr, endpoint->bytes, 16);
    memcpy(address, &in, sizeof in);
    return sizeof in;
}

uint64_t coreio__endpoint_source(const struct coreio__endpoint *endpoint)
{
    uint64_t number = 0;
    if (endpoint->family == AF_INET) {
        uint32_t address;
        memcpy(&address, endpoint->bytes, sizeof address);
        /* Above every IPv6 prefix in use (2000::/3 and below fe80::/10 have other first bits). */
        number = UINT64_C(0xffff000000000000) | address;
    } else if (endpoint->family == AF_INET6) {
        memcpy(&number, endpoint->bytes, sizeof number);
    }
    return number;
}
