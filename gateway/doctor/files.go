package doctor

import (
	"errors"
	"os"

	"sluice/gateway/host"
	"sluice/perm"
)

// files says what host.Guard refuses, and what a start would tighten.
func (d *doctor) files() {
	list := host.Problems(&d.cfg)
	for _, err := range list {
		d.fail("files", err, "mend it: the gateway does not start")
	}
	wide := false
	for path, most := range host.StateFiles(d.cfg.Dir) {
		info, err := os.Lstat(path)
		if err == nil && info.Mode().Perm()&^most&0o077 != 0 && len(list) == 0 {
			d.say("files", Warn, path+" can be read by others", "the gateway takes that away when it starts")
			wide = true
		}
	}
	if len(list) == 0 && !wide {
		d.say("files", Fine, "nobody else can write what is believed, or read what is secret", "")
	}
}

// fail is a finding about an error; one about a file's mode brings its own hint.
func (d *doctor) fail(check string, err error, hint string) {
	var w *perm.Wrong
	if errors.As(err, &w) {
		d.say(check, Fail, w.Path+" "+w.What, w.Mend)
		return
	}
	d.say(check, Fail, err.Error(), hint)
}
