/* Socket addresses: which are valid, and what names a source. */
#include "check.h"

#include "proxy/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

static struct coreio_proxy_address address_of(const void *bytes, uint32_t length)
{
    struct coreio_proxy_address address = {.length = length};
    memcpy(address.bytes, bytes, length);
    return address;
}

static struct coreio__endpoint endpoint(uint16_t family, const char *text, uint16_t port)
{
    struct coreio__endpoint endpoint = {.family = family, .port = port};
    CHECK_EQ(inet_pton(family, text, endpoint.bytes), 1);
    return endpoint;
}

TEST(an_address_has_a_length_that_belongs_to_its_family)
{
    const struct sockaddr_in in = {.sin_family = AF_INET};
    const struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    const struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/x"};
    const struct coreio_proxy_address good[] = {
        address_of(&in, sizeof in),
        address_of(&in6, sizeof in6),
        address_of(&un, sizeof un),
        address_of(&un, offsetof(struct sockaddr_un, sun_path) + 2),
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK(coreio__address_valid(&good[i]));
    const sa_family_t other = AF_NETLINK;
    struct coreio_proxy_address bad[] = {
        address_of(&in, sizeof in - 1),
        address_of(&in6, sizeof in),
        address_of(&in, 0),
        address_of(&in, 1),
        address_of(&un, offsetof(struct sockaddr_un, sun_path)),
        address_of(&other, sizeof other),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!coreio__address_valid(&bad[i]));
    bad[0] = good[0];
    bad[0].length = sizeof bad[0].bytes + 1;
    CHECK(!coreio__address_valid(&bad[0]));
}

TEST(endpoints_go_to_socket_addresses_and_back)
{
    const struct coreio__endpoint all[] = {
        endpoint(AF_INET, "192.0.2.7", 8080), endpoint(AF_INET6, "2001:db8::7", 65535)};
    for (size_t i = 0; i < 2; i++) {
        struct sockaddr_storage address;
        CHECK_EQ(coreio__endpoint_address(&all[i], &address),
            i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
        const struct coreio__endpoint back = coreio__endpoint_of(&address);
        CHECK_BYTES(&back, sizeof back, &all[i], sizeof all[i]);
    }
    /* An IPv4 client of an IPv6 socket. */
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons(8080)};
    CHECK_EQ(inet_pton(AF_INET6, "::ffff:192.0.2.7", &mapped.sin6_addr), 1);
    struct sockaddr_storage address = {0};
    memcpy(&address, &mapped, sizeof mapped);
    const struct coreio__endpoint plain = coreio__endpoint_of(&address);
    CHECK_BYTES(&plain, sizeof plain, &all[0], sizeof all[0]);
    const struct sockaddr_un un = {.sun_family = AF_UNIX};
    memcpy(&address, &un, sizeof un);
    CHECK_EQ(coreio__endpoint_of(&address).family, 0);
}

TEST(a_source_is_an_address_or_the_prefix_of_a_subscriber)
{
    const struct coreio__endpoint one = endpoint(AF_INET, "192.0.2.7", 1);
    const struct coreio__endpoint same = endpoint(AF_INET, "192.0.2.7", 2);
    const struct coreio__endpoint other = endpoint(AF_INET, "192.0.2.8", 1);
    CHECK_EQ(coreio__endpoint_source(&one), coreio__endpoint_source(&same));
    CHECK(coreio__endpoint_source(&one) != coreio__endpoint_source(&other));
    const struct coreio__endpoint six = endpoint(AF_INET6, "2001:db8:1:2::1", 1);
    const struct coreio__endpoint six_same = endpoint(AF_INET6, "2001:db8:1:2:ffff::", 1);
    const struct coreio__endpoint six_other = endpoint(AF_INET6, "2001:db8:1:3::1", 1);
    CHECK_EQ(coreio__endpoint_source(&six), coreio__endpoint_source(&six_same));
    CHECK(coreio__endpoint_source(&six) != coreio__endpoint_source(&six_other));
    const struct coreio__endpoint nobody = {0};
    CHECK_EQ(coreio__endpoint_source(&nobody), 0);
}
