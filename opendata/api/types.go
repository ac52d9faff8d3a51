package api

import (
	"encoding/json"
	"time"

	"sluice/books"
	"sluice/opendata/query"
	"sluice/store"
)

// stream is STREAM of the interface, field by field.
type stream struct {
	ID          string            `json:"id" doc:"The stream's name in paths" example:"footfall"`
	Title       map[string]string `json:"title" doc:"Its title, by language"`
	Every       string            `json:"every" doc:"Length of a window, ISO 8601" example:"PT1H"`
	Timezone    string            `json:"timezone" doc:"Time zone in which days begin" example:"Europe/Madrid"`
	Unit        string            `json:"unit" enum:"device,vehicle,card,home,person,none" doc:"What the numbers protect; none: exact numbers about nobody"`
	Measures    []measure         `json:"measures"`
	Cells       []cell            `json:"cells" doc:"The closed list of places and categories; each gets an answer in every window"`
	Decision    string            `json:"decision" doc:"Who decided this: /api/v1/decisions/ID"`
	From        string            `json:"from" doc:"First day of the decision"`
	Until       string            `json:"until" doc:"Last day of the decision"`
	State       string            `json:"state,omitempty" enum:"in_force,past,coming,suspended" doc:"The decision's: only of a stream that is in_force there will be new numbers; absent where it is not known"`
	Since       string            `json:"since,omitempty" doc:"First day of a state that is not in_force, where it is known; of a coming stream the first day on which it will be in force"`
	By          string            `json:"by,omitempty" enum:"council,charter,policy" doc:"What a suspended one is stopped by: the council; the charter, below which it goes; or that no policy is in force"`
	Reason      map[string]string `json:"reason,omitempty" doc:"Why the council has suspended it, by language; und where the language is not said"`
	Licence     string            `json:"licence" example:"CC0-1.0"`
	ClosedUntil *time.Time        `json:"closed_until" doc:"Every window that ends at or before it is final, at every gateway that has zones of the stream; null before the first, and while the books of a gateway have not been read yet"`
	Simulation  bool              `json:"simulation" doc:"True where people, places or time are made up"`
	// Absent or null where it is not known.
	MaxContributions int64        `json:"max_contributions,omitempty" doc:"In how many pairs of a cell and a window a unit counts at most in an epoch; what it does beyond that is not counted"`
	ShareFrom        int64        `json:"bounded_share_from,omitempty" doc:"From about this many units in an epoch on bounded_share is shown"`
	BoundedShare     *query.Share `json:"bounded_share" doc:"Of the latest epoch: which share of the units reached max_contributions and was not counted after that; null where it is not known, or units were too few to say"`
	Floor            string       `json:"floor,omitempty" enum:"noisy" doc:"noisy: a number is shown when the number of units with its noise reaches the smallest group, so that it may stand for fewer; absent: never of fewer"`
	Membership       string       `json:"membership,omitempty" enum:"public" doc:"public: which homes take part is no secret, and their registered number decides what is shown"`
	// BoundedShares take its place where several gateways have zones of the stream.
	BoundedShares []*query.Share `json:"bounded_shares,omitempty" doc:"Where several gateways have zones of the stream: the share of each, of its zones alone; bounded_share is null then"`
	Purpose       string         `json:"purpose,omitempty" doc:"What it is for, by the charter's list" example:"environment"`
	CategoryField string         `json:"category_field,omitempty" doc:"The field whose values are the cells' categories"`
	Of            string         `json:"of,omitempty" doc:"The stream of shorter windows whose days these are: the same decision publishes both, and keeps them for different times" example:"noise"`
}

type measure struct {
	Name         string    `json:"name" example:"devices"`
	Unit         string    `json:"unit" example:"device"`
	Of           string    `json:"of" doc:"How it is made" example:"distinct(unit)"`
	PublicFrom   int64     `json:"public_from" doc:"From about this many units on it is published; 0 when exact"`
	TypicalError float64   `json:"typical_error" doc:"95 of 100 values are within it of what was counted; 0 when exact"`
	Group        string    `json:"group,omitempty" doc:"The histogram that it is a class of"`
	Class        []float64 `json:"class,omitempty" doc:"The edges of the class"`

	Names  map[string]string `json:"names,omitempty" doc:"What residents read instead of the name, by language"`
	Limits []limit           `json:"limits,omitempty" doc:"What the council compares it with"`
}

