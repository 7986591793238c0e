/* SPDX-License-Identifier: MIT */
#include "check/check_main.h"

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
