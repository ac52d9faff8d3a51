package checkpoint

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// row is one piece of damage, and what comes of it.
type row struct {
	name, want string
	do         func(c *town)
}

// ofDirectories is damage to whole directories, and files that do not belong there.
func ofDirectories(t *testing.T) []row {
	return []row{
		{"nothing", whole, func(*town) {}},
		{"a foreign segment", whole, func(c *town) {
			must(t, os.WriteFile(filepath.Join(c.dir, segmentName(99)), bytes.Repeat([]byte("x"), 9000), 0o600))
		}},
		{"a segment once more, under another number", whole, func(c *town) {
			raw, err := os.ReadFile(c.segment(1))
			must(t, err)
			must(t, os.WriteFile(filepath.Join(c.dir, segmentName(7)), raw, 0o600))
		}},
		{"half a segment, half a key and half a list", whole, func(c *town) {
			must(t, os.WriteFile(filepath.Join(c.dir, segmentName(9)+partSuffix), []byte("x"), 0o600))
			must(t, os.WriteFile(filepath.Join(c.mem, "w-1-x.key.part"), []byte("x"), 0o600))
			must(t, os.WriteFile(filepath.Join(c.mem, "segments.part"), []byte("x"), 0o600))
			must(t, os.WriteFile(filepath.Join(c.mem, "part-01020304"), []byte("x"), 0o600))
		}},
		{"the whole directory older", all, func(c *town) { replaceDir(t, c.dir, c.olderDir) }},
		{"the whole directory gone", all, func(c *town) { must(t, os.RemoveAll(c.dir)) }},
		{"all keys gone", all, func(c *town) { must(t, os.RemoveAll(c.mem)) }},
		{"both gone but a window's key", all, func(c *town) {
			must(t, os.RemoveAll(c.dir))
			key, err := os.ReadFile(filepath.Join(c.mem, "w-4-early.key"))
			must(t, err)
			must(t, os.RemoveAll(c.mem))
			must(t, os.MkdirAll(c.mem, 0o700))
			must(t, os.WriteFile(filepath.Join(c.mem, "w-4-early.key"), key, 0o600))
		}},
		{"first and second segment swapped", some, func(c *town) { swapFiles(t, c.segment(0), c.segment(1)) }},
		{"first and newest swapped", all, func(c *town) { swapFiles(t, c.segment(0), c.segment(3)) }},
		{"the newest's older copy", all, func(c *town) {
			raw, err := os.ReadFile(filepath.Join(c.olderDir, segmentName(c.newest)))
			must(t, err)
			must(t, os.WriteFile(c.segment(3), raw, 0o600))
		}},
		{"a closed segment's older copy", some, func(c *town) {
			edit(t, c.segment(2), cutTo(5*blockSize))
		}},
		{"all of the newest that is about one window", some, func(c *town) {
			edit(t, c.segment(3), func(b []byte) []byte { clear(b[:2*blockSize]); return b })
		}},
	}
}

