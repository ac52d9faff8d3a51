package pattern_test

import (
	"reflect"
	"sync"
	"testing"

	"sluice/internal/pattern"
)

func TestPatternIsCompiledOnce(t *testing.T) {
	p := pattern.New(`([a-z]+)=([0-9]+)`)
	var all sync.WaitGroup
	for range 8 { // the first of whom compiles it
		all.Go(func() {
			if got := p.FindStringSubmatch("say a=1"); !reflect.DeepEqual(got, []string{"a=1", "a", "1"}) {
				t.Errorf("found %q", got)
			}
		})
	}
	all.Wait()
	if got := p.ReplaceAllString("a=1 b=2", "$2=$1"); got != "1=a 2=b" {
		t.Errorf("replaced to %q", got)
	}
	if p.MatchString("a=b") || p.String() != `([a-z]+)=([0-9]+)` {
		t.Error("it is another pattern")
	}
}

func TestWrongPatternPanicsWhenUsed(t *testing.T) {
	p := pattern.New(`(`)
	defer func() {
		if recover() == nil {
			t.Error("it did not")
		}
	}()
	p.MatchString("a")
}
