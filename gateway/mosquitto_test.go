package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadMosquitto: later lines win, included files count, and mosquitto's own
// defaults hold where nothing is said.
func TestReadMosquitto(t *testing.T) {
	for name, c := range map[string]struct {
		main, more string
		want       mosquitto
	}{
		"nothing":             {"", "", mosquitto{inflight: 20}},
		"Debian's own":        {"persistence true\npersistence_location /var/lib/mosquitto/\n", "", mosquitto{persistence: true, inflight: 20}},
		"mended in conf.d":    {"persistence true\ninclude_dir DIR\n", "persistence false\nmax_inflight_messages 1000\n", mosquitto{inflight: 1000}},
		"spoilt in conf.d":    {"persistence false\ninclude_dir DIR\n", "  persistence   true\nlog_type all\n", mosquitto{persistence: true, loud: true, inflight: 20}},
		"a comment is none":   {"# persistence true\n#log_type all\n", "", mosquitto{inflight: 20}},
		"no bound":            {"max_inflight_messages 0\n", "", mosquitto{inflight: 0}},
		"debug among others":  {"log_type error\nlog_type debug\nlog_type notice\n", "", mosquitto{loud: true, inflight: 20}},
		"included twice over": {"include_dir DIR\ninclude_dir DIR\n", "persistence true\n", mosquitto{persistence: true, inflight: 20}},
	} {
		dir := t.TempDir()
		sub := filepath.Join(dir, "conf.d")
		if err := os.Mkdir(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "mosquitto.conf")
		for file, text := range map[string]string{path: strings.ReplaceAll(c.main, "DIR", sub), filepath.Join(sub, "x.conf"): c.more} {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := readMosquitto(path); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
	loop := filepath.Join(t.TempDir(), "a.conf")
	if err := os.WriteFile(loop, []byte("include_dir "+filepath.Dir(loop)+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readMosquitto(loop); err == nil {
		t.Error("a file that includes itself gives no error")
	}
}
