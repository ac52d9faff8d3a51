package sluice_test

// row is one of our packages or one of other people's modules: why it has its row, and the packages
// that it may import, or that may import it.
type row struct{ why, list string }

// arrows are all imports between our own packages, from the ground up: those who see cannot
// speak, those who speak cannot see. An import that is not here fails; so does an arrow that
// nobody uses.
var arrows = map[string]row{
	"internal/civil":   {"days, periods and grids: the ground, of nothing", ""},
	"internal/instant": {"times as systems write them: the ground, of nothing", ""},
	"internal/pattern": {"regular expressions that are compiled when they are used: the ground", ""},
	"internal/names":   {"one form of names: the ground", "internal/pattern"},
	"internal/locales": {"sentences by language: the ground", ""},
	"internal/yamldoc": {"files that people write; what is wrong in them is said in three languages",
		"internal/locales internal/pattern"},
	"internal/retention": {"for how long numbers are kept: the ground, in periods",
		"internal/civil"},
	"internal/websocket": {"frames and handshakes of WebSocket, for sensors' listener and public's broker: the ground",
		""},
	"internal/wide":  {"sums without an end: the ground", ""},
	"internal/retry": {"pauses between attempts: the ground", ""},
	"internal/crash": {"panics without values: the ground", ""},
	"perm":           {"who may read which file: the ground", ""},
	"brief":          {"texts of others, bounded for logs and answers: the ground", ""},
	"door":           {"listening to strangers, within bounds", ""},
	"store":          {"the form of a released number, which all that write, read and check one share", ""},
	"store/sqlite":   {"keeps what store describes, in a file that perm guards", "perm store"},
	"store/table":    {"rows as text, which books commit to: gateway, archive and verify share it", "store"},
	"store/influx":   {"keeps what store describes, with a token that perm guards", "internal/pattern perm store"},
	"books":          {"the form of the public books, for those who write and those who read them", ""},
	"books/union":    {"the books of several gateways as one", "books internal/pattern"},
	"register": {"sensors, kinds and zones, from files that people write",
		"internal/civil internal/names internal/pattern internal/yamldoc register/preset"},
	"register/preset": {"how other systems wrap readings and models of devices name them, from files",
		"internal/civil internal/instant internal/names internal/yamldoc"},
	"register/access": {"passwords of the sensors of a register", "register"},
	"register/ca":     {"certificates of the sensors of a register, in files that perm guards", "perm register"},
	"register/fleet": {"a vendor's spreadsheet as entries of a register, whose names are shown in brief",
		"brief internal/civil internal/pattern internal/yamldoc register"},
	"plan": {"what a decision means for a sensor, in a city's calendar", "internal/civil"},
	"policy/mechanism": {"what a plan costs and how exact it is; it says so of a store's numbers",
		"plan store"},
	"policy/ballot":         {"a signature and its key", "internal/pattern"},
	"policy/ballot/signers": {"who may sign what is not voted", "internal/names policy/ballot"},
	"policy/decision": {"the documents of a policy, which become plans; members' keys are read as ballots are",
		"internal/civil internal/names internal/pattern internal/retention internal/yamldoc policy/ballot plan " +
			"register"},
	"policy/bundle": {"the documents together, with zones, as bytes that are signed",
		"internal/pattern internal/yamldoc policy/decision plan register"},
	"policy/rules":  {"the rules' texts", ""},
	"policy/schema": {"the files' forms, for editors and check", ""},
	"policy/rego": {"rules are asked in a child process, about a bundle; what OPA says is cut short by brief",
		"brief policy/bundle policy/rules"},
	"policy/compile": {"a bundle and its answers become plans; suspensions are compared as diff does",
		"policy/bundle policy/diff plan policy/rego register"},
	"policy/explain": {"a decision in words, with what it costs",
		"internal/civil internal/locales internal/pattern internal/retention policy/bundle policy/decision " +
			"policy/mechanism plan"},
	"policy/diff": {"two policies, by what residents gain or lose, in explain's words",
		"internal/civil internal/locales internal/pattern internal/retention policy/bundle policy/decision " +
			"policy/explain policy/mechanism plan policy/rules register"},
	"policy/templates": {"decisions to begin with, as data, written into a policy's files",
		"internal/locales internal/yamldoc policy/bundle policy/decision policy/explain"},
	"policy/dpia": {"the assessment, of the same words and costs, with the sensors concerned and people's answers",
		"internal/civil internal/locales internal/names internal/yamldoc policy/bundle policy/decision policy/diff " +
			"policy/explain policy/mechanism register"},
	"policy/consult": {"a draft put to the public in explain's words, with what changes and its risks, and the answers",
		"internal/civil internal/locales internal/pattern policy/bundle policy/decision policy/diff policy/dpia " +
			"policy/explain"},
	"simulate/charts": {"a simulated day of a draft, drawn for those to whom it is put",
		"policy/bundle policy/explain policy/templates simulate"},
	"policy/check": {"all that can be wrong with a policy: its form, its rules, its costs, its votes",
		"internal/civil internal/locales internal/names internal/pattern internal/yamldoc policy/ballot " +
			"policy/bundle policy/compile policy/decision policy/diff policy/explain policy/mechanism plan " +
			"policy/rego policy/rules policy/schema register"},
	"policy/cases": {"a council's own examples, against the compiled policy",
		"internal/civil internal/yamldoc policy/bundle policy/compile plan register"},
	"policy/council": {"a motion: what was voted, explained, compared and signed",
		"internal/civil internal/locales internal/pattern policy/ballot policy/bundle policy/decision policy/diff " +
			"policy/explain"},
	"policy/papers": {"what goes with a motion for people: of the clerk's directory, in words and HTML",
		"internal/civil internal/locales policy/ballot policy/bundle policy/council policy/dpia policy/explain " +
			"policy/workspace"},
	"policy/papers/pdf": {"a page printed by a browser of the machine: for the verbs and the studio", ""},
	"policy/workspace": {"the clerk's directory: drafts, motions, keys and schemas, on disk",
		"internal/civil perm policy/ballot policy/bundle policy/compile policy/council policy/decision " +
			"policy/rego policy/schema"},
	"studio": {"a page for those who draft: the verbs' rooms behind a door to this machine alone",
		"brief door internal/civil internal/locales internal/names internal/pattern internal/yamldoc plan " +
			"policy/ballot policy/bundle policy/check policy/compile policy/consult policy/council policy/decision " +
			"policy/diff policy/dpia policy/explain policy/papers policy/papers/pdf policy/rego policy/templates " +
			"policy/workspace register simulate simulate/charts store studio/picture"},
	"studio/picture":                   {"what a simulation says of a place, drawn", "simulate store"},
	"configs":                          {"what an operator edits, as far as the program writes it", ""},
	"configs/portalba":                 {"the example city, as a bundle", "policy/bundle"},
	"gateway/revoked":                  {"certificates that hold no more, from a file that perm guards", "perm"},
	"gateway/inbox":                    {"fetches motion files", "internal/pattern"},
	"gateway/release/internal/laplace": {"draws", ""},
	"gateway/release": {"the only maker of numbers: the plan, what it costs, the draw, and the form of a number",
		"gateway/release/internal/laplace internal/wide policy/mechanism plan store"},
	"gateway/ledger": {"commits a release with its line of the books; the outbox is a database of ours",
		"books gateway/release perm store store/sqlite"},
	"gateway/forward": {"carries rows from the ledger's outbox to a store, again and again",
		"gateway/ledger internal/retry store"},
	"gateway/cluster/books": {"a ledger's transactions in that log", "gateway/cluster/engine gateway/ledger"},
	"gateway/cluster/duty": {"who does what, while a lease is held",
		"gateway/cluster/engine gateway/cluster/lease internal/retry"},
	"gateway/cluster/keys": {"keys of epochs: committed to in a log, asked for by who is in the roster",
		"gateway/cluster/engine gateway/cluster/roster internal/retry perm"},
	"gateway/cluster/lease": {"who should do what, by keys that expire", "gateway/cluster/engine internal/retry"},
	"gateway/cluster/member": {"a machine's place: who it is, its connections, its keys, its duties",
		"gateway/cluster/duty gateway/cluster/engine gateway/cluster/keys gateway/cluster/roster " +
			"gateway/cluster/settings internal/retry internal/yamldoc perm"},
	"gateway/cluster/roster": {"who the machines are, and until when: a file people sign, by keys that ballots take",
		"internal/civil internal/pattern internal/retry internal/yamldoc perm policy/ballot policy/ballot/signers"},
	"gateway/cluster/logs": {"what fronts and owners of partitions share, in logs of that engine, as ingest wants them",
		"gateway/cluster/engine gateway/ingest"},
	"gateway/cluster/overview": {"how machines and partitions do, as the servers show it without a key",
		"gateway/cluster/books gateway/cluster/duty gateway/cluster/engine gateway/cluster/lease " +
			"gateway/cluster/roster"},
	"gateway/cluster/rollcall": {"what machines say of themselves when somebody asks, bounded for a terminal",
		"brief gateway/cluster/engine"},
	"gateway/cluster/parts": {"sums of partitions, sealed, on their way to who releases: it must not see ingest",
		"gateway/cluster/engine gateway/release plan"},
	"gateway/cluster/machine": {"what a machine shares with the others: its place, the logs, how fresh it is",
		"brief gateway/cluster/books gateway/cluster/engine gateway/cluster/lease gateway/cluster/logs " +
			"gateway/cluster/member gateway/cluster/parts gateway/cluster/rollcall internal/retry"},
	"gateway/cluster/edge": {"the side of such a machine that sees people: what an ingest is in one process",
		"gateway/cluster/engine gateway/cluster/logs gateway/ingest gateway/release internal/crash register"},
	"gateway/cluster/setup": {"what the engine's servers are set up with, written for an operator",
		"configs internal/pattern perm"},
	"gateway/cluster/settings": {"what is wrong with the engine's servers", "gateway/cluster/engine"},
	"gateway/cluster/engine": {"the door to the engine that machines share; whose credentials perm guards",
		"internal/retry perm"},
	"gateway/config": {"gateway.yaml: of each part only what it may be set to",
		"gateway/cluster/member gateway/cluster/roster gateway/inbox gateway/ingest gateway/revoked " +
			"internal/civil internal/pattern internal/yamldoc perm register register/access register/preset store " +
			"store/influx store/sqlite"},
	"gateway/host": {"lock, keys and directories of the machine, as configured", "gateway/config gateway/inbox perm"},
	"gateway/homes": {"which kinds stand for somebody, kept on disk, by policy and vote",
		"gateway/host perm policy/compile policy/council register"},
	"gateway/reconcile": {"the ledger's journal against the store",
		"books gateway/config gateway/host gateway/ledger store store/sqlite"},
	"gateway/months": {"a month that is final: the journal and the books' lines, and what the store has of it",
		"books gateway/ledger store store/table"},
	"gateway/retention": {"numbers whose time is over: the books' decisions and plans, the ledger's lines, the store",
		"books gateway/ledger internal/retention plan"},
	"gateway/rollback": {"whether the state directory is the latest, by ledger, books, store and a witness",
		"books gateway/config gateway/host gateway/ledger gateway/reconcile internal/civil internal/retry perm " +
			"store"},
	"gateway/activation": {"how a policy gets into force: read, verified, compiled, given to ingest, kept",
		"brief gateway/config gateway/homes gateway/inbox gateway/ingest gateway/ledger internal/pattern " +
			"internal/retry policy/bundle policy/compile policy/council policy/mechanism plan policy/rego register"},
	"gateway/publicbooks": {"writes the books, of what is in force, what is registered and what the ledger has",
		"books gateway/activation gateway/config gateway/homes gateway/ingest gateway/ledger internal/civil " +
			"policy/ballot policy/bundle policy/compile policy/council policy/decision policy/diff policy/explain " +
			"policy/mechanism plan register"},
	"gateway/admin": {"health and metrics: it asks, and says no value",
		"brief door gateway/config internal/crash gateway/ingest plan policy/rego store"},
	"gateway/doctor": {"looks at every part of a gateway from outside",
		"gateway/cluster/books gateway/cluster/engine gateway/cluster/keys gateway/cluster/logs " +
			"gateway/cluster/member gateway/cluster/parts gateway/cluster/roster " +
			"books brief gateway/admin gateway/config gateway/homes gateway/host gateway/inbox gateway/ingest " +
			"gateway/ledger internal/retention perm policy/compile policy/council policy/rego register " +
			"register/access store/influx"},
	"gateway": {"the composition: it opens, runs and closes the rooms",
		"books brief gateway/activation gateway/admin gateway/cluster/books gateway/cluster/edge " +
			"gateway/cluster/logs gateway/cluster/machine gateway/cluster/parts gateway/cluster/rollcall " +
			"gateway/cluster/roster " +
			"gateway/config internal/crash gateway/forward gateway/homes " +
			"gateway/host gateway/ingest gateway/ledger gateway/months gateway/publicbooks " +
			"gateway/reconcile gateway/release gateway/retention gateway/revoked gateway/rollback internal/retry " +
			"plan policy/compile policy/rego store"},
	"gateway/ingest/internal/fault":     {"the closed list of codes", ""},
	"gateway/ingest/internal/structure": {"how a message is built, without what it says", ""},
	"gateway/ingest/internal/reading":   {"a reading, which says nothing about itself", ""},
	"gateway/ingest/internal/intake": {"the bounded queue, and what became of each message",
		"gateway/ingest/internal/fault"},
	"gateway/ingest/internal/wipe":      {"memory that is cleared, and stacks", ""},
	"gateway/ingest/internal/sealed":    {"buffers below TLS, cleared", "gateway/ingest/internal/wipe"},
	"gateway/ingest/internal/pseudonym": {"keyed hashes of units", ""},
	"gateway/ingest/internal/cbor": {"CBOR becomes what JSON would have been, or a fault",
		"gateway/ingest/internal/fault gateway/ingest/internal/jsontext"},
	"gateway/ingest/internal/jsontext": {"values written as JSON: the ground", ""},
	"gateway/ingest/internal/sparkplug": {"Sparkplug B becomes what JSON would have been, or a fault",
		"gateway/ingest/internal/fault gateway/ingest/internal/jsontext"},
	"gateway/ingest/internal/format": {"bytes become readings, or faults, also those in other systems' envelopes",
		"gateway/ingest/internal/cbor gateway/ingest/internal/fault gateway/ingest/internal/reading " +
			"internal/instant register/preset"},
	"gateway/ingest/internal/redact": {"a plan applied to a reading",
		"gateway/ingest/internal/fault gateway/ingest/internal/format gateway/ingest/internal/reading plan"},
	"gateway/ingest/internal/window": {"what is left, added up in windows until it is a batch for release",
		"gateway/ingest/internal/pseudonym gateway/ingest/internal/redact gateway/release internal/wide plan"},
	"gateway/ingest/internal/handover": {"what a front hands to partitions, sealed; entries as a checkpoint has them",
		"gateway/ingest/internal/checkpoint gateway/ingest/internal/window"},
	"gateway/ingest/internal/checkpoint": {"open windows on disk, sealed",
		"internal/crash gateway/ingest/internal/redact gateway/ingest/internal/window gateway/ingest/internal/wipe"},
	"gateway/ingest/internal/listener": {"the embedded broker, into the queue",
		"internal/crash gateway/ingest/internal/fault gateway/ingest/internal/intake gateway/ingest/internal/sealed " +
			"gateway/ingest/internal/wipe internal/retry internal/websocket"},
	"gateway/ingest/internal/mqtt": {"a client of the city's broker, into the queue",
		"internal/crash gateway/ingest/internal/intake gateway/ingest/internal/sealed gateway/ingest/internal/wipe " +
			"internal/retry"},
	"gateway/ingest": {"the side that sees people: the one goroutine and all that it owns",
		"internal/crash gateway/ingest/internal/cbor gateway/ingest/internal/checkpoint " +
			"gateway/ingest/internal/fault gateway/ingest/internal/structure " +
			"gateway/ingest/internal/format gateway/ingest/internal/handover " +
			"gateway/ingest/internal/intake gateway/ingest/internal/listener " +
			"gateway/ingest/internal/mqtt gateway/ingest/internal/pseudonym gateway/ingest/internal/reading " +
			"gateway/ingest/internal/redact gateway/ingest/internal/sparkplug gateway/ingest/internal/window " +
			"gateway/ingest/internal/wipe gateway/release gateway/revoked internal/civil internal/retry plan " +
			"register register/access register/preset"},
	"opendata/zonemap": {"a drawing of zones", ""},
	"opendata/chart": {"numbers of released observations over time, drawn",
		"opendata/i18n opendata/picture"},
	"opendata/classes": {"a few round classes of numbers", ""},
	"opendata/search":  {"things by what people call them", ""},
	"opendata/streets": {"the city's ground, from a file of its own, under the zones", "opendata/zonemap perm"},
	"opendata/picture": {"marks on a sheet, as SVG and PNG: the ground", ""},
	"opendata/i18n": {"what pages say, and the books' states in words",
		"books internal/civil internal/locales internal/pattern"},
	"opendata/httpcache": {"an answer made once; who reads long ones has a seat, as the door counts",
		"door internal/crash"},
	"opendata/released": {"which rows of a store the books know of; a published plan is a plan.Stream (decision 36)",
		"books plan store"},
	"opendata/copies": {"one gateway's books and numbers, from any machine that releases for it", "books store"},
	"opendata/query": {"questions about numbers: what is in books and store, by the calendar",
		"books internal/civil store"},
	"opendata/catalog": {"DCAT and schema.org of what can be asked, and of the archive's files",
		"books opendata/archive opendata/httpcache opendata/i18n opendata/query opendata/zonemap"},
	"opendata/news": {"what has happened, in words: limits by the calendar",
		"books internal/civil opendata/i18n opendata/query store"},
	"opendata/feed": {"what is new, as Atom and JSON Feed",
		"books opendata/httpcache opendata/i18n opendata/news opendata/query"},
	"opendata/sensorthings/odata": {"the query language of SensorThings, of nothing", "internal/pattern"},
	"opendata/sensorthings/engine": {"answers queries of SensorThings for whatever has entities",
		"opendata/sensorthings/odata"},
	"opendata/sensorthings": {"what was released as entities of SensorThings",
		"books opendata/httpcache opendata/i18n opendata/query opendata/sensorthings/engine " +
			"opendata/sensorthings/odata store"},
	"opendata/archive": {"whole files of months and years, as far as the books vouch for them",
		"books door internal/pattern opendata/httpcache opendata/query store store/table"},
	"opendata/broadcast": {"what the newest windows say, over MQTT and MQTT over WebSocket, in the form of the API " +
		"and for homes",
		"books door internal/crash internal/websocket opendata/api opendata/httpcache opendata/i18n opendata/query"},
	"opendata/live": {"windows as they close, in the form of the API, to connections that the door does not count",
		"books books/union door internal/crash opendata/api opendata/httpcache opendata/query store"},
	"opendata/api": {"answers as JSON and CSV", "books door opendata/httpcache opendata/query store"},
	"opendata/web": {"answers as pages, with the arithmetic that verify does",
		"books opendata/api opendata/archive opendata/catalog opendata/chart opendata/classes opendata/httpcache " +
			"opendata/i18n opendata/news opendata/picture opendata/query opendata/search opendata/streets " +
			"opendata/zonemap store verify"},
	"opendata/front": {"the first page of several cities, of what each one's pages and catalogue say",
		"opendata/catalog opendata/httpcache opendata/i18n opendata/query opendata/search opendata/web"},
	"opendata": {"the server: the composition of its rooms over store and books",
		"books books/union door internal/pattern internal/yamldoc opendata/api opendata/archive " +
			"opendata/broadcast opendata/catalog opendata/copies opendata/feed opendata/front opendata/httpcache " +
			"opendata/live opendata/news opendata/query opendata/released opendata/sensorthings opendata/streets " +
			"opendata/web perm store/influx"},
	"verify": {"what the books and the API say, computed again as a stranger would, from plans (decision 36)",
		"books internal/pattern internal/retention policy/ballot policy/mechanism plan store store/table"},
	"firmware-sim/street": {"people and weather of a made-up city; nothing of ours, to be independent", ""},
	"firmware-sim/replay": {"recorded readings; nothing of ours, to be independent", ""},
	"firmware-sim/device/dialect": {"what other systems make of a street; nothing of ours, to be independent",
		"firmware-sim/street"},
	"firmware-sim/device": {"publishes either, in any dialect",
		"firmware-sim/device/dialect firmware-sim/replay firmware-sim/street"},
	"firmware-sim": {"the program", "firmware-sim/device firmware-sim/device/dialect firmware-sim/street"},
	"simulate": {"a draft in a gateway of its own, or by what it would release, over made-up or recorded traffic",
		"books firmware-sim/device firmware-sim/replay firmware-sim/street gateway gateway/config " +
			"gateway/release internal/civil " +
			"policy/bundle policy/mechanism policy/templates plan register store store/sqlite"},
	"town": {"everything in one process, for up; its sensors speak what its register says",
		"books brief configs/portalba firmware-sim/device firmware-sim/street gateway gateway/config opendata " +
			"opendata/query perm policy/council policy/workspace register store store/sqlite"},
	"certify/envelope": {"what is around a reading, read without the gateway's decoder so that the two test each other",
		"internal/civil internal/pattern register/preset"},
	"certify/tap": {"between a device and a gateway: it sees, and tells stamps and flags; presets say what a topic is",
		"certify/envelope internal/websocket register/preset"},
	"certify/bench": {"a gateway for one device on loopback, in a directory that goes at the end",
		"gateway gateway/config internal/names register register/access register/preset"},
	"certify/report": {"the certificate: its form, its words, its signature by a key that ballots take",
		"internal/names internal/pattern policy/ballot policy/ballot/signers"},
	"certify": {"the checks of a device: what passes the tap and what the bench says of it become a report",
		"certify/bench certify/envelope certify/report certify/tap register/preset"},
	"cmd/sluice": {"the verbs; each needs its room",
		"books books/union brief certify certify/report configs/portalba gateway gateway/admin gateway/config " +
			"gateway/cluster/member gateway/cluster/overview gateway/cluster/rollcall gateway/cluster/roster " +
			"gateway/cluster/setup gateway/doctor gateway/ingest gateway/reconcile gateway/rollback internal/civil " +
			"internal/crash internal/names internal/pattern internal/yamldoc opendata opendata/copies opendata/i18n " +
			"opendata/query perm policy/ballot policy/ballot/signers policy/bundle policy/cases policy/check " +
			"policy/compile policy/consult policy/council policy/decision policy/diff policy/dpia policy/explain " +
			"policy/papers policy/papers/pdf policy/rego policy/schema policy/templates policy/workspace register " +
			"register/access register/ca register/fleet register/preset simulate simulate/charts store/influx " +
			"store/sqlite studio town verify"},
	"test/harness": {"a city of real programs, for tests",
		"configs/portalba firmware-sim/device store store/influx store/sqlite test/fenced test/ports test/samples"},
	"test/plaza": {"open data of two streams, for tests",
		"books opendata opendata/query store store/influx store/sqlite test/entered test/harness"},
	"test/sta": {"SensorThings that can be written, for conformance suites",
		"opendata/sensorthings/engine opendata/sensorthings/odata test/sta/memory"},
	"test/sta/memory": {"entities of SensorThings in memory, for that and for tests of the engine",
		"opendata/sensorthings/engine opendata/sensorthings/odata"},
	"test/members": {"what an operator makes for a cluster's machines: the gateway's own forms, for its tests",
		"gateway/cluster/member gateway/cluster/roster policy/ballot test/harness test/nats"},
	"test/nats":     {"three servers of the engine, for tests, with cables in between", "test/harness"},
	"test/ports":    {"addresses for tests", ""},
	"test/samples":  {"draws for tests", ""},
	"test/vendors":  {"what other systems send, for tests on both sides of the wire", "internal/yamldoc register"},
	"test/chance":   {"how likely draws are", ""},
	"test/fenced":   {"documents are programs", "test/program"},
	"test/program":  {"files that tests run", ""},
	"test/gofile":   {"texts of the code, for documents and translations", ""},
	"test/raced":    {"what is tested without the race detector", ""},
	"test/stalls":   {"a machine that stands still takes no time from who waits", ""},
	"test/footfall": {"one plan, for tests on both sides of the noise", "internal/civil plan"},
	"test/entered":  {"books and stores filled for tests", "books internal/civil plan store"},
	"test/claims": {"what documents say of intervals, against simulate",
		"configs/portalba policy/bundle simulate"},
	"test/bench": {"measures from outside", "test/ports"},
	"test/benchhttp": {"measures the open data over a store that it fills",
		"books store store/sqlite store/table test/entered"},
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
		"certify/bench firmware-sim/device gateway/ingest/internal/mqtt test/bench test/harness"},
	"github.com/fxamacker/cbor/v2": {"whether CBOR is well-formed, within bounds; and as devices write it",
		"certify/envelope firmware-sim/device/dialect gateway/ingest/internal/cbor"},
	"github.com/goccy/go-yaml": {"YAML with positions", "internal/locales internal/yamldoc"},
	"github.com/google/differential-privacy/go/v3": {"Gaussian noise and thresholds that others have proved",
		"gateway/release"},
	"github.com/gorilla/websocket":                {"WebSocket, as a client of others", "test/harness"},
	"github.com/hiddeco/sshsig":                   {"OpenSSH signatures", "policy/ballot"},
	"github.com/influxdata/influxdb-client-go/v2": {"InfluxDB", "store/influx"},
	"github.com/mochi-mqtt/server/v2": {"MQTT, as a broker; its packets",
		"certify/tap gateway/ingest/internal/listener opendata/broadcast test/bench"},
	"github.com/nats-io/nats.go":       {"the engine that machines share", "gateway/cluster/engine"},
	"github.com/nats-io/nkeys":         {"keys of users of that engine", "gateway/cluster/setup test/nats"},
	"github.com/open-policy-agent/opa": {"the council's rules", "policy/rego"},
	"github.com/paulmach/orb": {"geometry of zones",
		"opendata/sensorthings opendata/sensorthings/engine opendata/sensorthings/odata opendata/streets " +
			"opendata/zonemap register"},
	"github.com/parquet-go/parquet-go":         {"Parquet, as a writer", "opendata/archive"},
	"github.com/prometheus/client_golang":      {"metrics", "gateway/admin"},
	"github.com/santhosh-tekuri/jsonschema/v6": {"files against their schemas", "policy/check"},
	"github.com/schollz/progressbar/v3": {"progress of what takes long",
		"cmd/sluice firmware-sim/device town"},
	"github.com/spf13/cobra": {"verbs and flags", "cmd/sluice firmware-sim"},
	"github.com/valyala/fastjson": {"JSON without allocation per reading",
		"gateway/ingest/internal/cbor gateway/ingest/internal/format gateway/ingest/internal/sparkplug"},
	"golang.org/x/crypto": {"keys of OpenSSH; digests that tests look for", "policy/ballot test/harness"},
	"golang.org/x/image":  {"shapes and letters as pixels", "opendata/picture"},
	"golang.org/x/sync": {"one at a time, and a number at a time",
		"books gateway gateway/cluster/edge gateway/ingest/internal/intake opendata/httpcache " +
			"opendata/live policy/rego " +
			"register/access town"},
	"golang.org/x/sys": {"limits, locks and terminals of the machine",
		"cmd/sluice gateway/doctor gateway/host gateway/ingest/internal/checkpoint policy/rego"},
	"golang.org/x/text":  {"languages and plural forms", "internal/locales opendata/i18n opendata/search"},
	"golang.org/x/time":  {"rates", "gateway/ingest/internal/listener opendata opendata/broadcast"},
	"gonum.org/v1/gonum": {"exact tests of the audit", "test/audit"},
	"google.golang.org/protobuf": {"the wire format of Sparkplug B, read and written; no generated code",
		"firmware-sim/device/dialect gateway/ingest/internal/sparkplug"},
	"modernc.org/sqlite": {"SQLite without C", "opendata/archive store/sqlite test/torture"},
}
