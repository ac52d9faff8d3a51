package books

import (
	"fmt"
	"testing"
)

// counting counts how often a file is read.
type counting struct {
	Dir
	reads int
}

func (c *counting) Get(name string) ([]byte, error) {
	c.reads++
	return c.Dir.Get(name)
}

// TestKept: a register is parsed once for each file that it was, and a new one is
// seen at once.
func TestKept(t *testing.T) {
	source := &counting{Dir: Dir(t.TempDir())}
	r := Reader{Source: source, Kept: new(Kept)}
	if reg, err := r.Register(); err != nil || len(reg.Sensors) != 0 {
		t.Fatalf("%+v, %v", reg, err)
	}
	for n := range 3 {
		want := fmt.Sprint("sensor-", n)
		if err := source.PutJSON("register.json", Register{Sensors: []Sensor{{ID: want}}}); err != nil {
			t.Fatal(err)
		}
		source.reads = 0
		for range 5 {
			if reg, err := r.Register(); err != nil || len(reg.Sensors) != 1 || reg.Sensors[0].ID != want {
				t.Fatalf("%+v, %v; want %s", reg, err, want)
			}
		}
		if source.reads != 1 {
			t.Errorf("it was read %d times", source.reads)
		}
	}
}
