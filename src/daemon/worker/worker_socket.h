/* SPDX-License-Identifier: MIT */
/**
 * What the control plane says of a listening socket that it hands to a worker.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/worker/serves.h"

struct prefix;

struct worker_socket {
    int fd; /* the worker's from now on */
    enum serves serves;
    bool has_tls;
    bool keeps_alive; /* a proxy on a unix socket sends many requests over one connection */
    bool has_proxy_protocol;
    const struct prefix *trusted; /* TCP: who may send its headers; the worker copies them */
    size_t n_trusted;
};
