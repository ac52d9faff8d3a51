package gateway

import (
	"fmt"
	"strings"

	"sluice/perm"
	"sluice/policy/compile"
	"sluice/register"
)

// readRegister reads the register, a file or a directory of them, as long as nobody
// else can write it: who writes the register says what is listened to.
func readRegister(path string) (*register.Register, error) {
	if err := perm.Check(path, perm.Trusted); err != nil {
		return nil, err
	}
	return register.Load(path, func(file string) ([]byte, error) { return perm.Read(file, perm.Trusted) })
}

// entries says which entries a gateway can do nothing with, a few of them.
func (d *doctor) entries(set *compile.Set) {
	if d.reg == nil {
		return
	}
	found := d.reg.Check(set.Kinds, set.Zones)
	if len(found) == 0 {
		return
	}
	var some []string
	for _, f := range found[:min(len(found), 3)] {
		some = append(some, f.Error())
	}
	d.say("register", Warn, fmt.Sprintf("%d mistakes: %s", len(found), strings.Join(some, "\n")), "sluice register check "+d.cfg.Register+" --policy DIR says all of them")
}
