package settings

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestRoom: a server whose store is nearly full is told of before it is.
func TestRoom(t *testing.T) {
	for text, want := range map[string]bool{
		`{"config": {"max_storage": 1073741824}, "stats": {"storage": 966367641}}`: true,
		`{"config": {"max_storage": 1073741824}, "stats": {"storage": 536870912}}`: false,
		`{"config": {"max_storage": 0}, "stats": {"storage": 536870912}}`:          false,
	} {
		v := varz{ServerName: "nats-1", Version: "2.15.2"}
		if err := json.Unmarshal([]byte(text), &v.JetStream); err != nil {
			t.Fatal(err)
		}
		var e examination
		e.server(v)
		said := false
		for _, f := range e.found {
			said = said || strings.Contains(f.What, "of the 1024 MiB that it may keep 921 are taken") && !f.Lost
		}
		if said != want {
			t.Errorf("%s: %+v", text, e.found)
		}
	}
}
