/* SPDX-License-Identifier: MIT */
#include "support/loaded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/slice.h"
#include "lib/config/load.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "support/fixture.h"

struct config *loaded_config(const char *format, ...)
{
    char yaml[4096];
    struct diag *diag = diag_new(&config_findings);
    struct fixture file;
    struct config *config;
    va_list arguments;
    int len;

    va_start(arguments, format);
    len = vsnprintf(yaml, sizeof(yaml), format, arguments);
    va_end(arguments);
    assert_in_range(len, 0, sizeof(yaml) - 1);
    file = fixture_open(slice_of(yaml));
    config = config_load(file.path, diag);
    diag_print(diag, LEVEL_ERROR, stderr);
    assert_non_null(config);
    diag_free(diag);
    fixture_close(&file);
    return config;
}
