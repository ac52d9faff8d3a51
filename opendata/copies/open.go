package copies

import (
	"context"
	"io/fs"
	"os"
	"slices"
)

// Open opens a chain of the copy that is shown, where that is a directory. Its size is that of what is
// shown. Other files are not for parts: they are not the same, byte for byte, whenever they are read.
func (c *Copies) Open(name string) (*os.File, fs.FileInfo, error) {
	if !slices.Contains(chained, name) || !c.Near() {
		return nil, nil, fs.ErrNotExist
	}
	var info fs.FileInfo
	file, err := from(context.Background(), c, func(x choice, p *copied) (*os.File, error) {
		dir, ok := p.Books.(interface {
			Open(name string) (*os.File, fs.FileInfo, error)
		})
		if !ok {
			return nil, fs.ErrNotExist
		}
		f, is, err := dir.Open(name)
		info = shown{is, x.ends[name]}
		return f, err
	})
	return file, info, err
}

// shown is a file as far as it is shown.
type shown struct {
	fs.FileInfo
	size int64
}

func (s shown) Size() int64 { return s.size }
