package ingest

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
)

// The state of an owner is what its log lacks of a checkpoint's: entries of open windows, and the
// tags of epochs, in the records that a checkpoint has. An entry of it is
//
//	form uint8 = 2, place uint8, after uint64, sections
//	section: epoch int64, length uint32, sealed(length uint32, records, zeros)
//	record: kind uint8, name, body, each after its length as a varint
//
// Each section is sealed with a key that is derived from that of its epoch and the partition, so that
// what is known of an epoch dies with it; nonces are random. After is the place of the entry before,
// and bound to each section: so is the partition. Several entries are one commit: place is 1 for the
// first, 2 for the last, and 3 for one that is both. The last has ownerFacts as JSON; of what comes
// behind the last whole commit nothing counts, since it is read again from the partition's log.
//
// What is no entry, was not sealed so, or stands further behind the one that it names, nobody of ours
// has written there, and it is left out. A fence is an entry, place 0, that says nothing but the last entry of the
// commit before it; who writes it learns whether anybody else has written.
//
// The facts name the last entry of the commit before, how many entries their own has, and the first that is
// still needed. Who reads anything else lacks something that who wrote them had.
const (
	stateForm  = 2
	stateFirst = 1
	stateLast  = 2
	stateHead  = 1 + 1 + 8
	stateMost  = 900_000 // bytes of records in an entry
	statePad   = 4096
	stateWords = "sluice owner's state 1"
	// ownerFactsKind stands for ownerFacts among the kinds of a checkpoint's records.
	ownerFactsKind = 0xff
	// fenceKind stands for the place that a fence names.
	fenceKind = 0xfe
)

// stateLog writes and reads the entries of an owner's state.
type stateLog struct {
	cfg     *Owned
	routing *routing
	seals   seals
	last    uint64 // the place of the last one
	start   uint64 // that of the first one that was read; 0: there was none
	upon    uint64 // that of the last whole commit's last one; 0: there is none
	gone    uint64 // that of one whose facts may have been sealed with keys that are gone; 0: there is none
	behind  bool   // what was read says that something stood before all of it
	entries int    // of the commit that is being written or read
	most    int    // bytes of records in an entry; stateMost
	kept    []keptCommit
	begun   uint64   // where the commit begins that is being written or read; 0 between two
	left    []uint64 // where those began that were read and left
}

// keptCommit is a commit that is in the log still: where it begins, and until when, by stream, the
// windows and epochs last that it has something of.
type keptCommit struct {
	at    uint64
	until map[string]time.Time
}

// note notes an entry of a commit at its place.
func (l *stateLog) note(at uint64, records []checkpoint.Record, last bool) {
	l.last = at
	if l.begun == 0 {
		l.begun = at
		l.kept = append(l.kept, keptCommit{at, make(map[string]time.Time)})
	}
	until := l.kept[len(l.kept)-1].until
	for _, r := range records {
		what, id, start, ok := parseName(r.Name)
		_, spec := l.routing.specAt(id, start)
		if !ok || spec == nil {
			continue
		}
		_, end := spec.Window(start)
		if what == "e" {
			_, end = spec.Epoch(start)
		}
		if end.After(until[id]) {
			until[id] = end
		}
	}
	l.entries++
	if last {
		l.begun, l.upon, l.entries = 0, at, 0
	}
}

// done is how many of the first commits nothing is open of any more.
func (l *stateLog) done(streams map[string]*stream) (n int) {
	for _, k := range l.kept {
		for id, until := range k.until {
			if streams[id] != nil && until.After(streams[id].next) {
				return n
			}
		}
		n++
	}
	return n
}

// vouch has the facts of the commit that is being written say what was there before, and how many entries it has.
func (l *stateLog) vouch(f *ownerFacts, streams map[string]*stream) {
	f.Upon, f.Entries = l.upon, l.entries+1
	if n := l.done(streams); n < len(l.kept) {
		f.From = l.kept[n].at
	}
}

// whole reports whether what was read of a commit, and before it, is what its facts say. Those of an earlier version
// say nothing.
func (l *stateLog) whole(f *ownerFacts, upon uint64, entries int) bool {
	if f.Entries == 0 {
		return true
	}
	return l.follows(f.Upon, upon) && f.Entries == entries
}

// headless reports, of all that was read, whether something before it is missing that is still needed: for the last
// facts, or, where there are none, because something stood there. The last whole commit is never dropped, and who took
// what is behind it for a new partition's state would count everything anew. What can have been sealed with keys that
// are gone is no such case.
func (l *stateLog) headless(last *ownerFacts) bool {
	if last != nil && last.From > 0 && l.kept[0].at > last.From {
		return !l.needsLeft(last)
	}
	return l.upon == 0 && l.gone == 0 && l.behind
}

