package check_test

// clerkMistakes are what whoever copies, pastes and counts blanks by hand gets wrong, which TestMistakes
// tries.
var clerkMistakes = []mistake{
	{footfall, "  every: PT1H", " every: PT1H", "Y01", "", "indented otherwise"},
	{footfall, "  every: PT1H", "every: PT1H", "Y01", "", "indented otherwise"},
	{footfall, "unit: {field", "unit {field", "Y01", "unit {", "colon"},
	{footfall, "min_units: 10", "min_units: 10\n  min_units: 11", "Y01", "min_units", "twice, in line"},
	{footfall, "retain:", "blackouts: [{zones: [port], from: 2026-07-01, until: 2026-07-02, reason: fair}]\nretain:",
		"S06", "2026-07-01", "2026-12-24T20:00:00+01:00"},
	{footfall, "retain:", "blackouts: [{zones: [port], from: 2026-07-02T00:00:00Z, until: 2026-07-01T00:00:00Z, " +
		"reason: fair}]\nretain:", "D43", "2026-07-01T", "swap"},
	{footfall, "retain:", "consultation: [{kind: other, link: \"http://a.example\"}]\nretain:", "D44", "\"http://a",
		"https"},
	{footfall, "retain:", "consultation: [{kind: other, link: \"https://a.example\", from: 2026-10-02, " +
		"until: 2026-10-01}]\nretain:", "D45", "2026-10-01}", "from"},
	{footfall, "from: 2026-06-01", "from: 1/6/26", "S06", "1/6/26", "write 2026-06-01"},
	{footfall, "from: 2026-06-01", "from: 2026/6/1", "S06", "2026/6/1", "write 2026-06-01"},
	{footfall, "stands_for: device}", "stands_for: devices}", "C13", "{field", "you may mean device"},
	{"charter.yaml", "name: Portalba", "name: 2026", "S04", "2026", "put it into quotes"},
	{"charter.yaml", "[pedestrian-planning,", "[pedestrian planning,", "S06", "pedestrian",
		"write pedestrian-planning"},
	{"kinds.yaml", "name: pm10", "name: \"no2\"", "D99", "\"no2\"", "there twice"},
	{"kinds.yaml", "  card-reader:", "  card reader:", "D99", "card reader", "needs a name"},
	{"kinds.yaml", "    heartbeat: PT5M", "    heartbeat: P7D", "D99", "wifi-counter", "at most a day"},
}
