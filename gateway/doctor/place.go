package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"sluice/books"
	"sluice/gateway/admin"
	"sluice/gateway/config"
)

func has(checks map[string]admin.Check, name string) bool { _, ok := checks[name]; return ok }

// taken says which of the gateway's addresses it could not have, while it does not
// answer at its own.
func (d *doctor) taken(ctx context.Context) (found bool) {
	for key, addr := range map[string]string{"listen: mqtt": d.cfg.Listen.MQTT, "admin": d.cfg.Admin} {
		if addr == "" {
			continue
		}
		open, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err == nil {
			err = open.Close()
		}
		if err != nil {
			found = true
			d.say("gateway", Fail, "it does not run, and could not listen: "+err.Error(), "stop who has that address, or choose another with "+key+": in the file")
		}
	}
	return found
}

// orphaned says when there are books and numbers, and no ledger that they are of.
func (d *doctor) orphaned(ledger string) bool {
	if _, err := os.Stat(ledger); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	for _, name := range []string{"releases.jsonl", "ledger.jsonl"} {
		if end, err := books.Last(books.Dir(filepath.Join(d.cfg.Dir, "public")), name); err == nil && end.N > 0 {
			d.say("ledger", Fail, "there is no "+ledger+", and the public books beside it have lines: what was spent and released is not known", "put a backup of it there if there is one, and run sluice ledger recover -c FILE (docs/operations.md)")
			return true
		}
	}
	return false
}

// renamed says when the books are another gateway's.
func (d *doctor) renamed() {
	var line struct {
		Gateway string `json:"gateway"`
	}
	end, err := books.Last(books.Dir(filepath.Join(d.cfg.Dir, "public")), "ledger.jsonl")
	if err == nil && end.N > 0 && json.Unmarshal([]byte(end.Line), &line) == nil && line.Gateway != "" && line.Gateway != d.cfg.Gateway {
		d.say("ledger", Warn, "the books in "+d.cfg.Dir+" are of gateway "+line.Gateway+", and this is "+d.cfg.Gateway, "give each gateway a directory of its own, or mend gateway: in the file")
	}
}

// witness looks whether the copy outside can be read.
func (d *doctor) witness(ctx context.Context) {
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
			d.say("witness", Away, err.Error(), "mend witness: in the file, or wait until it is back: until then it witnesses nothing")
			return
		}
		d.say("witness", Fine, "it answers", "")
	case <-ctx.Done():
		d.say("witness", Away, w+" does not answer", "mend witness: in the file, or wait until it is back: until then it witnesses nothing")
	}
}
