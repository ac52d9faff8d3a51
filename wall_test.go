package sluice_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// arrows are all imports between our own packages: those who see cannot speak,
// those who speak cannot see. An import that is not here fails; so does an arrow
// that nobody uses.
var arrows = map[string]string{
	"test/benchabuse/doors": "test/ports",
	"perm":                  "",
	"internal/retry":        "",
	"brief":                 "",
	"test/benchabuse/pages": "books store store/sqlite test/entered",
	"door":                  "",
	"cmd/sluice":            "books books/union brief configs/portalba gateway gateway/config gateway/crash gateway/doctor gateway/reconcile gateway/rollback internal/civil internal/yamldoc opendata opendata/i18n opendata/query perm policy/ballot policy/bundle policy/cases policy/check policy/compile policy/council policy/decision policy/diff policy/dpia policy/explain policy/rego policy/schema policy/workspace register register/access simulate store/influx store/sqlite town verify",
	"simulate":              "books firmware-sim/device firmware-sim/replay firmware-sim/street gateway gateway/config internal/civil policy/bundle policy/mechanism policy/plan register store store/sqlite",
	"town":                  "books brief configs/portalba firmware-sim/device firmware-sim/street gateway gateway/config opendata opendata/query perm policy/workspace store store/sqlite",
	"gateway":               "books gateway/activation gateway/admin gateway/config gateway/crash gateway/forward gateway/homes gateway/host gateway/ingest gateway/ledger gateway/publicbooks gateway/reconcile gateway/release gateway/rollback internal/retry policy/compile policy/rego",
	"gateway/ingest":        "gateway/crash gateway/ingest/internal/checkpoint gateway/ingest/internal/fault gateway/ingest/internal/format gateway/ingest/internal/intake gateway/ingest/internal/listener gateway/ingest/internal/mqtt gateway/ingest/internal/pseudonym gateway/ingest/internal/reading gateway/ingest/internal/redact gateway/ingest/internal/window gateway/release internal/civil internal/retry policy/plan register register/access",

	"gateway/ingest/internal/checkpoint": "gateway/crash gateway/ingest/internal/redact gateway/ingest/internal/window",
	"gateway/ingest/internal/fault":      "",
	"gateway/ingest/internal/format":     "gateway/ingest/internal/fault gateway/ingest/internal/reading",
	"gateway/ingest/internal/intake":     "",
	"gateway/ingest/internal/listener":   "gateway/crash gateway/ingest/internal/intake gateway/ingest/internal/sealed gateway/ingest/internal/wipe",
	"gateway/ingest/internal/mqtt":       "gateway/crash gateway/ingest/internal/intake gateway/ingest/internal/sealed gateway/ingest/internal/wipe internal/retry",
	"gateway/ingest/internal/pseudonym":  "",
	"gateway/ingest/internal/reading":    "",
	"gateway/ingest/internal/redact":     "gateway/ingest/internal/fault gateway/ingest/internal/format gateway/ingest/internal/reading policy/plan",
	"gateway/ingest/internal/sealed":     "gateway/ingest/internal/wipe",
	"gateway/ingest/internal/wipe":       "",
	"gateway/release/internal/laplace":   "",
	"gateway/ingest/internal/window":     "gateway/ingest/internal/pseudonym gateway/ingest/internal/redact gateway/release policy/plan",

	"gateway/config":      "gateway/inbox gateway/ingest internal/civil internal/yamldoc perm register register/access store store/influx store/sqlite",
	"gateway/host":        "gateway/config gateway/inbox perm",
	"gateway/admin":       "brief door gateway/config gateway/crash gateway/ingest policy/plan policy/rego store",
	"gateway/doctor":      "books brief gateway/admin gateway/config gateway/homes gateway/host gateway/inbox gateway/ingest gateway/ledger perm policy/compile policy/council policy/rego register register/access store/influx",
	"gateway/homes":       "gateway/host perm policy/compile policy/council register",
	"gateway/reconcile":   "books gateway/config gateway/host gateway/ledger store store/sqlite",
	"gateway/rollback":    "books gateway/config gateway/host gateway/ledger gateway/reconcile internal/civil internal/retry perm store",
	"gateway/activation":  "brief gateway/config gateway/homes gateway/inbox gateway/ingest gateway/ledger internal/retry policy/bundle policy/compile policy/council policy/mechanism policy/plan policy/rego register",
	"gateway/publicbooks": "books gateway/activation gateway/config gateway/homes gateway/ingest gateway/ledger internal/civil policy/bundle policy/compile policy/council policy/decision policy/diff policy/explain policy/mechanism policy/plan register",
	"gateway/crash":       "",
	"gateway/release":     "gateway/release/internal/laplace policy/mechanism policy/plan store",
	"gateway/inbox":       "",
	"gateway/ledger":      "books gateway/release perm store store/sqlite",
	"gateway/forward":     "gateway/ledger internal/retry store",
	"register":            "internal/civil internal/names internal/yamldoc",
	"register/access":     "register",
	"policy/ballot":       "",
	"policy/bundle":       "internal/yamldoc policy/decision policy/plan register",
	"policy/cases":        "internal/civil internal/yamldoc policy/bundle policy/compile policy/plan register",
	"policy/check":        "internal/civil internal/locales internal/yamldoc policy/ballot policy/bundle policy/compile policy/decision policy/diff policy/explain policy/mechanism policy/plan policy/rego policy/rules policy/schema register",
	"policy/council":      "internal/civil internal/locales policy/ballot policy/bundle policy/decision policy/diff policy/explain",
	"policy/workspace":    "internal/civil perm policy/ballot policy/bundle policy/compile policy/council policy/decision policy/rego policy/schema",
	"policy/diff":         "internal/civil internal/locales policy/bundle policy/decision policy/explain policy/mechanism policy/plan policy/rules register",
	"policy/dpia":         "internal/locales policy/bundle policy/explain policy/mechanism register",
	"policy/explain":      "internal/civil internal/locales policy/bundle policy/decision policy/mechanism policy/plan",
	"policy/decision":     "internal/civil internal/names internal/yamldoc policy/ballot policy/plan register",
	"policy/mechanism":    "policy/plan store",
	"policy/plan":         "internal/civil",
	"policy/rules":        "",
	"policy/schema":       "",
	"store":               "",
	"store/influx":        "perm store",
	"store/sqlite":        "perm store",
	"books":               "",
	"books/union":         "books",
	"opendata":            "books books/union door internal/yamldoc opendata/api opendata/catalog opendata/httpcache opendata/query opendata/released opendata/web perm store/influx",
	"opendata/api":        "books door opendata/httpcache opendata/query store",
	"opendata/zonemap":    "",
	"opendata/catalog":    "books opendata/httpcache opendata/i18n opendata/query opendata/zonemap",
	"opendata/query":      "books internal/civil store",
	"opendata/released":   "books policy/plan store",
	"opendata/httpcache":  "door",
	"opendata/web":        "books opendata/api opendata/catalog opendata/httpcache opendata/i18n opendata/query opendata/zonemap store verify",
	"opendata/i18n":       "books internal/locales",
	"verify":              "books internal/civil policy/mechanism policy/plan store",
	"firmware-sim":        "firmware-sim/device firmware-sim/street",
	"firmware-sim/device": "firmware-sim/replay firmware-sim/street",
	"firmware-sim/replay": "",
	"firmware-sim/street": "",
	"test/bench":          "test/ports",
	"test/torture":        "test/ports test/samples",
	"test/samples":        "",
	"test/ports":          "",
	"test/audit":          "firmware-sim/device test/ports",
	"test/benchhttp":      "books store store/sqlite test/entered",
	"test/entered":        "books policy/plan store",
	"test/fenced":         "",
	"test/chance":         "",
	"test/footfall":       "internal/civil policy/plan",
	"test/claims":         "configs/portalba policy/bundle simulate",
	"internal/civil":      "",
	"internal/locales":    "",
	"internal/names":      "",
	"internal/yamldoc":    "internal/locales",
	"configs/portalba":    "policy/bundle",
	"policy/compile":      "policy/bundle policy/diff policy/plan policy/rego register",
	"policy/rego":         "brief policy/bundle policy/rules",
}

