/* SPDX-License-Identifier: MIT */
#include "check/check_wildcard.h"

#include <string.h>

#include "check/dns_source.h"

bool check_wildcard_is_possible(const struct dns_answer *beside, const char *name)
{
    switch (beside->status) {
    case DNS_OK:
    case DNS_NODATA:
        return true;
    case DNS_NXDOMAIN:
        /* A wildcard CNAME may lead to a name that does not exist. */
        return beside->canonical[0] && strcmp(beside->canonical, name) != 0;
    case DNS_BOGUS:
    case DNS_FAILED:
        break;
    }
    return false;
}

bool check_wildcard_answers(const struct wildcard_answers *answers)
{
    const struct dns_answer *own = answers->own, *beside = answers->beside, *below = answers->below;

    if (own->status == DNS_OK)
        return beside->status == DNS_OK && below->status == DNS_OK;
    /* Three names lead to one: all three are the same CNAME. */
    return own->canonical[0] && strcmp(own->canonical, beside->canonical) == 0 &&
           strcmp(own->canonical, below->canonical) == 0;
}
