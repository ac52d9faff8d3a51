package register

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"sluice/internal/yamldoc"
	"sluice/register/preset"
)

// Bounds of a register's files.
const (
	// MaxSize is how many bytes all of them may have.
	MaxSize = 64 << 20
	// MaxFiles is how many a directory may have.
	MaxFiles = 10_000
)

// document is one file.
type document struct {
	Sensors []Sensor `yaml:"sensors"`
}

// Parse reads one file; its name is used in errors only.
func Parse(file string, raw []byte) (*Register, error) { return parseWith(preset.Builtin(), file, raw) }

// ParseBeside is Parse with the presets that a city has beside the file, by read.
func ParseBeside(file string, raw []byte, read func(path string) ([]byte, error)) (*Register, error) {
	lib, err := preset.Load(PresetsDir(file), read)
	if err != nil {
		return nil, err
	}
	return parseWith(lib, file, raw)
}

func parseWith(lib *preset.Library, file string, raw []byte) (*Register, error) {
	b := newBuilder(lib)
	if err := b.add(file, raw); err != nil {
		return nil, err
	}
	return b.done()
}

// Load reads a file, or all *.yaml files of a directory in the order of their
// names, by read. Errors name file and line.
func Load(path string, read func(path string) ([]byte, error)) (*Register, error) {
	files, err := plainFiles(path)
	if err != nil {
		return nil, err
	}
	lib, err := preset.Load(PresetsDir(path), read)
	if err != nil {
		return nil, err
	}
	b := newBuilder(lib)
	for _, file := range files {
		raw, err := read(file)
		if err != nil {
			return nil, fmt.Errorf("register: %w", err)
		}
		if err := b.add(file, raw); err != nil {
			return nil, err
		}
	}
	return b.done()
}

var errNoFile = errors.New("holds no *.yaml file; put the register there, or name its file")

// Files are the names of a register's files, which need not be plain. What else is in its
// directory is somebody's note or backup.
func Files(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	var files []string
	for _, e := range entries {
		if n := e.Name(); filepath.Ext(n) == ".yaml" && !strings.HasPrefix(n, ".") && e.Type()&fs.ModeDir == 0 {
			files = append(files, filepath.Join(path, n))
		}
	}
	switch {
	case len(files) == 0:
		return nil, fmt.Errorf("register: %s %w", path, errNoFile)
	case len(files) > MaxFiles:
		return nil, fmt.Errorf("register: %s holds more than %d *.yaml files; put several sensors into one file", path,
			MaxFiles)
	}
	return files, nil
}

// plainFiles are those files, which are plain.
func plainFiles(path string) ([]string, error) {
	files, err := Files(path)
	for _, file := range files {
		if err := plainFile(file); err != nil {
			return nil, err
		}
	}
	return files, err
}

// plainFile refuses files whose reading could block. A missing file is left to the
// reader to report.
func plainFile(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("register: %s is not a plain file; take it away, or name one", path)
	}
	return nil
}

// builder puts files together.
type builder struct {
	reg     *Register
	size    int
	ids     map[string]int32 // by id; where it is in the register
	topics  map[string]int32 // by topic of its own
	devices map[deviceKey]int32
	nodes   map[deviceKey]int32 // edge nodes of Sparkplug, with a sensor of each
	words   map[string]string
	texts   map[string]map[string]string
	// fault takes what is wrong; an error ends the reading.
	fault func(Fault) error
}

// deviceKey is a device of a system.
type deviceKey struct{ preset, device string }

// Fault is what is wrong with an entry, or with a file.
type Fault struct {
	File string
	Line int    // from 1
	ID   string // of the sensor; empty where it has none
	// Note: nothing is wrong, but it may not be intended.
	Note bool
	text string
	err  error // of syntax, with file and line
}

// What describes the fault and how to fix it; a syntax error shows the line.
func (f Fault) What() string {
	if f.err != nil {
		return f.err.Error()
	}
	return f.text
}

