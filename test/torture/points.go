package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
)

// rooms are the directories whose durable steps get failpoints.
var rooms = []string{"gateway", "gateway/activation", "gateway/homes", "gateway/host", "gateway/publicbooks",
	"gateway/ingest", "gateway/ingest/internal/checkpoint", "gateway/ledger", "gateway/forward", "gateway/rollback",
	"gateway/inbox", "gateway/release", "books", "perm", "store/sqlite"}

// step is a durable step: a call whose text matches gets a wrapper. The type is
// that of the value that comes before the error.
type step struct {
	call *regexp.Regexp
	typ  string // "" error only, "-" nothing, else the value's type
}

var steps = []step{
	{regexp.MustCompile(`^\w+(\.\w+)*\.Sync\(\)$`), ""},
	{regexp.MustCompile(`^os\.(Rename|Remove|RemoveAll|WriteFile|Link)\(`), ""},
	{regexp.MustCompile(`^(f|file|\w+\.file)\.Truncate\(`), ""},
	{regexp.MustCompile(`^\w+(\.\w+)*\.Commit\(`), ""},
	{regexp.MustCompile(`^perm\.(Replace|Create)\(`), ""},
	{regexp.MustCompile(`^\w+(\.\w+)*\.public\.(Put|PutJSON|Only)\(`), ""},
	{regexp.MustCompile(`^(\w+\.)*(keys|k)\.Shred\(`), ""},
	{regexp.MustCompile(`^p\.log\.Append\(ctx,`), "uint64"},
	{regexp.MustCompile(`^\w+\.log\.Append\(`), ""},
	{regexp.MustCompile(`(?s)^\w+(\.\w+)*\.ExecContext\(.*(INSERT|UPDATE|DELETE|ALTER|REPLACE|schema|older)`),
		"zzfail.Result"},
	{regexp.MustCompile(`^\w+(\.\w+)*\.ExecContext\(ctx, \w+[,)]`), "zzfail.Result"}, // of those that have names
	{regexp.MustCompile(`^l\.exec\(`), ""},
	{regexp.MustCompile(`^(\w+\.)?(keys|k)\.Make\(`), "[]byte"},
	{regexp.MustCompile(`^(f|file|\w+\.file)\.(WriteAt|Write)\(`), "int"},
	{regexp.MustCompile(`^os\.OpenFile\(.*O_(WRONLY|RDWR|CREATE)`), "*zzfail.File"},
	{regexp.MustCompile(`^one\.Ack\(done\)$`), "-"},
}

//go:embed testdata/fail.go
var hook []byte

// harness is the gateway with failpoints, asleep until they are named.
type harness struct {
	root, bin string
	// points are all names, file:function:call#n:before or :after, in order.
	points []string
	kills  *atomic.Int64 // of processes, by trials and by points
}

// scan instruments the sources of the module at root: the points, and the texts
// by file.
func scan(root string) (points []string, texts map[string][]byte, err error) {
	texts = map[string][]byte{}
	for _, room := range rooms {
		files, err := filepath.Glob(filepath.Join(root, room, "*.go"))
		if err != nil {
			return nil, nil, err
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			name := room + "/" + filepath.Base(path)
			text, more, err := instrument(path, name)
			if err != nil {
				return nil, nil, err
			}
			if len(more) > 0 {
				points = append(points, more...)
				texts[name] = text
			}
		}
	}
	return points, texts, nil
}

// build makes the binary. The sources are those of the module at root.
func build(root, dir string) (*harness, error) {
	points, texts, err := scan(root)
	if err != nil {
		return nil, err
	}
	texts["zzfail/fail.go"] = hook
	overlay := map[string]string{}
	for file, text := range texts {
		to := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		overlay[filepath.Join(root, file)] = to
		if err := os.WriteFile(to, text, 0o600); err != nil {
			return nil, err
		}
	}
	h := &harness{root: root, bin: filepath.Join(dir, "sluice"), points: points}
	raw, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return nil, err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, raw, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-overlay", list, "-o", h.bin, "./cmd/sluice")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building with failpoints (has a durable step another type now? see steps): %w\n%s", err,
			out)
	}
	return h, nil
}

// edit puts text before an offset.
type edit struct {
	at   int
	text string
}

// instrument wraps the durable steps of a file. Lines keep their numbers.
func instrument(path, name string) ([]byte, []string, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	base := set.File(file.Pos()).Base()
	var edits []edit
	var points []string
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		seen := map[string]int{}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			if _, later := n.(*ast.DeferStmt); later {
				return false
			}
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			from, to := int(call.Pos())-base, int(call.End())-base
			typ, ok := durable(string(src[from:to]))
			if !ok {
				return true
			}
			what := string(src[from : int(call.Lparen)-base])
			seen[what]++
			point := fmt.Sprintf("%s:%s:%s#%d", name, fn.Name.Name, what, seen[what])
			points = append(points, point+":before", point+":after")
			edits = append(edits, edit{from, opening(point, typ)}, edit{to, " })"})
			return true
		})
	}
	if len(points) == 0 {
		return src, nil, nil
	}
	edits = append(edits, edit{int(file.Name.End()) - base, "; import zzfail \"sluice/zzfail\""})
	slices.SortStableFunc(edits, func(a, b edit) int { return a.at - b.at })
	var out strings.Builder
	last := 0
	for _, e := range edits {
		out.Write(src[last:e.at])
		out.WriteString(e.text)
		last = e.at
	}
	out.Write(src[last:])
	return []byte(out.String()), points, nil
}

func durable(call string) (typ string, ok bool) {
	for _, s := range steps {
		if s.call.MatchString(call) {
			return s.typ, true
		}
	}
	return "", false
}

func opening(point, typ string) string {
	switch typ {
	case "":
		return fmt.Sprintf("zzfail.E(%q, func() error { return ", point)
	case "-":
		return fmt.Sprintf("zzfail.V(%q, func() { ", point)
	}
	return fmt.Sprintf("zzfail.T(%q, func() (%s, error) { return ", point, typ)
}
