// Package dpia pre-fills a data-protection impact assessment (GDPR article 35) and
// a record of processing activities (article 30) from policy, register and
// charter, in Markdown. What only people can know is marked, and nothing is made
// up for it. The structure follows the guidelines WP 248 rev.01, annex 2.
package dpia

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/policy/bundle"
	"sluice/policy/explain"
	"sluice/policy/mechanism"
	"sluice/register"
)

var words = map[string][3]string{
	"title":      {"Data-protection impact assessment: %s", "Avaluació d'impacte relativa a la protecció de dades: %s", "Evaluación de impacto relativa a la protección de datos: %s"},
	"intro":      {"Pre-filled from the policy with digest `%s` and a register of %d sensors. **What a human must write is marked so.**", "Emplenada a partir de la política amb resum `%s` i un registre de %d sensors. **El que ha d'escriure una persona està marcat així.**", "Rellenada a partir de la política con resumen `%s` y un registro de %d sensores. **Lo que debe escribir una persona está marcado así.**"},
	"todo":       {"**TO BE WRITTEN BY A HUMAN:** %s", "**HO HA D'ESCRIURE UNA PERSONA:** %s", "**LO DEBE ESCRIBIR UNA PERSONA:** %s"},
	"processing": {"1. The processing", "1. El tractament", "1. El tratamiento"},
	"controller": {"controller, data-protection officer, processors, and how to reach them", "responsable, delegat de protecció de dades, encarregats, i com contactar-hi", "responsable, delegado de protección de datos, encargados, y cómo contactar"},
	"context":    {"context, and how residents were informed", "context, i com s'ha informat els veïns", "contexto, y cómo se ha informado a los vecinos"},
	"decision":   {"Decision %s: %s", "Decisió %s: %s", "Decisión %s: %s"},
	"sensors":    {"Sensors concerned: %d (%s), run by %s.", "Sensors afectats: %d (%s), gestionats per %s.", "Sensores afectados: %d (%s), gestionados por %s."},
	"homes":      {"Sensors concerned: %d, each of which stands for somebody and is named nowhere, run by %s.", "Sensors afectats: %d, cadascun dels quals representa algú i no s'anomena enlloc, gestionats per %s.", "Sensores afectados: %d, cada uno de los cuales representa a alguien y no se nombra en ningún sitio, gestionados por %s."},
	"nosensors":  {"No registered sensor is concerned yet.", "Encara no hi ha cap sensor registrat afectat.", "Todavía no hay ningún sensor registrado afectado."},
	"fields":     {"| field | class | what becomes of it |\n|---|---|---|", "| camp | classe | què se'n fa |\n|---|---|---|", "| campo | clase | qué se hace con él |\n|---|---|---|"},
	"dropped":    {"dropped at the door", "es descarta a l'entrada", "se descarta en la entrada"},
	"used":       {"used within its window, then forgotten", "s'usa dins la seva finestra i s'oblida", "se usa dentro de su ventana y se olvida"},
	"unit":       {"becomes a keyed tag for %s, then the key is destroyed", "es converteix en una etiqueta amb clau durant %s, després la clau es destrueix", "se convierte en una etiqueta con clave durante %s, después la clave se destruye"},
	"necessity":  {"2. Necessity and proportionality", "2. Necessitat i proporcionalitat", "2. Necesidad y proporcionalidad"},
	"lawful":     {"Purpose and legal basis", "Finalitat i base jurídica", "Finalidad y base jurídica"},
	"why":        {"why this purpose cannot be met with less: fewer sensors, longer windows, manual counts", "per què aquesta finalitat no es pot assolir amb menys: menys sensors, finestres més llargues, recomptes manuals", "por qué esta finalidad no se puede alcanzar con menos: menos sensores, ventanas más largas, recuentos manuales"},
	"limits":     {"The charter's floor", "El mínim de la carta", "El mínimo de la carta"},
	"seeing":     {"**Kinds that tell people or their places apart, and that the charter calls about nobody: %s.** Say why for each.", "**Tipus que distingeixen persones o els seus llocs i que la carta diu que no tracten de ningú: %s.** Digueu per què de cadascun.", "**Tipos que distinguen personas o sus lugares y que la carta dice que no tratan de nadie: %s.** Diga por qué de cada uno."},
	"floor":      {"smallest group %d; epsilon a day %s; delta a day %s; at most %d contributions; longest decision %s; notice %d days", "grup més petit %d; èpsilon al dia %s; delta al dia %s; com a molt %d contribucions; decisió més llarga %s; avís %d dies", "grupo más pequeño %d; épsilon al día %s; delta al día %s; como máximo %d contribuciones; decisión más larga %s; aviso %d días"},
	"rights":     {"how people exercise access, objection and erasure; note that readings are not kept, so that there is nothing by which one person could be found", "com s'exerceixen els drets d'accés, oposició i supressió; noteu que les lectures no es conserven, i no hi ha res amb què es pugui trobar una persona", "cómo se ejercen los derechos de acceso, oposición y supresión; note que las lecturas no se conservan, y no hay nada con lo que se pueda encontrar a una persona"},
	"risks":      {"3. Risks, and what reduces them", "3. Riscos, i què els redueix", "3. Riesgos, y qué los reduce"},
	"risktable":  {"| risk | what is built in | what is left |\n|---|---|---|\n| somebody is singled out in what is published | noise and a threshold, as stated per decision | epsilon adds up over days; the unit is not always a person |\n| raw readings leak | they are never written in clear; keys live in memory | whoever controls the running machine; the sensor and the broker before it |\n| the rules are loosened unseen | a quorum signs exactly the text; loosening takes the larger one | a quorum that agrees |\n| the rules stay for ever | every decision has a last day | it may be voted anew |", "| risc | què hi ha incorporat | què queda |\n|---|---|---|\n| s'assenyala algú en el que es publica | soroll i un llindar, com es diu per decisió | l'èpsilon se suma amb els dies; la unitat no sempre és una persona |\n| es filtren lectures | no s'escriuen mai en clar; les claus viuen a la memòria | qui controla la màquina en marxa; el sensor i el broker d'abans |\n| s'afluixen les normes d'amagat | un quòrum signa exactament el text; afluixar demana el més gran | un quòrum que hi estigui d'acord |\n| les normes duren per sempre | tota decisió té un últim dia | es pot tornar a votar |", "| riesgo | qué está incorporado | qué queda |\n|---|---|---|\n| se señala a alguien en lo que se publica | ruido y un umbral, como se dice por decisión | el épsilon se suma con los días; la unidad no siempre es una persona |\n| se filtran lecturas | nunca se escriben en claro; las claves viven en la memoria | quien controla la máquina en marcha; el sensor y el broker de antes |\n| se aflojan las normas a escondidas | un quórum firma exactamente el texto; aflojar pide el mayor | un quórum que esté de acuerdo |\n| las normas duran para siempre | toda decisión tiene un último día | se puede volver a votar |"},
	"own":        {"risks of this place: few people, special places (clinics, places of worship), who could add other data", "riscos d'aquest lloc: poca gent, llocs especials (clíniques, llocs de culte), qui podria afegir-hi altres dades", "riesgos de este lugar: poca gente, lugares especiales (clínicas, lugares de culto), quién podría añadir otros datos"},
	"views":      {"4. Views and decision", "4. Opinions i decisió", "4. Opiniones y decisión"},
	"asked":      {"advice of the data-protection officer; views of residents or their representatives; who approves, when", "consell del delegat de protecció de dades; opinió dels veïns o dels seus representants; qui ho aprova, quan", "consejo del delegado de protección de datos; opinión de los vecinos o sus representantes; quién lo aprueba, cuándo"},
	"record":     {"Annex: record of processing activities (article 30)", "Annex: registre d'activitats de tractament (article 30)", "Anexo: registro de actividades de tratamiento (artículo 30)"},
	"rows":       {"| activity | purpose | people concerned | data | recipients | erased | measures |\n|---|---|---|---|---|---|---|", "| activitat | finalitat | persones afectades | dades | destinataris | supressió | mesures |\n|---|---|---|---|---|---|---|", "| actividad | finalidad | personas afectadas | datos | destinatarios | supresión | medidas |\n|---|---|---|---|---|---|---|"},
	"public":     {"the public, aggregates only", "el públic, només agregats", "el público, solo agregados"},
	"at-home":    {"people at home, by their homes", "persones a casa, per les seves llars", "personas en su casa, por sus hogares"},
	"people":     {"passers-by, by their %s", "vianants, pels seus %s", "transeúntes, por sus %s"},
	"transfers":  {"transfers to other countries: none by Sluice itself; those of hosting and vendors", "transferències a altres països: cap pel mateix Sluice; les d'allotjament i proveïdors", "transferencias a otros países: ninguna por el propio Sluice; las de alojamiento y proveedores"},
}

