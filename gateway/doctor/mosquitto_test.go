package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestReadMosquitto: later lines win, included files count, and mosquitto's own
// defaults hold where nothing is said.
func TestReadMosquitto(t *testing.T) {
	for name, c := range map[string]struct {
		main, more string
		want       string
	}{
		"nothing": {"", "", "inflight=20 queued=1000 connections"},
		"Debian's own": {"persistence true\npersistence_location /var/lib/mosquitto/\n", "",
			"persistence inflight=20 queued=1000 connections"},
		"mended in conf.d": {"persistence true\ninclude_dir DIR\n",
			"persistence false\nmax_inflight_messages 1000\nconnection_messages false\n", "inflight=1000 queued=1000"},
		"spoilt in conf.d": {"persistence false\ninclude_dir DIR\n", "  persistence   true\nlog_type all\n",
			"persistence loud inflight=20 queued=1000 connections"},
		"a comment is none": {"# persistence true\n#log_type all\n# allow_anonymous true\n", "",
			"inflight=20 queued=1000 connections"},
		"no bound": {"max_inflight_messages 0\nmax_queued_messages 0\nmax_packet_size 7\n", "",
			"inflight=0 queued=0 packet=7 connections"},
		"debug among others": {"log_type error\nlog_type debug\nlog_type notice\n", "",
			"loud inflight=20 queued=1000 connections"},
		"included twice over": {"include_dir DIR\ninclude_dir DIR\n", "persistence true\n",
			"persistence inflight=20 queued=1000 connections"},
		"one door": {"listener 1883\nallow_anonymous true\nlistener 1884\nacl_file /a\npassword_file /p\n",
			"", "inflight=20 queued=1000 connections acl=/a passwords=/p [the broker anonymous access]"},
		"each its own": {"per_listener_settings true\nlistener 1883\nallow_anonymous false\nacl_file " +
			"/a\nlistener 1884 127.0.0.1\nallow_anonymous true\n", "", "inflight=20 queued=1000 connections acl=/a " +
			"[the broker] [listener 1883 access] [listener 1884 127.0.0.1 anonymous]"},
	} {
		dir := t.TempDir()
		sub := filepath.Join(dir, "conf.d")
		if err := os.Mkdir(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "mosquitto.conf")
		for file, text := range map[string]string{path: strings.ReplaceAll(c.main, "DIR", sub),
			filepath.Join(sub, "x.conf"): c.more} {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := readMosquitto(path); err != nil || said(got) != c.want {
			t.Errorf("%s: %s, %v; want %s", name, said(got), err, c.want)
		}
	}
	loop := filepath.Join(t.TempDir(), "a.conf")
	if err := os.WriteFile(loop, []byte("include_dir "+filepath.Dir(loop)+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readMosquitto(loop); err == nil {
		t.Error("a file that includes itself gives no error")
	}
	odd := filepath.Join(t.TempDir(), "odd.conf")
	if err := os.WriteFile(odd, []byte("max_packet_size 1 MiB\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readMosquitto(odd); err == nil ||
		!strings.Contains(err.Error(), "odd.conf: max_packet_size is not a number") {
		t.Errorf("a number that is none: %v", err)
	}
}

// said is what was read, in one line.
func said(m mosquitto) string {
	var out []string
	for word, there := range map[string]bool{"1 persistence": m.persistence, "2 loud": m.loud,
		"6 connections": m.connections} {
		if there {
			out = append(out, word)
		}
	}
	out = append(out, fmt.Sprintf("3 inflight=%d", m.inflight), fmt.Sprintf("4 queued=%d", m.queued))
	for word, value := range map[string]string{"5 packet=": strings.TrimPrefix(strconv.Itoa(m.packet), "0"),
		"7 acl=": m.acl, "8 passwords=": m.passwords} {
		if value != "" {
			out = append(out, word+value)
		}
	}
	slices.Sort(out)
	for n := range out {
		out[n] = out[n][2:]
	}
	for _, e := range m.entrances {
		text := e.name
		if e.anonymous {
			text += " anonymous"
		}
		if e.access {
			text += " access"
		}
		out = append(out, "["+text+"]")
	}
	return strings.Join(out, " ")
}
