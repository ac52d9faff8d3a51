package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sluice/books"
	"sluice/gateway/admin"
	"sluice/gateway/config"
	"sluice/gateway/host"
	"sluice/gateway/ledger"
	"sluice/store/influx"
)

// machine examines what is on this machine: disk, swap, keys, files, and the state directory.
type machine struct {
	*findings
	cfg *config.Config
}

func (d *machine) admin() {
	if !config.Loopback(d.cfg.Admin) {
		d.say("admin", Warn, d.cfg.Admin+" is not on loopback: "+admin.Exposed, admin.ExposedFix)
		return
	}
	d.say("admin", Fine, "on loopback only", "")
}

func (d *machine) store(ctx context.Context) {
	if c := d.cfg.Store.Influx; c != nil {
		s, err := influx.Open(*c)
		if err != nil {
			d.fail("store", err, "mend store: influx in the file")
			return
		}
		defer s.Close()
		if _, err := s.ClosedUntil(ctx, "doctor"); err != nil {
			d.say("store", Away, err.Error(), "releases wait in the outbox until it is back")
			return
		}
		d.say("store", Fine, "InfluxDB answers", "")
		d.kept(ctx, s)
		return
	}
	if why := writable(filepath.Dir(d.cfg.Store.SQLite.Path)); why != "" {
		d.say("store", Fail, why, "mend store: sqlite: path, or make its directory writable")
		return
	}
	if info, err := os.Stat(d.cfg.Store.SQLite.Path); err == nil && !info.Mode().IsRegular() {
		d.say("store", Fail, d.cfg.Store.SQLite.Path+" is not a plain file", "mend store: sqlite: path")
		return
	}
	d.say("store", Fine, "SQLite on this disk", "")
}

func (d *machine) disk() {
	dir := d.cfg.Dir
	for {
		var st unix.Statfs_t
		err := unix.Statfs(dir, &st)
		if errors.Is(err, unix.ENOENT) && filepath.Dir(dir) != dir {
			dir = filepath.Dir(dir)
			continue
		}
		free := st.Bavail * uint64(st.Bsize) >> 20
		switch {
		case err != nil:
			d.say("disk", Fail, "the state directory cannot be looked at", "mend dir: in the file")
		case free < 64:
			d.say("disk", Fail, fmt.Sprintf("%d MiB are free", free),
				"make room: below 64 MiB the gateway says that it is not ready")
		case free < 1024:
			d.say("disk", Warn, fmt.Sprintf("%d MiB are free", free), "make room")
		default:
			d.say("disk", Fine, fmt.Sprintf("%d MiB are free", free), "")
		}
		return
	}
}

func (d *machine) swap() {
	switch list := host.ClearSwap(); {
	case len(list) == 0:
		d.say("swap", Fine, "none that is not encrypted", "")
	case d.cfg.AllowSwap:
		d.say("swap", Warn, "unencrypted swap, allowed by allow_swap: "+strings.Join(list, ", "),
			"encrypt it or turn it off")
	default:
		d.say("swap", Fail, "unencrypted swap: "+strings.Join(list, ", "),
			"swapoff -a, or encrypt it: what is in memory could be written there in clear")
	}
}

func (d *machine) keys() {
	switch {
	case d.cfg.Keys == "memory":
		d.say("keys", Warn, "they are in memory only: every stop loses the open windows", "set keys: auto")
	case d.cfg.Keys != "auto":
		if !host.OnMemory(d.cfg.Keys) {
			d.say("keys", Fail, d.cfg.Keys+" is not memory-backed, or not there",
				"choose a directory on tmpfs, e.g. under /run")
			return
		}
		d.say("keys", Fine, "in "+d.cfg.Keys, "")
	default:
		if base := host.KeyBase(); base != "" {
			d.say("keys", Fine, "in "+base, "")
			return
		}
		d.say("keys", Warn, "no memory-backed directory: a crash loses the open windows",
			"set keys: to a directory on tmpfs")
	}
}

// files says what host.Guard refuses, and what a start would tighten.
func (d *machine) files() {
	list := host.Problems(d.cfg)
	for _, err := range list {
		d.fail("files", err, "mend it: the gateway does not start")
	}
	wide := false
	for path, maxMode := range host.StateFiles(d.cfg.Dir) {
		info, err := os.Lstat(path)
		if err == nil && info.Mode().Perm()&^maxMode&0o077 != 0 && len(list) == 0 {
			d.say("files", Warn, path+" can be read by others", "the gateway takes that away when it starts")
			wide = true
		}
	}
	if len(list) == 0 && !wide {
		d.say("files", Fine, "nobody else can write what is believed, or read what is secret", "")
	}
}

