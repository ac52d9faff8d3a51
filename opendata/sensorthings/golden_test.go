package sensorthings

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGolden answers the requests of programs that people have, in the form in which they ask.
// A file has what asks, the request, and the answer.
func TestGolden(t *testing.T) {
	h, _ := service(t, rowsOf("edge-1", 3, "a", "b"))
	files, err := filepath.Glob("testdata/clients/*.txt")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitN(string(raw), "\n", 3)
		code, body := get(t, h, lines[1])
		if code != http.StatusOK {
			t.Errorf("%s is %d: %s", file, code, body)
			continue
		}
		var pretty bytes.Buffer
		if json.Indent(&pretty, []byte(body), "", " ") == nil {
			body = pretty.String()
		}
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(file, []byte(lines[0]+"\n"+lines[1]+"\n"+body), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if body != lines[2] {
			t.Errorf("%s: it is\n%s; want\n%s", file, body, lines[2])
		}
	}
}
