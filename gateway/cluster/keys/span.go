package keys

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// span is an epoch.
type span struct {
	start, length int64 // seconds
	tags          bool  // it is one in which units are recognised, and not a day of what passes between members
}

// secondsOfDay are those of a day in UTC.
const secondsOfDay = 24 * 60 * 60

// longest bounds how long units can be recognised, in seconds.
const longest = 400 * secondsOfDay

// dayOf is a day by its number from 1970.
func dayOf(n int64) span { return span{start: n * secondsOfDay, length: secondsOfDay} }

// EpochOf is the number of an instant's day.
func EpochOf(t time.Time) int64 {
	seconds := t.Unix()
	if seconds < 0 {
		seconds -= secondsOfDay - 1
	}
	return seconds / secondsOfDay
}

// String is the epoch's name, a word in a subject and in a path.
func (s span) String() string {
	if s.tags {
		return fmt.Sprintf("tag-%d-%d", s.start, s.length)
	}
	return strconv.FormatInt(s.start/secondsOfDay, 10)
}

// end is when the epoch is over.
func (s span) end() time.Time { return time.Unix(s.start+s.length, 0).UTC() }

// next is the one behind it.
func (s span) next() span { return span{s.start + s.length, s.length, s.tags} }

func (s span) subject() string { return "epochs." + s.String() }

// farthest bounds the numbers of days: some thousand years.
const farthest = 1 << 21

// parseSpan reads a name, in its one form.
func parseSpan(name string) (s span, ok bool) {
	if rest, tags := strings.CutPrefix(name, "tag-"); tags {
		start, length, _ := strings.Cut(rest, "-")
		s.tags = true
		var err, also error
		s.start, err = strconv.ParseInt(start, 10, 64)
		s.length, also = strconv.ParseInt(length, 10, 64)
		if err != nil || also != nil || s.start < 0 || s.start > farthest*secondsOfDay || s.length < 1 ||
			s.length > longest {
			return span{}, false
		}
	} else {
		n, err := strconv.ParseInt(name, 10, 64)
		if err != nil || n < 0 || n > farthest {
			return span{}, false
		}
		s = dayOf(n)
	}
	return s, s.String() == name
}

// The uses of keys.
const (
	tagUse  = "tag"
	sealUse = "seal-"
	partUse = "part-"
)

// uses are all that the epoch has keys for, in order.
func (s span) uses(partitions int) []string {
	if s.tags {
		return []string{tagUse}
	}
	list := make([]string, 0, 2*partitions)
	for _, of := range []string{sealUse, partUse} {
		for p := range partitions {
			list = append(list, of+strconv.Itoa(p))
		}
	}
	return list
}

// partitionOf is the partition that a use is of; -1 where it is of none.
func partitionOf(use string, partitions int) int {
	for _, of := range []string{sealUse, partUse} {
		if text, ok := strings.CutPrefix(use, of); ok {
			if p, err := strconv.Atoi(text); err == nil && p >= 0 && p < partitions && strconv.Itoa(p) == text {
				return p
			}
		}
	}
	return -1
}

// wantOf says which key of which epoch a caller of Key means: of a day seal-P or part-P, and of tags
// tag-UNIX-SECONDS-STREAM, where UNIX is in that day.
func wantOf(day int64, use string) (at span, of, stream string, ok bool) {
	rest, tags := strings.CutPrefix(use, "tag-")
	if !tags {
		return dayOf(day), use, "", use != tagUse && day >= 0 && day <= farthest
	}
	start, rest, _ := strings.Cut(rest, "-")
	length, stream, _ := strings.Cut(rest, "-")
	at, ok = parseSpan("tag-" + start + "-" + length)
	return at, tagUse, stream, ok && stream != "" && EpochOf(time.Unix(at.start, 0)) == day
}
