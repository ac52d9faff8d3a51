package studio

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"sluice/internal/yamldoc"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/explain"
)

// maxRows bounds the members and the zones of a town that is founded; more can be added afterwards.
const maxRows = 100

// usualRows is how many members there is room for at first.
const usualRows = 3

// foundation is a town that is being founded: what its files will say.
type foundation struct {
	charter, council, zones any
	// own is whether the directory has zones.geojson already.
	own bool
	// at is the list that a button has changed: members or zones.
	at string
}

// emptyTown is one of which only what is suggested is said. Quorums are not: they follow the number of
// members, until they are written.
func (s *Server) emptyTown(l explain.Lang) (*foundation, error) {
	charter, err := value(s.blankFile(l, "charter.yaml"))
	if err != nil {
		return nil, err
	}
	council, err := value(s.blankFile(l, "council.yaml"))
	if err != nil {
		return nil, err
	}
	charter, err = yamldoc.With(charter, nil, "quorums")
	_, sum, unread := s.desk.Read(zonesName)
	return &foundation{charter: charter, council: council, zones: yamldoc.Pairs{}, own: sum != none},
		errors.Join(err, unread)
}

// rows adds empty members and zones.
func (t *foundation) rows(members, zones int) {
	f := &form{}
	for range min(members, maxRows) {
		t.council, _ = f.change(t.council, "add members")
	}
	for range min(zones, maxRows) {
		t.zones, _ = f.change(t.zones, "add zones")
	}
}

// forms are those of the town's files, as the page shows them.
func (t *foundation) forms(s *Server, l explain.Lang) (charter, council, zones *form) {
	files := bundle.Files{"charter.yaml": []byte(s.blankFile(l, "charter.yaml"))}
	c := choicesOf(files, l)
	charter = &form{choices: c, room: "charter", v: t.charter}
	charter.city()
	charter.limits()
	charter.lasting()
	charter.quorums()
	council = &form{choices: c, room: "charter", v: t.council}
	council.members()
	zones = &form{choices: c, room: "found", v: t.zones}
	if !t.own {
		zones.squares()
	}
	return charter.filledIn(), council.filledIn(), zones.filledIn()
}

// fill puts what was sent into the town.
func (t *foundation) fill(s *Server, l explain.Lang, sent url.Values) (err error) {
	charter, council, zones := t.forms(s, l)
	if t.charter, err = charter.fill(t.charter, sent); err != nil {
		return err
	}
	if t.council, err = council.fill(t.council, sent); err != nil {
		return err
	}
	t.zones, err = zones.fill(t.zones, sent)
	return err
}

// tidy takes out rows in which nothing is written.
func (t *foundation) tidy() (err error) {
	written := func(list []any, keys ...string) (out []any) {
		for _, row := range list {
			if slices.ContainsFunc(keys, func(key string) bool {
				return spelled(yamldoc.In(row, key)) != "" || len(entries(row, key)) > 0
			}) {
				out = append(out, row)
			}
		}
		return out
	}
	members := written(entries(t.council, "members"), "name", "id", "keys", "from", "until")
	if members == nil {
		members = []any{}
	}
	if t.council, err = yamldoc.With(t.council, members, "members"); err != nil {
		return err
	}
	t.zones, err = yamldoc.With(t.zones, written(entries(t.zones, "zones"), "name", "lat", "lon"), "zones")
	return err
}

// named are charter and council with short names where none is written. They are made anew of the names
// each time, since they stay for ever once the town is founded.
func (t *foundation) named() (charter, council any, err error) {
	charter, council = t.charter, t.council
	if spelled(yamldoc.In(charter, "city", "id")) == "" {
		id := orNothing(short(spelled(yamldoc.In(charter, "city", "name"))))
		if charter, err = yamldoc.With(charter, id, "city", "id"); err != nil {
			return nil, nil, err
		}
	}
	for i, m := range entries(council, "members") {
		if id := short(spelled(yamldoc.In(m, "name"))); id != "" && spelled(yamldoc.In(m, "id")) == "" {
			if council, err = yamldoc.With(council, id, "members", strconv.Itoa(i), "id"); err != nil {
				return nil, nil, err
			}
		}
	}
	return charter, council, nil
}

