/* SPDX-License-Identifier: MIT */
#include "lib/import/import_name.h"

#include <stddef.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

#define SERVED_NAME "mta-sts.txt"
#define POLICY_HOST "mta-sts."
#define SUFFIX ".txt"

/* "v1.2" and "site.d" are folders; a top-level domain has two letters or more. */
static bool name_has_top_level(const char *name)
{
    const char *last = strrchr(name, '.');

    return last && ascii_is_alpha(last[1]) && last[2] != '\0';
}

static bool is_policy_host(struct slice component)
{
    return slice_eq_nocase(slice_range(component, 0, strlen(POLICY_HOST)), slice_of(POLICY_HOST));
}

/* The domain that a component is the name of, "mta-sts." left out. */
static bool component_find_name(struct slice component, char ret_name[DNS_NAME_MAX + 1])
{
    char name[DNS_NAME_MAX + 1];
    struct err err;

    if (is_policy_host(component))
        component = slice_range(component, strlen(POLICY_HOST), component.len);
    if (dns_name_parse(component, name, NULL, &err) != 0 || !name_has_top_level(name))
        return false;
    memcpy(ret_name, name, sizeof(name));
    return true;
}

static struct slice without_suffix(struct slice base)
{
    size_t len = base.len - (slice_ends_with(base, SUFFIX) ? strlen(SUFFIX) : 0);

    return slice_range(base, 0, len);
}

/* Cuts the last component off; the first of an absolute path is empty. */
static struct slice path_take_last(struct slice *path)
{
    size_t from = path->len;
    struct slice last;

    while (from > 0 && path->ptr[from - 1] != '/')
        from--;
    last = slice_range(*path, from, path->len);
    path->len = from > 0 ? from - 1 : 0;
    return last;
}

enum import_look import_name_look(const char *base)
{
    char name[DNS_NAME_MAX + 1];
    struct slice whole = slice_of(base);

    if (slice_eq_nocase(whole, slice_of(SERVED_NAME)))
        return IMPORT_LOOKS_CERTAIN;
    if (slice_ends_with(whole, SUFFIX) && component_find_name(without_suffix(whole), name))
        return IMPORT_LOOKS_LIKELY;
    return IMPORT_LOOKS_OTHER;
}

bool import_name_find(const char *path, char ret_name[DNS_NAME_MAX + 1])
{
    struct slice folders = slice_of(path);
    struct slice base = path_take_last(&folders);

    if (!slice_eq_nocase(base, slice_of(SERVED_NAME)) &&
        component_find_name(without_suffix(base), ret_name))
        return true;
    for (struct slice rest = folders; rest.len > 0;) {
        struct slice component = path_take_last(&rest);

        if (is_policy_host(component) && component_find_name(component, ret_name))
            return true;
    }
    while (folders.len > 0)
        if (component_find_name(path_take_last(&folders), ret_name))
            return true;
    return false;
}
