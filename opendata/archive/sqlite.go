package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver

	"sluice/opendata/query"
	"sluice/store"
)

// pageSize is that of the SQLite files, in bytes.
const pageSize = 4096

// tables hold a year. What rows share is a series; views have the columns of the CSV.
const tables = `
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE months (stream TEXT NOT NULL, month TEXT NOT NULL, gateway TEXT NOT NULL, line INTEGER NOT NULL,
	rows INTEGER NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (stream, month, gateway)) WITHOUT ROWID;
CREATE TABLE streams (stream TEXT PRIMARY KEY, title_ca TEXT, title_en TEXT, title_es TEXT, every TEXT, timezone TEXT,
	unit TEXT, licence TEXT) WITHOUT ROWID;
CREATE TABLE series (id INTEGER PRIMARY KEY, stream TEXT NOT NULL REFERENCES streams, cell TEXT NOT NULL,
	zone TEXT NOT NULL, category TEXT NOT NULL, measure TEXT NOT NULL, every TEXT NOT NULL, unit TEXT NOT NULL,
	decision TEXT NOT NULL, policy TEXT NOT NULL, mechanism TEXT NOT NULL, epsilon REAL NOT NULL, scale REAL NOT NULL,
	threshold REAL, gateway TEXT NOT NULL, simulation INTEGER NOT NULL);
CREATE TABLE released (series INTEGER NOT NULL REFERENCES series, start INTEGER NOT NULL, stop INTEGER NOT NULL,
	utc_offset INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT, value REAL, low REAL, high REAL, ledger INTEGER);
CREATE VIEW everything AS SELECT s.stream, strftime('%Y-%m-%dT%H:%M:%SZ', r.start, 'unixepoch') AS start_utc,
	strftime('%Y-%m-%dT%H:%M:%S', r.start + r.utc_offset, 'unixepoch') ||
		printf('%s%02d:%02d', iif(r.utc_offset < 0, '-', '+'), abs(r.utc_offset) / 3600, abs(r.utc_offset) / 60 % 60)
		AS start_local,
	s.every, s.cell, s.measure, r.value, r.status, r.low, r.high, s.unit, s.decision, s.simulation,
	strftime('%Y-%m-%dT%H:%M:%SZ', r.stop, 'unixepoch') AS end_utc, s.zone, s.category, s.gateway, r.reason, s.policy,
	s.mechanism, s.epsilon, s.scale, s.threshold, r.ledger
	FROM released r JOIN series s ON s.id = r.series;
CREATE VIEW observations AS SELECT * FROM everything WHERE substr(cell, -1) <> '/';
CREATE VIEW epochs AS SELECT * FROM everything WHERE substr(cell, -1) = '/';
CREATE VIEW by_day AS SELECT s.stream, date(r.start + r.utc_offset, 'unixepoch') AS day, s.cell, s.measure, s.unit,
	count(*) AS windows, sum(r.status = 'published') AS published, sum(r.status = 'withheld') AS withheld,
	sum(r.status = 'no_data') AS no_data, sum(r.status = 'withdrawn') AS withdrawn, sum(r.value) AS sum_of_published,
	avg(r.value) AS mean_of_published, min(r.value) AS least_published, max(r.value) AS most_published
	FROM released r JOIN series s ON s.id = r.series WHERE substr(s.cell, -1) <> '/' GROUP BY 1, 2, 3, 4, 5;
CREATE VIEW by_hour_of_week AS SELECT s.stream, s.cell, s.measure, s.unit,
	(strftime('%w', r.start + r.utc_offset, 'unixepoch') + 6) % 7 + 1 AS weekday,
	CAST(strftime('%H', r.start + r.utc_offset, 'unixepoch') AS INTEGER) AS hour, count(*) AS windows,
	sum(r.status = 'published') AS published, avg(r.value) AS mean_of_published
	FROM released r JOIN series s ON s.id = r.series WHERE substr(s.cell, -1) <> '/' GROUP BY 1, 2, 3, 4, 5, 6;
`

const (
	addsSeries = "INSERT INTO series VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
	addsRow    = "INSERT INTO released VALUES (?,?,?,?,?,?,?,?,?,?)"
	addsMonth  = "INSERT INTO months VALUES (?,?,?,?,?,?)"
	addsStream = "INSERT INTO streams VALUES (?,?,?,?,?,?,?,?)"
	addsAbout  = "INSERT INTO about VALUES (?,?)"
	addsIndex  = "CREATE INDEX released_series ON released (series, start)"
)

// database is a SQLite file that is written once, in one transaction and in order, so that
// the same rows make the same bytes.
type database struct {
	ctx    context.Context //nolint:containedctx // it lives for one file
	db     *sql.DB
	tx     *sql.Tx
	series map[seriesKey]int64
	insert *sql.Stmt
	loc    *time.Location
}

// seriesKey is what rows share.
type seriesKey struct {
	stream, cell, zone, category, measure, every, unit, decision, policy, mechanism, gateway string
	epsilon, scale, threshold                                                                float64
	simulation                                                                               bool
}