// ofKeys is damage to list, mark and keys.
func ofKeys(t *testing.T) []row {
	return []row{
		{"the mark gone", all, func(c *town) { must(t, os.Remove(filepath.Join(c.mem, markFile))) }},
		{"the mark empty", all, func(c *town) { must(t, os.Truncate(filepath.Join(c.mem, markFile), 0)) }},
		{"one slot of the mark gone", whole, func(c *town) {
			must(t, os.Truncate(filepath.Join(c.mem, markFile), slotSize))
		}},
		{"a bit in each slot of the mark", all, func(c *town) {
			edit(t, filepath.Join(c.mem, markFile), func(b []byte) []byte {
				return flipped(20)(flipped(slotSize + 20)(b))
			})
		}},
		{"an older mark", whole, func(c *town) {
			raw, err := os.ReadFile(filepath.Join(c.olderMem, markFile))
			must(t, err)
			must(t, os.WriteFile(filepath.Join(c.mem, markFile), raw, 0o600))
		}},
		{"the list gone", all, func(c *town) { must(t, os.Remove(filepath.Join(c.mem, listFile))) }},
		{"the list cut", all, func(c *town) { edit(t, filepath.Join(c.mem, listFile), cutTo(40)) }},
		{"a bit in the list", all, func(c *town) { edit(t, filepath.Join(c.mem, listFile), flipped(15)) }},
		{"list and mark gone", all, func(c *town) {
			must(t, os.Remove(filepath.Join(c.mem, markFile)))
			must(t, os.Remove(filepath.Join(c.mem, listFile)))
		}},
		{"list, mark and segments gone", all, func(c *town) {
			must(t, os.Remove(filepath.Join(c.mem, markFile)))
			must(t, os.Remove(filepath.Join(c.mem, listFile)))
			must(t, os.RemoveAll(c.dir))
		}},
		{"a window's key gone", some, func(c *town) { must(t, os.Remove(filepath.Join(c.mem, "w-4-early.key"))) }},
		{"a window's key cut", some, func(c *town) { edit(t, filepath.Join(c.mem, "w-4-early.key"), cutTo(7)) }},
		{"a bit in a window's key", some, func(c *town) { edit(t, filepath.Join(c.mem, "w-4-early.key"), flipped(7)) }},
		{"another window's key", some, func(c *town) {
			swapFiles(t, filepath.Join(c.mem, "w-4-early.key"), filepath.Join(c.mem, "w-3-early.key"))
		}},
		{"a bit in an epoch's key", some, func(c *town) { edit(t, filepath.Join(c.mem, "e-1-early.key"), flipped(7)) }},
	}
}

// ofSegments is damage to one segment.
func ofSegments(t *testing.T, n int, name string) []row {
	want := some
	if n == 3 {
		want = all
	}
	rows := []row{
		{name + " gone", want, func(c *town) { must(t, os.Remove(c.segment(n))) }},
		{name + " a directory", want, func(c *town) {
			must(t, os.Remove(c.segment(n)))
			must(t, os.Mkdir(c.segment(n), 0o700))
		}},
		{name + " empty", want, func(c *town) { must(t, os.Truncate(c.segment(n), 0)) }},
		{name + " cut at a block", want, func(c *town) {
			edit(t, c.segment(n), func(b []byte) []byte { return b[:len(b)-blockSize] })
		}},
		{name + " cut in a block", want, func(c *town) {
			edit(t, c.segment(n), func(b []byte) []byte { return b[:len(b)-5000] })
		}},
		{name + " longer", whole, func(c *town) {
			edit(t, c.segment(n), func(b []byte) []byte { return append(b, make([]byte, 10000)...) })
		}},
		{name + " with a zeroed page", some, func(c *town) {
			edit(t, c.segment(n), func(b []byte) []byte { clear(b[blockSize : 2*blockSize]); return b })
		}},
		{name + " all zeros", want, func(c *town) {
			edit(t, c.segment(n), func(b []byte) []byte { clear(b); return b })
		}},
		{name + " with a bit in its middle", some, func(c *town) { edit(t, c.segment(n), flipped(blockSize+600)) }},
		{name + " with a bit in its last block", want, func(c *town) {
			edit(t, c.segment(n), func(b []byte) []byte { return flipped(len(b) - 99)(b) })
		}},
		{name + " with two blocks swapped", some, func(c *town) {
			edit(t, c.segment(n), func(b []byte) []byte {
				return slices.Concat(b[blockSize:2*blockSize], b[:blockSize], b[2*blockSize:])
			})
		}},
		{name + " with its key gone", want, func(c *town) {
			must(t, os.Remove(filepath.Join(c.mem, keyName(numberAt(c, n))+keySuffix)))
		}},
		{name + " with its key cut", want, func(c *town) {
			edit(t, filepath.Join(c.mem, keyName(numberAt(c, n))+keySuffix), cutTo(31))
		}},
		{name + " with a bit in its key", want, func(c *town) {
			edit(t, filepath.Join(c.mem, keyName(numberAt(c, n))+keySuffix), flipped(3))
		}},
	}
	for at := range headSize {
		rows = append(rows,
			row{fmt.Sprint(name, " with a bit in byte ", at, " of a block's head"), some, func(c *town) {
				edit(t, c.segment(n), flipped(blockSize+at))
			}})
	}
	return rows
}

func numberAt(c *town, n int) uint64 {
	if n < len(c.closed) {
		return c.closed[n]
	}
	return c.newest
}
