package config

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"sluice/register"
	"sluice/register/preset"
)

// Stamp tells files from what they were before: it is of their names, sizes, times and places on
// the disk. It is cheap, and takes no look into them.
type Stamp struct {
	// Register is of the files of the register and of the city's own presets, Access of the
	// listener's passwords and certificates.
	Register, Access [sha256.Size]byte
	// Size is how many bytes the register has.
	Size int64
}

// Stamp looks at all files that are read anew while the gateway runs.
func (c *Config) Stamp() Stamp {
	var s Stamp
	files, err := register.Files(c.Register)
	if !slices.Contains(files, c.Register) { // a directory; or what is wrong, as reading it will say
		files = append(files, c.Register)
	}
	own := register.PresetsDir(c.Register)
	presets, presetsErr := preset.Files(own)
	files = append(append(files, presets...), own)
	access := []string{c.Listen.Passwords}
	if t := c.Listen.TLS; t != nil {
		access = append(access, t.Cert, t.Key, t.ClientCA)
	}
	s.Access, _ = stampOf(access, "")
	s.Register, s.Size = stampOf(files, fmt.Sprint(err, presetsErr))
	return s
}

// stampOf is the digest of what the system says of some files, and their size together; a file
// that is not there says that.
func stampOf(files []string, more string) (sum [sha256.Size]byte, size int64) {
	h := sha256.New()
	fmt.Fprintln(h, more)
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			fmt.Fprintf(h, "%q %T\n", file, err)
			continue
		}
		if info.IsDir() { // what else is in it is looked at by itself
			fmt.Fprintf(h, "%q %s\n", file, info.Mode())
			continue
		}
		size += info.Size()
		fmt.Fprintf(h, "%q %d %d %s %s\n", file, info.Size(), info.ModTime().UnixNano(), info.Mode(), place(info))
	}
	return [sha256.Size]byte(h.Sum(nil)), size
}

// place is where a file is and when its entry was written last, which no copy sets back.
func place(info fs.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("%d.%d %d.%09d", st.Dev, st.Ino, st.Ctim.Sec, st.Ctim.Nsec)
	}
	return ""
}
