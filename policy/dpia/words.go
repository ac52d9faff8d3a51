package dpia

import (
	"slices"
	"strings"

	"sluice/policy/bundle"
	"sluice/policy/decision"
	"sluice/register"
)

// parties are whom the charter names; who else must be named is left to people.
func (d *doc) parties() {
	city := d.p.Charter.City
	d.party("responsible", city.Responsible)
	d.party("dpo", city.DPO)
	if city.Responsible.Name == "" || city.DPO.Name == "" {
		d.todo("controller")
	}
}

// party is somebody of the charter with how to reach them, if it names anybody.
func (d *doc) party(key string, p decision.Party) {
	if p.Name == "" {
		return
	}
	parts := []string{p.Name, p.Address, p.Email, p.Phone, p.Web}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	d.line(d.say(key, cell(strings.Join(parts, ", "))))
}

// word is what the council calls an id, with the id; the id where it has no words for it.
func (d *doc) word(words map[string]string, id string) string {
	if text := d.l.Title(words); text != "" && text != id {
		return cell(text) + " (" + id + ")"
	}
	return id
}

func (d *doc) purpose(x *bundle.Decision) string {
	if text := d.l.Title(d.p.Charter.Names.Purposes[x.Purpose]); text != "" {
		return cell(text)
	}
	return cell(x.Purpose)
}

// kept are the fields that a decision keeps, by the first of its kinds that has words.
func (d *doc) kept(x *bundle.Decision) string {
	out := slices.Clone(x.Keep)
	for i, name := range x.Keep {
		for _, kind := range x.AppliesTo.Kinds {
			fields := d.p.Kinds[kind].Fields
			at := slices.IndexFunc(fields, func(f register.Field) bool { return f.Name == name && len(f.Names) > 0 })
			if at >= 0 {
				out[i] = d.word(fields[at].Names, name)
				break
			}
		}
	}
	return strings.Join(out, ", ")
}