// limit is a value that a measure is compared with.
type limit struct {
	Value   float64           `json:"value" doc:"In the measure's unit" example:"50"`
	Title   map[string]string `json:"title" doc:"What it is, by language"`
	Source  string            `json:"source" doc:"The law or guideline that it is from" example:"Directive (EU) 2024/2881, annex I"`
	Sources map[string]string `json:"sources,omitempty" doc:"The same by language, where the council has written it so"`
	Over    string            `json:"over,omitempty" doc:"The period whose mean it is about, ISO 8601; absent: the window itself" example:"P1D"`
}

type cell struct {
	ID       string `json:"id" doc:"ZONE or ZONE/CATEGORY" example:"rambla"`
	Zone     string `json:"zone" example:"rambla"`
	Category string `json:"category" doc:"Empty where the stream has none"`
}

// item is one observation of the interface, field by field.
type item struct {
	Start      time.Time    `json:"start" doc:"Start of the window, UTC"`
	End        time.Time    `json:"end" doc:"End of the window, UTC"`
	Cell       string       `json:"cell"`
	Zone       string       `json:"zone"`
	Category   string       `json:"category"`
	Measure    string       `json:"measure"`
	Status     store.Status `json:"status" enum:"published,withheld,no_data,withdrawn" doc:"Withheld: nobody or too few, which look the same on purpose, or the reason given; no_data: nothing was measured; withdrawn: hidden after its release"`
	Reason     string       `json:"reason" doc:"Why it is not published, where that is public"`
	Value      *float64     `json:"value" doc:"Null unless published"`
	Low        *float64     `json:"low" doc:"What was counted is between low and high in at least 95 of 100 windows, also of those near the threshold that are shown; equal for exact numbers"`
	High       *float64     `json:"high"`
	Unit       string       `json:"unit"`
	Decision   string       `json:"decision"`
	Policy     string       `json:"policy" doc:"Digest of the policy in force"`
	Mechanism  string       `json:"mechanism" doc:"laplace, gaussian or empty"`
	Epsilon    float64      `json:"epsilon" doc:"What all numbers of this measure in an epoch cost together, per unit: a part of the decision's epsilon"`
	Scale      float64      `json:"scale" doc:"Scale of the noise"`
	Threshold  float64      `json:"threshold" doc:"It is published from this noisy number of units on"`
	Simulation bool         `json:"simulation"`
	Gateway    string       `json:"gateway,omitempty" doc:"Whose number it is, where a city has several gateways; absent in rows of earlier versions"`
}

// epoch is what is known of a whole epoch, over all cells: rows that were released with its
// last window, and what follows from them.
type epoch struct {
	Start        time.Time    `json:"start" doc:"Start of the epoch, UTC"`
	End          time.Time    `json:"end" doc:"End of the epoch, UTC"`
	Units        item         `json:"units" doc:"How many different units there were in the epoch, in all cells; its interval holds with 97.5 %"`
	Bounded      item         `json:"bounded" doc:"How many of them reached max_contributions and were turned away at least once after that; its interval holds with 97.5 %"`
	BoundedShare *query.Share `json:"bounded_share" doc:"Bounded over units; null where units were too few to say"`
}

// sensor is one register entry with what happens to what it sends.
type sensor struct {
	ID         string            `json:"id"`
	Owner      string            `json:"owner"`
	Kind       string            `json:"kind"`
	Preset     string            `json:"preset,omitempty"`
	Topic      string            `json:"topic" doc:"The MQTT topic that it publishes to; empty where that is of its vendor's own naming"`
	Map        map[string]string `json:"map,omitempty" doc:"Not shown: pointers into a vendor's messages may hold a name"`
	Zone       string            `json:"zone"`
	Lat        *float64          `json:"lat,omitempty"`
	Lon        *float64          `json:"lon,omitempty"`
	Registered string            `json:"registered"`
	Until      string            `json:"until,omitempty"`
	Replaces   string            `json:"replaces,omitempty"`
	Contact    string            `json:"contact,omitempty"`
	Purpose    map[string]string `json:"purpose" doc:"What it is for, by language"`
	Alive      *bool             `json:"alive" nullable:"true" doc:"Null where nothing is known"`
	Fields     []field           `json:"fields" doc:"What becomes of each thing that it sends"`
}