// doc is one text in the making.
type doc struct {
	l   explain.Lang
	p   *bundle.Policy
	reg *register.Register
	b   strings.Builder
}

func (d *doc) say(key string, args ...any) string {
	if len(args) == 0 {
		return words[key][d.l]
	}
	return fmt.Sprintf(words[key][d.l], args...)
}

func (d *doc) line(s string)   { d.b.WriteString(s + "\n\n") }
func (d *doc) todo(key string) { d.line("> " + d.say("todo", d.say(key))) }

// Markdown writes the assessment; the register may be empty.
func Markdown(l explain.Lang, p *bundle.Policy, reg *register.Register) (string, error) {
	d := &doc{l: l, p: p, reg: reg}
	d.line("# " + d.say("title", explain.Plain(p.Charter.City.Name)))
	d.line(d.say("intro", p.Files.Digest(), len(reg.Sensors)))
	d.line("## " + d.say("processing"))
	d.todo("controller")
	d.todo("context")
	for i := range p.Decisions {
		if err := d.decision(&p.Decisions[i]); err != nil {
			return "", err
		}
	}
	d.necessity()
	d.line("## " + d.say("risks"))
	d.line(d.say("risktable"))
	d.todo("own")
	d.line("## " + d.say("views"))
	d.todo("asked")
	d.record()
	return strings.TrimRight(d.b.String(), "\n") + "\n", nil
}

