package register

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/internal/civil"
	"sluice/internal/yamldoc"
	"sluice/register/preset"
)

// Examine is Load, but continues after a fault: it returns the sensors that can be
// read, and every fault of the others. It fails only where a file cannot be read at
// all.
func Examine(path string, read func(path string) ([]byte, error)) (*Register, []Fault, error) {
	return examine(path, read, "", nil)
}

// Propose is Examine of a register with one more file, which is not there yet. The file's name is
// used in faults only. An empty path is a register of that file alone.
func Propose(path string, read func(path string) ([]byte, error), name string, raw []byte) (*Register, []Fault, error) {
	return examine(path, read, name, raw)
}

func examine(path string, read func(path string) ([]byte, error), name string, more []byte) (*Register, []Fault,
	error) {
	var files []string
	var found []Fault
	if path != "" {
		var err error
		if files, err = plainFiles(path); err != nil && (name == "" || !errors.Is(err, errNoFile)) {
			return nil, nil, err
		}
		found = misnamed(path)
	}
	lib, err := preset.Load(PresetsDir(path), read)
	if err != nil {
		return nil, nil, err
	}
	b := newBuilder(lib)
	b.fault = func(f Fault) error {
		found = append(found, f)
		return nil
	}
	for _, file := range files {
		raw, err := read(file)
		if err != nil {
			return nil, found, fmt.Errorf("register: %w", err)
		}
		if err := b.add(file, raw); err != nil {
			return nil, found, err
		}
	}
	if name != "" {
		if err := b.add(name, more); err != nil {
			return nil, found, err
		}
	}
	reg, err := b.done()
	if err == nil && len(reg.Sensors) == 0 && len(found) == 0 {
		found = append(found, Fault{File: path, Line: 1, Note: true, text: "no sensor is entered, so that whatever " +
			"is sent is refused; a gateway that reads it anew forgets the sensors that it knows"})
	}
	return reg, found, err
}

// misnamed returns a fault for each file of a directory that looks like a part of the
// register but is not read because of its name.
func misnamed(path string) (found []Fault) {
	entries, _ := os.ReadDir(path) // none, where it is a file
	for _, e := range entries {
		if n := e.Name(); strings.HasSuffix(strings.ToLower(n), ".yml") ||
			filepath.Ext(n) != ".yaml" && strings.EqualFold(filepath.Ext(n), ".yaml") {
			found = append(found,
				Fault{File: filepath.Join(path, n), Line: 1,
					text: "this file is not read; rename it to end in .yaml, or take it away"})
		}
	}
	return found
}

// GatewayUser is the user name that the gateway has at a broker, where it is given no other.
const GatewayUser = "gateway"

// Check says which entries a gateway takes and can do nothing with: nobody that is
// replaced, days in the wrong order, places that are not on earth. With the kinds
// and zones of a policy, which may be nil, it says as well what that does not know.
func (r *Register) Check(kinds map[string]Kind, zones *Zones) []Fault {
	c := checker{reg: r, kinds: kinds, zones: zones, ids: make(map[string]int, len(r.Sensors)),
		heirs: make(map[string]int), meant: make(map[string]string)}
	for n := range r.Sensors {
		c.ids[r.Sensors[n].ID] = n
	}
	for n := range r.Sensors {
		if r.Sensors[n].ID == GatewayUser {
			c.say(n, "this id is the gateway's own user name, so that sensor acl refuses the register; give the "+
				"sensor another id")
		}
		if r.Sensors[n].OnPatterns() && r.Sensors[n].Owner == GatewayUser {
			c.say(n,
				"its owner sends for it under the owner's name, and that is the gateway's own user name; call the "+
					"owner otherwise")
		}
		c.pointers(n)
		c.device(n)
		c.days(n)
		c.topic(n)
		c.place(n)
		c.kind(n)
	}
	return c.found
}

// CheckOwners says which of the owners that a decision gives a part of its bound have no
// sensor here; file and line are where the decision names them.
func (r *Register) CheckOwners(file string, line int, decision string, named []string) (found []Fault) {
	known := make(map[string]bool)
	for n := range r.Sensors {
		known[r.Sensors[n].Owner] = true
	}
	for _, owner := range named {
		if !known[owner] {
			found = append(found, Fault{File: file, Line: line, text: fmt.Sprintf("by_owner of decision %s names "+
				"%s, and no sensor of the register is of that owner; mend the name, or enter its sensors",
				quote(decision), quote(owner))})
		}
	}
	return found
}

// LeftOut says which sensors a decision would count but for their owner, who has no part
// of its bound; concerns is whether it would. Each owner is named once, with its first sensor.
func (r *Register) LeftOut(decision string, named []string, concerns func(*Sensor) bool) (found []Fault) {
	told := make(map[string]bool)
	for n := range r.Sensors {
		s := &r.Sensors[n]
		if told[s.Owner] || slices.Contains(named, s.Owner) || !concerns(s) {
			continue
		}
		told[s.Owner] = true
		f := r.fault(n, fmt.Sprintf("by_owner of decision %s does not name its owner %s, so that sensors of that "+
			"owner count nowhere in it; name the owner, or leave it so", quote(decision), quote(s.Owner)))
		f.Note = true
		found = append(found, f)
	}
	return found
}

type checker struct {
	reg   *Register
	kinds map[string]Kind
	zones *Zones
	ids   map[string]int
	heirs map[string]int    // who replaces whom, by the latter's id
	meant map[string]string // what an unknown name may mean, by it
	found []Fault
}

