package verify

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"sluice/books"
)

// owners returns the gateway of each zone. Missing zones are no error.
func (c *checker) owners() (map[string]string, error) {
	raw, err := c.books.Zones()
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(raw) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var doc struct {
		Features []books.Zone `json:"features"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("zones.geojson: %w", err)
	}
	out := make(map[string]string)
	for _, z := range doc.Features {
		out[z.Name()] = z.Properties.Gateway
	}
	return out, nil
}

// ownZones checks that no stream has a zone of another gateway.
func (c *checker) ownZones(streams []books.Stream) error {
	if c.city.Gateway == "" || len(streams) == 0 { // books of before do not say whose they are
		return nil
	}
	owners, err := c.owners()
	if err != nil {
		return err
	}
	for _, s := range streams {
		if s.Stopped { // what it had may be another's now
			continue
		}
		for _, cell := range s.Cells {
			if of := owners[cell.Zone]; of != "" && of != c.city.Gateway {
				c.problem("stream %s has the zone %s, which zones.geojson gives to gateway %s", s.ID, cell.Zone, of)
				break
			}
		}
	}
	return nil
}

// name is the gateway's name in city.json, else in its last ledger line.
func (c *checker) name() string {
	if c.city.Gateway == "" && len(c.entries) > 0 {
		return "gateway " + c.entries[len(c.entries)-1].Gateway
	}
	return "gateway " + cmp.Or(c.city.Gateway, "without a name")
}

// elsewhere returns the gateways that have zones and whose books are not checked here. It
// also reports books of different cities.
func (w *walk) elsewhere() (list []string, err error) {
	var here []string
	for _, c := range w.of {
		here = append(append(here, c.city.Gateway), c.names...)
		if a, b := w.of[0].city, c.city; a.ID != "" && b.ID != "" && (a.ID != b.ID || a.Timezone != b.Timezone) {
			w.problem("%s is of city %s (%s), and %s of %s (%s)", w.of[0].name(), a.ID, a.Timezone, c.name(), b.ID,
				b.Timezone)
		}
	}
	for _, c := range w.of {
		owners, err := c.owners()
		if err != nil {
			return nil, err
		}
		for _, of := range owners {
			if of != "" && !slices.Contains(here, of) && !slices.Contains(list, of) {
				list = append(list, of)
			}
		}
	}
	slices.Sort(list)
	return list, nil
}

// ownNames checks that no books have lines under the name of a gateway that has books of
// its own: they could vouch for numbers that this gateway never released.
func (w *walk) ownNames() {
	for n, c := range w.of {
		for _, name := range c.names {
			for m, o := range w.of {
				mine, theirs := c.city.Gateway == name, o.city.Gateway == name
				if m != n && (theirs && !mine || theirs == mine && m < n && slices.Contains(o.names, name)) {
					c.problem("its books have lines of gateway %s, whose books are others", name)
					break
				}
			}
		}
	}
}

// charters lists the gateways' charters if they differ: for a while, while one gateway has
// not taken a motion yet, or for good, when a motion is for some gateways only. It is no
// problem of the numbers.
func (w *walk) charters() []string {
	var out []string
	first, differ := "", false
	for _, c := range w.of {
		if c.city.Charter == "" {
			continue // books of before do not say it
		}
		first = cmp.Or(first, c.city.Charter)
		differ = differ || c.city.Charter != first
		out = append(out, fmt.Sprintf("%s has %.8s", c.name(), c.city.Charter))
	}
	if !differ {
		return nil
	}
	return out
}
