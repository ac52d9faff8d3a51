package studio

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/yamldoc"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/council"
	"sluice/policy/diff"
	"sluice/policy/explain"
)

// formFor is the form of a file.
func formFor(file string, c choices, v any) *form {
	f := &form{choices: c, room: "charter", v: v}
	switch file {
	case "charter.yaml":
		f.city()
		f.limits()
		f.kindsOfPeople()
		f.lasting()
		f.quorums()
		f.purposesInWords()
	case "council.yaml":
		f.members()
		f.add(group{Key: "revoked", Fields: []field{keyLines("revoked")}})
	default:
		return formOf(c, v)
	}
	return f.filledIn()
}

// zones of time, to choose from; any other of the IANA database can be written.
var timezones = strings.Fields(`Europe/Madrid Atlantic/Canary Africa/Ceuta Europe/Andorra Europe/Amsterdam
	Europe/Athens Europe/Berlin Europe/Brussels Europe/Bucharest Europe/Budapest Europe/Copenhagen Europe/Dublin
	Europe/Helsinki Europe/Lisbon Europe/Ljubljana Europe/London Europe/Luxembourg Europe/Oslo Europe/Paris
	Europe/Prague Europe/Riga Europe/Rome Europe/Sofia Europe/Stockholm Europe/Tallinn Europe/Vienna Europe/Vilnius
	Europe/Warsaw Europe/Zagreb Europe/Zurich America/Bogota America/Buenos_Aires America/Mexico_City
	America/New_York America/Santiago UTC`)

// city is who the city is, and whom residents can reach.
func (f *form) city() {
	f.add(group{Key: "city", Fields: []field{
		{Name: "city.name"}, {Name: "city.id"},
		checks(field{Name: "city.languages", Options: []option{
			{Value: "ca", Label: languages["ca"]}, {Value: "en", Label: languages["en"]},
			{Value: "es", Label: languages["es"]}}}),
		{Name: "city.timezone", Sort: "list", Options: plain(timezones...)},
	}})
	f.party("responsible", "name", "address", "email", "phone", "web")
	f.party("dpo", "name", "email", "phone", "web")
	f.party("authority", "name", "web")
	f.party("accessibility", "name", "web")
}

// party is somebody whom residents can reach. One of whom nothing is said is not in the file.
func (f *form) party(who string, parts ...string) {
	var fields []field
	for _, part := range parts {
		x := field{Name: "city." + who + "." + part, Label: say(f.l, "charter.party."+part)}
		x.write = func(v any, said []string) (any, error) {
			v, err := yamldoc.With(v, orNothing(strings.Join(said, " ")), x.Path()...)
			if left, _ := yamldoc.In(v, "city", who).(yamldoc.Pairs); err == nil && len(left) == 0 {
				return yamldoc.With(v, nil, "city", who)
			}
			return v, err
		}
		fields = append(fields, x)
	}
	f.add(group{Key: who, Fields: fields})
}

// classes of fields, the most personal first.
var classes = []string{"credential", "free-text", "identifier", "location", "quasi-identifier", "measurement"}

// limits are those that no decision goes below.
func (f *form) limits() {
	fields := []field{{Name: "min_units", Sort: "number"}, {Name: "max_contributions", Sort: "number"}}
	budgets, _ := yamldoc.In(f.v, "epsilon_per_day").(yamldoc.Pairs)
	for _, b := range budgets {
		if strings.Contains(b.Key, ".") {
			continue // a field's name has dots between steps
		}
		fields = append(fields, field{Name: "epsilon_per_day." + b.Key, Sort: "number",
			Label: say(f.l, "charter.budget", f.l.One(b.Key)), Help: say(f.l, "charter.help.budget")})
	}
	var forbidden []option
	for _, class := range classes {
		forbidden = append(forbidden, option{Value: class, Label: say(f.l, "charter.class."+class)})
	}
	f.add(group{Key: "limits", Fields: append(fields, field{Name: "delta_per_day", Sort: "number"},
		checks(field{Name: "floors", Options: []option{
			{Value: "exact", Label: say(f.l, "draft.floor.exact")},
			{Value: "noisy", Label: say(f.l, "draft.floor.noisy")}}}),
		checks(field{Name: "forbidden_classes", Options: forbidden}))})
}

func (f *form) kindsOfPeople() {
	f.add(group{Key: "people", Fields: []field{
		checks(field{Name: "kinds_about_people", Options: f.ofKinds()}),
		orNone(checks(field{Name: "kinds_not_about_people", Options: f.ofKinds()})),
	}})
}

// orNone is a list that is not in the file where it is empty.
func orNone(x field) field {
	write := x.write
	x.write = func(v any, said []string) (any, error) {
		v, err := write(v, said)
		if err == nil && len(entries(v, x.Path()...)) == 0 {
			return yamldoc.With(v, nil, x.Path()...)
		}
		return v, err
	}
	return x
}

