package diff

import (
	"fmt"
	"strings"

	"sluice/policy/explain"
)

var marks = [3][3]string{{"neutral", "stronger", "weaker"}, {"neutre", "més fort", "més feble"}, {"neutro", "más fuerte", "más débil"}}

// Word is the mark in a language.
func (m Mark) Word(l explain.Lang) string { return marks[l][m] }

// labels name keys for people; a key that is not here is its own label.
var labels = map[string][3]string{
	"title":                     {"title", "títol", "título"},
	"stream":                    {"stream", "sèrie", "serie"},
	"purpose":                   {"purpose", "finalitat", "finalidad"},
	"legal_basis":               {"legal basis", "base jurídica", "base jurídica"},
	"applies_to.kinds":          {"kinds of sensors", "tipus de sensors", "tipos de sensores"},
	"applies_to.zones":          {"zones", "zones", "zonas"},
	"unit":                      {"whom it protects", "a qui protegeix", "a quién protege"},
	"keep":                      {"fields that are kept", "camps que es guarden", "campos que se guardan"},
	"where":                     {"which readings count", "quines lectures compten", "qué lecturas cuentan"},
	"generalise":                {"rounding", "arrodoniment", "redondeo"},
	"place":                     {"place", "lloc", "lugar"},
	"publish.every":             {"published every", "es publica cada", "se publica cada"},
	"publish.lateness":          {"time for late readings", "temps per a lectures tardanes", "tiempo para lecturas tardías"},
	"publish.by":                {"told apart by", "es distingeix per", "se distingue por"},
	"publish.measures":          {"published numbers", "nombres publicats", "números publicados"},
	"protect.min_units":         {"smallest group", "grup més petit", "grupo más pequeño"},
	"protect.epsilon":           {"privacy budget (epsilon)", "pressupost de privadesa (èpsilon)", "presupuesto de privacidad (épsilon)"},
	"protect.delta":             {"chance of failure (delta)", "probabilitat de fallada (delta)", "probabilidad de fallo (delta)"},
	"protect.max_contributions": {"times that one counts", "vegades que un compta", "veces que uno cuenta"},
	"forget_after":              {"forgotten after", "s'oblida al cap de", "se olvida al cabo de"},
	"retain":                    {"numbers are kept for", "els nombres es conserven", "los números se conservan"},
	"from":                      {"first day", "primer dia", "primer día"},
	"until":                     {"last day", "últim dia", "último día"},
	"review":                    {"looked at again by", "es revisa abans del", "se revisa antes del"},
	"blackouts":                 {"times of silence", "temps de silenci", "tiempos de silencio"},
	"added":                     {"a new decision: more is measured than before", "una decisió nova: es mesura més que abans", "una decisión nueva: se mide más que antes"},
	"removed":                   {"the decision ends", "la decisió s'acaba", "la decisión termina"},
	"suspended":                 {"suspended at once", "se suspèn de seguida", "se suspende enseguida"},
	"resumed":                   {"no longer suspended", "deixa d'estar suspesa", "deja de estar suspendida"},
	"rules":                     {"the rules themselves change; ask who wrote them what for", "canvien les regles mateixes; pregunteu per què a qui les ha escrites", "cambian las reglas mismas; pregunte por qué a quien las ha escrito"},
	"member":                    {"member", "membre", "miembro"},
	"kind":                      {"kind of sensor", "tipus de sensor", "tipo de sensor"},
	"zone":                      {"zone", "zona", "zona"},
	"area":                      {"borders of the zone", "límits de la zona", "límites de la zona"},
	"gateway":                   {"gateway of the zone", "passarel·la de la zona", "pasarela de la zona"},
	"purposes":                  {"allowed purposes", "finalitats permeses", "finalidades permitidas"},
	"forbidden_classes":         {"classes of fields that are forbidden", "classes de camps prohibides", "clases de campos prohibidas"},
	"kinds_about_people":        {"kinds that count people", "tipus que compten persones", "tipos que cuentan personas"},
	"min_units":                 {"smallest group allowed", "grup més petit permès", "grupo más pequeño permitido"},
	"epsilon_per_day":           {"largest budget a day (epsilon)", "pressupost màxim al dia (èpsilon)", "presupuesto máximo al día (épsilon)"},
	"delta_per_day":             {"largest chance of failure a day (delta)", "probabilitat màxima de fallada al dia (delta)", "probabilidad máxima de fallo al día (delta)"},
	"max_contributions":         {"most times that one may count", "màxim de vegades que un pot comptar", "máximo de veces que uno puede contar"},
	"sunset_max":                {"longest time that a decision may hold", "temps màxim que pot valer una decisió", "tiempo máximo que puede valer una decisión"},
	"notice_days":               {"days of notice", "dies d'avís", "días de aviso"},
	"blackout_max":              {"longest silence", "silenci més llarg", "silencio más largo"},
	"quorums":                   {"quorums", "quòrums", "quórums"},
	"city":                      {"city", "ciutat", "ciudad"},
	"version":                   {"version of the roster", "versió del cens", "versión del censo"},
}

// Words is the change as one line: what, then old and new.
func (c Change) Words(l explain.Lang) string { return explain.Plain(c.words(l)) }

func (c Change) words(l explain.Lang) string {
	what, which, _ := strings.Cut(c.Key, " ")
	label, ok := labels[what]
	line := c.Key
	if ok {
		line = strings.TrimSpace(label[l] + " " + which)
	}
	none := [3]string{"nothing", "res", "nada"}[l]
	switch {
	case c.Old[l] == "" && c.New[l] == "":
		return line
	case c.Key == "suspended":
		return line + ": " + c.New[l]
	}
	old, new := c.Old[l], c.New[l]
	if old == "" {
		old = none
	}
	if new == "" {
		new = none
	}
	return fmt.Sprintf("%s: %s → %s", line, old, new)
}