// doors are the packages through which each module of others is used.
var doors = map[string]string{
	"github.com/agnivade/levenshtein":              "internal/yamldoc policy/check",
	"github.com/boombuler/barcode":                 "opendata/web",
	"github.com/danielgtaylor/huma/v2":             "opendata/api",
	"github.com/dchest/siphash":                    "gateway/ingest gateway/ingest/internal/pseudonym",
	"github.com/eclipse/paho.mqtt.golang":          "firmware-sim/device gateway/ingest/internal/mqtt test/bench",
	"github.com/goccy/go-yaml":                     "internal/locales internal/yamldoc",
	"github.com/google/differential-privacy/go/v3": "gateway/release",
	"github.com/hiddeco/sshsig":                    "policy/ballot",
	"github.com/influxdata/influxdb-client-go/v2":  "store/influx",
	"github.com/mochi-mqtt/server/v2":              "gateway/ingest/internal/listener test/bench",
	"github.com/open-policy-agent/opa":             "policy/rego",
	"github.com/paulmach/orb":                      "opendata/zonemap register",
	"github.com/prometheus/client_golang":          "gateway/admin",
	"github.com/santhosh-tekuri/jsonschema/v6":     "policy/check",
	"github.com/schollz/progressbar/v3":            "cmd/sluice firmware-sim/device town",
	"github.com/spf13/cobra":                       "cmd/sluice firmware-sim",
	"github.com/valyala/fastjson":                  "gateway/ingest/internal/format",
	"golang.org/x/crypto":                          "policy/ballot",

	"golang.org/x/sync":  "books gateway gateway/ingest/internal/intake opendata/httpcache policy/rego town",
	"golang.org/x/sys":   "cmd/sluice gateway/doctor gateway/host gateway/ingest/internal/checkpoint policy/rego",
	"golang.org/x/text":  "internal/locales opendata/i18n",
	"golang.org/x/time":  "gateway/ingest/internal/listener opendata",
	"gonum.org/v1/gonum": "test/audit",
	"modernc.org/sqlite": "store/sqlite test/torture",
}

