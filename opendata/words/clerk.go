package words

import "maps"

// clerk are the sentences of the clerk's verbs, and the comments of templates, by
// language.
var clerk = map[string]map[string]string{
	"ca": joined(clerkCatalan, commentsCatalan), "es": joined(clerkSpanish, commentsSpanish),
}

func joined(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// clerkPlurals are those of them whose form follows their first number.
var clerkPlurals = map[string]map[string][2]string{
	"%d days": {
		"en": {"1 day", "%d days"},
		"ca": {"1 dia", "%d dies"},
		"es": {"1 día", "%d días"},
	},
	"%d mistakes": {
		"en": {"%d mistake", "%d mistakes"},
		"ca": {"%d error", "%d errors"},
		"es": {"%d error", "%d errores"},
	},
	"%d readings": {
		"en": {"%d reading", "%d readings"},
		"ca": {"%d lectura", "%d lectures"},
		"es": {"%d lectura", "%d lecturas"},
	},
	"%d files are not formatted; run sluice policy fmt": {
		"en": {"%d file is not formatted; run sluice policy fmt", "%d files are not formatted; run sluice policy fmt"},
		"ca": {"%d fitxer no té la forma habitual; sluice policy fmt la hi dona", "%d fitxers no tenen la forma habitual; sluice policy fmt la hi dona"},
		"es": {"%d fichero no tiene la forma habitual; sluice policy fmt se la da", "%d ficheros no tienen la forma habitual; sluice policy fmt se la da"},
	},
	"%d more members must sign motion.txt": {
		"en": {"%d more member must sign motion.txt", "%d more members must sign motion.txt"},
		"ca": {"%d membre més ha de signar motion.txt", "%d membres més han de signar motion.txt"},
		"es": {"%d miembro más debe firmar motion.txt", "%d miembros más deben firmar motion.txt"},
	},
	"%d of %d tests failed": {
		"en": {"%d of %d tests failed", "%d of %d tests failed"},
		"ca": {"%d de %d proves ha fallat", "%d de %d proves han fallat"},
		"es": {"%d de %d pruebas ha fallado", "%d de %d pruebas han fallado"},
	},
	"%d more neutral changes; motion.txt has all": {
		"en": {"%d more neutral change; motion.txt has all", "%d more neutral changes; motion.txt has all"},
		"ca": {"i %d canvi neutre més; motion.txt ho diu tot", "i %d canvis neutres més; motion.txt ho diu tot"},
		"es": {"y %d cambio neutro más; motion.txt lo dice todo", "y %d cambios neutros más; motion.txt lo dice todo"},
	},
	"%d of %d members must sign (%s).": {
		"en": {"%d of %d members must sign (%s).", "%d of %d members must sign (%s)."},
		"ca": {"Ha de signar %d de %d membres (%s).", "Han de signar %d de %d membres (%s)."},
		"es": {"Debe firmar %d de %d miembros (%s).", "Deben firmar %d de %d miembros (%s)."},
	},
	"%d tests failed": {
		"en": {"%d test failed", "%d tests failed"},
		"ca": {"%d prova ha fallat", "%d proves han fallat"},
		"es": {"%d prueba ha fallado", "%d pruebas han fallado"},
	},
	"%d tests passed.": {
		"en": {"%d test passed.", "%d tests passed."},
		"ca": {"%d prova, com ha de ser.", "%d proves, totes com han de ser."},
		"es": {"%d prueba, como debe ser.", "%d pruebas, todas como deben ser."},
	},
}
