/* SPDX-License-Identifier: MIT */
#include "lib/config/cert_path.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/dns/record.h"

static const struct path_variable {
    const char *text;
    size_t len;
    bool is_domain; /* the host's name without its first label */
} path_variables[] = {
    {"{host}", 6, false},
    {"{domain}", 8, true},
};

/* The variable that a text begins with, or NULL. */
static const struct path_variable *path_variable_at(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(path_variables); i++)
        if (strncmp(text, path_variables[i].text, path_variables[i].len) == 0)
            return &path_variables[i];
    return NULL;
}

/* What a variable of another program, or a slip of the pen, looks like from here. */
static size_t placeholder_len(const char *text)
{
    const char *end = strpbrk(text, "}>/");

    if (text[0] == '%' || text[0] == '$')
        return text[1] == '{' && end ? (size_t)(end - text) + 1 : 1 + strcspn(text + 1, "/.-{}%$");
    return end && *end != '/' ? (size_t)(end - text) + 1 : 1;
}

static bool placeholder_report(const char *at, char ret_why[static CERT_PATH_FAULT_MAX])
{
    struct slice found = {at, placeholder_len(at)};
    char quoted[ERR_QUOTE_MAX];

    snprintf(ret_why, CERT_PATH_FAULT_MAX,
             "has %s, which has no meaning here; write {host} for the policy host "
             "(mta-sts.<domain>), {domain} for the domain, and other directories in full",
             err_quote(quoted, sizeof(quoted), found));
    return false;
}

bool cert_path_check(const char *path, char ret_why[static CERT_PATH_FAULT_MAX])
{
    const struct path_variable *variable;
    size_t n_stars = 0;

    if (path[0] == '~') {
        snprintf(
            ret_why, CERT_PATH_FAULT_MAX,
            "begins with '~', which only a shell expands; write the home directory in full, as "
            "in /home/me/certs");
        return false;
    }
    for (const char *at = path; *at != '\0'; at += variable ? variable->len : 1) {
        variable = path_variable_at(at);
        if (!variable && strchr("{}$%<>", *at))
            return placeholder_report(at, ret_why);
        n_stars += *at == '*';
    }
    if (n_stars > 1)
        snprintf(ret_why, CERT_PATH_FAULT_MAX,
                 "has %zu '*'; one is supported, and it matches within one name of the path",
                 n_stars);
    return n_stars <= 1;
}

bool cert_path_has_variable(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(path_variables); i++)
        if (strstr(path, path_variables[i].text))
            return true;
    return false;
}

bool cert_path_has_star(const char *path)
{
    return strchr(path, '*');
}

size_t cert_path_fixed_len(const char *path)
{
    const char *at = path;

    while (*at != '\0' && *at != '*' && !path_variable_at(at))
        at++;
    return (size_t)(at - path);
}

static const char *path_value(const struct path_variable *variable, const char *host)
{
    size_t prefix_len = strlen(DNS_PREFIX_POLICY_HOST);

    return variable->is_domain && strncmp(host, DNS_PREFIX_POLICY_HOST, prefix_len) == 0
               ? host + prefix_len
               : host;
}

char *cert_path_expand(const char *path, const char *host)
{
    const struct path_variable *variable;
    size_t len = 0;
    char *expanded, *to;

    for (const char *from = path; *from != '\0'; from += variable ? variable->len : 1) {
        variable = path_variable_at(from);
        len += variable ? strlen(path_value(variable, host)) : 1;
    }
    expanded = to = memory_alloc(len + 1);
    for (const char *from = path; *from != '\0'; from += variable ? variable->len : 1) {
        variable = path_variable_at(from);
        if (variable)
            to = stpcpy(to, path_value(variable, host));
        else
            *to++ = *from;
    }
    *to = '\0';
    return expanded;
}
