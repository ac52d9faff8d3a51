package words

// plurals are the words whose form follows a number: one, and other numbers.
var plurals = map[string]map[string][2]string{
	"unit device":  {"ca": {"dispositiu", "dispositius"}, "en": {"device", "devices"}, "es": {"dispositivo", "dispositivos"}},
	"unit vehicle": {"ca": {"vehicle", "vehicles"}, "en": {"vehicle", "vehicles"}, "es": {"vehículo", "vehículos"}},
	"unit card":    {"ca": {"targeta", "targetes"}, "en": {"card", "cards"}, "es": {"tarjeta", "tarjetas"}},
	"unit home":    {"ca": {"llar", "llars"}, "en": {"home", "homes"}, "es": {"hogar", "hogares"}},
	"unit person":  {"ca": {"persona", "persones"}, "en": {"person", "people"}, "es": {"persona", "personas"}},
	"unit reading": {"ca": {"lectura", "lectures"}, "en": {"reading", "readings"}, "es": {"lectura", "lecturas"}},
	"every %d hours": {
		"ca": {"cada %d hora", "cada %d hores"}, "en": {"every %d hour", "every %d hours"}, "es": {"cada %d hora", "cada %d horas"},
	},
	"every %d minutes": {
		"ca": {"cada %d minut", "cada %d minuts"}, "en": {"every %d minute", "every %d minutes"}, "es": {"cada %d minuto", "cada %d minutos"},
	},
	"%d rows": {
		"ca": {"%d fila", "%d files"}, "en": {"%d row", "%d rows"}, "es": {"%d fila", "%d filas"},
	},
	"%d members signed": {
		"ca": {"%d membre ha signat la", "%d membres han signat la"}, "en": {"%d member signed", "%d members signed"}, "es": {"%d miembro ha firmado la", "%d miembros han firmado la"},
	},
}
