/* SPDX-License-Identifier: MIT */
/**
 * What the exit statuses of our programs mean.
 */
#pragma once

enum exit_status {
    STATUS_GOOD = 0,
    STATUS_FINDINGS = 1, /* a check says no; with --strict, warnings and withheld records too */
    STATUS_USAGE = 2,    /* the command line or the configuration is wrong */
    STATUS_FAILED = 3,   /* could not run */

    /* With --nagios, as the plugins of monitoring systems say it. */
    STATUS_NAGIOS_WARNING = 1,
    STATUS_NAGIOS_CRITICAL = 2,
};
