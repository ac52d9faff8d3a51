// Package vendors reads register/preset/testdata: what other systems send, for tests on both sides of the wire. Each
// folder is one sensor: sensor.yaml says how the register and kinds.yaml name it and which message comes on which
// topic; the other files are the messages, as bytes or (.hex) as hexadecimal digits. A message whose file begins with
// hostile is full of canaries: texts and numbers in the places where an identifier may hide.
//
// A new preset is one YAML file and one folder: every test that reads the folders has it then.
package vendors

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sluice/internal/yamldoc"
	"sluice/register"
)

// Folder is one sensor and what it sends, in the order of sending.
type Folder struct {
	Name     string            `yaml:"-"`
	Preset   string            `yaml:"preset"`
	Profile  string            `yaml:"profile"`
	Map      map[string]string `yaml:"map"`
	Topic    string            `yaml:"topic"`  // of the sensor's own, in place of the preset's
	Device   string            `yaml:"device"` // the identity, in place of a topic of its own
	Kind     register.Kind     `yaml:"kind"`
	Messages []Message         `yaml:"messages"`
}

// Message is one publication.
type Message struct {
	File  string `yaml:"file"`
	Topic string `yaml:"topic"`
	Body  []byte `yaml:"-"`
}

// Hostile reports whether the message is full of canaries.
func (m Message) Hostile() bool { return strings.HasPrefix(m.File, "hostile") }

// Dir is where the folders are.
func Dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "../../register/preset/testdata")
}

// Folders reads all of them, by name.
func Folders(t testing.TB) (all []Folder) {
	t.Helper()
	entries, err := os.ReadDir(Dir())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			all = append(all, read(t, e.Name()))
		}
	}
	if len(all) == 0 {
		t.Fatal("there are no messages of vendors")
	}
	return all
}

func read(t testing.TB, name string) Folder {
	t.Helper()
	f := Folder{Name: name}
	file := filepath.Join(Dir(), name, "sensor.yaml")
	raw, err := os.ReadFile(file)
	if err == nil {
		err = yamldoc.Decode(file, raw, &f)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.Messages {
		m := &f.Messages[i]
		if m.Body, err = os.ReadFile(filepath.Join(Dir(), name, m.File)); err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(m.File) != ".hex" {
			continue
		}
		if m.Body, err = hex.DecodeString(strings.Join(strings.Fields(string(m.Body)), "")); err != nil {
			t.Fatalf("%s/%s: %v", name, m.File, err)
		}
	}
	return f
}

// canary is what the hostile messages hold in all places where nothing may come out, besides words with canary in
// them: hexadecimal addresses, plates and long numbers.
var canary = regexp.MustCompile(`[A-Za-z0-9:]*(?:CAFE|cafe|CA:FE|ca:fe|9876)[A-Za-z0-9:]*`)

// Canaries are those of the hostile messages and their topics. Addresses are there in each spelling.
func (f Folder) Canaries() (all []string) {
	for _, m := range f.Messages {
		if !m.Hostile() {
			continue
		}
		all = append(all, "canary", "CANARY")
		for _, c := range canary.FindAllString(m.Topic+" "+string(m.Body), -1) {
			plain := strings.ReplaceAll(c, ":", "")
			for _, c := range []string{c, plain} {
				all = append(all, c, strings.ToLower(c), strings.ToUpper(c))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
