/* SPDX-License-Identifier: MIT */
#include "cli/daemon_orders.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/control/control.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"

enum {
    ORDERS_TIMEOUT_S = 5,
};

struct daemon_orders {
    char *answer;
    struct daemon_order *lines; /* as the daemon sorts them: by host */
    size_t n_lines;
};

/* Cuts "mta-sts.example.com waiting 1700000000 the reason" in pieces. */
static int order_cut(char *text, struct daemon_order *ret_order)
{
    char *host = strsep(&text, " "), *state = strsep(&text, " "), *next = strsep(&text, " ");

    if (!next)
        return -1;
    *ret_order = (struct daemon_order){.host = host,
                                       .state = state,
                                       .next_unix_s = strtoimax(next, NULL, 10),
                                       .reason = text ? text : ""};
    return 0;
}

static void orders_split(struct daemon_orders *orders)
{
    char *rest = orders->answer, *text;
    size_t size = 0;

    strsep(&rest, "\n"); /* the outcome */
    while ((text = strsep(&rest, "\n"))) {
        if (orders->n_lines == size) {
            size = size * 2 + 64;
            orders->lines = memory_resize(orders->lines, size, sizeof(*orders->lines));
        }
        orders->n_lines += order_cut(text, &orders->lines[orders->n_lines]) == 0;
    }
}

struct daemon_orders *daemon_orders_ask(const char *control_path)
{
    struct daemon_orders *orders;
    struct err err;
    char *answer;

    if (control_ask(control_path, "orders", ORDERS_TIMEOUT_S, &answer, &err) != 0)
        return NULL;
    orders = memory_alloc(sizeof(*orders));
    *orders = (struct daemon_orders){.answer = answer};
    orders_split(orders);
    return orders;
}

void daemon_orders_free(struct daemon_orders *orders)
{
    if (!orders)
        return;
    free(orders->lines);
    free(orders->answer);
    free(orders);
}

static int order_compare(const void *left, const void *right)
{
    const struct daemon_order *a = left, *b = right;

    return strcmp(a->host, b->host);
}

const struct daemon_order *daemon_orders_find(const struct daemon_orders *orders, const char *host)
{
    const struct daemon_order key = {.host = host};

    if (!orders)
        return NULL;
    return bsearch(&key, orders->lines, orders->n_lines, sizeof(key), order_compare);
}