type field struct {
	Name     string    `json:"name"`
	Class    string    `json:"class"`
	Fate     string    `json:"fate" enum:"kept,generalised,counted,dropped"`
	Decision string    `json:"decision" doc:"The decision that says so; empty where nobody needs the field"`
	Valid    []float64 `json:"valid,omitempty" doc:"[low, high], both included: readings with another number are refused"`
	State    string    `json:"state,omitempty" enum:"past,coming,suspended" doc:"Of the decision, where it is not in force: the field is dropped then"`
	Planned  string    `json:"planned,omitempty" enum:"kept,generalised,counted" doc:"What becomes of the field while that decision is in force"`
}

type homes struct {
	Kind   string `json:"kind"`
	Zone   string `json:"zone"`
	Number int    `json:"number"`
}

type strays struct {
	Zone   string `json:"zone"`
	Number int    `json:"number"`
}

// decision is one decision as residents see it.
type decision struct {
	ID        string              `json:"id"`
	Title     map[string]string   `json:"title"`
	State     string              `json:"state" enum:"in_force,past,coming,suspended"`
	From      string              `json:"from"`
	Until     string              `json:"until" doc:"The last day"`
	Since     string              `json:"since,omitempty" doc:"First day of a state that is not in_force, where it is known; of a coming decision the first day on which it will be in force"`
	By        string              `json:"by,omitempty" enum:"council,charter,policy" doc:"What a suspended one is stopped by: the council; the charter, below which it goes; or that no policy is in force"`
	Reason    map[string]string   `json:"reason,omitempty" doc:"Why the council has suspended it, by language; und where the language is not said"`
	Retain    *retain             `json:"retain,omitempty" doc:"For how long its published numbers are kept; then they are removed, with a line in removals.jsonl of the public books. Absent where it does not say"`
	Asked     []consultation      `json:"consultation,omitempty" doc:"Pages elsewhere on which the public was asked, or that record the council's session"`
	Policy    string              `json:"policy"`
	Motion    string              `json:"motion" doc:"The motion that gave it its words; empty in a simulation of an unsigned policy"`
	Version   int                 `json:"version,omitempty"`
	Namespace string              `json:"namespace,omitempty" doc:"What members signed for: ssh-keygen -Y verify -n NAMESPACE"`
	Votes     []vote              `json:"votes"`
	Stated    []statement         `json:"statements,omitempty" doc:"Signed ballots against, and abstentions: they count to no quorum"`
	YAML      string              `json:"yaml" doc:"The decision as the council wrote it"`
	Explain   map[string]string   `json:"explain" doc:"In plain words, by language"`
	Diff      map[string][]string `json:"diff,omitempty" doc:"What changed from its words before, by language"`
	Next      *next               `json:"next,omitempty" doc:"A change that was voted and waits for its time"`
	Problems  []string            `json:"problems,omitempty"`
}

type consultation struct {
	Kind  string `json:"kind" enum:"decidim,session,other" doc:"A process on a Decidim platform, the record of the council's session, or another page"`
	Link  string `json:"link"`
	From  string `json:"from,omitempty" doc:"Its first day, where it is said"`
	Until string `json:"until,omitempty" doc:"Its last day, where it is said"`
}

type retain struct {
	Hours string `json:"hours,omitempty" doc:"Numbers of windows shorter than a day: an ISO 8601 period from the end of the window, or forever" example:"P2Y"`
	Days  string `json:"days,omitempty" doc:"Numbers of days" example:"forever"`
}

type next struct {
	Motion  string              `json:"motion"`
	From    time.Time           `json:"from"`
	Changes map[string][]string `json:"changes"`
}

