# Asked once per stream and closed window, with metadata only: which zones are
# withheld, and the public reason. Instants are seconds since 1970.
#
#   input {decision, stream, start_seconds, end_seconds, zones: [..]}
package sluice.release

default withhold := []

withhold := [w |
	some d in data.decisions
	d.decision == input.decision
	some b in d.blackouts
	b.from_seconds < input.end_seconds
	input.start_seconds < b.until_seconds
	some zone in input.zones
	zone in b.zones
	w := {"zone": zone, "reason": b.reason}
]
