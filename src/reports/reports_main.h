/* SPDX-License-Identifier: MIT */
/**
 * mta-stsd-reports: takes in TLS reports and says what they mean.
 */
#pragma once

/** The program. Returns its exit status. */
int reports_main(int argc, char **argv);