// counts reports whether sensors of an owner count in a decision.
func counts(x *bundle.Decision, owner string) bool {
	parts := x.Stream.OwnerParts()
	for _, p := range parts {
		if p.Owner == owner {
			return true
		}
	}
	return len(parts) == 0
}

func (d *doc) decision(x *bundle.Decision) error {
	d.line("### " + d.say("decision", x.Decision, cell(d.l.Title(x.Title))))
	text, err := explain.Decision(d.l, d.p, x, explain.Vote{})
	if err != nil {
		return err
	}
	d.line("```text\n" + strings.TrimSpace(text) + "\n```")
	var ids, owners []string
	homes := x.Unit.Sensor != ""
	for i := range d.reg.Sensors {
		s := &d.reg.Sensors[i]
		if slices.Contains(x.AppliesTo.Kinds, s.Kind) && (x.Stream.Place.ByPoint() || slices.Contains(x.AppliesTo.Zones, s.ZoneOf(d.p.Zones))) {
			if !counts(x, s.Owner) {
				continue // by_owner leaves its owner out, so that it counts nowhere
			}
			ids, owners = append(ids, s.ID), append(owners, s.Owner)
			homes = homes || d.p.Kinds[s.Kind].Home()
		}
	}
	slices.Sort(owners)
	switch {
	case len(ids) == 0:
		d.line(d.say("nosensors"))
	case homes: // a list of them would be one of homes
		d.line(d.say("homes", len(ids), strings.Join(slices.Compact(owners), ", ")))
	default:
		d.line(d.say("sensors", len(ids), strings.Join(ids, ", "), strings.Join(slices.Compact(owners), ", ")))
	}
	d.b.WriteString(d.say("fields") + "\n")
	for _, kind := range x.AppliesTo.Kinds {
		for _, f := range d.p.Kinds[kind].Fields {
			fate := d.say("dropped")
			switch {
			case f.Name == x.Unit.Field:
				fate = d.say("unit", d.l.Period(x.Stream.Forget))
			case slices.Contains(x.Keep, f.Name):
				fate = d.say("used")
			}
			fmt.Fprintf(&d.b, "| %s: %s | %s | %s |\n", kind, f.Name, f.Class, fate)
		}
	}
	d.b.WriteString("\n")
	return nil
}

