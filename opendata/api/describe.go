package api

import (
	"reflect"

	"sluice/opendata/query"
)

// description documents one endpoint beyond its path and parameters.
type description struct {
	tag, summary, description string
	kind                      string // media type of the answer that is not CSV
	answer                    reflect.Type
	columns                   []string // of the table
	example                   string
}

type streamPage struct {
	Streams []stream `json:"streams"`
	Items   []stream `json:"items" doc:"The same list, under the name that it has in every answer"`
	Next    *string  `json:"next" doc:"Path of the next page, or null"`
}

type observationPage struct {
	Stream string  `json:"stream"`
	Items  []item  `json:"items"`
	Next   *string `json:"next" doc:"Path of the next page, or null"`
	Epochs []epoch `json:"epochs" doc:"The epochs that the items are of and that have ended; their numbers were released with their last windows, and belong to those windows' digests"`
}

type latestPage struct {
	Items []latestItem `json:"items"`
	Next  *string      `json:"next" doc:"Null: there is no other page"`
}

// latestItem is an observation and its stream.
type latestItem struct {
	Stream string `json:"stream"`
	Item
}

// Item is exported since huma describes no other embedded type.
type Item = item

type decisionPage struct {
	Decisions []decision `json:"decisions"`
	Items     []decision `json:"items" doc:"The same list, under the name that it has in every answer"`
	Next      *string    `json:"next" doc:"Path of the next page, or null"`
}

type entryPage struct {
	Entries []entry  `json:"entries"`
	Items   []entry  `json:"items" doc:"The same list, under the name that it has in every answer"`
	Missing []string `json:"missing,omitempty" doc:"Gateways whose ledger cannot be read just now; their lines are not here"`
	Next    *string  `json:"next" doc:"Path of the next page, or null"`
}

type problem struct {
	Type     string `json:"type" example:"/problems/parameter"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail" doc:"Names the parameter, never its value"`
	Instance string `json:"instance"`
}

const jsonType, geoType, eventType = "application/json", "application/geo+json", "text/event-stream"