func (f Fault) Error() string {
	switch {
	case f.err != nil:
		return f.err.Error()
	case f.ID == "":
		return fmt.Sprintf("%s, line %d: %s%s", f.File, f.Line, map[bool]string{true: "note: "}[f.Note], f.text)
	}
	return fmt.Sprintf("%s, line %d (%s): %s%s", f.File, f.Line, f.ID, map[bool]string{true: "note: "}[f.Note], f.text)
}

// Wrong is how many faults are more than notes.
func Wrong(found []Fault) (n int) {
	for _, f := range found {
		if !f.Note {
			n++
		}
	}
	return n
}

func (f Fault) Unwrap() error { return f.err }

// Compare orders faults by file and line.
func (f Fault) Compare(g Fault) int {
	return cmp.Or(strings.Compare(f.File, g.File), cmp.Compare(f.Line, g.Line))
}

func newBuilder(lib *preset.Library) *builder {
	return &builder{
		reg: &Register{Presets: lib}, devices: make(map[deviceKey]int32), nodes: make(map[deviceKey]int32),
		ids:    make(map[string]int32),
		topics: make(map[string]int32),
		words:  make(map[string]string), texts: make(map[string]map[string]string),
		fault: func(f Fault) error { return f },
	}
}

func (b *builder) add(file string, raw []byte) error {
	if b.size += len(raw); b.size > MaxSize {
		return fmt.Errorf("%s: the register has more than %d MiB; use several gateways, each with its zones", file,
			MaxSize>>20)
	}
	list, err := yamldoc.ReadList(file, raw, "sensors", MaxSensors, &document{})
	if err != nil {
		return b.fault(syntax(file, err))
	}
	if len(b.reg.Sensors)+list.Len() > MaxSensors {
		return fmt.Errorf("%s: the register has more than %d sensors; use several gateways, each with its zones", file,
			MaxSensors)
	}
	sensors, faults := decode(list)
	b.reg.files = append(b.reg.files, file)
	for i := range sensors {
		f := Fault{File: file, Line: list.Line(i), ID: sensors[i].ID}
		switch err := faults[i]; {
		case err == nil:
			if f.text = b.take(&sensors[i], list.Line(i)); f.text == "" {
				continue
			}
		case errors.As(err, new(*yamldoc.SyntaxError)):
			f = syntax(file, err)
		default:
			if !name.MatchString(f.ID) {
				f.ID = "" // it would be shown as it is
			}
			f.text = err.Error()
		}
		if err := b.fault(f); err != nil {
			return err
		}
	}
	return nil
}

// syntax is a fault with the place that the reader of YAML found.
func syntax(file string, err error) Fault {
	f := Fault{File: file, Line: 1, err: err}
	var at *yamldoc.SyntaxError
	if errors.As(err, &at) {
		f.Line = at.Line
	}
	return f
}

// decode reads all entries on all processors: a hundred thousand are some seconds'
// work. Of each it says what is wrong.
func decode(list *yamldoc.List) ([]Sensor, map[int]error) {
	const step = 64
	sensors, faults := make([]Sensor, list.Len()), make(map[int]error)
	var mu sync.Mutex
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 8) {
		all.Go(func() {
			for from := int(next.Add(step)) - step; from < len(sensors); from = int(next.Add(step)) - step {
				for i := from; i < min(from+step, len(sensors)); i++ {
					err := list.Decode(i, &sensors[i])
					if err == nil {
						err = sensors[i].check()
					}
					if err != nil {
						mu.Lock()
						faults[i] = err
						mu.Unlock()
					}
				}
			}
		})
	}
	all.Wait()
	return sensors, faults
}

