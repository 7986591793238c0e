/* SPDX-License-Identifier: MIT */
#include "reports/reports_main.h"

int main(int argc, char **argv)
{
    return reports_main(argc, argv);
}