// lasting are the limits in time.
func (f *form) lasting() {
	f.add(group{Key: "times", Fields: []field{
		{Name: "sunset_max", Sort: "select", Options: f.periods("P3M", "P6M", "P1Y", "P2Y", "P5Y")},
		{Name: "notice_days", Sort: "number"},
		{Name: "blackout_max", Sort: "select", Options: f.periods("P1D", "P3D", "P7D")},
	}})
}

// asked are the charter's quorums.
var asked = []string{"enact", "weaken", "charter", "roster", "suspend"}

func (f *form) quorums() {
	var fields []field
	for _, q := range asked {
		fields = append(fields, field{Name: "quorums." + q, Sort: "number"})
	}
	f.add(group{Key: "quorums", Fields: fields})
}

// purposesInWords are what measuring may be for, and what residents read of it.
func (f *form) purposesInWords() {
	list := wordList(field{Name: "purposes"})
	fields := []field{list}
	for _, id := range list.read(f.v) {
		for _, id := range strings.Fields(id) {
			for _, code := range f.tongues() {
				if !strings.Contains(id, ".") {
					fields = append(fields, field{Name: "names.purposes." + id + "." + code, Lang: code, Label: id})
				}
			}
		}
	}
	f.add(group{Key: "purposes", Fields: fields})
}

// members are who may vote, and with which keys.
func (f *form) members() {
	list := entries(f.v, "members")
	for i := range list {
		at := "members." + strconv.Itoa(i)
		f.add(group{Key: "member", N: i + 1, Fields: []field{{Name: at + ".name"}, {Name: at + ".id"},
			keyLines(at + ".keys"), {Name: at + ".from", Sort: "date"}, {Name: at + ".until", Sort: "date"}},
			Buttons: []button{f.drop(at, "member")}})
	}
	if len(list) == 0 {
		f.add(group{Key: "nobody"})
	}
	last := &f.groups[len(f.groups)-1]
	last.Buttons = append(last.Buttons, f.more("members"))
}

// errPrivate: what was pasted is the half of a key that nobody else may have.
var errPrivate = &fault{http.StatusUnprocessableEntity, "charter.private"}

// keyLines is a field of public keys, a line each.
func keyLines(name string) field {
	x := field{Name: name, Sort: "keys"}
	x.read = func(v any) []string { return one(strings.Join(listed(v, x.Path()...), "\n")) }
	x.write = func(v any, said []string) (any, error) {
		keys := []any{}
		for line := range strings.Lines(strings.Join(said, "\n")) {
			if strings.Contains(line, "PRIVATE KEY") {
				return nil, errPrivate
			}
			if line = strings.TrimSpace(line); line != "" {
				keys = append(keys, line)
			}
		}
		if len(keys) == 0 && len(x.Path()) == 1 { // revoked, of which there need be none
			return yamldoc.With(v, nil, x.Path()...)
		}
		return yamldoc.With(v, keys, x.Path()...)
	}
	return x
}

// unreachable are the charter's quorums that the council, as it is here, has too few members for: the
// charter's page says it at their fields.
func (p *draftPage) unreachable(look *look, l explain.Lang) (list []string) {
	for _, f := range look.of("charter.yaml") {
		if p.File == "council.yaml" && f.Rule == "K01" {
			list = append(list, inWords([]check.Finding{f}, l)[0].What+".")
		}
	}
	return list
}

// weighs fills in what the page of charter or council says of the vote: who must agree to what it
// changes.
func (p *draftPage) weighs(look *look, l explain.Lang) {
	whole, err := bundle.Read(look.files)
	if err != nil {
		p.Needs = []string{say(l, "charter.unknown")}
		return
	}
	before, voters := diff.Before{Policy: look.inForce}, whole.Council
	if look.inForce != nil {
		voters = look.inForce.Council
	}
	all := diff.Compare(before, whole)
	mine := slices.DeleteFunc(slices.Clone(all), func(c diff.Change) bool { return c.About != p.File })
	n, quorums := council.Quorum(look.inForce, whole, mine)
	switch {
	case look.inForce == nil:
		n, _ = council.Quorum(nil, whole, all)
		p.Needs = []string{say(l, "charter.first", n, len(voters.Members))}
	case len(mine) == 0:
		p.Needs = []string{say(l, "charter.same")}
	default:
		var words []string
		for _, q := range quorums {
			words = append(words, say(l, "charter.quorum."+string(q)))
		}
		p.Needs = []string{say(l, "charter.votes", n, len(voters.Members), l.List(words))}
		if days := council.Notice(look.inForce, whole, mine); days > 0 {
			p.Needs = append(p.Needs, sayN(l, "charter.notice", days))
		}
	}
	p.Needs = append(p.Needs, say(l, "charter.draft-only"))
	if look.inForce != nil {
		p.Changes = changes(look.inForce, whole, p.File, l)
	}
}