type vote struct {
	Member   string `json:"member"`
	Name     string `json:"name"`
	Key      string `json:"key" doc:"Fingerprint, as ssh-keygen -l shows it"`
	Verified bool   `json:"verified"`
}

type statement struct {
	Member string `json:"member"`
	Name   string `json:"name"`
	Key    string `json:"key" doc:"Fingerprint, as ssh-keygen -l shows it"`
	Choice string `json:"choice" enum:"for,against,abstain"`
	Reason string `json:"reason,omitempty" doc:"In the member's own words"`
}

// entry is one line of ledger.jsonl.
type entry struct {
	N          int64   `json:"n"`
	Day        string  `json:"day"`
	Gateway    string  `json:"gateway"`
	Decision   string  `json:"decision"`
	Plan       string  `json:"plan"`
	Unit       string  `json:"unit"`
	Kind       string  `json:"kind" enum:"reserve,refuse"`
	Epsilon    float64 `json:"epsilon" doc:"Per unit, for the whole day"`
	Delta      float64 `json:"delta"`
	Cap        float64 `json:"cap" doc:"The charter's, per unit and day"`
	Left       float64 `json:"left" doc:"What the cap leaves after this line"`
	Method     int     `json:"method,omitempty" doc:"How noise and threshold of that day are computed from the plan; absent for the first method"`
	PrevSHA256 string  `json:"prev_sha256" doc:"SHA-256 of the line before, without its line feed"`
}

// shown is what a zone's newest window says.
type shown struct {
	Stream     string       `json:"stream"`
	Measure    string       `json:"measure"`
	Category   string       `json:"category"`
	Start      time.Time    `json:"start"`
	End        time.Time    `json:"end"`
	Status     store.Status `json:"status" enum:"published,withheld,no_data,withdrawn"`
	Value      *float64     `json:"value"`
	Low        *float64     `json:"low"`
	High       *float64     `json:"high"`
	Unit       string       `json:"unit"`
	Decision   string       `json:"decision"`
	Simulation bool         `json:"simulation"`
}

// collection is GeoJSON (RFC 7946).
type collection struct {
	Type     string    `json:"type" enum:"FeatureCollection"`
	Features []feature `json:"features"`
	Items    []feature `json:"items" doc:"The same list, under the name that it has in every answer (a foreign member, RFC 7946, section 6.1)"`
	Next     *string   `json:"next" doc:"Null: there is no other page"`
}

type feature struct {
	Type       string          `json:"type" enum:"Feature"`
	ID         any             `json:"id,omitempty" doc:"The zone; where it is no text, the property id is"`
	Properties map[string]any  `json:"properties" doc:"name, and latest: what the zone's newest windows say; with stream, measure and category in the query, that one's start, end, status, value, low, high, unit and decision"`
	Geometry   json.RawMessage `json:"geometry"`
}

func cells(list []books.Cell) []cell {
	out := make([]cell, len(list))
	for i, c := range list {
		out[i] = cell(c)
	}
	return out
}

func measures(list []books.Measure) []measure {
	out := make([]measure, len(list))
	for i, m := range list {
		out[i] = measure{m.Name, m.Unit, m.Of, m.PublicFrom, m.TypicalError, m.Group, m.Class, m.Names, nil}
		for _, l := range m.Limits {
			out[i].Limits = append(out[i].Limits, limit(l))
		}
	}
	return out
}

func fields(list []books.Field) []field {
	out := make([]field, len(list))
	for i, f := range list {
		out[i] = field(f)
	}
	return out
}

// consultations are those whose links can be followed.
func consultations(list []books.Consultation) (out []consultation) {
	for _, c := range list {
		if c.Followable() {
			out = append(out, consultation(c))
		}
	}
	return out
}

func statements(list []books.Statement) []statement {
	out := make([]statement, len(list))
	for i, s := range list {
		out[i] = statement(s)
	}
	return out
}

func votes(list []books.Vote) []vote {
	out := make([]vote, len(list))
	for i, v := range list {
		out[i] = vote(v)
	}
	return out
}

// texts is never null.
func texts(by map[string]string) map[string]string {
	if by == nil {
		return map[string]string{}
	}
	return by
}
