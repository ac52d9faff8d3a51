package diff

import (
	"fmt"
	"slices"
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
	"protect.by_owner":          {"parts of it that each owner's sensors have for themselves", "parts que els sensors de cada propietari en tenen per a ells", "partes que los sensores de cada propietario tienen para sí"},
	"protect.floor":             {"the smallest group is held by the number of units (exact) or by that number with noise (noisy)", "el grup més petit es manté pel nombre d'unitats (exact) o per aquest nombre amb soroll (noisy)", "el grupo más pequeño se mantiene por el número de unidades (exact) o por ese número con ruido (noisy)"},
	"protect.membership":        {"whether it is public who takes part", "si és públic qui hi participa", "si es público quién participa"},
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
	"renamed":                   {"only its name is another", "només canvia de nom", "solo cambia de nombre"},
	"lifted":                    {"that one is suspended, and this one about the same is not", "aquella està suspesa, i aquesta sobre el mateix no", "aquella está suspendida, y esta sobre lo mismo no"},
	"further":                   {"protects less than further decisions about the same, or cannot be compared with them", "protegeix menys que altres decisions sobre el mateix, o no s'hi pot comparar", "protege menos que otras decisiones sobre lo mismo, o no se puede comparar con ellas"},
	"stopped":                   {"no longer gives numbers, because of other changes, for", "deixa de donar nombres, per altres canvis, de", "deja de dar números, por otros cambios, de"},
	"started":                   {"gives numbers that it did not give, because of other changes, for", "dona nombres que no donava, per altres canvis, de", "da números que no daba, por otros cambios, de"},
	"suspension":                {"since when and why it is suspended", "des de quan i per què està suspesa", "desde cuándo y por qué está suspendida"},
	"rules":                     {"the rules themselves change; ask who wrote them what for", "canvien les regles mateixes; pregunteu per què a qui les ha escrites", "cambian las reglas mismas; pregunte por qué a quien las ha escrito"},
	"module":                    {"a module of the council's own, which can only deny", "un mòdul propi del consell, que només pot denegar", "un módulo propio del consejo, que solo puede denegar"},
	"foreign":                   {"this rule is not the program's own; ask who wrote it what for", "aquesta regla no és la del programa; pregunteu per què a qui l'ha escrita", "esta regla no es la del programa; pregunte por qué a quien la ha escrito"},
	"absent":                    {"this rule of the program's own is missing; ask who took it out what for", "falta aquesta regla del programa; pregunteu per què a qui l'ha treta", "falta esta regla del programa; pregunte por qué a quien la ha quitado"},
	"unbound":                   {"the motion brings no rules: those of each gateway's program hold, also when it is updated", "la moció no porta regles: valen les del programa de cada passarel·la, també quan s'actualitza", "la moción no trae reglas: valen las del programa de cada pasarela, también cuando se actualiza"},
	"gateways":                  {"the gateways that it is for; those that were passed over meet everything at once", "les passarel·les a què s'adreça; les que se n'havien deixat fora ho troben tot de cop", "las pasarelas a las que se dirige; las que habían quedado fuera lo encuentran todo de golpe"},
	"singly":                    {"sensors of this kind will be shown singly, with place and contact:", "els sensors d'aquest tipus es mostraran un per un, amb lloc i contacte:", "los sensores de este tipo se mostrarán uno por uno, con lugar y contacto:"},
	"uncovered":                 {"other zones no longer come before this one where they overlap, so that more may be measured in it:", "altres zones ja no passen davant d'aquesta on se superposen, i s'hi pot mesurar més:", "otras zonas ya no van antes que esta donde se superponen, y en ella se puede medir más:"},
	"covered":                   {"other zones come before this one where they overlap, so that less is measured in it:", "altres zones passen davant d'aquesta on se superposen, i s'hi mesura menys:", "otras zonas van antes que esta donde se superponen, y en ella se mide menos:"},
	"file":                      {"the file of zones, which is public as it is", "el fitxer de zones, que és públic tal com és", "el fichero de zonas, que es público tal como es"},
	"order":                     {"order of the members", "ordre dels membres", "orden de los miembros"},
	"member":                    {"member", "membre", "miembro"},
	"kind":                      {"kind of sensor", "tipus de sensor", "tipo de sensor"},
	"zone":                      {"zone", "zona", "zona"},
	"purposes":                  {"allowed purposes", "finalitats permeses", "finalidades permitidas"},
	"forbidden_classes":         {"classes of fields that are forbidden", "classes de camps prohibides", "clases de campos prohibidas"},
	"kinds_about_people":        {"kinds that count people", "tipus que compten persones", "tipos que cuentan personas"},
	"kinds_not_about_people":    {"kinds that see people and are said to be about nobody", "tipus que veuen persones i es diu que no tracten de ningú", "tipos que ven personas y se dice que no tratan de nadie"},
	"min_units":                 {"smallest group allowed", "grup més petit permès", "grupo más pequeño permitido"},
	"floors":                    {"floors that decisions may have", "mínims que poden tenir les decisions", "mínimos que pueden tener las decisiones"},
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

// label is a key in words, with the name that stands behind it.
func label(key string, l explain.Lang) string {
	what, which, _ := strings.Cut(key, " ")
	if of, ok := labels[what]; ok {
		return strings.TrimSpace(of[l] + " " + which)
	}
	return key
}

var (
	nothing  = [3]string{"nothing", "res", "nada"}
	compared = [3]string{"compared with decision", "comparada amb la decisió", "comparada con la decisión"}
	ending   = [3]string{"(a public series ends, or may show nothing)", "(una sèrie pública s'acaba, o pot no mostrar res)", "(una serie pública termina, o puede no mostrar nada)"}
)

// onlyNew are keys of which there is no old value to show.
var onlyNew = []string{"suspended", "further", "stopped", "started"}

// Words is the change as one line: compared with what, which key, old and new, and
// whether it ends anything.
func (c Change) Words(l explain.Lang) string {
	line := c.words(l)
	if c.Against != "" {
		line = compared[l] + " " + c.Against + ": " + line
	}
	if c.Ends {
		line += " " + ending[l]
	}
	return explain.Plain(line)
}

func (c Change) words(l explain.Lang) string {
	line, old, new := label(c.Key, l), c.Old[l], c.New[l]
	what, _, named := strings.Cut(c.Key, " ")
	switch {
	case old == "" && new == "":
		return line
	case slices.Contains(onlyNew, what):
		return line + ": " + new
	case named && (what == "uncovered" || what == "covered"):
		return line + " (" + new + ")"
	}
	if old == "" {
		old = nothing[l]
	}
	if new == "" {
		new = nothing[l]
	}
	return fmt.Sprintf("%s: %s → %s", line, old, new)
}