// needsLeft reports whether facts say that a commit is needed still which was read, and left as it was not finished.
// Earlier versions kept those. Nothing is missing then, but who drops it has to say first that it is not needed.
func (l *stateLog) needsLeft(f *ownerFacts) bool { return slices.Contains(l.left, f.From) }

// leave leaves a commit that was not finished, and never will be: it is not kept in the place of one that was. Each
// owner does so, or what one says is still needed another one has dropped.
func (l *stateLog) leave() {
	if l.begun != 0 {
		l.kept, l.left = l.kept[:len(l.kept)-1], append(l.left, l.begun)
	}
	l.begun, l.entries = 0, 0
}

// follows reports whether what was written behind one commit is read behind the same, or behind one that nobody can
// read any more.
func (l *stateLog) follows(written, read uint64) bool {
	return written == read || read == 0 && written < l.start || l.gone != 0 && written == l.gone
}

// fence makes sure that nobody else has written an entry, by writing one that says nothing.
func (l *stateLog) fence(ctx context.Context, current int64) error {
	upon := binary.BigEndian.AppendUint64(nil, l.upon)
	seq, err := l.write(ctx, []checkpoint.Record{{Kind: fenceKind, Body: upon}}, current, 0)
	if err == nil {
		l.last = seq
	}
	return err
}

// drop takes away the first commits, of which nothing is open any more; the last one stays.
func (l *stateLog) drop(ctx context.Context, streams map[string]*stream) error {
	n := min(l.done(streams), len(l.kept)-1)
	if n <= 0 {
		return nil
	}
	if err := l.cfg.State.Drop(ctx, l.cfg.Partition, l.kept[n].at); err != nil {
		return err
	}
	l.kept = l.kept[n:]
	return nil
}

// append writes one entry. What is of no window or epoch is sealed as of the epoch that is given, and
// what is of one whose keys are gone is left out: it is lost.
func (l *stateLog) append(ctx context.Context, records []checkpoint.Record, current int64, last bool) error {
	place := byte(0)
	if l.begun == 0 {
		place |= stateFirst
	}
	if last {
		place |= stateLast
	}
	seq, err := l.write(ctx, records, current, place)
	if err == nil && seq > 0 {
		l.note(seq, records, last)
	}
	return err
}

// write writes an entry; 0 where all that would be in it is lost.
func (l *stateLog) write(
	ctx context.Context, records []checkpoint.Record, current int64, place byte,
) (seq uint64, err error) {
	sections := make(map[int64][]byte)
	for _, r := range records {
		epoch := current
		if _, id, start, ok := parseName(r.Name); ok {
			if _, spec := l.routing.specAt(id, start); spec != nil {
				epoch = dayOf(spec, start)
			}
		}
		plain := sections[epoch]
		if plain == nil {
			plain = make([]byte, 4)
		}
		plain = binary.AppendUvarint(append(plain, byte(r.Kind)), uint64(len(r.Name)))
		plain = binary.AppendUvarint(append(plain, r.Name...), uint64(len(r.Body)))
		sections[epoch] = append(plain, r.Body...)
	}
	out := make([]byte, stateHead)
	out[0], out[1] = stateForm, place
	binary.BigEndian.PutUint64(out[2:], l.last)
	for _, epoch := range slices.Sorted(maps.Keys(sections)) {
		seal, err := l.seal(ctx, epoch)
		if errors.Is(err, fs.ErrNotExist) && epoch != current {
			continue
		}
		if err != nil {
			return 0, err
		}
		plain := sections[epoch]
		binary.BigEndian.PutUint32(plain, uint32(len(plain)))
		plain = append(plain, make([]byte, (statePad-len(plain)%statePad)%statePad)...)
		body := seal.Seal(nil, nil, plain, l.about(epoch, l.last, out[1]))
		clear(plain)
		out = binary.BigEndian.AppendUint64(out, uint64(epoch))
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(body))), body...)
	}
	if len(out) == stateHead {
		return 0, nil
	}
	return l.cfg.State.Append(ctx, l.cfg.Partition, l.last, rand.Text(), out)
}

// about is what a section is bound to.
func (l *stateLog) about(epoch int64, after uint64, place byte) []byte {
	return fmt.Appendf(nil, "%s %d %d %d %d", stateWords, l.cfg.Partition, epoch, after, place)
}

