#!/bin/sh
# picture FILE takes the README's picture: a stream's page of the demo, as a resident sees it.
set -eu
out=$1
work=$(mktemp -d)
bin/sluice up --demo --json --http 127.0.0.1:0 --mqtt 127.0.0.1:0 --admin 127.0.0.1:0 >"$work/said" 2>"$work/log" &
demo=$!
trap 'kill $demo 2>/dev/null; wait $demo 2>/dev/null || true; rm -rf "$work"' EXIT
until grep -q '"event":"replayed"' "$work/said"; do
	kill -0 $demo || { cat "$work/log"; exit 1; }
	sleep 1
done
at=$(sed -n 's/.*"opendata":"\([^"]*\)".*/\1/p' "$work/said")
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-color-profile=srgb --user-data-dir="$work/chromium" \
	--window-size=1120,1110 --screenshot="$out" "$at/streams/footfall?lang=en&cell=rambla" >/dev/null 2>&1
size=$(wc -c <"$out")
echo "$out: $size bytes"
[ "$size" -lt 200000 ] || { echo "too large: the README's picture has less than 200 kB"; exit 1; }
