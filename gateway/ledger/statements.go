package ledger

// All that changes the books. What a machine takes from a log that several share is one of these
// and nothing else, so that who can write there cannot do more than a ledger can.
const (
	insertEntry    = "INSERT INTO entry (n, key, day, unit, kind, epsilon, line) VALUES (?,?,?,?,?,?,?)"
	insertJournal  = "INSERT OR IGNORE INTO journal (stream, start, stop, policy, digest) VALUES (?,?,?,?,?)"
	skipJournal    = "INSERT OR REPLACE INTO journal (stream, start, stop, policy, digest) VALUES (?,?,?,?,'')"
	insertReleased = "INSERT INTO released (n, line) VALUES (?,?)"
	insertGap      = "INSERT OR IGNORE INTO gap (line) VALUES (?)"
	insertMonth    = "INSERT INTO archived (n, stream, start, line) VALUES (?,?,?,?)"
	insertRemoval  = "INSERT INTO removal (n, line) VALUES (?,?)"
	insertName     = "INSERT OR IGNORE INTO named VALUES (?)"
	insertPolicy   = "INSERT INTO policy (digest, since, files, motion) VALUES (?,?,?,?)"

	insertWithdrawal = "INSERT INTO withdrawal (n, line) VALUES (?,?)"

	beginRecovery = "INSERT OR IGNORE INTO unfinished VALUES (1)"
	endRecovery   = "DELETE FROM unfinished"

	insertOutbox     = "INSERT INTO outbox (stream, start, rows) VALUES (?,?,?)"
	insertAgain      = "INSERT INTO outbox (stream, start, rows) VALUES (?, ?, ?)" // what this machine's store refused
	deleteOutbox     = "DELETE FROM outbox WHERE seq <= ?"
	copyToSent       = "INSERT OR REPLACE INTO sent SELECT seq, stream, start, rows FROM outbox WHERE seq <= ?"
	deleteOldestSent = "DELETE FROM sent WHERE seq IN (SELECT seq FROM sent ORDER BY seq LIMIT 16)"
	copyToOutbox     = "INSERT INTO outbox (stream, start, rows) SELECT stream, start, rows FROM sent " +
		"WHERE stream = ? AND start = ? ORDER BY seq"
	deleteSent  = "DELETE FROM sent WHERE stream = ? AND start = ?"
	insertAside = "INSERT INTO aside (stream, start, count, rows, reason) VALUES (?,?,?,?,?)"
	deleteAside = "DELETE FROM aside WHERE seq = ?"

	whoseTimeIsOver = " AS p WHERE stream = ? AND EXISTS (SELECT 1 FROM journal j WHERE j.stream = p.stream AND " +
		"j.start = p.start AND j.stop <= ?) AND json_extract(rows, '$[0].decision') = ?"
	deleteOldSent   = "DELETE FROM sent" + whoseTimeIsOver
	deleteOldOutbox = "DELETE FROM outbox" + whoseTimeIsOver
	deleteOldAside  = "DELETE FROM aside" + whoseTimeIsOver

	putFile = "INSERT INTO kept (name, raw) VALUES (?,?) ON CONFLICT (name) DO UPDATE SET raw = excluded.raw " +
		"WHERE raw != excluded.raw"
	deleteFile = "DELETE FROM kept WHERE name = ?"
)

// known are the statements that a transaction may have.
var known = func() map[string]bool {
	out := make(map[string]bool)
	for _, text := range []string{
		insertEntry, insertJournal, skipJournal, insertReleased, insertGap, insertMonth, insertRemoval, insertName,
		namesFromBook, insertPolicy, insertWithdrawal, beginRecovery, endRecovery, insertOutbox, insertAgain,
		deleteOutbox, copyToSent, deleteOldestSent, copyToOutbox, deleteSent, insertAside, deleteAside, deleteOldSent,
		deleteOldOutbox, deleteOldAside, putFile, deleteFile, beginMove, endMove,
	} {
		out[text] = true
	}
	return out
}()

// own are those that are about a machine's way to its store, and change nothing of others.
var own = map[string]bool{
	deleteOutbox: true, copyToSent: true, deleteOldestSent: true, copyToOutbox: true, deleteSent: true,
	insertAside: true, deleteAside: true, insertAgain: true,
}

// delivery are those that are only of use where releases go to a store.
var delivery = map[string]bool{insertOutbox: true}
