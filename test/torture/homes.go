package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// slip is a home's sensor that never sends, and whose kind is misspelt now and then.
const slip = canary + "-slip"

// housing makes worlds in which each unit is a sensor of its own that stands for a
// home, under the same stream and the same bounds as the devices. The sensors' ids are
// canaries: whoever reads one knows a home.
func (t *trial) housing(seed uint64) (*world, error) {
	w, err := found(t.h, seed, "", "")
	if err != nil {
		return w, err
	}
	for name, edit := range map[string]*strings.Replacer{
		"policy/charter.yaml": strings.NewReplacer("{device: 400}", "{home: 400}"),
		"policy/kinds.yaml": strings.NewReplacer("  wifi-counter:", "  home-meter:\n    units: "+
			"[{sensor: true, stands_for: home}]\n    fields: [{name: power, type: float, class: measurement}]\n  "+
			"wifi-counter:"),
		"policy/decisions/devices.yaml": strings.NewReplacer("wifi-counter", "home-meter",
			"unit: {field: device, stands_for: device}", "unit: {sensor: home}", "keep: [device]", "keep: [power]"),
	} {
		path := filepath.Join(w.dir, name)
		raw, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, []byte(edit.Replace(string(raw))), 0o644)
		}
		if err != nil {
			return w, err
		}
	}
	w.homes = true
	if err := w.registers("home-meter"); err != nil {
		return w, err
	}
	// What remembers which sensors are homes is written soon after the first start. A gateway that never came so far
	// has shown none of them, and knows none.
	some := matching(t.h.points, "gateway/homes/record.go:", "perm/", "books/")
	if err := w.open(some[w.rnd.IntN(len(some))] + "|kill|1"); err != nil {
		return w, err
	}
	return w, w.until(w.patience, "homes to be remembered", func() bool {
		raw, err := os.ReadFile(filepath.Join(w.state(), "homes.json"))
		return err == nil && strings.Contains(string(raw), slip)
	})
}

// registers writes the register: as many homes as an epoch takes, and one of a kind.
func (w *world) registers(kind string) error {
	text := cityFiles["register.yaml"]
	for d := range epoch * 40 {
		text += fmt.Sprintf("  - {id: %s-%d, owner: acme, kind: home-meter, zone: square, registered: 2026-01-01}\n",
			canary, d)
	}
	text += fmt.Sprintf("  - {id: %s, owner: acme, kind: %s, zone: square, registered: 2026-01-01}\n", slip, kind)
	return os.WriteFile(filepath.Join(w.dir, "register.yaml"), []byte(text), 0o644)
}

// private insists that nothing public has a canary: neither a value of a reading nor
// a sensor that stands for a home.
func (w *world) private() {
	_ = filepath.WalkDir(filepath.Join(w.state(), "public"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if raw, err := os.ReadFile(path); err == nil && strings.Contains(string(raw), canary) {
			w.wrong("public/%s tells of a single device or home", d.Name())
		}
		return nil
	})
	for _, page := range []string{"/sensors", "/api/v1/sensors", "/api/v1/sensors?format=csv"} {
		if raw, err := fetch(w.pages + page); err == nil && strings.Contains(string(raw), canary) {
			w.wrong("%s tells of a single device or home", page)
		}
	}
}

// homes kills a gateway with homes, which now and then comes back to a register in
// which a slip has made a gate of one of them.
func homes(t *trial) {
	some := matching(t.h.points, "gateway/homes/record.go:", "gateway/publicbooks/register.go:",
		"gateway/activation/reload.go:", "gateway/publicbooks/kept.go:", "gateway/ledger/files.go:", "perm/", "books/")
	t.worlds(t.housing, func(w *world) error {
		if err := w.registers([]string{"home-meter", "people-gate", "home-metre"}[w.rnd.IntN(3)]); err != nil {
			return err
		}
		at := some[w.rnd.IntN(len(some))]
		w.kill()
		w.watch()
		if err := w.spawn(fmt.Sprintf("%s|kill|%d", at, 1+w.rnd.IntN(3))); err != nil {
			return err
		}
		w.up(w.patience)
		return w.play(func(int) error {
			if w.rnd.IntN(3) > 0 {
				return nil
			}
			w.Trials++
			return w.crash()
		})
	})
}
