/* SPDX-License-Identifier: MIT */
#include "daemon/main/store_maker.h"

#include <stddef.h>

#include "daemon/confine/sandbox.h"
#include "daemon/tls/cert_store.h"
#include "lib/base/clock.h"
#include "lib/config/config.h"

static const char *explain_file(void *context, const char *path, char *buffer, size_t size)
{
    const struct store_maker *maker = context;

    return sandbox_find_reason(maker->sandbox, path, buffer, size);
}

struct cert_store *store_maker_make(struct store_maker *maker, const struct config *config)
{
    struct cert_store *store = cert_store_new(config->sources, config->n_sources, CERT_STORE_HOSTS,
                                              &clock_system, maker->trust);

    cert_store_set_explain(store, explain_file, maker);
    return store;
}
