package compile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/rego"
	"sluice/register"
)

// counted counts what an Evaluator is asked.
type counted struct {
	rego.Evaluator
	single, many int
	fail         error
}

func (c *counted) Ask(ctx context.Context, b *rego.Version, query string, input any) (json.RawMessage, error) {
	c.single++
	return c.Evaluator.Ask(ctx, b, query, input)
}

func (c *counted) AskEach(ctx context.Context, b *rego.Version, query string, inputs []any) ([]json.RawMessage, error) {
	if c.many++; c.fail != nil {
		return nil, c.fail
	}
	return c.Evaluator.AskEach(ctx, b, query, inputs)
}

// TestPrepare: a register's sorts are asked together, each once, and say what they
// say alone; what gets no answer then is asked alone.
func TestPrepare(t *testing.T) {
	reg := &register.Register{}
	for n := range 400 {
		kind := []string{"wifi-counter", "noise-meter", "unheard-of"}[n%3]
		reg.Sensors = append(reg.Sensors,
			register.Sensor{ID: fmt.Sprint(n), Kind: kind, Zone: "rambla", Owner: fmt.Sprint("o", n%50)})
	}
	plain, err := Files(t.Context(), rego.InProcess(), portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	for name, fail := range map[string]error{"answered": nil, "not answered": errors.New("too slow")} {
		c := &counted{Evaluator: rego.InProcess(), fail: fail}
		set, err := Files(t.Context(), c, portalba.Policy())
		if err != nil {
			t.Fatal(err)
		}
		c.single = 0
		set.Prepare(t.Context(), reg)
		if c.single != 0 || c.many != 1 {
			t.Errorf("%s: %d questions alone and %d together", name, c.single, c.many)
		}
		for n := range reg.Sensors {
			s := &reg.Sensors[n]
			got, why, err := set.Plans(t.Context(), s)
			want, reasons, _ := plain.Plans(t.Context(), s)
			if err != nil || len(got) != len(want) || !reflect.DeepEqual(why, reasons) {
				t.Fatalf("%s: %s: %v, %v, %v; want %v, %v", name, s.ID, got, why, err, want, reasons)
			}
		}
		if fail == nil && c.single != 0 || fail != nil && c.single != 2 {
			t.Errorf("%s: %d questions were asked alone afterwards", name, c.single)
		}
	}
}