// mayTouch are the packages under ingest that may use the outside world.
var mayTouch = []string{"gateway/ingest/internal/mqtt", "gateway/ingest/internal/listener", "gateway/ingest/internal/sealed", "gateway/ingest/internal/checkpoint"}

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	pkgs := make(map[string][]string)
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if p.ImportPath != "sluice" && p.ImportPath != "sluice/test" { // tests only
			pkgs[strings.TrimPrefix(p.ImportPath, "sluice/")] = p.Imports
		}
	}
	return pkgs
}

func TestArrows(t *testing.T) {
	pkgs := packages(t)
	for pkg, imports := range pkgs {
		allowed, known := arrows[pkg]
		if !known {
			t.Errorf("%s is not in the table of arrows", pkg)
			continue
		}
		var used []string
		for _, i := range imports {
			if ours, ok := strings.CutPrefix(i, "sluice/"); ok {
				used = append(used, ours)
			}
		}
		for _, u := range used {
			if !slices.Contains(strings.Fields(allowed), u) {
				t.Errorf("%s imports %s: that arrow is not in the table", pkg, u)
			}
		}
		for _, a := range strings.Fields(allowed) {
			if !slices.Contains(used, a) {
				t.Errorf("%s does not import %s: take the arrow out of the table", pkg, a)
			}
		}
	}
	for pkg := range arrows {
		if _, ok := pkgs[pkg]; !ok {
			t.Errorf("%s is in the table of arrows and does not exist", pkg)
		}
	}
}

func TestDoors(t *testing.T) {
	used := map[string][]string{}
	for pkg, imports := range packages(t) {
		for _, i := range imports {
			first, _, _ := strings.Cut(i, "/")
			if !strings.Contains(first, ".") {
				continue
			}
			door := ""
			for module := range doors {
				if i == module || strings.HasPrefix(i, module+"/") {
					door = module
				}
			}
			if door == "" || !slices.Contains(strings.Fields(doors[door]), pkg) {
				t.Errorf("%s imports %s: there is no such door", pkg, i)
			}
			used[door] = append(used[door], pkg)
		}
	}
	for module, pkgs := range doors {
		for _, pkg := range strings.Fields(pkgs) {
			if !slices.Contains(used[module], pkg) {
				t.Errorf("%s does not use %s: close the door", pkg, module)
			}
		}
	}
}

