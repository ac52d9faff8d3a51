package sluice_test

import (
	"encoding/json"
	"go/ast"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/policy/schema"
)

// settings says of each key of each file that people write which test sets it to a
// value that is not its default, and sees what it does. A test is one of package test,
// or PACKAGE:TEST. Keys are FILE: their names, where dots lead down and a list or a map
// has no name of its own.
var settings = map[string]string{
	"TestEveryKey": `charter: city.name city.timezone city.languages purposes forbidden_classes kinds_about_people
		kinds_not_about_people
		min_units floors epsilon_per_day delta_per_day max_contributions sunset_max blackout_max
		decision: decision title.en title.ca title.es stream purpose legal_basis generalise.field generalise.to
		review from until
		publish.measures.edges blackouts.zones blackouts.from blackouts.until blackouts.reason
		register: contact purpose.en purpose.ca purpose.es kinds: fields.unit fields.class fields.name
		opendata: http admin url rate.per_second connections.per_address log.level gateway: log.level zones: name
		gateway suspended: decision since reason`,
	"TestKeysOfTheCouncil": `council: version members.id members.keys members.from members.until revoked
		charter: city.id quorums.enact quorums.charter quorums.roster`,
	"TestAVote":                           `council: members.name charter: quorums.weaken quorums.suspend`,
	"TestNotice":                          `charter: notice_days`,
	"opendata:TestLiveSeats":              `opendata: live.listeners`,
	"opendata:TestBroadcast":              `opendata: mqtt.listen`,
	"opendata:TestBroadcastOverWebSocket": `opendata: mqtt.websocket`,
	"gateway/publicbooks:TestConsultationsAreWritten": `decision: consultation.kind consultation.link consultation.from consultation.until`,
	"TestRetainHolds": `decision: retain.hours retain.days`,
	"gateway/publicbooks:TestKeysOfWords": `charter: city.responsible.name city.responsible.address
		city.responsible.email city.responsible.phone city.responsible.web city.dpo.name city.dpo.address
		city.dpo.email city.dpo.phone city.dpo.web city.authority.name city.authority.address
		city.authority.email city.authority.phone city.authority.web
		city.accessibility.name city.accessibility.address city.accessibility.email city.accessibility.phone
		city.accessibility.web names.purposes.ca names.purposes.en
		names.purposes.es names.units.ca names.units.en names.units.es
		kinds: names.ca names.en names.es fields.names.ca fields.names.en fields.names.es fields.values.ca
		fields.values.en fields.values.es
		decision: unit.none.ca unit.none.en unit.none.es publish.measures.names.ca publish.measures.names.en publish.measures.names.es
		publish.measures.limits.value publish.measures.limits.title.ca publish.measures.limits.title.en
		publish.measures.limits.title.es publish.measures.limits.source.ca
		publish.measures.limits.source.en publish.measures.limits.source.es publish.measures.limits.over`,
	"TestKeysOfBrokerAndStore": `gateway: mqtt.client_id mqtt.cert mqtt.key store.influx.org
		store.influx.token_file opendata: store.influx.org store.influx.token_file`,
	"TestThroughMosquittoIntoInflux": `gateway: mqtt.broker store.influx.url store.influx.bucket opendata:
		store.influx.url store.influx.bucket`,
	"TestBrokerWithTLSAndDoctor": `gateway: mqtt.username mqtt.password_file mqtt.ca`,
	"TestListenerCertificates":   `gateway: listen.tls.cert listen.tls.key listen.tls.client_ca`,
	"TestRevokedCertificates":    `gateway: listen.tls.crl`,
	"TestListenerIdentities":     `gateway: listen.passwords listen.mqtt`,
	"TestWireWebSocket":          `gateway: listen.websocket`,
	"TestOneSortOfPolicy":        `gateway: simulation`,
	"TestInboxOverHTTP":          `gateway: policy.inbox policy.every policy.roster`,
	"TestTwoTowns": `opendata: books.city books.books books.store books.streets books.streets_credit books.archive
		books.mqtt`,
	"opendata:TestArchiveKeys":     `opendata: archive.dir archive.max_bytes`,
	"opendata:TestStreetsOnTheMap": `opendata: streets streets_credit`,
	"TestPublishAndRead": `gateway: gateway dir keys time.topic register policy.dir admin
		opendata: store.sqlite.path
		decision: applies_to.kinds applies_to.zones unit.field unit.stands_for keep where.field where.op where.value
		publish.every publish.lateness publish.measures.name publish.measures.of
		protect.min_units protect.epsilon protect.delta protect.max_contributions forget_after
		kinds: units.field units.stands_for fields.type
		register: id owner kind zone registered until replaces`,
	"gateway/host:TestSwapIsMinded": `gateway: allow_swap`,
	"gateway/config:TestCluster": `gateway: cluster.nats cluster.credentials cluster.ca cluster.name
		cluster.partitions cluster.roles cluster.roster`,
	"TestShared":               `gateway: mqtt.share`,
	"TestBrokerAwayForTooLong": `gateway: windows.catch_up`,
	"TestOutboxIsBounded":      `gateway: outbox.max_bytes`,
	"TestRestoredDirectory":    `gateway: witness`,
	"TestNoStore":              `gateway: store.sqlite.path`,
	"TestCategoriesHomesAndMeans": `decision: generalise.step publish.by.field publish.by.values unit.sensor
		publish.measures.between kinds: units.sensor`,
	"TestAracajuTracks":       `decision: place.lat place.lon gateway: windows.future`,
	"TestForgedByAnOwner":     `decision: protect.by_owner`,
	"TestFloorsAndMembership": `decision: protect.floor protect.membership`,
	"TestHomesStayHomes":      `kinds: heartbeat register: lat lon`,
	"TestLevels":              `kinds: fields.valid`,
	"TestMappedSensors":       `register: map topic`,
	"TestPresets":             `register: preset profile device`,
	"TestQuotas":              `register: quota kinds: quota`,
	"TestEveryCode":           `kinds: fields.format`,
	"TestKeysOfCases": `tests: given.kind given.zone given.owner given.with on then.counted
		then.generalised then.dropped then.published then.refused`,
	"TestPolicyVerbs": `tests: name then.kept`,
}

