package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/reading"
	"sluice/gateway/ingest/internal/sparkplug"
	"sluice/register"
	"sluice/register/preset"
	"sluice/test/vendors"
)

// TestGoldenVendors compares what becomes of each message of register/preset/testdata with golden.txt beside it, and of
// each value in it. What a value does is tried out: it is altered, and what is otherwise then is what it does. Where
// nothing is, it dies, and nothing that Sluice does can depend on it. UPDATE=1 writes the files anew.
func TestGoldenVendors(t *testing.T) {
	used := map[string]bool{}
	for _, f := range vendors.Folders(t) {
		used[f.Preset], used["profile "+f.Profile] = true, true
		t.Run(f.Name, func(t *testing.T) {
			file := filepath.Join(vendors.Dir(), f.Name, "golden.txt")
			got := newDesk(t, f).table()
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v; make golden writes it", err)
			}
			if got != string(want) {
				t.Errorf("%s is now\n%s", file, got)
			}
		})
	}
	for id := range preset.Builtin().Presets {
		if !used[id] {
			t.Errorf("the preset %s has no folder of samples", id)
		}
	}
	for id := range preset.Builtin().Profiles {
		if !used["profile "+id] {
			t.Errorf("the profile %s has no folder of samples", id)
		}
	}
}

// desk is where the messages of one folder are looked at.
type desk struct {
	t        testing.TB
	folder   vendors.Folder
	preset   *preset.Preset
	profile  *preset.Profile
	own      *preset.Pattern // the sensor's own topic
	envelope *Envelope
	shape    *Shape
	decoder  *Decoder
	edges    *sparkplug.Edges // what births have said
	memory   ofOne            // the last counters and states
	now      int64            // when the message at hand is received
}

func newDesk(t testing.TB, f vendors.Folder) *desk {
	t.Helper()
	d := &desk{t: t, folder: f, decoder: NewDecoder()}
	var err error
	if d.preset, err = preset.Builtin().Preset(f.Preset); err != nil {
		t.Fatal(err)
	}
	if f.Profile != "" {
		if d.profile, err = preset.Builtin().Profile(f.Profile); err != nil {
			t.Fatal(err)
		}
	}
	if f.Topic != "" {
		own, err := preset.ParsePattern(f.Topic)
		if err != nil {
			t.Fatal(err)
		}
		d.own = &own
	}
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	var names, types, forms, units []string
	for _, field := range f.Kind.Fields {
		names, types = append(names, field.Name), append(types, field.Type)
		forms, units = append(forms, field.Format), append(units, field.Unit)
	}
	d.begin()
	d.envelope = NewEnvelope(d.preset, madrid)
	d.shape = NewShape(names, types, forms, f.Map)
	if _, odd := d.shape.Wrap(d.envelope, d.profile, f.Map, units); odd != nil {
		t.Fatalf("units of the fields %v do not go with the profile's", odd)
	}
	return d
}

// outcome is what becomes of a message, by name: its role, and of each reading its time, count and fields.
type outcome map[string]string

// line is the outcome in words.
func (o outcome) line() string {
	var parts []string
	names := slices.SortedFunc(maps.Keys(o), func(a, b string) int { return strings.Compare(rank(a), rank(b)) })
	for _, name := range names {
		parts = append(parts, strings.TrimSpace(strings.TrimLeft(name, "0123456789. ")+" "+o[name]))
	}
	return strings.Join(parts, ", ")
}

func rank(name string) string {
	return strings.NewReplacer("time", "!1", "seq", "!2", "boot", "!3").Replace(name)
}

// tray takes what a decoder says.
type tray struct {
	*desk
	out outcome
	n   int
}

func (y *tray) put(what, value string) { y.out[fmt.Sprintf("%02d. %s", y.n, what)] = value }

// Find knows the folder's sensor.
func (y *tray) Find(id []byte) *Shape {
	if string(id) == y.folder.Device {
		return y.shape
	}
	y.n++
	y.put("of nobody", "")
	return nil
}