// TestWhoSeesCannotSpeak follows imports all the way.
func TestWhoSeesCannotSpeak(t *testing.T) {
	pkgs := packages(t)
	var reach func(pkg string, seen map[string]bool)
	reach = func(pkg string, seen map[string]bool) {
		for _, i := range pkgs[pkg] {
			ours := strings.TrimPrefix(i, "sluice/")
			if !seen[ours] {
				seen[ours] = true
				reach(ours, seen)
			}
		}
	}
	for _, pkg := range []string{"gateway/forward", "store", "store/sqlite", "books", "opendata", "opendata/api", "opendata/catalog", "opendata/web", "opendata/query", "opendata/released"} {
		seen := map[string]bool{}
		reach(pkg, seen)
		for s := range seen {
			if strings.HasPrefix(s, "gateway/ingest") || s == "policy/rego" || strings.Contains(s, "open-policy-agent") {
				t.Errorf("%s reaches %s", pkg, s)
			}
		}
	}
	// What a decision means and costs, and the proof of it, is known without a gateway.
	for pkg := range pkgs {
		first, _, _ := strings.Cut(pkg, "/")
		if !slices.Contains([]string{"policy", "verify", "register", "opendata", "store", "books"}, first) {
			continue
		}
		seen := map[string]bool{}
		reach(pkg, seen)
		for s := range seen {
			if s == "gateway" || strings.HasPrefix(s, "gateway/") || strings.HasPrefix(s, "github.com/google/differential-privacy") {
				t.Errorf("%s reaches %s", pkg, s)
			}
		}
	}
	// No arrow runs back up from the ground, from the register to the policy, from the policy to the example city, nor
	// from a room of the gateway to the gateway.
	for pkg, imports := range pkgs {
		for _, i := range imports {
			ours, ok := strings.CutPrefix(i, "sluice/")
			policy := strings.HasPrefix(ours+"/", "policy/")
			up := strings.HasPrefix(pkg, "internal/") && !strings.HasPrefix(ours, "internal/") || strings.HasPrefix(pkg, "register") && policy ||
				strings.HasPrefix(pkg, "policy/") && strings.HasPrefix(ours, "configs/")
			up = up || ours == "gateway" && strings.HasPrefix(pkg, "gateway/") // which puts its rooms together
			if ok && up {
				t.Errorf("%s imports %s: that is above it", pkg, ours)
			}
		}
	}
	for pkg, imports := range pkgs {
		if !strings.HasPrefix(pkg, "gateway/ingest/internal/") || slices.Contains(mayTouch, pkg) {
			continue
		}
		for _, i := range imports {
			if i == "os" || i == "net" || strings.HasPrefix(i, "net/") {
				t.Errorf("%s imports %s: only %v may", pkg, i, mayTouch)
			}
		}
	}
}

// TestIngestSaysLittle reads the exported signatures of gateway/ingest: nothing
// of its internal packages may show, since internal blocks naming a type, not
// holding its value.
func TestIngestSaysLittle(t *testing.T) {
	files, err := filepath.Glob("gateway/ingest/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("gateway/ingest is not there", err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		inside := map[string]bool{}
		for _, i := range f.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			if strings.HasPrefix(path, "sluice/gateway/ingest/internal/") {
				inside[filepath.Base(path)] = true
			}
		}
		for _, d := range f.Decls {
			checkDecl(t, name, d, inside)
		}
	}
}

func checkDecl(t *testing.T, file string, d ast.Decl, inside map[string]bool) {
	var show ast.Node
	what := ""
	switch d := d.(type) {
	case *ast.FuncDecl:
		if !d.Name.IsExported() || d.Recv != nil && !exportedReceiver(d.Recv) {
			return
		}
		show, what = d.Type, d.Name.Name
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.IsExported() {
				if st, ok := ts.Type.(*ast.StructType); ok {
					for _, field := range st.Fields.List {
						if len(field.Names) > 0 && field.Names[0].IsExported() {
							mentions(t, file, ts.Name.Name+"."+field.Names[0].Name, field.Type, inside)
						}
					}
				}
			}
		}
		return
	default:
		return
	}
	mentions(t, file, what, show, inside)
}

func exportedReceiver(list *ast.FieldList) bool {
	typ := list.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

func mentions(t *testing.T, file, what string, n ast.Node, inside map[string]bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && inside[id.Name] {
				t.Errorf("%s: %s shows %s.%s to the outside", file, what, id.Name, s.Sel.Name)
			}
		}
		return true
	})
}

// TestDocumented insists on one package comment each.
func TestDocumented(t *testing.T) {
	for _, pkg := range slices.Sorted(maps.Keys(packages(t))) {
		files, err := filepath.Glob(filepath.Join(pkg, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		docs := 0
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc != nil && !strings.HasSuffix(name, "_test.go") {
				docs++
			}
		}
		if docs != 1 {
			t.Errorf("%s has %d package comments; want one", pkg, docs)
		}
	}
}
