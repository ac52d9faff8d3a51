// Package books reads and writes the public books: plain files that a gateway writes and
// anyone may read, mirror and check. Nothing in them comes from a message.
//
//	city.json        {"id", "gateway", "name", "timezone", "languages", "policy", "simulation"}
//	streams.json     [{"id", "title", "every", ...}]
//	decisions.json   [{"id", "title", "state", ...}]
//	decisions/ID/decision.yaml explain.LANG.txt changes.LANG.txt
//	decisions/ID/motion.txt bundle.tar.gz allowed_signers ballots/MEMBER.sig
//	decisions/ID/statement_signers ballots/MEMBER.txt ballots/MEMBER.txt.sig, of who was not for it
//	register.json    {"sensors": [register entry + alive + fields], "homes": [{"kind", "zone", "number"}],
//	                  "unknown": [{"zone", "number"}]}
//	zones.geojson    the zones as voted
//	plans/DIGEST.json  what a decision meant: SHA-256 of the file is its name
//	ledger.jsonl       one line per reservation of privacy budget, chained by SHA-256
//	releases.jsonl     one line per released window, chained by SHA-256
//	withdrawals.jsonl  one line per release that was hidden, and why
//	removals.jsonl     one line each time that old numbers were removed, as their decision's
//	                   retain says, chained by SHA-256
//	gaps.jsonl         one line per gap in the published series
//	archive.jsonl      one line per month of a stream, once it is final, chained by SHA-256
package books

import (
	"net/url"
	"time"
)

// City names the city and the gateway that the books belong to.
type City struct {
	ID         string   `json:"id"`
	Gateway    string   `json:"gateway,omitempty"` // absent in books of before
	Name       string   `json:"name"`
	Timezone   string   `json:"timezone"`
	Languages  []string `json:"languages"`
	Policy     string   `json:"policy"` // digest of the version in force
	Simulation bool     `json:"simulation"`
	// Charter is the SHA-256 of the charter in force; absent in books of earlier versions.
	Charter string `json:"charter,omitempty"`
	// Silence says why nothing is measured: no_policy, policy_taken_away, no_decision,
	// not_yet, suspended or sunset; empty while something is.
	Silence string `json:"silence,omitempty"`
	// Responsible is who answers for the processing, DPO the data protection officer, and
	// Authority whom residents may complain to; Accessibility enforces that public websites are
	// accessible. Each is zero where the charter does not say it.
	Responsible   Party `json:"responsible,omitzero"`
	DPO           Party `json:"dpo,omitzero"`
	Authority     Party `json:"authority,omitzero"`
	Accessibility Party `json:"accessibility,omitzero"`
	// Names are the council's words for what the policy names by an id.
	Names Vocabulary `json:"names,omitzero"`
}

// Stream describes one published series.
type Stream struct {
	ID       string            `json:"id"`
	Title    map[string]string `json:"title"`
	Every    string            `json:"every"`
	Timezone string            `json:"timezone"`
	Unit     string            `json:"unit"`
	Measures []Measure         `json:"measures"`
	Cells    []Cell            `json:"cells"`
	Decision string            `json:"decision"`
	Purpose  string            `json:"purpose,omitempty"` // of the charter's list
	// CategoryField is the field whose values are the cells' categories; empty where they
	// have none, and in books of before.
	CategoryField string `json:"category_field,omitempty"`
	From          string `json:"from"`
	Until         string `json:"until"`
	Licence       string `json:"licence"`
	Simulation    bool   `json:"simulation"`
	// Of is the stream whose days these are: the same decision publishes both; empty for others.
	Of string `json:"of,omitempty"`
	// Stopped is true when this gateway no longer runs the stream: its decision is gone or
	// broken, or its zones belong to another gateway. The description is the last one.
	Stopped bool `json:"stopped,omitempty"`
	// Floor is noisy where a number is shown when the number of units with its noise
	// reaches min_units, so that it may stand for fewer; Membership public where the
	// register decides; both absent otherwise.
	Floor      string `json:"floor,omitempty"`
	Membership string `json:"membership,omitempty"`
	// Plan is the digest of the plan that the stream runs under, see plans/.
	Plan string `json:"plan"`
	// MaxContributions is in how many (cell, window) pairs of an Epoch, which is so long, a
	// unit counts at most. ShareFrom is the number of units from which on it is shown, of at
	// least 99 of 100 epochs, how many reached that; absent where that is never released.
	MaxContributions int64  `json:"max_contributions,omitempty"`
	Epoch            string `json:"epoch,omitempty"`
	ShareFrom        int64  `json:"share_from,omitempty"`
}

// Measure describes one published number. PublicFrom is the number of units
// from which on at least 99 of 100 windows are published; 0 when exact.
type Measure struct {
	Name         string  `json:"name"`
	Unit         string  `json:"unit"`
	Of           string  `json:"of"`
	PublicFrom   int64   `json:"public_from"`
	TypicalError float64 `json:"typical_error"`
	// Group is the histogram that the number is a class of, and Class the class's
	// edges; absent for other measures.
	Group string    `json:"group,omitempty"`
	Class []float64 `json:"class,omitempty"`
	// Names are the council's words for the number, by language; of a histogram's class, for
	// the histogram. Limits are what the council compares it with.
	Names  map[string]string `json:"names,omitempty"`
	Limits []Limit           `json:"limits,omitempty"`
}