func (l *stateLog) seal(ctx context.Context, epoch int64) (cipher.AEAD, error) {
	key, err := l.seals.key(ctx, epoch)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	derived, err := hkdf.Key(sha256.New, key, nil, stateWords, 32)
	if err != nil {
		return nil, err
	}
	defer clear(derived)
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// errState says that an entry of the state is not one that an owner wrote, there.
var errState = errors.New("an entry of the state is not one that was written there")

// stateEntry is one that was read.
type stateEntry struct {
	records     []checkpoint.Record
	days        []int64 // the epochs of its keys
	gone        []int64 // epochs of which something was in it, sealed with keys that are gone
	first, last bool    // of its commit
	hole        bool    // the one before it is missing
	behind      bool    // there was one before it, and it is the first that is read
}

// read opens an entry, which is the last from then on, whatever it is.
func (l *stateLog) read(ctx context.Context, e Entry) (s stateEntry, err error) {
	if l.start == 0 {
		l.start = e.Seq
	}
	if s, err = l.open(ctx, e); err != nil {
		l.last = e.Seq
		return s, err
	}
	l.behind = l.behind || s.behind
	if len(s.records) == 1 && s.records[0].Kind == fenceKind && len(s.records[0].Body) == 8 {
		l.last = e.Seq
		upon := binary.BigEndian.Uint64(s.records[0].Body)
		l.behind = l.behind || upon > 0 && l.upon == 0
		return stateEntry{days: s.days, hole: s.hole || !l.follows(upon, l.upon)}, nil
	}
	if len(s.gone) > 0 && e.Body[1]&stateLast != 0 {
		l.gone = e.Seq
	}
	if s.first {
		l.leave()
	}
	l.note(e.Seq, s.records, s.last)
	return s, nil
}

func (l *stateLog) open(ctx context.Context, e Entry) (s stateEntry, err error) {
	b := e.Body
	if len(b) <= stateHead || b[0] != stateForm || b[1] > stateFirst|stateLast {
		return s, errState
	}
	s.first, s.last = b[1]&stateFirst != 0, b[1]&stateLast != 0
	after := binary.BigEndian.Uint64(b[2:])
	if after < l.last {
		return s, errState // it stood somewhere else
	}
	for b = b[stateHead:]; len(b) > 0; {
		if len(b) < 12 || uint64(binary.BigEndian.Uint32(b[8:])) > uint64(len(b)-12) {
			return s, errState
		}
		epoch, n := int64(binary.BigEndian.Uint64(b)), int(binary.BigEndian.Uint32(b[8:]))
		body := b[12 : 12+n]
		b = b[12+n:]
		seal, err := l.seal(ctx, epoch)
		if errors.Is(err, fs.ErrNotExist) {
			s.gone = append(s.gone, epoch)
			continue
		}
		if errors.Is(err, fs.ErrInvalid) || errors.Is(err, errUncommitted) {
			return s, errState
		}
		if err != nil {
			return s, err
		}
		plain, err := seal.Open(nil, nil, body, l.about(epoch, after, e.Body[1]))
		if err != nil {
			return s, errState
		}
		s.days = append(s.days, epoch)
		if s.records, err = readRecords(s.records, plain); err != nil {
			return s, err
		}
	}
	// Whoever can write there could end a commit that somebody left half written.
	facts := func(r checkpoint.Record) bool { return r.Kind == ownerFactsKind }
	s.last = s.last && slices.ContainsFunc(s.records, facts)
	if s.hole = l.last != 0 && after > l.last; s.hole && len(s.records) == 0 {
		return s, errState // anybody could have written that
	}
	s.behind = l.last == 0 && after > 0 && len(s.records) > 0
	return s, nil
}

// readRecords reads what a section has.
func readRecords(to []checkpoint.Record, plain []byte) ([]checkpoint.Record, error) {
	if len(plain) < 4 {
		return nil, errState
	}
	n := binary.BigEndian.Uint32(plain)
	if n < 4 || uint64(n) > uint64(len(plain)) {
		return nil, errState
	}
	text := func(b []byte) (text, rest []byte, ok bool) {
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(len(b)-n) {
			return nil, nil, false
		}
		return b[n : n+int(length)], b[n+int(length):], true
	}
	for rest := plain[4:n]; len(rest) > 0; {
		kind := rest[0]
		name, more, ok := text(rest[1:])
		if !ok {
			return nil, errState
		}
		body, more, ok := text(more)
		if !ok {
			return nil, errState
		}
		rest = more
		to = append(to, checkpoint.Record{Kind: checkpoint.Kind(kind), Name: string(name), Body: body})
	}
	return to, nil
}
