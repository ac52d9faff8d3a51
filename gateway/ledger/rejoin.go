package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// The log may come back shorter than it was: its servers were put back from a backup, or have lost it.
// Who writes there then has forgotten what is public, and would pay and draw for it a second time. So
// every machine holds what the log has against what is here. What the log has is read into a copy of
// its own, and then
//
//	all that is here is there      this ledger goes on from there: it was recovered, or only looked shorter
//	it was recovered without       ErrLeft: somebody has decided that what is here does not count
//	else                           ErrHeld, and an entry in the log that has all machines release nothing
//
// until Recovery.Restore has put back what the log lacks, and Recovery.Skip has closed what may have been
// released and nobody knows.
var (
	// ErrHeld says that the log lacks what is here, and that no machine releases anything.
	ErrHeld = fmt.Errorf("%w; no machine releases anything until they are recovered: %s", ErrShorter, howTo)
	// ErrHalted says that some machine, or a copy of the public books, knows of more than the log has.
	ErrHalted = errors.New("the books that machines share lack something that was released, and no machine " +
		"releases anything until they are recovered: " + howTo)
	// ErrLeft says that the log was recovered without what is here.
	ErrLeft = fmt.Errorf("%w: they were recovered without what this ledger has; move ledger.db away with its "+
		"-wal and -shm, and start the gateway again, which takes the recovered ones", ErrShorter)
)

// apart is why a ledger does not follow the log; nil where it does.
type apart struct{ error }

const howTo = "stop the gateway of the releaser that has come furthest, run sluice ledger recover there, and start " +
	"it again (docs/operations.md)"

const isUnfinished = "SELECT EXISTS (SELECT 1 FROM unfinished)"

// rejoin says what becomes of a ledger that the log does not continue; nil where it goes on.
func (l *file) rejoin(ctx context.Context) error {
	t, err := l.asLogged(ctx)
	if err != nil {
		return err
	}
	at, err := placeIn(ctx, t.db)
	if err != nil || l.verdict != nil && l.judged == at {
		return cmp.Or(err, l.verdict)
	}
	var is difference
	err = l.beside(ctx, t.path, func(conn *sql.Conn) (err error) {
		is, err = compare(ctx, conn)
		return err
	})
	switch {
	case err != nil:
		return err
	case !is.more:
		return l.adopt(ctx)
	case is.recovered:
		l.judged, l.verdict = at, ErrLeft
		return ErrLeft
	}
	if err := t.halt(ctx); err != nil {
		return err
	}
	l.judged, l.verdict = at, ErrHeld // before that entry, so it is compared once more
	return ErrHeld
}

// halt has all machines release nothing until the books are recovered.
func (l *file) halt(ctx context.Context) error {
	err := l.exec(ctx, beginRecovery)
	if errors.Is(err, ErrHalted) {
		return nil // they know
	}
	return err
}

// loggedName is what the name of a ledger's file has behind it in that of what the log has instead.
const loggedName = ".shared"

// asLogged is a ledger of what the log has, which is kept while this one cannot follow.
func (l *file) asLogged(ctx context.Context) (*Ledger, error) {
	var err error
	if l.logged == nil {
		path := l.path + loggedName
		if err := removeFile(path); err != nil {
			return nil, err
		}
		if l.logged, err = Open(ctx, path, l.gateway, 0); err != nil {
			return nil, err
		}
		l.logged.copy, l.logged.shared, l.logged.lean = true, l.shared, l.lean
		// It can be made again.
		if _, err := l.logged.db.ExecContext(ctx, "PRAGMA synchronous = OFF"); err != nil {
			return nil, err
		}
	}
	switch err = l.logged.follow(ctx); {
	case errors.Is(err, ErrShorter): // once more
		return nil, cmp.Or(l.dropLogged(), err)
	case errors.Is(err, ErrOtherBooks), errors.Is(err, errUnknown):
		return nil, fmt.Errorf("%w: what is there does not follow one from the other", ErrShorter)
	}
	return l.logged, err
}

// dropLogged ends the copy of what the log has.
func (l *file) dropLogged() error {
	if l.logged == nil {
		return nil
	}
	t := l.logged
	l.logged, l.verdict = nil, nil
	return errors.Join(t.db.Close(), removeFile(t.path))
}

// removeFile removes a database.
func removeFile(path string) error {
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// beside does something with the only connection, by which the file of another ledger can be read as t.
func (l *file) beside(ctx context.Context, path string, do func(conn *sql.Conn) error) error {
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "ATTACH DATABASE ? AS t", path); err != nil {
		return err
	}
	err = do(conn)
	_, end := conn.ExecContext(context.WithoutCancel(ctx), "DETACH DATABASE t")
	return errors.Join(err, end)
}