// TestEveryKeyIsSet: each key that a schema has, and each property of zones.geojson
// that the program reads, is set by a test that is there and that writes it, and is in
// a document.
func TestEveryKeyIsSet(t *testing.T) {
	keys := schemaKeys(t)
	keys["zones: name"], keys["zones: gateway"] = true, true
	text := documents(t)
	told := map[string]string{}
	bodies := testBodies(t)
	for name, list := range settings {
		written := reach(bodies, name)
		if written == nil {
			t.Errorf("there is no test %s", name)
		}
		file := ""
		for _, word := range strings.Fields(list) {
			if f, ok := strings.CutSuffix(word, ":"); ok {
				file = f
				continue
			}
			key := file + ": " + word
			if !keys[key] {
				t.Errorf("%s: there is no key %q", name, key)
			}
			if told[key] != "" {
				t.Errorf("%q is set by %s and by %s; one is enough", key, name, told[key])
			}
			told[key] = name
			last := word[strings.LastIndex(word, ".")+1:]
			if !writes(written, last) {
				t.Errorf("%s does not write %q", name, key)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if told[key] == "" {
			t.Errorf("no test sets %q and sees what it does; write one and name it in settings", key)
		}
		last := key[strings.LastIndexAny(key, ". ")+1:]
		if !regexp.MustCompile(`\b` + regexp.QuoteMeta(last) + `\b`).MatchString(text[strings.Split(key, ":")[0]]) {
			t.Errorf("no document has %q", key)
		}
	}
}

// schemaKeys are the leaves of all schemas.
func schemaKeys(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	entries, err := schema.FS.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		raw, err := schema.FS.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		file := strings.TrimSuffix(e.Name(), ".schema.json")
		leaves(doc, file, "", all)
	}
	if len(all) < 150 {
		t.Errorf("only %d keys were found", len(all))
	}
	return all
}

// leaves adds the keys below one, and reports whether there are any.
func leaves(v any, file, above string, all map[string]bool) bool {
	m, ok := v.(map[string]any)
	if !ok {
		return false
	}
	found := false
	properties, _ := m["properties"].(map[string]any)
	for key, p := range properties {
		found = true
		name := above + "." + key
		if slices.Contains([]string{"sensors", "kinds", "suspended", "tests"}, key) && above == "" {
			name = "" // the list that the file is
		}
		if !leaves(p, file, name, all) {
			all[file+": "+strings.TrimPrefix(name, ".")] = true
		}
	}
	forms, _ := m["oneOf"].([]any)
	for _, below := range append(forms, m["items"], m["additionalProperties"]) {
		found = leaves(below, file, above, all) || found
	}
	return found
}

// documents is what people read of each sort of file: all documents, and the example in
// configs/ where there is one.
func documents(t *testing.T) map[string]string {
	t.Helper()
	var docs strings.Builder
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		// Only what is marked as code can be a key.
		for _, code := range regexp.MustCompile("(?s)```.*?```|`[^`]*`").FindAllString(string(raw), -1) {
			docs.WriteString(code + "\n")
		}
	}
	all := map[string]string{}
	for _, file := range []string{"charter", "council", "decision", "gateway", "kinds", "opendata", "register",
		"suspended", "tests", "zones"} {
		all[file] = docs.String()
		for _, path := range []string{"configs/" + file + ".yaml", "configs/portalba/" + file + ".yaml",
			"configs/portalba/policy/" + file + ".yaml"} {
			if raw, err := os.ReadFile(path); err == nil {
				all[file] += string(raw)
			}
		}
	}
	return all
}