// Cell is one entry of a stream's closed list.
type Cell struct {
	ID       string `json:"id"`
	Zone     string `json:"zone"`
	Category string `json:"category"`
}

// Sensor is one register entry, with the fate of each field that the sensor sends.
type Sensor struct {
	ID     string `json:"id"`
	Owner  string `json:"owner"`
	Kind   string `json:"kind"`
	Preset string `json:"preset,omitempty"`
	// Topic is empty and Map absent where a vendor has chosen them, since they may hold a
	// secret or a name.
	Topic      string            `json:"topic"`
	Map        map[string]string `json:"map,omitempty"`
	Zone       string            `json:"zone"`
	Lat        *float64          `json:"lat,omitempty"`
	Lon        *float64          `json:"lon,omitempty"`
	Registered string            `json:"registered"`
	Until      string            `json:"until,omitempty"`
	Replaces   string            `json:"replaces,omitempty"`
	Contact    string            `json:"contact,omitempty"`
	Purpose    map[string]string `json:"purpose"`
	// Alive is null if unknown.
	Alive  *bool   `json:"alive"`
	Fields []Field `json:"fields"`
}

// Homes counts the sensors of a kind and zone that each stand for one home. No such sensor
// is listed individually anywhere.
type Homes struct {
	Kind   string `json:"kind"`
	Zone   string `json:"zone"`
	Number int    `json:"number"`
}

// Unknown counts the sensors of a zone whose kind the policy does not know. They might
// stand for homes, so they are not listed individually either.
type Unknown struct {
	Zone   string `json:"zone"`
	Number int    `json:"number"`
}

// Register is register.json.
type Register struct {
	Sensors []Sensor  `json:"sensors"`
	Homes   []Homes   `json:"homes"`
	Unknown []Unknown `json:"unknown"`
}

// Life describes Alive in a word.
func (s Sensor) Life() string {
	switch {
	case s.Alive == nil:
		return "not known"
	case *s.Alive:
		return "yes"
	}
	return "silent"
}

// Field is one field's fate: kept, generalised, counted or dropped.
type Field struct {
	Name     string `json:"name"`
	Class    string `json:"class"`
	Fate     string `json:"fate"`
	Decision string `json:"decision"`
	// Valid is [low, high] of a number, both included; empty for any.
	Valid []float64 `json:"valid,omitempty"`
	// State is the decision's where it is not in force, and Planned the fate that the
	// field has while it is; both empty otherwise.
	State   string `json:"state,omitempty"`
	Planned string `json:"planned,omitempty"`
}

// Decision is one decision as published to residents.
type Decision struct {
	ID     string            `json:"id"`
	Title  map[string]string `json:"title"`
	State  string            `json:"state"` // in_force, past, coming or suspended
	From   string            `json:"from"`
	Until  string            `json:"until"`
	Policy string            `json:"policy"`
	// LegalBasis is the law that allows it, as the decision says it; Retain for how long
	// published numbers are kept. Absent where it says none, and in books of before.
	LegalBasis string `json:"legal_basis,omitempty"`
	Retain     Retain `json:"retain,omitzero"`
	// Consultation are pages elsewhere on which the public was asked, or that record the
	// council's session; absent where it names none, and in books of before.
	Consultation []Consultation `json:"consultation,omitempty"`
	// Published is when these words were in the books for the first time; absent where an
	// earlier version wrote them.
	Published time.Time `json:"published,omitzero"`
	// Since is the first day of a State that is not in_force, where it is known; of a
	// coming decision the first day on which it will be in force.
	Since string `json:"since,omitempty"`
	// By is what a suspended decision is stopped by: council, charter (it goes below it)
	// or policy (none is in force).
	By string `json:"by,omitempty"`
	// Reason is the council's reason for a suspension, by language; see Unsaid.
	Reason map[string]string `json:"reason,omitempty"`
	// Motion is the one that gave the decision its present words, Version its number;
	// empty and 0 in a simulation of an unsigned policy.
	Motion  string `json:"motion"`
	Version int    `json:"version,omitempty"`
	// Namespace is what members signed for: ssh-keygen -Y verify -n NAMESPACE.
	Namespace string `json:"namespace,omitempty"`
	Votes     []Vote `json:"votes"`
	// Statements are the ballots of members who were against the motion, or abstained, and the reasons
	// of those who voted for it.
	Statements []Statement `json:"statements,omitempty"`
	YAML       string      `json:"yaml"`
	// Explain is the decision in plain words, by language.
	Explain map[string]string `json:"explain"`
	// Diff is what changed from its words before, by language; empty for a new one.
	Diff map[string][]string `json:"diff,omitempty"`
	// Next is a change that has been voted and is not in force yet.
	Next     *Next    `json:"next,omitempty"`
	Problems []string `json:"problems,omitempty"`
	// History is what has happened to it, the newest last and bounded; absent in books of before.
	History []Happening `json:"history,omitempty"`
}

