/* SPDX-License-Identifier: MIT */
/*
 * The DER of a stranger's certificates, one behind the other, judged as an MX host's: whatever they
 * say, it is printable, and a chain that nobody's root has issued is refused.
 */
#include <stdint.h>
#include <string.h>

#include <openssl/x509.h>

#include "check/mx_cert.h"
#include "check/mx_trust.h"
#include "lib/base/err.h"

#include "require.h"

enum {
    CHAIN_MAX = 10,
    NOW_UNIX_S = 1800000000,
};

static void require_printable(const char *text)
{
    for (const char *byte = text; *byte; byte++)
        require(*byte >= ' ' && *byte <= '~', "a text is printable ASCII");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mx_trust *trust;
    const uint8_t *at = data;
    STACK_OF(X509) *chain = sk_X509_new_null();
    struct mx_cert cert;
    struct err err;
    X509 *next;

    if (trust == NULL)
        trust = mx_trust_new(NULL, &err);
    while (sk_X509_num(chain) < CHAIN_MAX && at < data + size &&
           (next = d2i_X509(NULL, &at, (long)(data + size - at))))
        sk_X509_push(chain, next);
    if (sk_X509_num(chain) > 0) {
        mx_cert_judge(trust, chain, "mx.example", NOW_UNIX_S, &cert);
        require(cert.faults != 0, "nobody is trusted");
        require((cert.faults & ~(unsigned)MX_CERT_NAME) == 0 || cert.words[0] != '\0',
                "a refusal has words");
        require_printable(cert.names);
        require_printable(cert.issuer);
        require(strlen(cert.names) < sizeof(cert.names), "names are cut");
    }
    sk_X509_pop_free(chain, X509_free);
    return 0;
}
