#!/bin/sh
# Publishes by dynamic updates (RFC 2136) what mta-stsd says has changed. Install it as
# /etc/mta-stsd/nsupdate.sh with mode 0755, and write in mta-stsd.yaml:
#
#   on_change: {run: [/etc/mta-stsd/nsupdate.sh, -k, /etc/mta-stsd/update.key]}
#
# The arguments go to nsupdate, which asks the system's resolver for the primary server of each zone
# (the name in its SOA). If another server takes the updates, name it first, by address or name:
#
#   on_change: {run: [/etc/mta-stsd/nsupdate.sh, 192.0.2.53, -k, /etc/mta-stsd/update.key]}
#
# Needs jq and nsupdate. The records of delegated customers that stand in their own zones are theirs to
# publish. The same changes may come again: they replace themselves. The exit status is not 0 if a zone
# was not updated; then mta-stsd runs this again.
set -eu

case ${1--} in
-*) server= ;;
*) server=$1 && shift ;;
esac
updates=$(mktemp)
trap 'rm -f "$updates"' EXIT
jq --raw-output --arg server "$server" '
    def rdata:
        if .type == "TXT" then .strings | map(@json) | join(" ")
        elif .type == "CNAME" then .value + "."
        else .value end;
    # What stands in the way of a record: a CNAME is alone at its name, a TXT replaces the old one.
    def in_the_way: {TXT: ["CNAME", "TXT"], CNAME: [""], A: ["CNAME"], AAAA: ["CNAME"]}[.type][];
    def updates:
        if .action == "delete" then "update delete \(.name). \(.type) \(rdata)"
        else
            "update delete \(.name). \(in_the_way)",
            "update add \(.name). \(.ttl) \(.type) \(rdata)"
        end;
    if .version != 1 then error("this is not version 1 of the document") else . end
    | [.changes[] | select(.side == "provider")] | group_by(.zone)[]
    | range(0; length; 50) as $at  # a message holds at most 64 KiB
    | if $server == "" then empty else "server \($server)" end,
        "zone \(.[0].zone).", (.[$at:$at + 50][] | updates), "send"
' >"$updates"
nsupdate "$@" "$updates"
