/* SPDX-License-Identifier: MIT */
#include "daemon/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

static void address_print_v4(const void *host, in_port_t port, char text[ADDRESS_TEXT_MAX])
{
    char digits[INET_ADDRSTRLEN];

    snprintf(text, ADDRESS_TEXT_MAX, "%s:%u", inet_ntop(AF_INET, host, digits, sizeof(digits)),
             ntohs(port));
}

static void address_print_v6(const struct sockaddr_in6 *address, char text[ADDRESS_TEXT_MAX])
{
    char digits[INET6_ADDRSTRLEN], scope[16] = "";

    if (IN6_IS_ADDR_V4MAPPED(&address->sin6_addr)) {
        address_print_v4(address->sin6_addr.s6_addr + 12, address->sin6_port, text);
        return;
    }
    /* As a number: its name is asked of the kernel by a call that the sandbox refuses. */
    if (address->sin6_scope_id != 0)
        snprintf(scope, sizeof(scope), "%%%u", address->sin6_scope_id);
    snprintf(text, ADDRESS_TEXT_MAX, "[%s%s]:%u",
             inet_ntop(AF_INET6, &address->sin6_addr, digits, sizeof(digits)), scope,
             ntohs(address->sin6_port));
}

void address_print(const struct sockaddr *address, char ret_text[ADDRESS_TEXT_MAX])
{
    const struct sockaddr_un *local = (const struct sockaddr_un *)address;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

    switch (address->sa_family) {
    case AF_UNIX: /* a path of full length does not end in NUL */
        snprintf(ret_text, ADDRESS_TEXT_MAX, "unix:%.*s", (int)sizeof(local->sun_path),
                 local->sun_path);
        break;
    case AF_INET:
        address_print_v4(&v4->sin_addr, v4->sin_port, ret_text);
        break;
    case AF_INET6:
        address_print_v6((const struct sockaddr_in6 *)address, ret_text);
        break;
    default:
        snprintf(ret_text, ADDRESS_TEXT_MAX, "?");
    }
}

void address_print_host(const struct sockaddr *address, char ret_text[ADDRESS_TEXT_MAX])
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

    ret_text[0] = '\0';
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &v4->sin_addr, ret_text, ADDRESS_TEXT_MAX);
    else if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, ret_text, ADDRESS_TEXT_MAX);
    else if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &v6->sin6_addr, ret_text, ADDRESS_TEXT_MAX);
}