func (y *tray) Nobody(why fault.Code) *Shape {
	y.n++
	y.put("refused", why.String())
	return nil
}

func (y *tray) Reading(r reading.Reading) {
	y.n++
	s := r.Stamp()
	y.put("time", time.Unix(0, s.Time).UTC().Format("15:04:05.999999999")+map[bool]string{false: " (receipt)"}[s.Timed])
	if s.Sequenced {
		y.put("seq", fmt.Sprint(s.Seq))
	}
	if s.Boot != 0 {
		y.put("boot", fmt.Sprintf("%x", s.Boot))
	}
	for i, field := range y.folder.Kind.Fields {
		switch r.Type(i) {
		case reading.Number:
			y.put(field.Name, fmt.Sprint(r.Number(i)))
		case reading.Text:
			y.put(field.Name, string(r.Text(i)))
		case reading.Bool:
			y.put(field.Name, fmt.Sprint(r.Bool(i)))
		}
	}
}

func (y *tray) Refused(f fault.Fault) { y.n++; y.put("refused", f.Code.String()) }
func (y *tray) Dropped(f fault.Fault) { y.put("dropped", f.Code.String()) }
func (y *tray) Ignored()              { y.n++; y.put("ignored", "") }

// look is what becomes of one message.
func (d *desk) look(topic string, body []byte) outcome {
	y := &tray{desk: d, out: outcome{}}
	var c preset.Captured
	in := Wrapped{Envelope: d.envelope, Captured: &c, Finder: y, Memory: d.memory}
	role := preset.Role("")
	if d.own != nil && d.own.Match(topic, &c) {
		in.Topic, in.Shape, role = d.own, d.shape, preset.Reading
	}
	for i := range d.preset.Topics {
		p := &d.preset.Topics[i]
		if role != "" || d.own != nil || !p.Matcher().Match(topic, &c) {
			continue
		}
		role, in.Topic = p.Role, p.Matcher()
		if in.Topic.Identifies() {
			switch of := string(in.Topic.DeviceOf(&c)); {
			case of == d.folder.Device:
				in.Shape = d.shape
			case role == preset.Birth && strings.HasPrefix(d.folder.Device, of+"/"):
				role = preset.Ignore // of the node that the device is behind
			default:
				y.put("of nobody", "")
				return y.out
			}
		}
	}
	switch role {
	case "":
		y.put("no topic of the preset", "")
	case preset.Reading, preset.Birth, preset.Death:
		d.read(y, role, topic, body, in)
	default:
		y.put(string(role), "")
	}
	return y.out
}

// read reads a message that may have readings.
func (d *desk) read(y *tray, role preset.Role, topic string, body []byte, in Wrapped) {
	more := false
	if d.preset.Format == preset.Sparkplug {
		t, ok := sparkplug.ParseTopic(topic)
		if !ok {
			d.t.Fatalf("%s is no topic of Sparkplug", topic)
		}
		m, bad := d.edges.Take(t, body, d.now)
		in.Lenient = role == preset.Birth
		switch {
		case bad.Code != fault.None:
			y.Refused(bad)
		case m.Tree != nil:
			more = d.decoder.BeginTree(m.Tree, in, d.now, y)
		}
		if m.Rebirth {
			y.put("and a birth is asked for", "")
		}
	} else {
		role = d.decoder.BeginWrapped(bytes.Clone(body), in, d.now, y)
		more = role == preset.Reading
	}
	for more && d.decoder.Next(1) {
	}
	if !more && len(y.out) == 0 {
		y.put(string(role), "")
	}
}

// begin forgets what earlier messages said.
func (d *desk) begin() { d.edges, d.memory, d.now = sparkplug.New(), ofOne{}, received }

// again looks at a message that is otherwise, after those before it, a second after each other.
func (d *desk) again(m vendors.Message, topic string, body []byte) outcome {
	d.begin()
	for _, before := range d.folder.Messages {
		d.now += int64(time.Second)
		if before.File == m.File {
			break
		}
		d.look(before.Topic, before.Body)
	}
	return d.look(topic, body)
}