func (c *checker) say(n int, format string, args ...any) {
	c.found = append(c.found, c.reg.fault(n, fmt.Sprintf(format, args...)))
}

func (c *checker) days(n int) {
	s := &c.reg.Sensors[n]
	if s.Until != (civil.Date{}) && s.Until.String() < s.Registered.String() {
		c.say(n, "until is before registered, so that it never counts; mend one of them")
	}
	if s.Replaces == "" {
		return
	}
	heir, twice := c.heirs[s.Replaces]
	c.heirs[s.Replaces] = n
	switch _, known := c.ids[s.Replaces]; {
	case s.Replaces == s.ID:
		c.say(n, "replaces itself; name the sensor that stood there before, or take replaces out")
	case !known:
		c.say(n, "replaces %s, and there is no such sensor; mend the id, or take replaces out", quote(s.Replaces))
	case c.reg.Sensors[c.ids[s.Replaces]].Replaces == s.ID:
		c.say(n, "replaces %s, which replaces it, so that one of them never counts; take one replaces out",
			quote(s.Replaces))
	case s.Registered.String() < c.reg.Sensors[c.ids[s.Replaces]].Registered.String():
		c.say(n, "replaces %s, which is registered later than it, so that that one never counts; mend registered, "+
			"or take replaces out", quote(s.Replaces))
	case twice:
		c.say(n, "replaces %s, as does %s; one sensor makes way for one", quote(s.Replaces), c.reg.Where(heir))
	}
}

func (c *checker) place(n int) {
	s := &c.reg.Sensors[n]
	if s.Lat != nil && !(math.Abs(*s.Lat) <= 90 && math.Abs(*s.Lon) <= 180) {
		c.say(n,
			"lat and lon are not on earth; mend them: lat is within -90 to 90 and lon within -180 to 180, in degrees")
		return
	}
	if c.zones == nil {
		return
	}
	switch zone := s.ZoneOf(c.zones); {
	case zone == "" && c.turned(s):
		c.say(n, "lat and lon are in no zone of the policy, and would be in one the other way round; lat is the "+
			"degrees north, write them so")
	case zone == "":
		c.say(n, "lat and lon are in no zone of the policy, so that nothing of it is kept; mend them, or name the zone")
	case !c.zones.Has(zone):
		c.say(n, "the policy has no zone %s, so that nothing of it is kept; %s", quote(zone),
			c.among("its zones are in zones.geojson", zone, c.zones.IDs()))
	}
}

// turned reports whether the coordinates are in a zone when they change places.
func (c *checker) turned(s *Sensor) bool {
	_, in := c.zones.Locate(*s.Lon, *s.Lat)
	return in
}

// maxMeant are the unknown names of which it is looked what they may mean: each is held
// against all that are known, and nobody reads as many.
const maxMeant = 100

// among points at where the right names are, and at the one that may have been meant.
func (c *checker) among(where, name string, known []string) string {
	key := where + " " + name
	near, looked := c.meant[key]
	if !looked && len(c.meant) < maxMeant {
		near = yamldoc.Nearest(name, known)
		c.meant[key] = near
	}
	if near != "" {
		return "did you mean " + quote(near) + "? " + where
	}
	return where
}

// topic looks at names below the gateway's own; those of another sensor are refused
// when the files are read.
func (c *checker) topic(n int) {
	s := &c.reg.Sensors[n]
	below, own := strings.CutPrefix(s.Topic, "city/v1/")
	if !own || s.Topic == s.base()+"/up" {
		return
	}
	part := strings.Split(below, "/")
	if of, known := c.ids[part[min(1, len(part)-1)]]; !known || c.reg.Sensors[of].Owner != part[0] {
		c.say(n, "topics below city/v1/ are the gateway's to give; take topic out, and %s is the sensor's",
			quote(s.base()+"/up"))
	}
}

func (c *checker) kind(n int) {
	s := &c.reg.Sensors[n]
	if c.kinds == nil {
		return
	}
	kind, known := c.kinds[s.Kind]
	if !known {
		c.say(n, "the policy has no kind %s, so that nothing of it is kept; %s", quote(s.Kind),
			c.among("its kinds are in kinds.yaml", s.Kind, slices.Collect(maps.Keys(c.kinds))))
		return
	}
	c.profile(n, kind)
	if tells := func(u KindUnit) bool { return u.Field != "" }; s.Quota > 0 && slices.ContainsFunc(kind.Units, tells) {
		c.note(n, "quota bounds nothing in streams about those that the sensor tells of, as most of kind %s are",
			s.Kind)
	}
	for _, field := range s.Unmapped(kind) {
		if field == "ts" || field == "seq" || field == "boot" {
			c.say(n, "map: %s is no field of kind %s, so that it is dropped; a reading has its %[1]s at its root, "+
				"under that name, and no map moves it", field, s.Kind)
			continue
		}
		c.say(n, "map: kind %s has no field %s, so that it is dropped; %s", s.Kind, quote(field),
			c.among("its fields are "+strings.Join(fieldsOf(kind), ", "), field, fieldsOf(kind)))
	}
}

// Unmapped are the fields that the entry maps and its kind does not have, sorted.
func (s *Sensor) Unmapped(k Kind) []string {
	if len(s.Map) == 0 {
		return nil
	}
	known := fieldsOf(k)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.Map)), func(f string) bool { return slices.Contains(known, f) })
}

func fieldsOf(k Kind) []string {
	var list []string
	for _, f := range k.Fields {
		list = append(list, f.Name)
	}
	return list
}
