package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// desk is a council's clerk: a policy directory, members with keys that ssh-keygen
// made, and a chain of motions, which all worlds of a phase go through in order.
type desk struct {
	dir, bin, pin string
	chain         []motion
}

// motion is one signed file, and what is true once it is in force.
type motion struct {
	name   string
	raw    []byte
	title  string // of decision 1
	hushed bool   // decision 2 is suspended
}

var members = []string{"anna", "bru", "carla", "dani", "emma"}

// sit makes a desk with the policy of the small city.
func sit(h *harness, dir string) (*desk, error) {
	d := &desk{dir: dir, bin: h.bin}
	var roster strings.Builder
	roster.WriteString("version: 1\nmembers:\n")
	for _, m := range members {
		key := filepath.Join(dir, m)
		if _, err := d.do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", m, "-f", key); err != nil {
			return nil, err
		}
		public, err := os.ReadFile(key + ".pub")
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&roster, "  - {id: %s, name: %s, keys: [%q]}\n", m, m, bytes.TrimSpace(public))
	}
	if err := d.write("council.yaml", roster.String()); err != nil {
		return nil, err
	}
	for name, text := range cityFiles {
		if rest, ok := strings.CutPrefix(name, "policy/"); ok {
			if rest == "charter.yaml" {
				text += "notice_days: 0\nquorums: {enact: 4, weaken: 5, charter: 5, roster: 5, suspend: 2}\n"
			}
			if err := d.write(rest, text); err != nil {
				return nil, err
			}
		}
	}
	shown, err := d.do(d.bin, "motion", "show")
	d.pin = regexp.MustCompile(`sha256:[0-9a-f]{64}`).FindString(shown)
	return d, err
}

func (d *desk) write(name, text string) error {
	path := filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

func (d *desk) do(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = d.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return string(out), err
}

// nth is the nth motion of the chain, counted from 0; what is missing is voted. After
// the first, one changes words, the next suspends the devices, the next lifts that.
func (d *desk) nth(n int) (motion, error) {
	for len(d.chain) <= n {
		v := len(d.chain)
		m := motion{name: fmt.Sprintf("motion-%d", v), title: "Gates"}
		if v > 0 {
			m.title, m.hushed = d.chain[v-1].title, v%3 == 2
		}
		if err := d.draft(v, &m); err != nil {
			return motion{}, err
		}
		text := filepath.Join("motions", m.name, "motion.txt")
		for i, who := range members {
			if v%3 == 1 && i == v/3%len(members) {
				continue // and the ballot under the words before is not one under these
			}
			_, err := d.do("ssh-keygen", "-q", "-Y", "sign", "-f", who, "-n", "sluice-vote@smallville", text)
			if err != nil {
				return motion{}, err
			}
			if err := os.Rename(filepath.Join(d.dir, text+".sig"),
				filepath.Join(d.dir, "motions", m.name, "ballots", who+".sig")); err != nil {
				return motion{}, err
			}
		}
		if _, err := d.do(d.bin, "motion", "enact", m.name); err != nil {
			return motion{}, err
		}
		var err error
		if m.raw, err = os.ReadFile(filepath.Join(d.dir, "motions", m.name, m.name+".sluice")); err != nil {
			return motion{}, err
		}
		d.chain = append(d.chain, m)
	}
	return d.chain[n], nil
}

// draft makes the directory what a motion is about, and the motion.
func (d *desk) draft(v int, m *motion) error {
	if v%3 == 2 {
		out, err := d.do(d.bin, "motion", "suspend", "2", "--reason", "a trial")
		if name := regexp.MustCompile(`suspend-2-v\d+`).FindString(out); name != "" {
			m.name = name
		}
		return err
	}
	var err error
	switch {
	case v > 0 && v%3 == 0:
		err = d.write("suspended.yaml", "suspended: []\n")
	case v > 0:
		m.title = fmt.Sprintf("Gates, version %d", v+1)
		err = d.write("decisions/gates.yaml",
			strings.Replace(cityFiles["policy/decisions/gates.yaml"], "Gates", fmt.Sprintf("%q", m.title), 1))
	}
	if err == nil {
		_, err = d.do(d.bin, "motion", "create", m.name)
	}
	return err
}

// council is what a world of signed policies knows of its votes.
type council struct {
	*desk
	known int  // motions in force, for certain
	hush  bool // the devices are suspended
}

// signed makes worlds that take signed policies only. The first motion is in the
// inbox before the first start, which a fault may end.
func (t *trial) signed(d *desk) func(seed uint64) (*world, error) {
	return func(seed uint64) (*world, error) {
		w, err := found(t.h, seed, "", "")
		if err != nil {
			return w, err
		}
		path := filepath.Join(w.dir, "gateway.yaml")
		raw, err := os.ReadFile(path)
		if err != nil {
			return w, err
		}
		text := strings.Replace(string(raw), "policy: {dir: policy}",
			fmt.Sprintf("policy: {inbox: inbox, every: PT1S, roster: %q}", d.pin), 1)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return w, err
		}
		w.council = &council{desk: d}
		if err := os.RemoveAll(filepath.Join(w.dir, "policy")); err != nil {
			return w, err
		}
		if err := os.Mkdir(filepath.Join(w.dir, "inbox"), 0o755); err != nil {
			return w, err
		}
		if err := w.spawn(w.policyFault(t.h.points)); err != nil {
			return w, err
		}
		if err := w.vote(); err != nil { // before anything flows
			return w, err
		}
		return w, w.join()
	}
}

