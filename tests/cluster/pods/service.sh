#!/bin/busybox sh
# Stands in for a service's image, and as `realtoros` for that of the jobs: it answers probes and
# callers, stops in order, and refuses the credentials "wrong" with the exit code for that.
grep -q wrong "$MONGODB_URI_FILE" && { echo "realtoros: MONGODB_URI: refused"; exit 77; }
case $1 in topics | indexes | doctor) echo "$*: done"; exit 0 ;; esac
trap 'kill $!; echo stopped; exit 0' TERM
mkdir -p /tmp/www/health
echo ok >/tmp/www/health/live
httpd -f -p 8080 -h /tmp/www &
sleep 1
echo ok >/tmp/www/health/ready
wait $!
