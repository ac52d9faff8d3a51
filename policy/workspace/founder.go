package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/perm"
	"sluice/policy/ballot"
	"sluice/policy/bundle"
	"sluice/policy/council"
	"sluice/policy/schema"
)

// Member is a councillor to be: a short name and the line of a public key.
type Member struct{ ID, Key string }

// MakeKey writes an ed25519 key pair as ssh-keygen does, the private half for its
// owner only, and returns the public line. A pair that is there is kept.
func MakeKey(path, comment string) (string, error) {
	if raw, err := os.ReadFile(path + ".pub"); err == nil {
		return strings.TrimSpace(string(raw)), nil
	}
	private, line, err := ballot.Generate(comment)
	if err != nil {
		return "", err
	}
	if err := perm.Dir(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	if err := perm.Create(path, private, 0o600); errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%s is there and %s.pub is not; write it with ssh-keygen -y, or move the key away", path,
			path)
	} else if err != nil {
		return "", err
	}
	return line, perm.Replace(path+".pub", []byte(line+"\n"), 0o644)
}

// Roster is council.yaml with these members.
func Roster(members []Member) []byte {
	var b strings.Builder
	b.WriteString("# yaml-language-server: $schema=schema/council.schema.json\n# Who may vote, and with which keys: " +
		"the line of each member's id_ed25519.pub.\nversion: 1\nmembers:\n")
	for _, m := range members {
		fmt.Fprintf(&b, "  - {id: %s, name: %q, keys: [%q]}\n", m.ID, strings.ToUpper(m.ID[:1])+m.ID[1:], m.Key)
	}
	return []byte(b.String())
}

// Found lays out a desk where there is none: a charter whose quorums fit the
// number of members, the roster, kinds (of sensors) to begin with, one zone, no decision.
func (d Dir) Found(members []Member, kinds []byte) error {
	if _, err := os.Stat(filepath.Join(string(d), "charter.yaml")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	n := len(members)
	enact := n/2 + 1
	most := min(n, enact+(n-enact)/2)
	charter := fmt.Sprintf(`# yaml-language-server: $schema=schema/charter.schema.json
# The floor below which no decision of this town can go. Write your town's name and time zone here.
# Its id can be changed only while motions/ is empty: a city keeps the id of its first motion.
city:
  id: town
  name: Our town
  timezone: Europe/Madrid
  languages: [en, ca, es]
purposes: [pedestrian-planning, public-transport, environment]
forbidden_classes: [free-text, credential]
kinds_about_people: [wifi-counter, card-reader]
min_units: 10
epsilon_per_day: {device: 1, card: 1}
delta_per_day: 1e-5
max_contributions: 4
sunset_max: P1Y
notice_days: 0                 # days between a vote and what it weakens; 14 is common
blackout_max: P3D
# How many of the %d members must sign: a new decision, what protects less, this file, the roster, a suspension.
quorums: {enact: %d, weaken: %d, charter: %d, roster: %d, suspend: %d}
# What residents read instead of an id.
names:
  purposes:
    pedestrian-planning: {ca: planificar l'espai per a vianants, es: planificar el espacio para peatones,
      en: planning for pedestrians}
    public-transport: {ca: transport públic, es: transporte público, en: public transport}
    environment: {ca: medi ambient, es: medio ambiente, en: environment}
`, n, enact, most, most, most, max(1, n/3))
	files := bundle.Files{
		"charter.yaml": []byte(charter), "council.yaml": Roster(members), "kinds.yaml": kinds,
		"zones.geojson": []byte(`{"type": "FeatureCollection", "features": [
{"type": "Feature", "id": "square", "properties": {"name": "The Square"}, ` +
			`"geometry": {"type": "Polygon", "coordinates": ` +
			`[[[2.1, 41.3], [2.106, 41.3], [2.106, 41.305], [2.1, 41.305], [2.1, 41.3]]]}}
]}
`),
	}
	if err := os.MkdirAll(string(d), 0o755); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := d.Put(name, files[name]); err != nil {
			return err
		}
	}
	return d.Schemas()
}

// Schemas writes the schemas for editors beside the policy.
func (d Dir) Schemas() error {
	entries, err := schema.FS.ReadDir(".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		raw, err := schema.FS.ReadFile(e.Name())
		if err != nil {
			return err
		}
		if err := d.Put(path.Join("schema", e.Name()), raw); err != nil {
			return err
		}
	}
	return nil
}

// Pin is the hash of the first roster, as gateway.yaml wants it.
func (d Dir) Pin() (string, error) {
	chain, err := d.Chain()
	if err != nil {
		return "", err
	}
	if len(chain) > 0 {
		return "sha256:" + chain[0].Roster, nil
	}
	raw, err := os.ReadFile(filepath.Join(string(d), "council.yaml"))
	return "sha256:" + council.Sum(raw), err
}

// FoundAlone makes the first motion and signs it with a key that this program
// generated: for a town with a single founding member, which is stated wherever the
// motion is shown.
func (d Dir) FoundAlone(member, keyFile, inbox string, now time.Time) error {
	p, err := d.Draft()
	if err != nil {
		return err
	}
	m, err := d.Create(Order{ID: "founding", Now: now, Policy: p})
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(d.Motion(m.ID), council.TextName))
	if err != nil {
		return err
	}
	sig, err := ballot.Sign(raw, text, council.NamespaceOf(m.City))
	if err != nil {
		return err
	}
	if err := d.Put(path.Join("motions", m.ID, council.BallotsName, member+".sig"), sig.File()); err != nil {
		return err
	}
	_, _, _, err = d.Enact(m.ID, now, []string{inbox})
	return err
}
