#!/bin/sh
# Writes what the running daemon serves as files for octoDNS, DNSControl or Terraform into a folder
# of a git checkout, and commits what has changed:
#
#   sh git.sh /etc/mta-stsd/mta-stsd.yaml octodns /srv/dns/mta-sts
#
# or, so that each change is followed by a commit, in mta-stsd.yaml:
#
#   on_change: {run: [/etc/mta-stsd/git.sh, /etc/mta-stsd/mta-stsd.yaml, octodns, /srv/dns/mta-sts]}
#
# The folder holds nothing else and belongs to the user of the daemon. Push, and let the tool run, as
# you do for other changes.
set -eu

config=$1 format=$2 folder=$3
"${MTA_STSD:-mta-stsd}" -c "$config" "--print-dns=$format" --side=provider --served --output "$folder"
cd "$folder"
git add --all .
git diff --cached --quiet -- . || git commit --quiet --message "MTA-STS records, as served" -- .