// descriptions are those of all endpoints, by path.
var descriptions = map[string]description{
	"/api/v1/streams": {
		"numbers", "List streams",
		"Every published series: what it measures, where, under which decision, and how far it is final.", jsonType,
		reflect.TypeFor[streamPage](),
		streamTable.header,
		both("streams",
			`[{"id":"footfall","title":{"en":"Footfall in the old town"},"every":"PT1H","timezone":"Europe/Madrid",`+
				`"unit":"device","measures":[{"name":"devices","unit":"device","of":"distinct(unit)","public_from":74,`+
				`"typical_error":17}],"cells":[{"id":"rambla","zone":"rambla","category":""}],"decision":"2026-14",`+
				`"from":"2026-06-01","until":"2027-05-31","licence":"CC0-1.0","closed_until":"2026-06-15T10:00:00Z",`+
				`"simulation":true,"max_contributions":4,"bounded_share_from":1075,`+
				`"bounded_share":{"start":"2026-06-13T22:00:00Z","end":"2026-06-14T22:00:00Z","value":0.19,"low":0.18,`+
				`"high":0.2}}]`, `,"next":null}`),
	},
	"/api/v1/streams/{id}/observations": {
		"numbers", "Read observations",
		"Released observations in order of start, cell and measure: by default those of the " +
			"last 24 hours of the gateway's time. Without limit and cursor the answer is everything that was asked " +
			"for, however long; with either it is a page. A whole answer of more than 2,000 rows is sent while it " +
			"is made: it has no ETag and no length, and if it cannot be ended, its connection is. What was not " +
			"published has null for value, low and high. The same query always has the same answer.", jsonType,
		reflect.TypeFor[observationPage](),
		observationTable(query.Stream{}, nil).header,
		`{"stream":"footfall","items":[` + oneItem + `],"next":null,"epochs":[]}`,
	},
	"/api/v1/streams/{id}/latest": {
		"numbers", "Read the newest numbers",
		"What the last released window says of each cell and measure, under an address " +
			"that stays, in the form of observations. status leaves out what has another one; an older window " +
			"never takes its place.", jsonType, reflect.TypeFor[observationPage](),
		observationTable(query.Stream{}, nil).header,
		`{"stream":"footfall","items":[` + oneItem + `],"next":null,"epochs":[]}`,
	},
	"/api/v1/latest": {
		"numbers", "Read the newest numbers of all streams",
		"What the last released window of each stream says of each cell " +
			"and measure. A cell or measure that is named is of at least one stream; streams that have none such " +
			"are left out.", jsonType, reflect.TypeFor[latestPage](),
		latestHeader(),
		`{"items":[{"stream":"footfall",` + oneItem[1:] + `],"next":null}`,
	},
	"/api/v1/streams/{id}/totals": {
		"numbers", "Add up",
		"Sums of released counts, sums and histogram classes, over zones or over time. What was withheld " +
			"is missing from them, and said.", jsonType, reflect.TypeFor[totalPage](),
		totalTable.header,
		`{"stream":"gates","over":"time","items":[{"start":"2026-06-15T08:00:00Z","end":"2026-06-15T10:00:00Z",` +
			`"cell":"square","category":"","measure":"passed","parts":2,"published":1,"withheld":1,"no_data":0,` +
			`"withdrawn":0,"value":22,"low":22,"high":22,"unit":"person"}],"simulation":false,"next":null}`,
	},
	live: {
		"numbers", "Listen",
		"Server-sent events: one named window for each window as it closes, with its stream, start, end and " +
			"its items as observations has them. It begins with what closes from now on; with the last id it " +
			"resumes behind it, as browsers do by themselves. What ended more than a day ago, or is not among the " +
			"newest 10,000 windows, does not come: an event named gap says where it is. Every 15 seconds without " +
			"an event there is a comment. Who does not read is cut off, and resumes.", eventType, nil, nil,
		"id: 1041\nevent: window\ndata: {\"stream\":\"footfall\",\"start\":\"2026-06-15T09:00:00Z\"," +
			"\"end\":\"2026-06-15T10:00:00Z\",\"items\":[" + oneItem + "]}\n\n",
	},
	"/api/v1/sensors": {
		"places", "List sensors",
		"Every sensor in the street, whose it is, and what becomes of each thing that it sends.",
		jsonType, reflect.TypeFor[sensorPage](),
		sensorTable.header,
		both("sensors",
			`[{"id":"rambla-1","owner":"acme","kind":"wifi-counter","topic":"city/v1/acme/rambla-1/up",`+
				`"zone":"rambla","registered":"2026-05-01","purpose":{"en":"How many devices pass the Rambla"},`+
				`"alive":true,"fields":[{"name":"device","class":"identifier","fate":"counted","decision":"2026-14"}]}]`,
			`,"homes":[],"unknown":[],"next":null}`),
	},
	"/api/v1/zones": {
		"places", "Map zones",
		"The zones as voted, as GeoJSON, each with the newest values of all streams; with stream, " +
			"measure and category, with that one value as plain properties.", geoType, reflect.TypeFor[collection](),
		zoneTable.header,
		both("features",
			`[{"type":"Feature","id":"rambla","properties":{"name":"La Rambla","latest":[]},`+
				`"geometry":{"type":"Polygon","coordinates":[[[2.1,41.3],[2.106,41.3],[2.106,41.305],[2.1,41.3]]]}}]`,
			`,"next":null,"type":"FeatureCollection"}`),
	},
	"/api/v1/decisions": {
		"council", "List decisions",
		"What the council decided: its words, its explanation in plain language, and who signed it.",
		jsonType, reflect.TypeFor[decisionPage](),
		decisionTable.header,
		both("decisions",
			`[{"id":"2026-14","title":{"en":"Footfall"},"state":"in_force","from":"2026-06-01",`+
				`"until":"2027-05-31","policy":"sha256:00","motion":"","votes":[],"yaml":"decision: \"2026-14\"\n",`+
				`"explain":{"en":"Who is measured"}}]`, `,"next":null}`),
	},
	"/api/v1/decisions/{id}": {
		"council", "Read one decision",
		"One decision, in a list of one.", jsonType, reflect.TypeFor[decisionPage](),
		decisionTable.header,
		both("decisions",
			`[{"id":"2026-14","title":{"en":"Footfall"},"state":"in_force","from":"2026-06-01",`+
				`"until":"2027-05-31","policy":"sha256:00","motion":"","votes":[],"yaml":"decision: \"2026-14\"\n",`+
				`"explain":{"en":"Who is measured"}}]`, `,"next":null}`),
	},
	"/api/v1/ledger": {
		"council", "Read the ledger",
		"Reservations of privacy budget, oldest first. Each line names the SHA-256 of the one " +
			"before; /books/ledger.jsonl is the file itself.", jsonType, reflect.TypeFor[entryPage](),
		ledgerTable.header,
		both("entries",
			`[{"n":1,"day":"2026-06-15","gateway":"edge-1","decision":"2026-14","plan":"sha256:00","unit":"device",`+
				`"kind":"reserve","epsilon":0.5,"delta":1e-06,"cap":1,"left":0.5,"prev_sha256":""}]`, `,"next":null}`),
	},
}

const oneItem = `{"start":"2026-06-15T09:00:00Z","end":"2026-06-15T10:00:00Z","cell":"rambla","zone":"rambla",` +
	`"category":"","measure":"devices","status":"published","reason":"","value":702,"low":685,"high":719,` +
	`"unit":"device","decision":"2026-14","policy":"sha256:00","mechanism":"gaussian","epsilon":0.96,"scale":8.63,` +
	`"threshold":54,"simulation":true}`

// both makes the example of a list, which has its items under two names.
func both(name, items, rest string) string {
	return `{"` + name + `":` + items + `,"items":` + items + rest
}
