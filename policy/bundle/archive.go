package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// block is the unit of an archive, in bytes.
const block = 512

// Archive writes files as one ustar archive, in the order of names; the same
// files give the same bytes. A name that no archive can hold is an error.
func Archive(names []string, files map[string][]byte) ([]byte, error) {
	size := 2 * block
	for _, name := range names {
		size += 2*block + len(files[name])
	}
	b := bytes.NewBuffer(make([]byte, 0, size))
	for _, name := range names {
		h, err := header(name, len(files[name]))
		if err != nil {
			return nil, err
		}
		b.Write(h)
		b.Write(files[name])
		b.Write(make([]byte, padding(len(files[name]))))
	}
	b.Write(make([]byte, 2*block))
	return b.Bytes(), nil
}

// padding is how many zeros fill up a file's last block.
func padding(size int) int { return (block - size%block) % block }

// header is the block before a file (POSIX.1-1988, ustar).
func header(name string, size int) ([]byte, error) {
	var b bytes.Buffer
	h := &tar.Header{Name: name, Mode: 0o644, Size: int64(size), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
	if err := tar.NewWriter(&b).WriteHeader(h); err != nil || b.Len() != block {
		return nil, fmt.Errorf("%w: %q is no name for a file in it", ErrName, name)
	}
	return b.Bytes(), nil
}

// ErrArchive: the archive is not as Archive writes it.
var ErrArchive = errors.New("damaged, or not written by sluice")

// ErrName: the archive holds a file that does not belong there.
var ErrName = errors.New("an archive holds what does not belong there")

// ReadArchive takes an archive of at most maxBytes bytes apart, in all of files files,
// without copying: what it returns are parts of raw. Every name must pass ok. The
// bytes must be those that Archive would write for the names in their order: so
// there is no room for links, odd headers, or anything behind the end.
func ReadArchive(raw []byte, maxBytes, files int, ok func(name string) bool) ([]string, map[string][]byte, error) {
	if len(raw) > maxBytes {
		return nil, nil, fmt.Errorf("larger than %d MiB", maxBytes>>20)
	}
	out := make(map[string][]byte)
	var names []string
	for rest := raw; ; {
		name, body, after, err := entry(rest)
		if errors.Is(err, io.EOF) {
			return names, out, nil
		}
		_, twice := out[name]
		switch {
		case name != "" && (twice || !ok(name)):
			return nil, nil, fmt.Errorf("%w: %q", ErrName, shortened(name))
		case err != nil:
			return nil, nil, err
		case len(names) == files:
			return nil, nil, fmt.Errorf("%w: more than %d files", ErrName, files)
		}
		names, out[name] = append(names, name), body
		rest = after
	}
}

// shortened is a name as an error may show it.
func shortened(name string) string { return name[:min(len(name), 100)] }

// entry is the first file of an archive and what comes after it; io.EOF at the
// end, which must be as it should. A name is returned with an error where it could
// be read.
func entry(raw []byte) (name string, body, after []byte, err error) {
	if len(raw) < 2*block {
		return "", nil, nil, ErrArchive
	}
	head := raw[:block]
	if head[0] == 0 {
		if len(raw) != 2*block || len(bytes.Trim(raw, "\x00")) > 0 {
			return "", nil, nil, ErrArchive
		}
		return "", nil, nil, io.EOF
	}
	if !summed(head) {
		return "", nil, nil, ErrArchive
	}
	name, _, _ = strings.Cut(string(head[:100]), "\x00")
	size, ok := octal(head[124:136])
	if kind := head[156]; kind != tar.TypeReg {
		return name, nil, nil, fmt.Errorf("%w: %q is no plain file", ErrName, shortened(name))
	}
	if !ok || size > len(raw)-2*block {
		return name, nil, nil, ErrArchive
	}
	want, err := header(name, size)
	end := block + size + padding(size)
	if err != nil || !bytes.Equal(want, head) || end > len(raw) || len(bytes.Trim(raw[block+size:end], "\x00")) > 0 {
		return name, nil, nil, ErrArchive
	}
	return name, raw[block : block+size : block+size], raw[end:], nil
}

// summed reports whether a header's checksum is right: the sum of its bytes, with
// blanks for the checksum itself, in six octal digits.
func summed(head []byte) bool {
	sum := 8 * int(' ')
	for i, c := range head {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	return string(head[148:154]) == fmt.Sprintf("%06o", sum)
}

// octal reads eleven digits and a zero byte.
func octal(field []byte) (int, bool) {
	n := 0
	for _, c := range field[:11] {
		if c < '0' || c > '7' {
			return 0, false
		}
		n = n<<3 | int(c-'0')
	}
	return n, field[11] == 0
}
