package council

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"sluice/internal/civil"
	"sluice/policy/diff"
	"sluice/policy/explain"
)

// What a page has room for; the annexes have the rest, and it is said how much.
const (
	pageDecisions = 4
	pageChanges   = 7
)

// paged is the text since format 5: a page for people in each language, annexes in
// each, the roster of a first motion, and the head.
func (m *Motion) paged(v vote) ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%d\n", prefix, m.format())
	langs := languages(v.next)
	for _, l := range langs {
		b.WriteString("\n" + underlined(sentences["language"][l], "=") + "\n")
		m.page(&b, l, v)
	}
	b.WriteString("\n")
	for _, l := range langs {
		b.WriteString(underlined(fmt.Sprintf(pageWords["annex"][l], sentences["language"][l]), "=") + "\n")
		if err := m.annex(&b, l, v); err != nil {
			return nil, err
		}
	}
	titles := make([]string, len(langs))
	for i, l := range langs {
		titles[i] = pageWords["digests"][l]
	}
	b.WriteString(underlined(strings.Join(titles, " / "), "=") + "\n")
	for _, c := range v.changes {
		if v.technical(c) {
			fmt.Fprintf(&b, "%s - %s\n", explain.Plain(c.About), c.Words(langs[0]))
		}
	}
	if v.before == nil {
		b.WriteString("\n")
	}
	b.WriteString(m.head(v))
	return []byte(b.String()), nil
}

// technical changes are keys and digests of a first motion, which are the same in
// every language and stand before the head.
func (v vote) technical(c diff.Change) bool {
	what, _, _ := strings.Cut(c.Key, " ")
	return v.before == nil && (c.About == "council.yaml" && what == "member" || c.About == "zones.geojson" && what == "file")
}

// annex is every change and every decision that is touched, whole.
func (m *Motion) annex(b *strings.Builder, l explain.Lang, v vote) error {
	rest := v
	rest.changes = nil
	for _, c := range v.changes {
		if !v.technical(c) {
			rest.changes = append(rest.changes, c)
		}
	}
	var body strings.Builder
	if err := m.everything(&body, l, rest); err != nil {
		return err
	}
	b.WriteString(strings.TrimRight(body.String(), "\n") + "\n\n")
	return nil
}

// page is one page for who has to decide: what, for whom, from when, and how to sign.
func (m *Motion) page(b *strings.Builder, l explain.Lang, v vote) {
	line := func(key string, args ...any) {
		b.WriteString(explain.Elide(l, explain.Plain(fmt.Sprintf(pageWords[key][l], args...))) + "\n")
	}
	part := func(key string) { b.WriteString("\n" + underlined(pageWords[key][l], "-")) }
	line("intro", m.ID, m.Version, v.next.Charter.City.Name)
	part("decided")
	m.summaries(b, l, v)
	part("changes")
	m.highlights(b, l, v)
	part("when")
	loc := v.next.Location
	if v.before != nil {
		loc = v.before.Location
	}
	if v.from.After(m.Created) {
		line("from", moment(l, v.from, loc), loc)
	} else {
		line("at once")
	}
	line("until", moment(l, m.Expires, loc), loc)
	if len(m.Gateways) > 0 {
		line("gateways", l.List(m.Gateways))
	}
	part("quorum")
	line(or(v.needed == 1, "signs", "sign"), v.needed, v.members, v.quorums())
	part("how")
	line("read")
	fmt.Fprintf(b, "\n  ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n %s motion.txt\n\n", NamespaceOf(m.City))
	line("send")
	part("against")
	line("nothing")
}