func (d *machine) clock() {
	var tx unix.Timex
	state, err := unix.Adjtimex(&tx)
	if err != nil || state == unix.TIME_ERROR {
		d.say("clock", Warn, "the system does not know that its clock is right",
			"run systemd-timesyncd or chrony: windows close by this clock")
		return
	}
	d.say("clock", Fine, "kept right", "")
}

// ledger looks at the ledger's file and follows the chains of the public books.
func (d *machine) ledger(ctx context.Context) {
	path := filepath.Join(d.cfg.Dir, "ledger.db")
	if d.orphaned(path) {
		return
	}
	d.renamed()
	var damaged *ledger.Damaged
	switch err := ledger.Examine(ctx, path); {
	case errors.As(err, &damaged):
		d.say("ledger", Fail, damaged.Path+" "+damaged.What,
			"move it away with its -wal and -shm, put a backup there if there is one, and run sluice ledger recover "+
				"-c FILE (docs/operations.md)")
		return
	case err != nil:
		d.say("ledger", Warn, fmt.Sprintf("%s could not be looked through: %v", path, err),
			"run doctor as the gateway's user")
		return
	}
	r := books.Reader{Source: books.Dir(filepath.Join(d.cfg.Dir, "public"))}
	n, err := r.Verify("ledger.jsonl")
	if err == nil {
		_, err = r.Verify("releases.jsonl")
	}
	if err != nil {
		d.say("ledger", Fail, err.Error(), "do not run on: compare with a mirror of the books")
		return
	}
	d.say("ledger", Fine, counted(n, "line", "lines")+", unbroken chains; the file is sound", "")
}

// orphaned says when there are books and numbers, and no ledger that they are of.
func (d *machine) orphaned(ledger string) bool {
	if _, err := os.Stat(ledger); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	for _, name := range []string{"releases.jsonl", "ledger.jsonl"} {
		if end, err := books.Last(books.Dir(filepath.Join(d.cfg.Dir, "public")), name); err == nil && end.N > 0 {
			d.say("ledger", Fail, "there is no "+ledger+", and the public books beside it have lines: what was spent "+
				"and released is not known", "put a backup of it there if there is one, and run sluice ledger "+
				"recover -c FILE (docs/operations.md)")
			return true
		}
	}
	return false
}

// renamed says when the books are another gateway's.
func (d *machine) renamed() {
	var line struct {
		Gateway string `json:"gateway"`
	}
	end, err := books.Last(books.Dir(filepath.Join(d.cfg.Dir, "public")), "ledger.jsonl")
	if err == nil && end.N > 0 && json.Unmarshal([]byte(end.Line), &line) == nil && line.Gateway != "" &&
		line.Gateway != d.cfg.Gateway {
		d.say("ledger", Warn, "the books in "+d.cfg.Dir+" are of gateway "+line.Gateway+", and this is "+d.cfg.Gateway,
			"give each gateway a directory of its own, or mend gateway: in the file")
	}
}

// witness looks whether the copy outside can be read.
func (d *machine) witness(ctx context.Context) {
	w := d.cfg.Witness
	if w == "" {
		return
	}
	if !config.Remote(w) {
		if info, err := os.Stat(w); err != nil || !info.IsDir() {
			d.say("witness", Fail, "the directory "+w+" is not there", "mount or make it, or mend witness: in the file")
			return
		}
		d.say("witness", Fine, "it is there", "")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	answer := make(chan error, 1)
	go func() {
		_, err := books.Last(books.NewMirror(w), "ledger.jsonl")
		answer <- err
	}()
	select {
	case err := <-answer:
		if err != nil {
			d.say("witness", Away, err.Error(), "mend witness: in the file, or wait until it is back: until then it "+
				"witnesses nothing")
			return
		}
		d.say("witness", Fine, "it answers", "")
	case <-ctx.Done():
		d.say("witness", Away, w+" does not answer",
			"mend witness: in the file, or wait until it is back: until then it witnesses nothing")
	}
}

// writable says why a directory, or the nearest one above that is there, cannot
// be written; empty when it can.
func writable(dir string) string {
	for {
		err := unix.Access(dir, unix.W_OK)
		if info, odd := os.Stat(dir); odd == nil && !info.IsDir() {
			return dir + " is a file, not a directory"
		}
		if err == nil {
			return ""
		}
		if parent := filepath.Dir(dir); (errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR)) && parent != dir {
			dir = parent
			continue
		}
		return dir + " cannot be written by this user"
	}
}
