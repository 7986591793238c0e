/* SPDX-License-Identifier: MIT */
#include "lib/state/published_line.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/slice.h"
#include "lib/dns/record.h"

/* Cuts the next field off *rest; NULL: there is none, or it is empty. */
static char *published_field(char **rest)
{
    char *field = strsep(rest, " ");

    return field && field[0] != '\0' ? field : NULL;
}

static enum record_type published_type(const char *word)
{
    int type = 0;

    while (type < RECORD_TYPE_COUNT && strcmp(word, record_type_name((enum record_type)type)) != 0)
        type++;
    return (enum record_type)type;
}

static enum record_side published_side(const char *word)
{
    int side = 0;

    while (side < SIDE_COUNT && strcmp(word, record_side_name((enum record_side)side)) != 0)
        side++;
    return (enum record_side)side;
}

bool published_line_parse(char *line, struct dns_record *ret_record)
{
    const char *domain = published_field(&line), *zone = published_field(&line);
    const char *side = published_field(&line), *name = published_field(&line);
    const char *type = published_field(&line), *ttl = published_field(&line);
    uint64_t ttl_s;

    if (!ttl || !type || !name || !side || !zone || !domain || !line || line[0] == '\0' ||
        slice_to_u64(slice_of(ttl), UINT32_MAX, &ttl_s) != 0)
        return false;
    *ret_record = (struct dns_record){.domain = domain,
                                      .zone = zone,
                                      .name = name,
                                      .type = published_type(type),
                                      .side = published_side(side),
                                      .ttl_s = (uint32_t)ttl_s,
                                      .value = line};
    return ret_record->type != RECORD_TYPE_COUNT && ret_record->side != SIDE_COUNT;
}

void published_line_print(const struct dns_record *record, FILE *out)
{
    fprintf(out, "%s %s %s %s %s %" PRIu32 " %s\n", record->domain, record->zone,
            record_side_name(record->side), record->name, record_type_name(record->type),
            record->ttl_s, record->value);
}