// take adds a sensor, or says why it cannot.
func (b *builder) take(s *Sensor, line int) string {
	n := int32(len(b.reg.Sensors))
	if at, taken := b.ids[s.ID]; taken {
		return "this id is taken in " + b.reg.Where(int(at)) + "; give each sensor an id of its own"
	}
	if at, taken := b.topics[s.Topic]; taken && s.Topic != "" {
		return "this topic is taken in " + b.reg.Where(int(at)) +
			"; give each sensor a topic of its own"
	}
	if p := b.reg.Presets.Presets.Of(s.Preset); p != nil && p.Lowercase {
		s.Device = strings.ToLower(s.Device) // as labels and spreadsheets have it, and the system has not
	}
	device := deviceKey{s.Preset, s.Device}
	if at, taken := b.devices[device]; taken && s.OnPatterns() {
		return "this device is taken in " + b.reg.Where(int(at)) + "; a device of a preset is one sensor"
	}
	if text := s.checkPreset(b.reg.Presets); text != "" {
		return text
	}
	if s.OnPatterns() && b.reg.Presets.Presets.Of(s.Preset).Format == preset.Sparkplug {
		node := deviceKey{s.Preset, Node(s.Device)}
		at, known := b.nodes[node]
		if known && b.reg.Sensors[at].Owner != s.Owner {
			return "its edge node is another's in " + b.reg.Where(int(at)) +
				"; one client sends for all that is behind " +
				"an edge node, so give all of it one owner"
		}
		b.nodes[node] = n
	}
	if s.OnPatterns() {
		b.devices[device] = n
	}
	b.ids[s.ID] = n
	if s.Topic != "" {
		b.topics[s.Topic] = n
	}
	b.share(s)
	b.reg.Sensors = append(b.reg.Sensors, *s)
	b.reg.places = append(b.reg.places, place{int32(len(b.reg.files) - 1), int32(line)})
	return ""
}

// share keeps each text once that many sensors have.
func (b *builder) share(s *Sensor) {
	for _, text := range []*string{&s.Owner, &s.Kind, &s.Zone, &s.Contact, &s.Preset, &s.Profile} {
		if kept, known := b.words[*text]; known {
			*text = kept
		} else {
			b.words[*text] = *text
		}
	}
	for _, texts := range []*map[string]string{&s.Purpose, &s.Map} {
		if *texts == nil {
			continue
		}
		key := keyOf(*texts)
		if kept, known := b.texts[key]; known {
			*texts = kept
		} else {
			b.texts[key] = *texts
		}
	}
}

// keyOf is one text for equal maps, and for no others.
func keyOf(m map[string]string) string {
	list := make([]string, 0, len(m))
	for k, v := range m {
		list = append(list, fmt.Sprintf("%q:%q", k, v))
	}
	slices.Sort(list)
	return strings.Join(list, ",")
}

// done looks at what only all files together say.
func (b *builder) done() (*Register, error) {
	for n := range b.reg.Sensors {
		if at, taken := b.ids[b.reg.Sensors[n].Owner]; taken && b.reg.Sensors[n].OnPatterns() {
			text := "its owner sends for it under the owner's name, and that is the id of a sensor, " +
				b.reg.Where(int(at)) + "; give that sensor another id"
			if err := b.fault(b.reg.fault(n, text)); err != nil {
				return nil, err
			}
		}
		owner, at, other := b.standard(n)
		if !other {
			continue
		}
		text := "this topic is one of the sensor " + owner + ", " + b.reg.Where(at) +
			"; give each sensor a topic of its own"
		if err := b.fault(b.reg.fault(n, text)); err != nil {
			return nil, err
		}
	}
	return b.reg, nil
}

// fault is what is wrong with a sensor that was read.
func (r *Register) fault(n int, text string) Fault {
	at := r.places[n]
	return Fault{File: r.files[at.file], Line: int(at.line), ID: r.Sensors[n].ID, text: text}
}

// standard finds whose standard topic a sensor's own one is: another's for readings,
// or any for heartbeats or feedback.
func (b *builder) standard(n int) (id string, at int, other bool) {
	part := strings.Split(b.reg.Sensors[n].Topic, "/")
	if len(part) != 5 || part[0] != "city" || part[1] != "v1" {
		return "", 0, false
	}
	of, known := b.ids[part[3]]
	if at = int(of); !known || b.reg.Sensors[at].Owner != part[2] {
		return "", 0, false
	}
	s := &b.reg.Sensors[at]
	other = part[4] == "hb" || part[4] == "feedback" || part[4] == "up" && s.Topic == "" && at != n
	return s.ID, at, other
}
