package sluice_test

// row is one of our packages or one of other people's modules: why it has its row, and the packages
// that it may import, or that may import it.
type row struct{ why, list string }

// arrows are all imports between our own packages, from the ground up: those who see cannot
// speak, those who speak cannot see. An import that is not here fails; so does an arrow that
// nobody uses.
var arrows = map[string]row{
	"internal/civil":   {"days, periods and grids: the ground, of nothing", ""},
	"internal/names":   {"one form of names: the ground", ""},
	"internal/locales": {"sentences by language: the ground", ""},
	"internal/yamldoc": {"files that people write; what is wrong in them is said in three languages",
		"internal/locales"},
	"internal/retry": {"pauses between attempts: the ground", ""},
	"perm":           {"who may read which file: the ground", ""},
	"brief":          {"texts of others, bounded for logs and answers: the ground", ""},
	"door":           {"listening to strangers, within bounds", ""},
	"store":          {"the form of a released number, which all that write, read and check one share", ""},
	"store/sqlite":   {"keeps what store describes, in a file that perm guards", "perm store"},
	"store/influx":   {"keeps what store describes, with a token that perm guards", "perm store"},
	"books":          {"the form of the public books, for those who write and those who read them", ""},
	"books/union":    {"the books of several gateways as one", "books"},
	"register": {"sensors, kinds and zones, from files that people write",
		"internal/civil internal/names internal/yamldoc"},
	"register/access": {"passwords of the sensors of a register", "register"},
	"policy/plan":     {"what a decision means for a sensor, in a city's calendar", "internal/civil"},
	"policy/mechanism": {"what a plan costs and how exact it is; it says so of a store's numbers",
		"policy/plan store"},
	"policy/ballot": {"a signature and its key", ""},
	"policy/decision": {"the documents of a policy, which become plans; members' keys are read as ballots are",
		"internal/civil internal/names internal/yamldoc policy/ballot policy/plan register"},
	"policy/bundle": {"the documents together, with zones, as bytes that are signed",
		"internal/yamldoc policy/decision policy/plan register"},
	"policy/rules":  {"the rules' texts", ""},
	"policy/schema": {"the files' forms, for editors and check", ""},
	"policy/rego": {"rules are asked in a child process, about a bundle; what OPA says is cut short by brief",
		"brief policy/bundle policy/rules"},
	"policy/compile": {"a bundle and its answers become plans; suspensions are compared as diff does",
		"policy/bundle policy/diff policy/plan policy/rego register"},
	"policy/explain": {"a decision in words, with what it costs",
		"internal/civil internal/locales policy/bundle policy/decision policy/mechanism policy/plan"},
	"policy/diff": {"two policies, by what residents gain or lose, in explain's words",
		"internal/civil internal/locales policy/bundle policy/decision policy/explain policy/mechanism " +
			"policy/plan policy/rules register"},
	"policy/dpia": {"the assessment, of the same words and costs, with the sensors concerned",
		"internal/locales policy/bundle policy/explain policy/mechanism register"},
	"policy/check": {"all that can be wrong with a policy: its form, its rules, its costs, its votes",
		"internal/civil internal/locales internal/yamldoc policy/ballot policy/bundle policy/compile " +
			"policy/decision policy/diff policy/explain policy/mechanism policy/plan policy/rego policy/rules " +
			"policy/schema register"},
	"policy/cases": {"a council's own examples, against the compiled policy",
		"internal/civil internal/yamldoc policy/bundle policy/compile policy/plan register"},
	"policy/council": {"a motion: what was voted, explained, compared and signed",
		"internal/civil internal/locales policy/ballot policy/bundle policy/decision policy/diff policy/explain"},
	"policy/workspace": {"the clerk's directory: drafts, motions, keys and schemas, on disk",
		"internal/civil perm policy/ballot policy/bundle policy/compile policy/council policy/decision " +
			"policy/rego policy/schema"},
	"configs/portalba":                 {"the example city, as a bundle", "policy/bundle"},
	"gateway/crash":                    {"panics without values", ""},
	"gateway/inbox":                    {"fetches motion files", ""},
	"gateway/release/internal/laplace": {"draws", ""},
	"gateway/release": {"the only maker of numbers: the plan, what it costs, the draw, and the form of a number",
		"gateway/release/internal/laplace policy/mechanism policy/plan store"},
	"gateway/ledger": {"commits a release with its line of the books; the outbox is a database of ours",
		"books gateway/release perm store store/sqlite"},
	"gateway/forward": {"carries rows from the ledger's outbox to a store, again and again",
		"gateway/ledger internal/retry store"},
	"gateway/config": {"gateway.yaml: of each part only what it may be set to",
		"gateway/inbox gateway/ingest internal/civil internal/yamldoc perm register register/access store " +
			"store/influx store/sqlite"},
	"gateway/host": {"lock, keys and directories of the machine, as configured", "gateway/config gateway/inbox perm"},
	"gateway/homes": {"which kinds stand for somebody, kept on disk, by policy and vote",
		"gateway/host perm policy/compile policy/council register"},
	"gateway/reconcile": {"the ledger's journal against the store",
		"books gateway/config gateway/host gateway/ledger store store/sqlite"},
	"gateway/rollback": {"whether the state directory is the latest, by ledger, books, store and a witness",
		"books gateway/config gateway/host gateway/ledger gateway/reconcile internal/civil internal/retry perm " +
			"store"},
	"gateway/activation": {"how a policy gets into force: read, verified, compiled, handed to ingest, kept by the ledger",
		"brief gateway/config gateway/homes gateway/inbox gateway/ingest gateway/ledger internal/retry " +
			"policy/bundle policy/compile policy/council policy/mechanism policy/plan policy/rego register"},
	"gateway/publicbooks": {"writes the books, of what is in force, what is registered and what the ledger has",
		"books gateway/activation gateway/config gateway/homes gateway/ingest gateway/ledger internal/civil " +
			"policy/bundle policy/compile policy/council policy/decision policy/diff policy/explain policy/mechanism " +
			"policy/plan register"},
	"gateway/admin": {"health and metrics: it asks, and says no value",
		"brief door gateway/config gateway/crash gateway/ingest policy/plan policy/rego store"},
	"gateway/doctor": {"looks at every part of a gateway from outside",
		"books brief gateway/admin gateway/config gateway/homes gateway/host gateway/inbox gateway/ingest " +
			"gateway/ledger perm policy/compile policy/council policy/rego register register/access store/influx"},
	"gateway": {"the composition: it opens, runs and closes the rooms",
		"books gateway/activation gateway/admin gateway/config gateway/crash gateway/forward gateway/homes " +
			"gateway/host gateway/ingest gateway/ledger gateway/publicbooks gateway/reconcile gateway/release " +
			"gateway/rollback internal/retry policy/compile policy/rego"},
	"gateway/ingest/internal/fault":     {"the closed list of codes", ""},
	"gateway/ingest/internal/reading":   {"a reading, which says nothing about itself", ""},
	"gateway/ingest/internal/intake":    {"the bounded queue", ""},
	"gateway/ingest/internal/wipe":      {"memory that is cleared", ""},
	"gateway/ingest/internal/sealed":    {"buffers below TLS, cleared", "gateway/ingest/internal/wipe"},
	"gateway/ingest/internal/pseudonym": {"keyed hashes of units", ""},
	"gateway/ingest/internal/format": {"bytes become readings, or faults",
		"gateway/ingest/internal/fault gateway/ingest/internal/reading"},
	"gateway/ingest/internal/redact": {"a plan applied to a reading",
		"gateway/ingest/internal/fault gateway/ingest/internal/format gateway/ingest/internal/reading policy/plan"},
	"gateway/ingest/internal/window": {"what is left, added up in windows until it is a batch for release",
		"gateway/ingest/internal/pseudonym gateway/ingest/internal/redact gateway/release policy/plan"},
	"gateway/ingest/internal/checkpoint": {"open windows on disk, sealed",
		"gateway/crash gateway/ingest/internal/redact gateway/ingest/internal/window"},
	"gateway/ingest/internal/listener": {"the embedded broker, into the queue",
		"gateway/crash gateway/ingest/internal/intake gateway/ingest/internal/sealed gateway/ingest/internal/wipe"},
	"gateway/ingest/internal/mqtt": {"a client of the city's broker, into the queue",
		"gateway/crash gateway/ingest/internal/intake gateway/ingest/internal/sealed gateway/ingest/internal/wipe " +
			"internal/retry"},
	"gateway/ingest": {"the side that sees people: the one goroutine and all that it owns",
		"gateway/crash gateway/ingest/internal/checkpoint gateway/ingest/internal/fault " +
			"gateway/ingest/internal/format gateway/ingest/internal/intake gateway/ingest/internal/listener " +
			"gateway/ingest/internal/mqtt gateway/ingest/internal/pseudonym gateway/ingest/internal/reading " +
			"gateway/ingest/internal/redact gateway/ingest/internal/window gateway/release internal/civil " +
			"internal/retry policy/plan register register/access"},
	"opendata/zonemap":   {"a drawing of zones", ""},
	"opendata/i18n":      {"what pages say, and the books' states in words", "books internal/locales"},
	"opendata/httpcache": {"an answer made once; who reads long ones has a seat, as the door counts", "door"},
	"opendata/released": {"which rows of a store the books know of, by the plans that they publish",
		"books policy/plan store"},
	"opendata/query": {"questions about numbers: what is in books and store, by the calendar",
		"books internal/civil store"},
	"opendata/catalog": {"DCAT and schema.org of what can be asked",
		"books opendata/httpcache opendata/i18n opendata/query opendata/zonemap"},
	"opendata/api": {"answers as JSON and CSV", "books door opendata/httpcache opendata/query store"},
	"opendata/web": {"answers as pages, with the arithmetic that verify does",
		"books opendata/api opendata/catalog opendata/httpcache opendata/i18n opendata/query opendata/zonemap " +
			"store verify"},
	"opendata": {"the server: the composition of its rooms over store and books",
		"books books/union door internal/yamldoc opendata/api opendata/catalog opendata/httpcache opendata/query " +
			"opendata/released opendata/web perm store/influx"},
	"verify": {"what the books and the API say, computed again as a stranger would",
		"books internal/civil policy/mechanism policy/plan store"},
	"firmware-sim/street": {"people and weather of a made-up city; nothing of ours, to be independent", ""},
	"firmware-sim/replay": {"recorded readings; nothing of ours, to be independent", ""},
	"firmware-sim/device": {"publishes either", "firmware-sim/replay firmware-sim/street"},
	"firmware-sim":        {"the program", "firmware-sim/device firmware-sim/street"},
	"simulate": {"a draft in a gateway of its own, over made-up or recorded traffic",
		"books firmware-sim/device firmware-sim/replay firmware-sim/street gateway gateway/config internal/civil " +
			"policy/bundle policy/mechanism policy/plan register store store/sqlite"},
	"town": {"everything in one process, for up",
		"books brief configs/portalba firmware-sim/device firmware-sim/street gateway gateway/config opendata " +
			"opendata/query perm policy/workspace store store/sqlite"},
	"cmd/sluice": {"the verbs; each needs its room",
		"books books/union brief configs/portalba gateway gateway/config gateway/crash gateway/doctor " +
			"gateway/reconcile gateway/rollback internal/civil internal/yamldoc opendata opendata/i18n opendata/query " +
			"perm policy/ballot policy/bundle policy/cases policy/check policy/compile policy/council policy/decision " +
			"policy/diff policy/dpia policy/explain policy/rego policy/schema policy/workspace register " +
			"register/access simulate store/influx store/sqlite town verify"},
	"test/ports":            {"addresses for tests", ""},
	"test/samples":          {"draws for tests", ""},
	"test/chance":           {"how likely draws are", ""},
	"test/fenced":           {"documents are programs", ""},
	"test/footfall":         {"one plan, for tests on both sides of the noise", "internal/civil policy/plan"},
	"test/entered":          {"books and stores filled for tests", "books policy/plan store"},
	"test/claims":           {"what documents say of intervals, against simulate", "configs/portalba policy/bundle simulate"},
	"test/bench":            {"measures from outside", "test/ports"},
	"test/benchhttp":        {"measures the open data over a store that it fills", "books store store/sqlite test/entered"},
	"test/benchabuse/doors": {"measures the listener from outside", "test/ports"},
	"test/benchabuse/pages": {"measures the pages over a store that it fills",
		"books store store/sqlite test/entered"},
	"test/audit": {"the guarantee from outside, with an encoder that is not the gateway's",
		"firmware-sim/device test/ports"},
	"test/torture": {"kills from outside", "test/ports test/samples"},
}