// difference is how this ledger and another one differ.
type difference struct {
	more      bool // this one has something that the other lacks, or has otherwise
	forked    bool // both have a line of the same number, and not the same
	recovered bool // the other one was recovered since
}

// numbered are the tables whose rows have the same number in every copy, with what else must be the same.
var numbered = []struct{ table, what string }{
	{"entry", "line"}, {"released", "line"}, {"withdrawal", "line"}, {"removal", "line"}, {"archived", "line"},
	{"policy", "digest || ' ' || since"},
}

// compare looks in what main and t differ. Files, which can be deleted, count only before a recovery.
func compare(ctx context.Context, conn querier) (is difference, err error) {
	more := []string{
		"SELECT EXISTS (SELECT 1 FROM main.journal a WHERE NOT EXISTS " +
			"(SELECT 1 FROM t.journal b WHERE b.stream = a.stream AND b.start = a.start))",
		"SELECT EXISTS (SELECT 1 FROM main.gap a WHERE NOT EXISTS (SELECT 1 FROM t.gap b WHERE b.line = a.line))",
	}
	var forked []string
	for _, one := range numbered {
		what := fmt.Sprintf("(SELECT %s FROM t.%s b WHERE b.n = a.n)", one.what, one.table)
		in := fmt.Sprintf("SELECT EXISTS (SELECT 1 FROM main.%s a WHERE %s", one.table, one.what)
		more, forked = append(more, in+" IS NOT "+what+")"), append(forked, in+" <> "+what+")")
	}
	recovered := []string{"SELECT EXISTS (SELECT 1 FROM t.journal a WHERE policy = 'recovered' AND NOT EXISTS " +
		"(SELECT 1 FROM main.journal b WHERE b.stream = a.stream AND b.start = a.start AND b.policy = 'recovered'))"}
	for _, c := range []struct {
		is        *bool
		questions []string
	}{{&is.more, more}, {&is.forked, forked}, {&is.recovered, recovered}} {
		for _, q := range c.questions {
			yes, err := ask(ctx, conn, q)
			if err != nil {
				return is, err
			}
			*c.is = *c.is || yes
		}
	}
	if !is.more && !is.recovered {
		is.more, err = ask(ctx, conn, "SELECT EXISTS (SELECT 1 FROM main.kept a WHERE NOT EXISTS "+
			"(SELECT 1 FROM t.kept b WHERE b.name = a.name))")
	}
	return is, err
}

// adopted makes this ledger have all that t has, and stand where it does. What is on its way to the store is each
// machine's: of what comes with it, numbers and withdrawals, all that t has is sent.
var adopted = []string{
	"INSERT INTO main.outbox (stream, start, rows) SELECT stream, start, rows FROM t.outbox o WHERE " +
		"NOT EXISTS (SELECT 1 FROM main.journal j WHERE j.stream = o.stream AND j.start = o.start) OR " +
		"EXISTS (SELECT 1 FROM t.withdrawal w WHERE w.n > (SELECT coalesce(max(n), 0) FROM main.withdrawal) AND " +
		"json_extract(w.line, '$.stream') = o.stream AND " +
		"unixepoch(json_extract(w.line, '$.start')) = o.start / 1000000000) ORDER BY seq",
	"INSERT INTO main.entry SELECT * FROM t.entry a WHERE NOT EXISTS (SELECT 1 FROM main.entry b WHERE b.n = a.n)",
	"INSERT OR IGNORE INTO main.journal SELECT * FROM t.journal",
	"INSERT OR IGNORE INTO main.released SELECT * FROM t.released",
	"INSERT OR IGNORE INTO main.withdrawal SELECT * FROM t.withdrawal",
	"INSERT OR IGNORE INTO main.removal SELECT * FROM t.removal",
	"INSERT OR IGNORE INTO main.archived SELECT * FROM t.archived",
	"INSERT OR IGNORE INTO main.policy SELECT * FROM t.policy",
	"INSERT OR IGNORE INTO main.gap (line) SELECT line FROM t.gap ORDER BY n",
	"INSERT OR IGNORE INTO main.named SELECT * FROM t.named",
	"INSERT OR REPLACE INTO main.kept SELECT * FROM t.kept",
	"DELETE FROM main.unfinished",
	"INSERT INTO main.unfinished SELECT * FROM t.unfinished",
	"INSERT OR REPLACE INTO main.shared SELECT * FROM t.shared",
}

// adopt has this ledger go on from where the log is, which has all that is here.
func (l *file) adopt(ctx context.Context) error {
	err := l.beside(ctx, l.logged.path, func(conn *sql.Conn) error {
		tx, err := conn.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after Commit it does nothing
		for _, text := range adopted {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		return tx.Commit()
	})
	if err != nil {
		return err
	}
	l.forgetThrough()
	l.signal()
	return l.dropLogged()
}
