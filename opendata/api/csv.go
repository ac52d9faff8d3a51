package api

import (
	"bytes"
	"encoding/csv"
	"strings"

	"sluice/books"
	"sluice/opendata/httpcache"
)

// table turns items into rows; one item may have several.
type table[T any] struct {
	header []string
	rows   func(T) [][]string
}

// file encodes a list as a table. A value that was not published is empty.
func (t table[T]) file(as form, list []T, name, next string) (*httpcache.Reply, error) {
	body, err := t.append(as, t.head(as), list)
	return &httpcache.Reply{Type: csvType, Body: body, Next: next, File: name + ".csv"}, err
}

const csvType = "text/csv; charset=utf-8"

// head is the line with the columns' names, which are plain.
func (t table[T]) head(as form) []byte {
	if as == asSheet {
		return []byte(byteOrderMark + strings.Join(t.header, ";") + "\r\n")
	}
	return []byte(strings.Join(t.header, ",") + "\n")
}

func (t table[T]) append(as form, head []byte, list []T) ([]byte, error) {
	b := bytes.NewBuffer(head)
	w := csv.NewWriter(b)
	if as == asSheet {
		w.Comma, w.UseCRLF = ';', true
	}
	for _, x := range list {
		for _, row := range t.rows(x) {
			if as == asSheet {
				sheet(t.header, row)
			}
			_ = w.Write(row) // errors come with Flush
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// text makes a text safe to open in a spreadsheet, which runs a text that begins with one
// of these as a formula (CWE-1236). Numbers are not escaped.
func text(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}

// titles returns a text in the three languages of the pages.
func titles(t map[string]string) []string {
	return []string{text(t["ca"]), text(t["en"]), text(t["es"])}
}

// reasons returns the council's reason in the three languages of the pages, and the one
// without a language.
func reasons(r map[string]string) []string { return append(titles(r), text(r[books.Unsaid])) }
