package gateway

import (
	"sluice/perm"
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