// testBodies are the functions, constants and variables of tests by PACKAGE:NAME, each
// with the literals in it and the names that it uses.
func testBodies(t *testing.T) map[string]*body {
	t.Helper()
	all := map[string]*body{}
	add := func(pkg, name string, n ast.Node) {
		b := &body{pkg: pkg}
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				b.uses = append(b.uses, n.Name)
			case *ast.KeyValueExpr:
				if id, ok := n.Key.(*ast.Ident); ok {
					b.literals = append(b.literals, id.Name+":")
				}
			case *ast.BasicLit:
				if n.Kind == token.INT {
					b.literals = append(b.literals, "number "+n.Value)
				}
				if s, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil {
					b.literals = append(b.literals, s)
				}
			}
			return true
		})
		if old := all[pkg+":"+name]; old != nil { // methods of one name
			b.literals, b.uses = append(b.literals, old.literals...), append(b.uses, old.uses...)
		}
		all[pkg+":"+name] = b
	}
	tests(t, func(path string, _ *token.FileSet, f *ast.File) {
		pkg := filepath.ToSlash(filepath.Dir(path))
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				add(pkg, d.Name.Name, d)
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if v, ok := s.(*ast.ValueSpec); ok {
						for _, id := range v.Names {
							add(pkg, id.Name, v)
						}
					}
				}
			}
		}
	})
	return all
}

type body struct {
	pkg            string
	literals, uses []string
}

// reach is every literal in a test and in what it uses of its package and of the harness;
// nil where there is no such test.
func reach(bodies map[string]*body, test string) []string {
	pkg, name, ok := strings.Cut(test, ":")
	if !ok {
		for key := range bodies {
			if strings.HasPrefix(key, "test/") && strings.HasSuffix(key, ":"+test) {
				pkg, name, _ = strings.Cut(key, ":")
			}
		}
	}
	if bodies[pkg+":"+name] == nil {
		return nil
	}
	seen, out := map[string]bool{}, []string{}
	var walk func(name string)
	walk = func(name string) {
		b := bodies[pkg+":"+name]
		if b == nil {
			b = bodies["test/harness:"+name]
		}
		if b == nil || seen[name] {
			return
		}
		seen[name] = true
		out = append(out, b.literals...)
		for _, u := range b.uses {
			walk(u)
		}
	}
	walk(name)
	return out
}

// writes reports whether a key is written in YAML, JSON or as the field of its name.
func writes(literals []string, key string) bool {
	camel := regexp.MustCompile(`(?i)(^|\W)"?` + strings.ReplaceAll(regexp.QuoteMeta(key), "_", "_?") + `"?\s*:`)
	return slices.ContainsFunc(literals, camel.MatchString)
}
