package format

import (
	"maps"
	"testing"

	"sluice/test/vendors"
)

// FuzzPreset: any bytes on any topic of any preset are taken, ignored or refused; nothing panics, nothing is refused in
// silence, and looking twice sees the same.
func FuzzPreset(f *testing.F) {
	folders := vendors.Folders(f)
	desks := make([]*desk, len(folders))
	for i, folder := range folders {
		desks[i] = newDesk(f, folder)
		for _, m := range folder.Messages {
			f.Add(byte(i), m.Topic, m.Body)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, topic string, body []byte) {
		d := desks[int(which)%len(desks)]
		d.begin()
		first := d.look(topic, body)
		if len(first) == 0 {
			t.Error("nothing became of a message")
		}
		d.begin()
		if second := d.look(topic, body); !maps.Equal(first, second) {
			t.Error("the same message became something else")
		}
	})
}
