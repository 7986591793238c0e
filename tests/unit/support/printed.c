/* SPDX-License-Identifier: MIT */
#include "support/printed.h"

char *printed_slice(void (*print)(struct slice text, FILE *out), struct slice text)
{
    char *seen = NULL;
    size_t len;
    FILE *out = open_memstream(&seen, &len);

    print(text, out);
    fclose(out);
    return seen;
}