// doors are the packages through which each module of others is used.
var doors = map[string]row{
	"github.com/agnivade/levenshtein":  {"which name was meant", "internal/yamldoc policy/check"},
	"github.com/boombuler/barcode":     {"the QR code of a notice", "opendata/web"},
	"github.com/danielgtaylor/huma/v2": {"schemas of the OpenAPI document", "opendata/api"},
	"github.com/dchest/siphash": {"keyed hashes, in assembly and without allocation",
		"gateway/ingest gateway/ingest/internal/pseudonym"},
	"github.com/eclipse/paho.mqtt.golang": {"MQTT, as a client",
		"firmware-sim/device gateway/ingest/internal/mqtt test/bench"},
	"github.com/goccy/go-yaml": {"YAML with positions", "internal/locales internal/yamldoc"},
	"github.com/google/differential-privacy/go/v3": {"Gaussian noise and thresholds that others have proved",
		"gateway/release"},
	"github.com/hiddeco/sshsig":                   {"OpenSSH signatures", "policy/ballot"},
	"github.com/influxdata/influxdb-client-go/v2": {"InfluxDB", "store/influx"},
	"github.com/mochi-mqtt/server/v2":             {"MQTT, as a broker", "gateway/ingest/internal/listener test/bench"},
	"github.com/open-policy-agent/opa":            {"the council's rules", "policy/rego"},
	"github.com/paulmach/orb":                     {"geometry of zones", "opendata/zonemap register"},
	"github.com/prometheus/client_golang":         {"metrics", "gateway/admin"},
	"github.com/santhosh-tekuri/jsonschema/v6":    {"files against their schemas", "policy/check"},
	"github.com/schollz/progressbar/v3":           {"progress of what takes long", "cmd/sluice firmware-sim/device town"},
	"github.com/spf13/cobra":                      {"verbs and flags", "cmd/sluice firmware-sim"},
	"github.com/valyala/fastjson":                 {"JSON without allocation per reading", "gateway/ingest/internal/format"},
	"golang.org/x/crypto":                         {"keys of OpenSSH", "policy/ballot"},
	"golang.org/x/sync": {"one at a time, and a number at a time",
		"books gateway gateway/ingest/internal/intake opendata/httpcache policy/rego town"},
	"golang.org/x/sys": {"limits, locks and terminals of the machine",
		"cmd/sluice gateway/doctor gateway/host gateway/ingest/internal/checkpoint policy/rego"},
	"golang.org/x/text":  {"languages and plural forms", "internal/locales opendata/i18n"},
	"golang.org/x/time":  {"rates", "gateway/ingest/internal/listener opendata"},
	"gonum.org/v1/gonum": {"exact tests of the audit", "test/audit"},
	"modernc.org/sqlite": {"SQLite without C", "store/sqlite test/torture"},
}