// withQuorums is the charter with the quorums that were left empty: a majority for what is new, half of
// the rest more for what weighs more, a third to stop.
func (t *foundation) withQuorums(v any) (_ any, err error) {
	n := len(entries(t.council, "members"))
	enact := n/2 + 1
	most := min(n, enact+(n-enact)/2)
	usual := map[string]int{"enact": enact, "weaken": most, "charter": most, "roster": most, "suspend": max(1, n/3)}
	for _, q := range asked {
		if yamldoc.In(v, "quorums", q) == nil {
			if v, err = yamldoc.With(v, int64(max(1, usual[q])), "quorums", q); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// files are the town's, comments in the page's language.
func (t *foundation) files(s *Server, l explain.Lang) (bundle.Files, error) {
	charter, council, err := t.named()
	if err != nil {
		return nil, err
	}
	if charter, err = t.withQuorums(charter); err != nil {
		return nil, err
	}
	out := bundle.Files{}
	for name, v := range map[string]any{"charter.yaml": charter, "council.yaml": council} {
		if out[name], err = yamldoc.Become([]byte(s.blankFile(l, name)), v); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	out["kinds.yaml"] = s.o.Kinds
	if !t.own {
		out[zonesName] = squaresFile(t.zones)
	}
	for _, name := range []string{"kinds.yaml", zonesName} {
		raw, sum, err := s.desk.Read(name)
		if err != nil {
			return nil, err
		}
		if sum != none {
			out[name] = raw
		}
	}
	return out, nil
}

// lastRow is the place of the last row of the list that a button has changed, or empty.
func (t *foundation) lastRow() string {
	if t.at == "" {
		return ""
	}
	return t.at + "." + strconv.Itoa(max(0, len(entries(t.council, t.at))+len(entries(t.zones, t.at))-1))
}

// longestName bounds the names of a city and of a member, which stand in headings.
const longestName = 80

// saidOf reports whether a finding is said already, in better words. Of what has no name the short name
// is missing, too.
func saidOf(f check.Finding, amiss []ownFinding) bool {
	at := strings.ReplaceAll(f.Place, "/", ".")
	if f.Rule == "S03" && len(f.Args) > 0 { // a key that is not there
		at = fmt.Sprintf("%s.%v", at, f.Args[0])
	}
	return slices.ContainsFunc(amiss, func(x ownFinding) bool {
		of, named := strings.CutSuffix(x.field, ".name")
		return x.field == at || named && at == of+".id"
	})
}

// lacks is what a town needs beyond what check asks of any policy: somebody who answers, somebody to
// ask, somebody who votes, and its ground.
func (t *foundation) lacks() (amiss []ownFinding) {
	switch name := spelled(yamldoc.In(t.charter, "city", "name")); {
	case name == "":
		amiss = append(amiss, ownFinding{"city.name", "found.need.name"})
	case utf8.RuneCountInString(name) > longestName:
		amiss = append(amiss, ownFinding{"city.name", "found.need.shorter"})
	}
	for _, who := range []string{"responsible", "dpo"} {
		if yamldoc.In(t.charter, "city", who, "name") == nil {
			amiss = append(amiss, ownFinding{"city." + who + ".name", "found.need." + who})
		}
	}
	if len(entries(t.council, "members")) == 0 {
		amiss = append(amiss, ownFinding{"members.0.name", "found.need.member"})
	}
	for i, m := range entries(t.council, "members") {
		at := "members." + strconv.Itoa(i)
		if name := spelled(yamldoc.In(m, "name")); name == "" || utf8.RuneCountInString(name) > longestName {
			amiss = append(amiss, ownFinding{at + ".name", "found.need.member-name"})
		}
		if len(entries(m, "keys")) == 0 {
			amiss = append(amiss, ownFinding{at + ".keys", "found.need.key"})
		}
	}
	if !t.own {
		amiss = append(amiss, badSquares(t.zones)...)
	}
	return amiss
}
