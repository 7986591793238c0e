/* SPDX-License-Identifier: MIT */
#include <openssl/crypto.h>

/* Linked into a test, it stands before libcrypto's: what asks at run time sees OpenSSL 3.2. */
unsigned long OpenSSL_version_num(void)
{
    return 0x30200000L;
}