// table is the folder's golden table.
func (d *desk) table() string {
	var b strings.Builder
	for _, m := range d.folder.Messages {
		was := d.again(m, m.Topic, m.Body)
		fmt.Fprintf(&b, "%s on %s\n  %s\n", m.File, m.Topic, was.line())
		d.levels(&b, m, was)
		d.values(&b, m, was)
	}
	return b.String()
}

// levels says what the levels of a message's topic do.
func (d *desk) levels(b *strings.Builder, m vendors.Message, was outcome) {
	list := strings.Split(m.Topic, "/")
	for i, level := range list {
		altered := slices.Clone(list)
		altered[i] = other(level)
		fmt.Fprintf(b, "  topic %-38s %s\n", level, d.effect(was, d.again(m, strings.Join(altered, "/"), m.Body)))
	}
}

// other is another text of the same kind: the next digit in place of the last one, or another letter.
func other(s string) string {
	if i := strings.LastIndexAny(s, "012345678"); i >= 0 {
		return s[:i] + string(s[i]+1) + s[i+1:]
	}
	if s == "" {
		return "x"
	}
	return "x" + s[1:]
}

// values says what the values of a message in JSON do.
func (d *desk) values(b *strings.Builder, m vendors.Message, was outcome) {
	var tree any
	decode := json.NewDecoder(bytes.NewReader(m.Body))
	decode.UseNumber()
	if decode.Decode(&tree) != nil || !strings.HasSuffix(m.File, ".json") {
		return
	}
	d.walk(tree, "", func(pointer string, put func(any), old any) {
		put(altered(old))
		body, err := json.Marshal(tree)
		if err != nil {
			d.t.Fatal(err)
		}
		put(old)
		fmt.Fprintf(b, "  %-44s %s\n", pointer, d.effect(was, d.again(m, m.Topic, body)))
	})
}

func altered(v any) any {
	switch v := v.(type) {
	case json.Number:
		if !strings.ContainsAny(string(v), "012345678") {
			return json.Number("1")
		}
		return json.Number(other(string(v)))
	case string:
		return other(v)
	case bool:
		return !v
	}
	return "canary"
}

// walk visits all values that are neither objects nor lists.
func (d *desk) walk(v any, at string, visit func(pointer string, put func(any), old any)) {
	next := func(key string, in any, put func(any)) {
		at := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		switch in.(type) {
		case map[string]any, []any:
			d.walk(in, at, visit)
		default:
			visit(at, put, in)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			next(k, v[k], func(x any) { v[k] = x })
		}
	case []any:
		for i := range v {
			next(fmt.Sprint(i), v[i], func(x any) { v[i] = x })
		}
	}
}

// effect is what is otherwise, in words of a small policy: numbers and truths are kept, identifiers counted, and no
// more is named.
func (d *desk) effect(was, is outcome) string {
	seen := map[string]bool{}
	for _, o := range []outcome{was, is} {
		for name := range o {
			before, had := was[name]
			after, has := is[name]
			if had != has || before != after {
				seen[strings.TrimLeft(name, "0123456789. ")] = true
			}
		}
	}
	switch {
	case len(seen) == 0:
		return "dies"
	case seen["of nobody"]:
		return "whose it is"
	case seen["no topic of the preset"], seen["ignore"], seen["heartbeat"], seen["birth"], seen["death"]:
		return "what it is"
	case seen["refused"]:
		return "whether it is refused"
	}
	var what []string
	for name := range seen {
		what = append(what, d.fate(name))
	}
	slices.Sort(what)
	return strings.Join(what, ", ")
}

func (d *desk) fate(name string) string {
	i := slices.IndexFunc(d.folder.Kind.Fields, func(f register.Field) bool { return f.Name == name })
	switch {
	case i < 0:
		return name
	case d.folder.Kind.Fields[i].Class == "measurement":
		return "kept as " + name
	case d.folder.Kind.Fields[i].Class == "identifier":
		return "counted as " + name
	}
	return "dropped: " + name
}
