package sluice.release_test

import data.sluice.release

decision := {"decision": "2026-14", "blackouts": [{
	"zones": ["rambla"], "from_seconds": 100, "until_seconds": 200, "reason": "demonstration",
}]}

ask(start, end) := answer if {
	answer := release.withhold with data.decisions as [decision]
		with input as {"decision": "2026-14", "stream": "footfall", "start_seconds": start, "end_seconds": end, "zones": ["rambla", "raval"]}
}

test_before if ask(0, 100) == []

test_during if ask(150, 160) == [{"zone": "rambla", "reason": "demonstration"}]

test_touching if count(ask(199, 300)) == 1

test_after if ask(200, 300) == []