// cell keeps a document's words from breaking a table.
func cell(s string) string { return strings.ReplaceAll(explain.Plain(s), "|", "/") }

func (d *doc) necessity() {
	d.line("## " + d.say("necessity"))
	d.line("### " + d.say("lawful"))
	for _, x := range d.p.Decisions {
		fmt.Fprintf(&d.b, "- %s: %s; %s\n", x.Decision, cell(x.Purpose), cell(x.LegalBasis))
	}
	d.b.WriteString("\n")
	d.todo("why")
	c := d.p.Charter
	var eps []string
	for _, unit := range slices.Sorted(maps.Keys(c.EpsilonPerDay)) {
		eps = append(eps, d.l.One(unit)+" "+d.l.Number(c.EpsilonPerDay[unit]))
	}
	d.line("### " + d.say("limits"))
	d.line(d.say("floor", c.MinUnits, strings.Join(eps, ", "), d.l.Number(c.DeltaPerDay), c.MaxContributions, d.l.Period(c.SunsetMax), c.NoticeDays))
	if len(c.KindsNotAboutPeople) > 0 {
		d.line(d.say("seeing", strings.Join(c.KindsNotAboutPeople, ", ")))
	}
	d.todo("rights")
}

func (d *doc) record() {
	d.line("## " + d.say("record"))
	d.b.WriteString(d.say("rows") + "\n")
	for i := range d.p.Decisions {
		x := &d.p.Decisions[i]
		who, erased, measures := "-", d.l.Each(x.Stream.Every), "exact"
		if !x.Stream.Unit.None() {
			who, erased = d.say("people", d.l.Many(x.Stream.Unit.StandsFor)), d.l.Period(x.Stream.Forget)
			if x.Stream.Unit.StandsFor == "home" {
				who = d.say("at-home")
			}
			measures = fmt.Sprintf("epsilon %s, delta %s, >= %d", d.l.Number(x.Protect.Epsilon), d.l.Number(x.Protect.Delta), x.Protect.MinUnits)
			if f := x.Stream.Protect.Floor; f != "" {
				measures += ", floor: " + string(f)
			}
			if p := x.Stream.Protect.Membership; p != "" {
				measures += ", membership: " + string(p)
			}
			for n, part := range x.Stream.OwnerParts() {
				measures += fmt.Sprintf("%s%s %d", []string{", by_owner: ", ", "}[min(n, 1)], cell(part.Owner), part.Most)
			}
			if m, err := mechanism.New(x.Stream); err == nil {
				measures += fmt.Sprintf(" (~%d)", m.PublicFrom())
			}
		}
		fmt.Fprintf(&d.b, "| %s %s | %s | %s | %s | %s | %s | %s |\n", x.Decision, cell(d.l.Title(x.Title)), cell(x.Purpose), who, strings.Join(x.Keep, ", "), d.say("public"), erased, measures)
	}
	d.b.WriteString("\n")
	d.todo("transfers")
}
