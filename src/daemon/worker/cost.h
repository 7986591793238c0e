/* SPDX-License-Identifier: MIT */
/**
 * What a connection costs, in bytes of memory, in each of its states.
 *
 * Measured with OpenSSL 3.0 and h2o 2.2.5 on x86-64, rounded up, the kernel's part included;
 * tests/attack/test_memory.py measures it again. The buffers whose size a peer decides are counted
 * beside these, as large as they are.
 */
#pragma once

enum {
    COST_CONNECTION = 4 * 1024, /* the record, h2o's socket, the kernel's */
    COST_HANDSHAKE = 72 * 1024, /* OpenSSL's connection, its buffers for a record each way */
    COST_HANDSHAKE_ANSWERED = 60 * 1024, /* the same, while the client's Finished is awaited */
    COST_TLS = 48 * 1024,                /* OpenSSL's connection, and half a record */
    COST_REQUEST = 8 * 1024,             /* h2o's request */
    COST_HELLO_MAX = 176 * 1024, /* OpenSSL's buffer for a ClientHello of the largest size */
};
