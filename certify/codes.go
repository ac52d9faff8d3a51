package certify

import (
	"cmp"
	"slices"

	"sluice/certify/bench"
	"sluice/certify/report"
)

// about is a number as a report says it.
func about(n int) string { return report.About(report.Magnitude(int64(n))) }

// belongs are the checks that codes of docs/wire.md belong to; all others are malformed.
var belongs = map[string]string{
	"E001": "identity", "E002": "identity", "E003": "identity", "E103": "declared", "E300": "clock", "E301": "clock",
	"E302": "clock", "E304": "clock", "E305": "reset", "E303": "",
}

// codes are those that the gateway said, of a check: in notes, and as numbers of readings.
func codes(check string, notes []bench.Note, refused map[string]int64) (list []report.Code) {
	of := func(code string) bool {
		of, known := belongs[code]
		return known && of == check || !known && check == "malformed"
	}
	told := map[string]bool{}
	for _, n := range notes {
		if told[n.Code] = true; of(n.Code) && len(list) < report.MaxCodes/2 {
			list = append(list,
				report.Code{Code: n.Code, Pointer: n.Pointer, Count: report.Magnitude(n.Count), Fix: n.Fix})
		}
	}
	for code, n := range refused {
		if n > 0 && of(code) && !told[code] {
			list = append(list, report.Code{Code: code, Pointer: "/*", Count: report.Magnitude(n), Fix: "see " +
				"docs/wire.md"})
		}
	}
	slices.SortFunc(list, func(a, b report.Code) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Pointer, b.Pointer))
	})
	return list
}
