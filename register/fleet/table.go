package fleet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"sluice/internal/yamldoc"
)

// separators are those that spreadsheets write, and how they are called.
var separators = map[rune]string{',': "a comma", ';': "a semicolon", '\t': "a tab"}

// table is a CSV file that is read row by row.
type table struct {
	name      string
	separator rune
	names     []string // of the columns
	csv       *csv.Reader
	breaks    int // lines that ended within a cell, so far
}

// mark is a byte order mark in UTF-8.
const mark = "\ufeff"

// asUTF8 is how to mend a file of another encoding.
const asUTF8 = "save it as CSV UTF-8 in the spreadsheet, or: iconv -f %s -t UTF-8 FILE > NEW"

// open looks at what kind of file it is, and reads the names of the columns.
func open(name string, raw []byte) (*table, error) {
	if err := plainFile(raw); err != nil {
		return nil, fmt.Errorf("%s%w", name, err)
	}
	raw = bytes.TrimPrefix(raw, []byte(mark))
	first, rest := firstRow(raw)
	line := strings.TrimSuffix(string(first), "\r")
	t := &table{name: name, separator: separatorOf(line)}
	if sep, told := strings.CutPrefix(strings.ToLower(line), "sep="); told && len(sep) == 1 {
		// Excel's own line before the names, which it shows to nobody.
		t.separator, raw = rune(sep[0]), rest
		if separators[t.separator] == "" {
			return nil, fmt.Errorf("%s, line 1: cells are separated by commas, semicolons or tabs; export it anew",
				name)
		}
	}
	t.csv = csv.NewReader(bytes.NewReader(raw))
	t.csv.Comma, t.csv.FieldsPerRecord, t.csv.ReuseRecord = t.separator, -1, true
	_, names, err := t.next()
	switch {
	case err != nil:
		return nil, err
	case names == nil:
		return nil, fmt.Errorf("%s: it is empty; its first row has the names of the columns", name)
	}
	for _, n := range names {
		t.names = append(t.names, strings.Join(strings.Fields(n), " "))
	}
	return t, nil
}

// firstRow is the first row, which ends at the first line end outside of quotes, and what is behind it.
func firstRow(raw []byte) (row, rest []byte) {
	quoted := false
	for n, b := range raw[:min(len(raw), maxLine)] {
		switch {
		case b == '"':
			quoted = !quoted
		case b == '\n' && !quoted:
			return raw[:n], raw[n+1:]
		}
	}
	row, rest, _ = bytes.Cut(raw, []byte("\n"))
	return row, rest
}

// plainFile refuses what is no text in UTF-8. The error begins with the place.
func plainFile(raw []byte) error {
	switch {
	case len(raw) > MaxSize:
		return fmt.Errorf(": it has more than %d MiB; split it", MaxSize>>20)
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}), bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		return fmt.Errorf(": it is UTF-16; "+asUTF8, "UTF-16")
	case bytes.HasPrefix(raw, []byte("PK")):
		return errors.New(": it is a spreadsheet, or another archive; export the sheet as CSV UTF-8")
	}
	line := 1
	for rest := raw; len(rest) > 0; line++ {
		end := bytes.IndexByte(rest, '\n') + 1
		if end == 0 {
			end = len(rest)
		}
		text := rest[:end]
		switch {
		case !utf8.Valid(text):
			return fmt.Errorf(", line %d: it is not UTF-8 but perhaps Latin-1; "+asUTF8, line, "WINDOWS-1252")
		case len(text) > maxLine:
			return fmt.Errorf(", line %d: longer than %d KiB; is it a CSV file?", line, maxLine>>10)
		case bytes.IndexByte(text, 0) >= 0:
			return fmt.Errorf(", line %d: it is no text; export the sheet as CSV UTF-8", line)
		case bytes.IndexByte(bytes.TrimRight(text, "\r\n"), '\r') >= 0:
			return fmt.Errorf(", line %d: a line ends in CR alone; export the sheet as CSV UTF-8", line)
		}
		rest = rest[end:]
	}
	return nil
}

// separatorOf is what separates the names of the columns: what there is most of, outside of quotes.
func separatorOf(line string) rune {
	counts, quoted := make(map[rune]int), false
	for _, r := range line {
		switch {
		case r == '"':
			quoted = !quoted
		case !quoted:
			counts[r]++
		}
	}
	best := ','
	for _, r := range []rune{';', '\t'} {
		if counts[r] > counts[best] {
			best = r
		}
	}
	return best
}

// next reads the next row that is not empty; no cells at the end. The cells hold until the next
// call. Rows are counted as a spreadsheet does, where a cell may have several lines.
func (t *table) next() (row int, cells []string, err error) {
	for {
		cells, err = t.csv.Read()
		var syntax *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return 0, nil, nil
		case errors.As(err, &syntax):
			return 0, nil, fmt.Errorf("%s, row %d: %s", t.name, syntax.StartLine-t.breaks, quoting[syntax.Err])
		case err != nil:
			return 0, nil, fmt.Errorf("%s: %w", t.name, err)
		}
		line, _ := t.csv.FieldPos(0)
		row = line - t.breaks
		empty := true
		for _, c := range cells {
			t.breaks += strings.Count(c, "\n")
			empty = empty && strings.TrimSpace(c) == ""
		}
		if !empty {
			return row, cells, nil
		}
	}
}

// quoting says what is wrong with quotes.
var quoting = map[error]string{
	csv.ErrBareQuote: `a " within a cell; such a cell goes into quotes, and the " is written twice`,
	csv.ErrQuote:     `a cell in quotes that goes on behind them, or never ends; a " within a cell is written twice`,
}

// at is how many bytes were read.
func (t *table) at() int { return int(t.csv.InputOffset()) }

// column finds a column by its name: exactly, else without regard to capitals and blanks around it.
func (t *table) column(name string) (int, error) {
	want := strings.Join(strings.Fields(name), " ")
	found := -1
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		for n, c := range t.names {
			if !same(c, want) {
				continue
			}
			if found >= 0 {
				return 0, fmt.Errorf("two columns are called %s; give each a name of its own in the first row",
					quote(want))
			}
			found = n
		}
		if found >= 0 {
			return found, nil
		}
	}
	list := make([]string, len(t.names))
	for n, c := range t.names {
		list[n] = quote(c)
	}
	text := fmt.Sprintf("there is no column %s", quote(want))
	if near := yamldoc.Nearest(want, t.names); near != "" {
		text += fmt.Sprintf("; did you mean %s?", quote(near))
	}
	return 0, fmt.Errorf("%s; the first row has %s", text, strings.Join(list, " "))
}
