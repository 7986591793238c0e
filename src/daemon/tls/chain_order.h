/* SPDX-License-Identifier: MIT */
/**
 * The order of a chain: what is wrong with it, in words for a person.
 *
 * Any thread. Functions may leave errors in OpenSSL's queue.
 */
#pragma once

#include <stdbool.h>

#include <openssl/x509.h>

struct err;
struct pem;

/**
 * Says why the intermediates do not lead on from the leaf: one is missing, they are out of order,
 * or the leaf is among them.
 */
const char *chain_order_words(X509 *leaf, const STACK_OF(X509) * sent);

/**
 * Whether it is the chain's fault that the key does not belong to its first certificate: the leaf
 * comes later, or there are only certificates of authorities.
 *
 * pem  with the key and the first certificate; takes the rest of its certificates
 * err  says so, without the file; untouched if the chain is not at fault
 */
bool chain_order_explain(struct pem *pem, struct err *err);