// Consultation is a page that a decision links to: of a process on Decidim (decidim), of the
// session's record (session), or another one (other). From and Until are days, or empty.
type Consultation struct {
	Kind  string `json:"kind"`
	Link  string `json:"link"`
	From  string `json:"from,omitempty"`
	Until string `json:"until,omitempty"`
}

// Followable reports whether a page may show the link as one: it is of https.
func (c Consultation) Followable() bool {
	u, err := url.Parse(c.Link)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil
}

// Retain is for how long numbers are kept, of windows shorter than a day and of days: an ISO
// 8601 period, the word forever, or nothing where the decision does not say it.
type Retain struct {
	Hours string `json:"hours,omitempty"`
	Days  string `json:"days,omitempty"`
}

// Forever is the word for a time that does not end.
const Forever = "forever"

// Next describes what a motion will change in a decision, by language, and from when.
type Next struct {
	Motion  string              `json:"motion"`
	From    time.Time           `json:"from"`
	Changes map[string][]string `json:"changes"`
	// Published is when the change was in the books for the first time; absent as above.
	Published time.Time `json:"published,omitzero"`
}

// Vote is one member's ballot; Key is the fingerprint that ssh-keygen -l shows.
type Vote struct {
	Member   string `json:"member"`
	Name     string `json:"name"`
	Key      string `json:"key"`
	Verified bool   `json:"verified"`
}

// Statement is one member's signed ballot that is not for the motion: Choice is against or abstain.
// With for it is the reason of a vote that is in Votes. Reason is one line in the member's words, or
// nothing.
type Statement struct {
	Member string `json:"member"`
	Name   string `json:"name"`
	Key    string `json:"key"`
	Choice string `json:"choice"`
	Reason string `json:"reason,omitempty"`
}

// Entry is one line of ledger.jsonl. Epsilon and Delta are per unit for the
// whole day; Left is what the charter's Cap leaves after this line. PrevSHA256
// is the SHA-256, in hex, of the line before without its line feed; empty on
// the first line.
type Entry struct {
	N        int64   `json:"n"`
	Day      string  `json:"day"`
	Gateway  string  `json:"gateway"`
	Decision string  `json:"decision"`
	Plan     string  `json:"plan"`
	Unit     string  `json:"unit"`
	Kind     string  `json:"kind"` // reserve or refuse
	Epsilon  float64 `json:"epsilon"`
	Delta    float64 `json:"delta"`
	Cap      float64 `json:"cap"`
	Left     float64 `json:"left"`
	// Method is how noise and threshold of that day's windows are computed from the plan,
	// see docs/release.md; absent for the first.
	Method     int    `json:"method,omitempty"`
	PrevSHA256 string `json:"prev_sha256"`
}

// Released is one line of releases.jsonl: a window was decided, once for ever.
// SHA256 is store.Digest of what it released, Rows how many observations that is,
// Ledger the line that paid for it, 0 where nothing was to be paid.
type Released struct {
	N          int64     `json:"n"`
	Gateway    string    `json:"gateway"`
	Stream     string    `json:"stream"`
	Start      time.Time `json:"start"`
	End        time.Time `json:"end"`
	Policy     string    `json:"policy"`
	Plan       string    `json:"plan"`
	Ledger     int64     `json:"ledger"`
	Rows       int       `json:"rows"`
	SHA256     string    `json:"sha256"`
	PrevSHA256 string    `json:"prev_sha256"`
}

// Withdrawal is one line of withdrawals.jsonl: what was released of these is
// hidden, for a public reason, and never replaced. No cell or measure means all.
type Withdrawal struct {
	N       int64     `json:"n"`
	At      time.Time `json:"at"`
	Stream  string    `json:"stream"`
	Start   time.Time `json:"start"`
	Cell    string    `json:"cell"`
	Measure string    `json:"measure"`
	Reason  string    `json:"reason"`
}

// Gap is one line of gaps.jsonl: a span in which windows of a stream are missing or
// incomplete, and the reason.
type Gap struct {
	Stream string    `json:"stream"`
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	// Reason is gateway_down, keys_lost, broker_away, broker_lost_queue, recovered or store_lost; of a city on
	// several machines also front_away or partition_away.
	Reason string `json:"reason"`
}

// StoreLost is the reason of a gap whose windows were released, and were lost by the store
// afterwards.
const StoreLost = "store_lost"

// Removal is one line of removals.jsonl: the numbers of a stream, of windows that ended at
// or before Until and were released under Decision, were removed at At, because the
// decision says that they are kept for Retain (ISO 8601) and no longer. Policy is the
// digest of the version in force then.
type Removal struct {
	N          int64     `json:"n"`
	At         time.Time `json:"at"`
	Gateway    string    `json:"gateway"`
	Stream     string    `json:"stream"`
	Decision   string    `json:"decision"`
	Retain     string    `json:"retain"`
	Until      time.Time `json:"until"`
	Policy     string    `json:"policy"`
	PrevSHA256 string    `json:"prev_sha256"`
}
