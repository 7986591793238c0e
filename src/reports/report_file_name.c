/* SPDX-License-Identifier: MIT */
#include "reports/report_file_name.h"

#include "lib/base/slice.h"

enum {
    FILE_NAME_FIELDS_MIN = 4, /* sender, domain, begin, end; a unique id may follow */
};

bool report_file_name_is_json(struct slice file_name)
{
    /* Senders and gateways differ, and some of them write capitals. */
    static const char *const endings[] = {".json", ".json.gz", ".json.gzip", ".json.zip"};

    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        struct slice ending = slice_of(endings[i]);

        if (file_name.len > ending.len &&
            slice_eq_nocase(slice_range(file_name, file_name.len - ending.len, file_name.len),
                            ending))
            return true;
    }
    return false;
}

int report_file_name_parse(struct slice file_name, struct slice *ret_domain)
{
    struct slice rest = file_name, domain = {0};
    unsigned n_fields = 0;

    while (rest.len > 0) {
        struct slice field = slice_range(rest, 0, slice_find_byte(rest, '!'));

        if (++n_fields == 2)
            domain = field;
        rest = slice_range(rest, field.len + 1, rest.len);
    }
    if (n_fields < FILE_NAME_FIELDS_MIN || domain.len == 0 || !report_file_name_is_json(file_name))
        return -1;
    *ret_domain = domain;
    return 0;
}
