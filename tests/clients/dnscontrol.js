// SPDX-License-Identifier: MIT

// What DNSControl's functions are given, a line of JSON for each D_EXTEND(). They take what
// docs.dnscontrol.org says that they take, and nothing else.
"use strict";

var declared = {};

function D(zone) {
    declared[zone] = true;
}

function check(isRight, what) {
    if (!isRight)
        throw new Error(what);
}

function record(type) {
    return function (name, value, ttl) {
        var made = {type: type, name: name, value: value};

        check(arguments.length === 3, type + " of " + arguments.length + " arguments");
        check(typeof name === "string" && typeof value === "string", type + " not of strings");
        ttl(made);
        return made;
    };
}

var A = record("A"), AAAA = record("AAAA"), CNAME = record("CNAME"), TXT = record("TXT");

function TTL(seconds) {
    check(arguments.length === 1 && typeof seconds === "number", "TTL of no number");
    return function (made) {
        made.ttl = seconds;
    };
}

function IGNORE(name, types) {
    check(arguments.length === 2 && !/[*?\[\]{}!\\]/.test(name), "IGNORE of more than a name");
    return {ignored: name, types: types.split(",")};
}

function D_EXTEND(zone, members) {
    check(declared[zone], zone + " was not declared yet");
    check(arguments.length === 2 && Array.isArray(members), "D_EXTEND of no array");
    print(JSON.stringify({zone: zone, members: members}));
}
