# SPDX-License-Identifier: MIT
# Makes the C source of the table of files: cmake -D OUTPUT=FILE -D FRAME=FILE -D "FILES=NAME=PATH;..." -P embed.cmake
cmake_minimum_required(VERSION 3.25)

# A page's own part goes into the frame that all pages have.
file(READ "${FRAME}" frame)
set(arrays "")
set(rows "")
set(number 0)
foreach(each IN LISTS FILES)
    string(REGEX MATCH "^([^=]+)=(.+)$" _ "${each}")
    set(name "${CMAKE_MATCH_1}")
    set(path "${CMAKE_MATCH_2}")
    file(READ "${path}" hex HEX)
    if(name MATCHES "\\.html$")
        file(READ "${path}" part)
        string(REPLACE "@MAIN@" "${part}" page "${frame}")
        string(HEX "${page}" hex)
    endif()
    string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
    string(APPEND arrays "static const unsigned char file_${number}[] = {\n${hex}\n};\n\n")
    string(APPEND rows "    {\"${name}\", {(const char *)file_${number}, sizeof(file_${number})}},\n")
    math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUTPUT}" "/* Made by embed.cmake. */
#include \"reports/site_assets.h\"

${arrays}static const struct site_asset assets[] = {
${rows}};

size_t site_assets_count(void)
{
    return ARRAY_LEN(assets);
}

const struct site_asset *site_assets_at(size_t index)
{
    return &assets[index];
}
")