// policyFault is a kill or an error at a step that a new policy takes.
func (w *world) policyFault(points []string) string {
	some := matching(points, "gateway/activation/", "gateway/publicbooks/decisions.go:",
		"gateway/ledger/policies.go:Enact", "gateway/publicbooks/kept.go:", "gateway/ledger/files.go:",
		"books/", "perm/")
	at := some[w.rnd.IntN(len(some))]
	kind := "kill"
	if strings.HasSuffix(at, ":before") {
		kind = []string{"kill", "eio", "enospc"}[w.rnd.IntN(3)]
	}
	return fmt.Sprintf("%s|%s|%d", at, kind, 1+w.rnd.IntN(3))
}

// vote puts the next motion into the inbox, half of the time as a slow copy that can
// be read before it is whole, and waits until it is in force. Then the clerk may take
// the file away: what is in force stays.
func (w *world) vote() error {
	m, err := w.council.nth(w.council.known)
	if err != nil {
		return err
	}
	path := filepath.Join(w.dir, "inbox", m.name+".sluice")
	if w.rnd.IntN(2) == 0 {
		if err := os.WriteFile(path, m.raw[:len(m.raw)/2], 0o644); err != nil {
			return err
		}
		time.Sleep(time.Duration(w.rnd.IntN(1500)) * time.Millisecond)
	}
	if err := os.WriteFile(path, m.raw, 0o644); err != nil {
		return err
	}
	before := w.council.known
	if err := w.until(w.patience, m.name+" to be in force", func() bool { return w.version() > before }); err != nil {
		return err
	}
	w.council.known++
	if w.council.hush = m.hushed; m.hushed {
		w.hush[w.hour] = true
	}
	w.inForce()
	if w.rnd.IntN(2) == 0 {
		return os.Remove(path)
	}
	return nil
}

// version is the policy's in force; what it says first is not there yet is 0.
func (w *world) version() int { return int(w.metrics()["sluice_policy_version"]) }

// inForce insists that the version is the last motion's, never an older one, and no
// later one, whatever was killed since.
func (w *world) inForce() {
	if w.council == nil {
		return
	}
	if m := w.metrics(); m != nil && int(m["sluice_policy_version"]) != w.council.known {
		w.wrong("version %v is in force; %d motions were, each once", m["sluice_policy_version"], w.council.known)
	}
}

// enacted reads a copy of the ledger: it has each motion once, in order.
func (w *world) enacted(ledger string) {
	if w.council == nil {
		return
	}
	n := 0
	err := query(ledger, "SELECT motion FROM policy WHERE motion IS NOT NULL ORDER BY n",
		func(scan func(...any) error) error {
			var raw []byte
			if err := scan(&raw); err != nil {
				return err
			}
			if n >= len(w.council.chain) || sha256.Sum256(raw) != sha256.Sum256(w.council.chain[n].raw) {
				w.wrong("the ledger's policy %d is not the motion of that number", n+1)
			}
			n++
			return nil
		})
	if err == nil && n != w.council.known {
		w.wrong("the ledger has %d motions; %d are in force", n, w.council.known)
	}
}

// told waits until residents read what is in force: its words and what is suspended.
func (w *world) told() error {
	if w.council == nil || w.council.known == 0 {
		return nil
	}
	m := w.council.chain[w.council.known-1]
	return w.until(w.patience, "the books to tell of "+m.name, func() bool {
		raw, err := fetch(w.pages + "/api/v1/decisions")
		var list struct {
			Decisions []struct {
				ID, State string
				Title     map[string]string
			}
		}
		if err != nil || json.Unmarshal(raw, &list) != nil {
			return false
		}
		right := 0
		for _, d := range list.Decisions {
			if d.ID == "1" && d.State == "in_force" && d.Title["en"] == m.title ||
				d.ID == "2" && (d.State == "suspended") == m.hushed {
				right++
			}
		}
		return right == 2
	})
}

// councils votes in every hour, amid kills and faults.
func councils(t *trial) {
	d, err := sit(t.h, t.scratch("desk"))
	if err != nil {
		t.row.wrong("%v", err)
		return
	}
	t.worlds(t.signed(d), func(w *world) error {
		when := w.rnd.IntN(4)
		if w.council.hush {
			w.hush[w.hour] = true
		}
		fault := ""
		if w.rnd.IntN(2) == 0 {
			fault = w.policyFault(t.h.points)
			w.kill()
			w.watch()
			if err := w.spawn(fault); err != nil {
				return err
			}
			w.up(w.patience)
		}
		err := w.play(func(part int) error {
			if part == when {
				if err := w.vote(); err != nil {
					return err
				}
			}
			if w.rnd.IntN(3) > 0 {
				return nil
			}
			w.Trials++
			if err := w.crash(); err != nil {
				return err
			}
			if ok, _ := w.up(w.patience); ok {
				w.inForce()
			}
			return nil
		})
		if err == nil {
			err = w.told()
		}
		if err != nil && fault != "" {
			return fmt.Errorf("under %s: %w", fault, err)
		}
		return err
	})
}