func newDatabase(ctx context.Context, path string, left int64) (*database, error) {
	settings := url.Values{"_pragma": {fmt.Sprintf("page_size(%d)", pageSize), "journal_mode(OFF)", "synchronous(OFF)",
		"locking_mode(EXCLUSIVE)", "cache_size(-8000)", fmt.Sprintf("max_page_count(%d)", max(8, left/pageSize))}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+settings.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	d := &database{ctx: ctx, db: db, series: make(map[seriesKey]int64)}
	if _, err = db.ExecContext(ctx, tables); err == nil {
		d.tx, err = db.BeginTx(ctx, nil)
	}
	if err == nil {
		d.insert, err = d.tx.PrepareContext(ctx, addsRow) //nolint:sqlclosecheck // it ends with the transaction
	}
	if err != nil {
		return nil, errors.Join(full(err), db.Close())
	}
	return d, nil
}

// full is errFull where SQLite says that the file may have no more pages.
func full(err error) error {
	if err != nil && strings.Contains(err.Error(), "database or disk is full") {
		return errors.Join(errFull, err)
	}
	return err
}

func (d *database) exec(text string, args ...any) error {
	_, err := d.tx.ExecContext(d.ctx, text, args...)
	return full(err)
}

// Write implements sink.
func (d *database) Write(o *store.Observation) error {
	k := seriesKey{o.Stream, o.Cell, o.Zone, o.Category, o.Measure, o.Every, o.Unit, o.Decision, o.Policy, o.Mechanism,
		o.Gateway, o.Epsilon, o.Scale, o.Threshold, o.Simulation}
	id, known := d.series[k]
	if !known {
		id = int64(len(d.series) + 1)
		d.series[k] = id
		if err := d.exec(addsSeries, id, k.stream, k.cell, k.zone, k.category, k.measure, k.every, k.unit, k.decision,
			k.policy, k.mechanism, k.epsilon, k.scale, unless(k.threshold == 0, k.threshold), k.gateway,
			k.simulation); err != nil {
			return err
		}
	}
	_, offset := o.Start.In(d.loc).Zone()
	_, err := d.insert.ExecContext(d.ctx, id, o.Start.Unix(), o.End.Unix(), offset, string(o.Status),
		unless(o.Reason == "", o.Reason), o.Value, o.Low, o.High, unless(o.Ledger == 0, o.Ledger))
	return full(err)
}

// unless is NULL where there is nothing to be said.
func unless(nothing bool, v any) any {
	if nothing {
		return nil
	}
	return v
}

// end ends the file.
func (d *database) end() error {
	err := d.exec(addsIndex)
	if err == nil {
		err = full(d.tx.Commit())
	}
	return errors.Join(err, d.db.Close())
}

func (d *database) abandon(err error) error {
	_ = d.tx.Rollback() // the file goes
	return errors.Join(err, d.db.Close())
}

// years are the SQLite files of all years that have a closed month with files.
func (a *Archive) years(months []*month) (list []item) {
	var years []string
	by := make(map[string][]*month)
	for _, m := range slices.Backward(months) { // the first month first
		if m.why != "" || !a.has(a.monthItem(m)) {
			continue
		}
		y := m.name[:4]
		if by[y] == nil {
			years = append(years, y)
		}
		by[y] = append(by[y], m)
	}
	for _, y := range slices.Backward(years) {
		list = append(list, a.yearItem(y, by[y]))
	}
	return list
}

// yearItem is the file of a year, of months that have files of their own.
func (a *Archive) yearItem(year string, months []*month) item {
	var key strings.Builder
	for _, m := range months {
		key.WriteString(m.stream.ID + " " + m.name + "\n" + m.key())
	}
	return item{paths: []string{address{year: year, format: SQLite}.path()}, key: key.String(),
		fill: func(ctx context.Context, w *work) error {
			p := w.parts[0]
			p.other = true
			d, err := newDatabase(ctx, p.at, *p.left)
			if err != nil {
				return err
			}
			f := File{Path: p.Path, Format: p.Format, Type: p.Type, Closed: true}
			if err := a.fillYear(ctx, d, &f, months); err != nil {
				return d.abandon(err)
			}
			p.File = f
			return d.end()
		}}
}

func (a *Archive) fillYear(ctx context.Context, d *database, f *File, months []*month) error {
	city, err := a.source.Books.City()
	if err != nil {
		return err
	}
	for _, pair := range [][2]string{{"city", city.Name}, {"source", a.base}, {"timezone", city.Timezone}} {
		if err := d.exec(addsAbout, pair[0], pair[1]); err != nil {
			return err
		}
	}
	described := make(map[string]bool)
	for _, m := range months {
		if st := m.stream; !described[st.ID] {
			described[st.ID] = true
			if err := d.exec(addsStream, st.ID, st.Title["ca"], st.Title["en"], st.Title["es"], st.Every, st.Timezone,
				st.Unit, st.Licence); err != nil {
				return err
			}
		}
		d.loc = query.Place(m.lines[0].Timezone)
		lines, rows, err := a.closed(ctx, m, d)
		if err != nil {
			return err
		}
		for _, l := range lines {
			if err := d.exec(addsMonth, l.Stream, l.Month, l.Gateway, l.Line, l.Rows, l.SHA256); err != nil {
				return err
			}
		}
		if f.From.IsZero() || m.from.Before(f.From) {
			f.From = m.from
		}
		if m.to.After(f.To) {
			f.To = m.to
		}
		f.Rows, f.Books = f.Rows+rows, append(f.Books, lines...)
	}
	return nil
}
