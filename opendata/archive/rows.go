package archive

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"time"

	"sluice/opendata/query"
	"sluice/store"
	"sluice/store/table"
)

// sink takes rows in order.
type sink interface {
	Write(o *store.Observation) error
}

// each calls do for all rows whose windows start in [from, to), those of epochs too.
func (a *Archive) each(
	ctx context.Context, st query.Stream, from, to time.Time, do func(*store.Observation) error,
) error {
	q := store.Query{Stream: st.ID, From: from, To: to, Which: store.Both}
	for list, err := range a.source.Parts(ctx, st, q) {
		if err != nil {
			return err
		}
		for i := range list {
			if err := do(&list[i]); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// closed gives the rows of a closed month to sinks, and checks them against the books' lines.
func (a *Archive) closed(ctx context.Context, m *month, sinks ...sink) (lines []Line, rows int64, err error) {
	loc := query.Place(m.lines[0].Timezone)
	sums := make([]*table.Digest, len(m.lines))
	for i := range sums {
		sums[i] = table.NewDigest(loc)
	}
	err = a.each(ctx, m.stream, m.from, m.to, func(o *store.Observation) error {
		rows++
		i := m.owner(o)
		if i < 0 {
			return &LeftOutError{LeftOut{Why: Waiting, Gateway: o.Gateway}}
		}
		if err := sums[i].Write(o); err != nil {
			return err
		}
		for _, s := range sinks {
			if err := s.Write(o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	for i, l := range m.lines {
		n, sum, err := sums[i].Sum()
		if err != nil {
			return nil, 0, err
		}
		if n != l.Rows || sum != l.SHA256 {
			return nil, 0, &LeftOutError{LeftOut{Why: Differs, Gateway: l.Gateway}}
		}
		lines = append(lines, Line{l.Gateway, l.N, l.Stream, l.Month, n, sum})
	}
	return lines, rows, nil
}

// owner is the line that a row belongs to; negative for none. A row of before does not say
// whose it is.
func (m *month) owner(o *store.Observation) int {
	for i := range m.lines {
		l := &m.lines[i]
		if o.Gateway != "" && l.Has(o.Gateway) || o.Gateway == "" && (l.cells == nil || l.cells[o.Cell]) {
			return i
		}
	}
	return -1
}

// csvFile writes compressed CSV. Its gzip header has no name and no time.
type csvFile struct {
	*table.Writer
	zip *gzip.Writer
	sum hash.Hash
}

func newCSV(w io.Writer, loc *time.Location) *csvFile {
	zip, sum := gzip.NewWriter(w), sha256.New()
	return &csvFile{table.NewWriter(io.MultiWriter(zip, sum), loc), zip, sum}
}

// end ends the file and returns the SHA-256 of the text.
func (c *csvFile) end() (string, error) {
	err := c.Flush()
	if err == nil {
		err = c.zip.Close()
	}
	return hex.EncodeToString(c.sum.Sum(nil)), err
}

// monthItem is the two files of a month.
func (a *Archive) monthItem(m *month) item {
	return item{paths: m.paths(), key: m.key(), fill: func(ctx context.Context, w *work) error {
		loc := query.Place(m.lines[0].Timezone)
		text, columns := newCSV(w.parts[0], loc), newParquet(w.parts[1], m.stream, loc, a.base)
		lines, rows, err := a.closed(ctx, m, text, columns)
		if err != nil {
			return err
		}
		return w.finish(text, columns, func(f *File) {
			f.Rows, f.From, f.To, f.Closed, f.Books = rows, m.from, m.to, true, lines
		})
	}}
}

// finish ends both files, and says of each what is in it.
func (w *work) finish(text *csvFile, columns *parquetFile, say func(*File)) error {
	sum, err := text.end()
	if err != nil {
		return err
	}
	if err := columns.end(); err != nil {
		return err
	}
	for _, p := range w.parts {
		say(&p.File)
	}
	w.parts[0].TextSHA256 = sum
	return nil
}

// fillLatest writes the latest files. The newest windows of several gateways may not all be
// there yet.
func (a *Archive) fillLatest(ctx context.Context, w *work, st query.Stream, spans []span) error {
	loc := query.Place(st.Timezone)
	text, columns := newCSV(w.parts[0], loc), newParquet(w.parts[1], st, loc, a.base)
	rows, first := int64(0), spans[0].from
	for _, s := range spans {
		to := s.to
		if to.After(st.Through) {
			to = st.Through
		}
		if err := a.each(ctx, st, s.from, to, func(o *store.Observation) error {
			if rows++; rows == 1 {
				first = o.Start
			}
			if err := text.Write(o); err != nil {
				return err
			}
			return columns.Write(o)
		}); err != nil {
			return err
		}
	}
	return w.finish(text, columns, func(f *File) {
		f.Rows, f.From, f.To = rows, first, st.Through
	})
}
