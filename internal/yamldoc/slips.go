package yamldoc

import "fmt"

// said is one sentence in English, Catalan and Spanish. Behind a semicolon stands what
// to do. Arguments are numbered, and are keys, marks and line numbers of the file.
type said [3]string

// slip is a SyntaxError that is said in three languages.
func slip(at Position, s said, args ...any) *SyntaxError {
	return &SyntaxError{Position: at, Text: s.in(0, args), said: s, args: args}
}

func (s said) in(lang int, args []any) string {
	if len(args) == 0 {
		return s[lang]
	}
	return fmt.Sprintf(s[lang], args...)
}

// In says what is wrong in English (0), Catalan (1) or Spanish (2).
func (e *SyntaxError) In(lang int) string {
	if lang <= 0 || lang >= len(e.said) || e.said[lang] == "" {
		return e.Text
	}
	return e.said.in(lang, e.args)
}

// What is wrong with a file as YAML. The parser's own words are never shown: they are
// English, and they name the place where it gave up, not the slip.
var (
	notYAML = said{
		"this line cannot be read as YAML; look at it and at the line above: blanks, colons, quotes and brackets",
		"aquesta línia no es pot llegir com a YAML; mireu-la, i la de sobre: espais, dos punts, cometes i claudàtors",
		"esta línea no se puede leer como YAML; mírela, y la de encima: espacios, dos puntos, comillas y corchetes",
	}
	empty = said{
		"a file holds one document, and this one is empty; write its keys, or take it away",
		"un fitxer té un document, i aquest és buit; escriviu-hi les claus, o traieu-lo",
		"un fichero tiene un documento, y este está vacío; escriba sus claves, o quítelo",
	}
	tooLarge = said{
		"larger than 1 MiB; split it",
		"fa més d'1 MiB; partiu-lo",
		"ocupa más de 1 MiB; divídalo",
	}
	tooDeep = said{
		"nested too deeply; write it flatter",
		"hi ha massa nivells, un dins l'altre; escriviu-ho més pla",
		"hay demasiados niveles, uno dentro de otro; escríbalo más plano",
	}
	manyDocuments = said{
		"a file holds one document; put each into a file of its own",
		"un fitxer té un document; poseu cadascun en un fitxer propi",
		"un fichero tiene un documento; ponga cada uno en un fichero propio",
	}
	documentEnd = said{
		"a file holds one document; take the line ... out",
		"un fitxer té un document; traieu la línia ...",
		"un fichero tiene un documento; quite la línea ...",
	}
	anchors = said{
		"anchors and aliases are not used here; write the value out, or put text that begins with & or * into quotes",
		"aquí no s'usen àncores ni àlies; escriviu el valor sencer, o poseu entre cometes el text que comença per & o *",
		"aquí no se usan anclas ni alias; escriba el valor entero, o ponga entre comillas el texto que empieza por & o *",
	}
	mergeKeys = said{
		"merge keys are not used here; write the values out",
		"aquí no s'usen claus de fusió; escriviu els valors sencers",
		"aquí no se usan claves de fusión; escriba los valores enteros",
	}
	tags = said{
		"tags such as !!int are not used here; write the value alone, or put text that begins with ! into quotes",
		"aquí no s'usen etiquetes com !!int; escriviu només el valor, o poseu entre cometes el text que comença per !",
		"aquí no se usan etiquetas como !!int; escriba solo el valor, o ponga entre comillas el texto que empieza por !",
	}
	directives = said{
		"directives are not used here; take the line out, or put text that begins with % into quotes",
		"aquí no s'usen directives; traieu la línia, o poseu entre cometes el text que comença per %",
		"aquí no se usan directivas; quite la línea, o ponga entre comillas el texto que empieza por %",
	}
	questionKeys = said{
		"keys are written as KEY: VALUE, without ?; take the ? out",
		"les claus s'escriuen CLAU: VALOR, sense ?; traieu el ?",
		"las claves se escriben CLAVE: VALOR, sin ?; quite el ?",
	}
	notUTF8 = said{
		"not UTF-8; save the file in that encoding",
		"no és UTF-8; deseu el fitxer en aquesta codificació",
		"no es UTF-8; guarde el fichero en esa codificación",
	}
	aTab = said{
		"a tab; write blanks",
		"una tabulació; escriviu espais",
		"una tabulación; escriba espacios",
	}
	hardBlank = said{
		"a blank that does not break; write an ordinary one",
		"un espai dur; escriviu-ne un de corrent",
		"un espacio duro; escriba uno corriente",
	}
	control = said{
		"a control character or byte order mark; take it out",
		"un caràcter de control o una marca d'ordre dels bytes; traieu-lo",
		"un carácter de control o una marca de orden de bytes; quítelo",
	}
	openQuote = said{
		"the quote %[1]s that begins here does not end on this line; close it, and put %[1]s inside text into the other quotes",
		"la cometa %[1]s que comença aquí no es tanca en aquesta línia; tanqueu-la, i si el text té %[1]s a dins useu les altres cometes",
		"la comilla %[1]s que empieza aquí no se cierra en esta línea; ciérrela, y si el texto tiene %[1]s dentro use las otras comillas",
	}
	behindQuote = said{
		"there is more text behind the quote that ends here; put all of it into quotes, of the other sort where there are quotes inside",
		"hi ha més text darrere de la cometa que es tanca aquí; poseu-lo tot entre cometes, de l'altra mena si n'hi ha a dins",
		"hay más texto detrás de la comilla que se cierra aquí; póngalo todo entre comillas, del otro tipo si las hay dentro",
	}
	badEscape = said{
		"a backslash in double quotes stands before n, t, \", \\ and the like only; write \\\\, or use single quotes",
		"dins de cometes dobles, la barra inversa només va davant de n, t, \", \\ i semblants; escriviu \\\\, o useu cometes simples",
		"entre comillas dobles, la barra inversa solo va delante de n, t, \", \\ y similares; escriba \\\\, o use comillas simples",
	}
	openBracket = said{
		"the %[1]s that begins here is not closed; write the %[2]s that is missing",
		"el %[1]s que comença aquí no es tanca; escriviu el %[2]s que falta",
		"el %[1]s que empieza aquí no se cierra; escriba el %[2]s que falta",
	}
	strayBracket = said{
		"this %[1]s closes nothing that is open; take it out, or write the bracket that is missing before it",
		"aquest %[1]s no tanca res d'obert; traieu-lo, o escriviu abans el claudàtor que falta",
		"este %[1]s no cierra nada abierto; quítelo, o escriba antes el corchete que falta",
	}
	missingComma = said{
		"a comma is missing between two values in brackets; write one before this",
		"falta una coma entre dos valors dins de claudàtors; escriviu-ne una abans d'això",
		"falta una coma entre dos valores entre corchetes; escriba una antes de esto",
	}
	missingBlank = said{
		"a blank is missing behind the colon of “%[1]s”; write %[1]s: %[2]s",
		"falta un espai darrere dels dos punts de «%[1]s»; escriviu %[1]s: %[2]s",
		"falta un espacio detrás de los dos puntos de «%[1]s»; escriba %[1]s: %[2]s",
	}
	missingColon = said{
		"a colon is missing behind “%[1]s”; write %[1]s: and the value",
		"falten els dos punts darrere de «%[1]s»; escriviu %[1]s: i el valor",
		"faltan los dos puntos detrás de «%[1]s»; escriba %[1]s: y el valor",
	}
	missingDash = said{
		"a blank is missing behind the -; write - %[1]s",
		"falta un espai darrere del -; escriviu - %[1]s",
		"falta un espacio detrás del -; escriba - %[1]s",
	}
	colonInText = said{
		"text with a colon and a blank in it goes into quotes; write %[1]s: \"%[2]s\"",
		"el text que té dos punts i un espai va entre cometes; escriviu %[1]s: \"%[2]s\"",
		"el texto que tiene dos puntos y un espacio va entre comillas; escriba %[1]s: \"%[2]s\"",
	}
	oddFirst = said{
		"text cannot begin with %[1]s; put it into quotes",
		"un text no pot començar per %[1]s; poseu-lo entre cometes",
		"un texto no puede empezar por %[1]s; póngalo entre comillas",
	}
	indented = said{
		"this line is indented otherwise than those it belongs to; put it below the first letter of its neighbours",
		"aquesta línia no té el mateix sagnat que les del seu grup; poseu-la sota la primera lletra de les veïnes",
		"esta línea no tiene la misma sangría que las de su grupo; póngala debajo de la primera letra de las vecinas",
	}
	twiceKey = said{
		"the key “%[1]s” is there twice: it is already defined at [%[2]d:%[3]d]; take one out",
		"la clau «%[1]s» hi és dues vegades: ja és a [%[2]d:%[3]d]; traieu-ne una",
		"la clave «%[1]s» está dos veces: ya está en [%[2]d:%[3]d]; quite una",
	}
	decimalComma = said{
		"a number with a comma is two values here; write a point: 0.5",
		"aquí un nombre amb coma són dos valors; escriviu un punt: 0.5",
		"aquí un número con coma son dos valores; escriba un punto: 0.5",
	}
	keyIsText = said{
		"a key is text; put it into quotes",
		"una clau és text; poseu-la entre cometes",
		"una clave es texto; póngala entre comillas",
	}
	writeBool = said{
		"yes and no are written true and false; write true or false, in small letters",
		"sí i no s'escriuen true i false; escriviu true o false, en minúscules",
		"sí y no se escriben true y false; escriba true o false, en minúsculas",
	}
	oddForm = said{
		"this form of YAML is not used here; write a plain value",
		"aquesta forma de YAML no s'usa aquí; escriviu un valor simple",
		"esta forma de YAML no se usa aquí; escriba un valor simple",
	}
	writeNumber = said{
		"a number is written as in 10, 0.5 or 1e-6; text goes into quotes",
		"un nombre s'escriu com 10, 0.5 o 1e-6; el text va entre cometes",
		"un número se escribe como 10, 0.5 o 1e-6; el texto va entre comillas",
	}
	unusableNumber = said{
		"not a number that can be used here; write one that is nearer to 0",
		"no és un nombre que es pugui usar aquí; escriviu-ne un de més proper a 0",
		"no es un número que se pueda usar aquí; escriba uno más cercano a 0",
	}
)
