#!/bin/sh
# Writes what the running daemon serves as files for octoDNS, DNSControl or Terraform into a folder
# of a git checkout, and commits what has changed.
#
#   sh git.sh /etc/mta-stsd/mta-stsd.yaml octodns /srv/dns/mta-sts
#
# after each `mta-stsd --reload`, and once a day for certificates that have come and domains that
# have left. The folder contains nothing else. Push, and let the tool run, as you do for other changes.
set -eu

config=$1 format=$2 folder=$3
"${MTA_STSD:-mta-stsd}" -c "$config" "--print-dns=$format" --side=provider --served --output "$folder"
cd "$folder"
git add --all .
git diff --cached --quiet -- . || git commit --quiet --message "MTA-STS records, as served" -- .
