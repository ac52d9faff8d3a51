package books

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

// TestVerify: a chain that was touched anywhere but at its end is found; so is a
// line that is gone.
func TestVerify(t *testing.T) {
	var lines []string
	prev := ""
	for n := range 5 {
		raw, err := json.Marshal(Entry{N: int64(n + 1), Day: "2026-03-02", Epsilon: 1, PrevSHA256: prev})
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(raw)
		prev = hex.EncodeToString(sum[:])
		lines = append(lines, string(raw))
	}
	verify := func(lines []string, end string) (int, error) {
		dir := Dir(t.TempDir())
		if err := dir.Put("ledger.jsonl", []byte(strings.Join(lines, "\n")+end)); err != nil {
			t.Fatal(err)
		}
		return Reader{Source: dir}.Verify("ledger.jsonl")
	}
	if n, err := verify(lines, "\n"); n != 5 || err != nil {
		t.Errorf("a good chain gives %d, %v", n, err)
	}
	if n, err := verify(lines, "\n{\"n\":6,"); n != 5 || err != nil {
		t.Errorf("a line that is being written gives %d, %v", n, err)
	}
	for what, spoilt := range map[string][]string{
		"an amount changed": append([]string{lines[0], strings.Replace(lines[1], `"epsilon":1`, `"epsilon":0`, 1)},
			lines[2:]...),
		"a line gone":    append([]string{lines[0]}, lines[2:]...),
		"lines swapped":  {lines[0], lines[2], lines[1], lines[3], lines[4]},
		"the first gone": lines[1:],
		"no JSON":        {lines[0], "x"},
	} {
		if _, err := verify(spoilt, "\n"); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if n, err := (Reader{Source: Dir(t.TempDir())}).Verify("ledger.jsonl"); n != 0 || err != nil {
		t.Errorf("no book at all gives %d, %v", n, err)
	}
}

func TestOnly(t *testing.T) {
	d := Dir(t.TempDir())
	for _, name := range []string{"x/a.sig", "x/b.sig", "x/c.sig", "other"} {
		if err := d.Put(name, []byte("1")); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Only("x/", "b.sig"); err != nil {
		t.Fatal(err)
	}
	for name, there := range map[string]bool{"x/a.sig": false, "x/b.sig": true, "x/c.sig": false, "other": true} {
		if _, err := d.Get(name); (err == nil) != there {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := d.Only("none", "x"); err != nil {
		t.Error(err)
	}
}
