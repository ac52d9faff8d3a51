package operations

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestConfigurationIsStrict: what is wrong in a file is refused with 3, and the
// message names the file and what to do; where a line is at fault, the line.
func TestConfigurationIsStrict(t *testing.T) {
	t.Parallel()
	const good = "gateway: g\ndir: state\nsimulation: true\nregister: register.yaml\nadmin: 127.0.0.1:0\n"
	const open = "http: 127.0.0.1:0\nbooks: public\n"
	for _, c := range []struct{ name, verb, text, says string }{
		{"unknown key", "gateway", good + "listen: {mqtt: 127.0.0.1:0}\nlisten_on: 1\n",
			`[7:1] unknown field "listen_on"`},
		{"unknown key within", "gateway", good + "mqtt: {broker: tcp://h:1, user: x}\n", `unknown field "user"`},
		{"a slip", "gateway", good + "lisen: {mqtt: 127.0.0.1:0}\n", "did you mean listen?"},
		{"a key elsewhere", "gateway", good + "broker: tcp://h:1\n", "belongs elsewhere"},
		{"nothing like it", "gateway", good + "listen: {mqtt: 127.0.0.1:0}\nwhatever: 1\n", "known keys are admin, "},
		{"wrong type", "gateway", good + "simulation: [1]\n", "[6:"},
		{"a size", "gateway", good + "listen: {mqtt: 127.0.0.1:0}\noutbox: {max_bytes: lots}\n", "1GiB"},
		{"a duration", "gateway", good + "listen: {mqtt: 127.0.0.1:0}\nwindows: {future: soon}\n", "ISO 8601"},
		{"a time", "gateway", good + "listen: {mqtt: 127.0.0.1:0}\ntime: {topic: \"a/#\"}\n", "time is `wall`"},
		{"no way in", "gateway", good, "sensors need a way in"},
		{"no broker's address", "gateway", good + "mqtt: {broker: localhost}\n", "tcp://HOST:PORT"},
		{"a password in the address", "gateway", good + "mqtt: {broker: tcp://user:secret@h:1883}\n",
			"keys of their own"},
		{"a password without a user", "gateway", good + "mqtt: {broker: tcp://h:1, password_file: p}\n",
			"needs a username"},
		{"no password file", "gateway", good + "mqtt: {broker: tcp://h:1, username: u, password_file: none}\n",
			"password_file"},
		{"a client id with wildcards", "gateway", good + "mqtt: {broker: tcp://h:1, client_id: \"a/#\"}\n",
			"client_id"},
		{"a certificate without key", "gateway", good + "listen: {mqtt: 127.0.0.1:0, tls: {cert: c}}\n",
			"cert and key"},
		{"no certificate", "gateway", good + "listen: {mqtt: 127.0.0.1:0, tls: {cert: c, key: k}}\n", "listen: tls"},
		{"passwords that are none", "gateway", good + "listen: {mqtt: 127.0.0.1:0, passwords: gateway.yaml}\n",
			"line 1"},
		{"two stores", "gateway", good +
			"listen: {mqtt: 127.0.0.1:0}\nstore: {sqlite: {path: a}, influx: {url: \"http://h\", bucket: b}}\n",
			"not both"},
		{"a store without bucket", "gateway",
			good + "listen: {mqtt: 127.0.0.1:0}\nstore: {influx: {url: \"http://h\"}}\n", "DATABASE/RETENTION"},
		{"a token in the address", "gateway",
			good + "listen: {mqtt: 127.0.0.1:0}\nstore: {influx: {url: \"http://u:secret@h\", bucket: b}}\n",
			"a file of its own"},
		{"a token file that is not there", "gateway",
			good + "listen: {mqtt: 127.0.0.1:0}\nstore: {influx: {url: \"http://h\", bucket: b, token_file: none}}\n",
			"token_file"},
		{"not a simulation", "gateway", strings.Replace(good, "true", "false", 1) + "listen: {mqtt: 127.0.0.1:0}\n",
			"only signed policies run"},
		{"the whole network", "gateway", good + "listen: {mqtt: 0.0.0.0:1883}\n", "loopback"},
		{"the whole network may administer", "gateway",
			strings.Replace(good, "admin: 127.0.0.1:0", "admin: 0.0.0.0:0", 1) + "listen: {mqtt: 127.0.0.1:0}\n",
			"loopback"},
		{"signed without a roster", "gateway", good + "listen: {mqtt: 127.0.0.1:0}\npolicy: {inbox: x}\n",
			"roster is missing"},
		{"a roster that is no hash", "gateway",
			good + "listen: {mqtt: 127.0.0.1:0}\npolicy: {inbox: x, roster: \"sha256:1\"}\n", "64 hexadecimal digits"},
		{"both sorts of policy", "gateway",
			good + "listen: {mqtt: 127.0.0.1:0}\npolicy: {dir: d, inbox: x, roster: \"sha256:" +
				strings.Repeat("0", 64) + "\"}\n", "not both"},
		{"looking once in two days", "gateway",
			good + "listen: {mqtt: 127.0.0.1:0}\npolicy: {inbox: x, every: P2D, roster: \"sha256:" +
				strings.Repeat("0", 64) + "\"}\n", "between PT1S"},
		{"a clock without simulation", "gateway",
			strings.Replace(good, "true", "false", 1) +
				"listen: {mqtt: 127.0.0.1:0}\ntime: {topic: t}\npolicy: {inbox: x, roster: \"sha256:" +
				strings.Repeat("0", 64) + "\"}\n", "needs simulation"},
		{"open to everybody", "gateway",
			strings.Replace(good, "true", "false", 1) +
				"listen: {mqtt: 0.0.0.0:0}\npolicy: {inbox: x, roster: \"sha256:" + strings.Repeat("0", 64) + "\"}\n",
			"publish as any sensor"},
		{"a log level", "gateway", good + "listen: {mqtt: 127.0.0.1:0}\nlog: {level: loud}\n",
			"debug, info, warn, error"},
		{"no YAML", "gateway", "gateway: [", "gateway.yaml"},
		{"unknown key", "opendata", open + "store: {sqlite: {path: p}}\nbook: x\n", `[4:1] unknown field "book"`},
		{"no books", "opendata", "store: {sqlite: {path: p}}\n", "books is missing"},
		{"books from nowhere", "opendata", "books: ftp://h/x\nstore: {sqlite: {path: p}}\n", "https://mirror"},
		{"books of several from nowhere", "opendata", "store: {sqlite: {path: p}}\nbooks:\n  - public\n  - ftp://h/x\n",
			"[4:5] books is a directory, or a URL"},
		{"books without a name", "opendata", "store: {sqlite: {path: p}}\nbooks:\n  - public\n  - \"\"\n",
			"[4:5] an entry of books is empty"},
		{"books left open", "opendata", "store: {sqlite: {path: p}}\nbooks:\n  - public\n  -\n",
			"an entry of books is empty"},
		{"an empty list of books", "opendata", "store: {sqlite: {path: p}}\nbooks: []\n",
			"[2:8] books is an empty list"},
		{"the same books twice", "opendata", "store: {sqlite: {path: p}}\nbooks: [public, ./public/]\n",
			"books has public twice"},
		{"books of too many", "opendata",
			"store: {sqlite: {path: p}}\nbooks: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]\n", "at most 16"},
		{"books by a key", "opendata", "store: {sqlite: {path: p}}\nbooks: {edge-1: public}\n", "[2:"},
		{"no store", "opendata", open, "store is one of"},
		{"two stores", "opendata", open + "store: {sqlite: {path: p}, influx: {url: \"http://h\", bucket: b}}\n",
			"store is one of"},
		{"shares", "opendata", open + "store: {sqlite: {path: p}}\nconnections: {per_address: 5000}\n",
			"per_address is how many"},
		{"listeners", "opendata", open + "store: {sqlite: {path: p}}\nlive: {listeners: 0}\n", "listeners is how many"},
		{"rates", "opendata", open + "store: {sqlite: {path: p}}\nrate: {per_second: -5}\n", "per_second is how many"},
		{"an address for the public", "opendata", open + "store: {sqlite: {path: p}}\nurl: data.city.example\n",
			"url is where the public"},
	} {
		t.Run(c.verb+" "+c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, c.verb+".yaml")
			harness.WriteSecret(t, path, c.text) // it serves as a file of passwords, too
			harness.Write(t, filepath.Join(dir, "register.yaml"), "sensors: []\n")
			cmd := exec.Command("timeout", harness.Limit(20*time.Second), harness.Sluice, c.verb, "-c", path)
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != 3 || !strings.Contains(string(out), c.says) ||
				strings.Contains(string(out), "secret@") {
				t.Errorf("exit code %d, saying\n%s\nwant 3 and %q", code, out, c.says)
			}
		})
	}
}