func or(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// summaries are the decisions that are touched, in a few lines each.
func (m *Motion) summaries(b *strings.Builder, l explain.Lang, v vote) {
	var more, rest []string
	shown := 0
	for i := range v.next.Decisions {
		d := &v.next.Decisions[i]
		read, _ := v.touched(d.Decision)
		switch {
		case !read:
			rest = append(rest, d.Decision)
		case shown == pageDecisions:
			more = append(more, d.Decision)
		default:
			shown++
			for n, line := range explain.Summary(l, v.next, d) {
				b.WriteString(or(n == 0, "* ", "  ") + line + "\n")
			}
		}
	}
	line := func(key string, args ...any) {
		b.WriteString(explain.Plain(fmt.Sprintf(pageWords[key][l], args...)) + "\n")
	}
	if len(more) > 0 {
		line("also", l.List(more))
	}
	if len(rest) > 0 {
		line("unsaid", l.List(rest))
	}
	if len(v.next.Decisions) == 0 {
		line("no decision")
	}
	if v.before == nil {
		line("founding", len(v.next.Council.Members), len(v.next.Kinds), len(v.next.Zones.IDs()))
	}
}

// digests are shortened on a page; the annex has them whole.
var digests = regexp.MustCompile(`((?:SHA|sha)256:[A-Za-z0-9+/]{8})[A-Za-z0-9+/]+`)

// highlights are the changes, the weaker ones first, as far as there is room; of a
// first motion those that are neither weaker nor stronger are in the annex only.
func (m *Motion) highlights(b *strings.Builder, l explain.Lang, v vote) {
	var list []diff.Change
	for _, c := range v.changes {
		if v.before != nil || c.Mark != diff.Neutral {
			list = append(list, c)
		}
	}
	shown := list[:min(len(list), pageChanges)]
	for _, c := range shown {
		b.WriteString(digests.ReplaceAllString(bullet(l, c), "$1…"))
	}
	if len(list) == 0 {
		b.WriteString(sentences["none"][l] + "\n")
	}
	if left := list[len(shown):]; len(left) > 0 {
		weaker := 0
		for _, c := range left {
			if c.Mark == diff.Weaker {
				weaker++
			}
		}
		b.WriteString(fmt.Sprintf(pageWords["more"][l], len(left), weaker) + "\n")
	}
	b.WriteString("(" + sentences["legend"][l] + ")\n")
}

// moment is an instant in words: 10 December 2026, 00:00.
func moment(l explain.Lang, t time.Time, loc *time.Location) string {
	y, m, d := t.In(loc).Date()
	return l.Date(civil.Date{Year: y, Month: int(m), Day: d}) + ", " + t.In(loc).Format("15:04")
}

var pageWords = map[string][3]string{
	"intro": {
		"Motion %s, version %d: the rules by which the city of %s measures its streets.",
		"Moció %s, versió %d: les normes amb què la ciutat de %s mesura els seus carrers.",
		"Moción %s, versión %d: las normas con las que la ciudad de %s mide sus calles.",
	},
	"decided":  {"What is decided", "Què es decideix", "Qué se decide"},
	"changes":  {"What changes for residents", "Què canvia per als veïns", "Qué cambia para los vecinos"},
	"when":     {"From when", "A partir de quan", "A partir de cuándo"},
	"quorum":   {"How many must sign", "Quants han de signar", "Cuántos deben firmar"},
	"how":      {"How to sign", "Com se signa", "Cómo se firma"},
	"against":  {"If you do not agree", "Si no hi esteu d'acord", "Si no está de acuerdo"},
	"annex":    {"Annex: %s", "Annex: %s", "Anexo: %s"},
	"digests":  {"Annex: keys and digests", "Annex: claus i empremtes", "Anexo: claves y huellas"},
	"also":     {"The same is decided of %s; the annex has them.", "També es decideix sobre %s; són a l'annex.", "También se decide sobre %s; están en el anexo."},
	"unsaid":   {"Decisions that stay as they are: %s.", "Decisions que es queden com estan: %s.", "Decisiones que se quedan como están: %s."},
	"founding": {"For the first time also: the charter, the roster (members: %d), kinds of sensors (%d) and zones (%d); the annex says all of them.", "Per primera vegada, també: la carta, el cens (membres: %d), tipus de sensors (%d) i zones (%d); l'annex ho diu tot.", "Por primera vez, también: la carta, el censo (miembros: %d), tipos de sensores (%d) y zonas (%d); el anexo lo dice todo."},

	"no decision": {"There is no decision: nothing is measured.", "No hi ha cap decisió: no es mesura res.", "No hay ninguna decisión: no se mide nada."},
	"more":        {"And more changes in the annex: %d, of which weaker: %d.", "I més canvis a l'annex: %d, dels quals més febles: %d.", "Y más cambios en el anexo: %d, de los cuales más débiles: %d."},
	"from":        {"From %s on (%s), if it is enacted by then; otherwise as soon as it is.", "A partir del %s (%s), si llavors està aprovada; si no, tan bon punt s'aprovi.", "A partir del %s (%s), si entonces está aprobada; si no, en cuanto se apruebe."},
	"at once":     {"As soon as it is enacted.", "Tan bon punt s'aprovi.", "En cuanto se apruebe."},
	"until":       {"It can be enacted until %s (%s); after that it is void.", "Es pot aprovar fins al %s (%s); després deixa de valer.", "Se puede aprobar hasta el %s (%s); después deja de valer."},
	"gateways":    {"It is for these gateways only: %s.", "Només és per a aquestes passarel·les: %s.", "Solo es para estas pasarelas: %s."},
	"signs":       {"%d of %d members must sign (quorum of the charter: %s).", "Ha de signar %d de %d membres (quòrum de la carta: %s).", "Debe firmar %d de %d miembros (quórum de la carta: %s)."},
	"sign":        {"%d of %d members must sign (quorum of the charter: %s).", "Han de signar %d de %d membres (quòrum de la carta: %s).", "Deben firmar %d de %d miembros (quórum de la carta: %s)."},
	"read":        {"Read this page, and of the annex what you want to know. A signature is for the whole text. Then, where this file is:", "Llegiu aquesta pàgina, i de l'annex el que vulgueu saber. La signatura val per a tot el text. Després, allà on és aquest fitxer:", "Lea esta página, y del anexo lo que quiera saber. La firma vale para todo el texto. Después, donde está este fichero:"},
	"send":        {"and send the file motion.txt.sig back to who sent you this one.", "i retorneu el fitxer motion.txt.sig a qui us ha enviat aquest.", "y devuelva el fichero motion.txt.sig a quien le ha enviado este."},
	"nothing":     {"Do not sign. Only signatures count; without enough of them nothing changes.", "No signeu. Només compten les signatures; si no n'hi ha prou, no canvia res.", "No firme. Solo cuentan las firmas; si no hay suficientes, no cambia nada."},
}
