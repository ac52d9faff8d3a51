package fenced

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBlocks(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.md", "x\n\n```sh\ndo this\n```\n\n  ```\n   drawn\n  ```\n`code`\n```json\n```\n")
	all, err := Blocks(dir, "a.md")
	if err != nil {
		t.Fatal(err)
	}
	want := []Block{{"a.md", 3, "sh", "do this\n"}, {"a.md", 7, "", " drawn\n"}, {"a.md", 11, "json", ""}}
	if len(all) != len(want) {
		t.Fatalf("%v; want %v", all, want)
	}
	for i := range want {
		if all[i] != want[i] {
			t.Errorf("%+v; want %+v", all[i], want[i])
		}
	}
	if !all[0].Begins("do ") || all[0].Begins("this") || !all[1].Begins("drawn") {
		t.Error("a block begins with something else")
	}
	write("b.yaml", "# words\n#   one\n#   two\n# words\nkey: 1\n#   three\n")
	all, err = Blocks(dir, "b.yaml")
	if err != nil || len(all) != 2 || all[0].Text != "one\ntwo\n" || all[1].Text != "three\n" || all[1].Line != 6 {
		t.Errorf("%+v, %v", all, err)
	}
	for _, bad := range []string{"```sh\nopen\n", "~~~\nx\n~~~\n", "````\nx\n````\n"} {
		write("c.md", bad)
		if all, err := Blocks(dir, "c.md"); err == nil {
			t.Errorf("%q is taken for %v", bad, all)
		}
	}
}

// spy is a test that notes its failures.
type spy struct {
	*testing.T
	failed  []string
	cleanup []func()
}

func (s *spy) Errorf(format string, _ ...any) { s.failed = append(s.failed, format) }
func (s *spy) Failed() bool                   { return len(s.failed) > 0 }
func (s *spy) Cleanup(f func())               { s.cleanup = append(s.cleanup, f) }
func (s *spy) end() {
	for _, f := range s.cleanup {
		f()
	}
}

func TestTaken(t *testing.T) {
	take := func(text string) (*spy, *Taken) {
		dir := t.TempDir()
		for name, text := range map[string]string{"go.mod": "", "x.md": "```sh\n" + text + "\n```\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		t.Chdir(dir)
		s := &spy{T: t}
		return s, Take(s, "x.md", text[:3])
	}
	s, _ := take("echo x")
	if s.end(); len(s.failed) != 1 || !strings.Contains(s.failed[0], "not run") {
		t.Errorf("a block that was not run: %q", s.failed)
	}
	s, b := take("echo x")
	if out := b.Run(".", nil); out != "x\n" {
		t.Errorf("it prints %q", out)
	}
	if s.end(); len(s.failed) != 0 {
		t.Errorf("a block that was run: %q", s.failed)
	}
	s, b = take("false\ntrue")
	if b.Run(".", nil); len(s.failed) != 1 {
		t.Error("a script goes on after its first error")
	}
	s, b = take("echo x")
	if b.Change("y", "z"); len(s.failed) != 1 {
		t.Error("a change that changes nothing is not noticed")
	}
	_, b = take("systemctl restart sluice")
	if out, err := b.StandIn("systemctl", `test "$2" = other`, "this is a test").Bash(".", nil); err == nil {
		t.Errorf("a stand-in's refusal is not noticed: %s", out)
	}
}
