package ingest

import (
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
)

// tending is how often the key directory is looked at.
const tending = 5 * time.Second

const keysUnwritten = "keys cannot be written, so intake waits. Make room in the key directory, or let the gateway's user write it"

// lingering is said while a key that is over is still in the directory.
const lingering = "a key that is over cannot be removed from the key directory. Let the gateway's user write it"

// durable writes the keys that the directory has not, and then the block that needs
// them; with an error comes what to say.
func (i *Ingest) durable(records []checkpoint.Record) (string, error) {
	if err := i.keys.Save(); err != nil {
		return keysUnwritten, err
	}
	return "the checkpoint cannot be written; intake waits. Make room on the disk of the state directory", i.log.Append(records)
}

// shred ends a key. Where its file cannot be removed that is tried again: it is no
// reason to stand still.
func (i *Ingest) shred(name string) {
	if err := i.keys.Shred(name); err != nil {
		i.linger(err)
	}
}

func (i *Ingest) linger(err error) {
	if was := i.lingers.Swap(err != nil); err != nil && !was {
		i.cfg.Log.Error(lingering, "error", err)
	} else if err == nil && was {
		i.cfg.Log.Info("keys that are over are gone")
	}
}

// tend sees to it that the key directory holds what memory holds: a file that is lost
// or damaged is written again with the next commit, which this asks for.
func (i *Ingest) tend() {
	mended, err := i.keys.Tend()
	i.linger(err)
	if mended > 0 {
		i.cfg.Log.Warn("the key directory has lost keys, or had them wrong; they are written again from memory", "keys", mended)
		i.dirty = true
	}
	if mended, err := i.log.Tend(); err != nil {
		i.cfg.Log.Warn("the checkpoint's list and mark cannot be written beside the keys; a crash now would lose the open windows", "error", err)
	} else if mended {
		i.cfg.Log.Warn("the checkpoint's list or mark was gone or wrong; they are written again from memory")
	}
}
