package verify

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"slices"

	"sluice/books"
	"sluice/store/table"
)

// months checks every line of archive.jsonl: it is of a calendar month of its stream, which
// was over; no more windows than were released are said to be in it; and it replaces the
// month's line before it, if there is one.
func (c *checker) months() error {
	last := make(map[[2]string]int64)
	return lines(c, books.ArchiveName, func(n int, a *books.Archived) {
		bad := func(format string, args ...any) {
			c.problem("%s, line %d: %s", books.ArchiveName, n, fmt.Sprintf(format, args...))
		}
		if err := a.Check(); err != nil {
			bad("%v", err)
			return
		}
		of := [2]string{a.Stream, a.Month}
		if a.Replaces != last[of] {
			bad("it replaces line %d; the line before of that month is %d", a.Replaces, last[of])
		}
		last[of] = a.N
		if a.At.Before(a.To) {
			bad("its month was not over")
		}
		if have := c.between(a); a.Windows > have {
			bad("it says %d windows; %d were released", a.Windows, have)
		}
		c.Months = len(last)
	})
}

// between is how many windows of a month were released.
func (c *checker) between(a *books.Archived) (n int64) {
	from, to := a.From.UnixNano(), a.To.UnixNano()
	for _, gateway := range c.names {
		d := c.decided[gateway+" "+a.Stream]
		if d == nil {
			continue
		}
		i, _ := slices.BinarySearch(d.order, from)
		j, _ := slices.BinarySearch(d.order, to)
		n += int64(j - i)
		for at := range d.odd {
			if _, also := slices.BinarySearch(d.order, at); !also && at >= from && at < to {
				n++
			}
		}
	}
	return n
}

// Files are those of an archive, by their paths below it; fs.ErrNotExist for none.
type Files interface {
	File(ctx context.Context, path string) (io.ReadCloser, error)
}

// offered is what a manifest says of a file, as far as it is checked.
type offered struct {
	Path, Stream, Month, Format, SHA256 string
	Bytes                               int64
	Closed                              bool
}

// CheckFiles holds the closed files of an archive against its manifest, and each closed month
// against the lines that the gateways' books have of it. It adds what it finds to a report. A
// server without an archive has nothing to check.
func CheckFiles(ctx context.Context, gateways []books.Reader, files Files, r *Report) error {
	list, err := manifest(ctx, files)
	if err != nil || list == nil {
		return err
	}
	said, err := lastLines(gateways)
	if err != nil {
		return err
	}
	for _, f := range list {
		if !f.Closed {
			continue // it may be another one by now
		}
		n, sum, wrong, err := readFile(ctx, files, f, said[[2]string{f.Stream, f.Month}])
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err != nil || n != f.Bytes || sum != f.SHA256 {
			wrong = "it is not what the manifest says"
		}
		if r.Files++; wrong == "" {
			continue
		}
		now, err := manifest(ctx, files)
		if err != nil {
			return err
		}
		if slices.Contains(now, f) { // it was not made again meanwhile
			r.problem("archive/%s: %s", f.Path, wrong)
		}
	}
	return nil
}

// manifest is the list of files; nil where there is no archive.
func manifest(ctx context.Context, files Files) ([]offered, error) {
	in, err := files.File(ctx, "manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var m struct{ Files []offered }
	if err := json.NewDecoder(io.LimitReader(in, 64<<20)).Decode(&m); err != nil {
		return nil, fmt.Errorf("the archive's manifest cannot be read: %w", err)
	}
	return m.Files, nil
}

// lastLines are the lines that hold, of all gateways, by stream and month.
func lastLines(gateways []books.Reader) (map[[2]string][]books.Archived, error) {
	out := make(map[[2]string][]books.Archived)
	for _, r := range gateways {
		list, err := r.Archived()
		if err != nil {
			return nil, err
		}
		own := make(map[[2]string]books.Archived)
		for _, a := range list {
			own[[2]string{a.Stream, a.Month}] = a
		}
		for of, a := range own {
			out[of] = append(out[of], a)
		}
	}
	return out, nil
}

// readFile reads a file: its size and SHA-256, and of CSV what is wrong with its text by the
// lines of its month.
func readFile(ctx context.Context, files Files, f offered, said []books.Archived) (
	n int64, sum, wrong string, err error,
) {
	in, err := files.File(ctx, f.Path)
	if err != nil {
		return 0, "", "", err
	}
	defer in.Close()
	count := &counter{sum: sha256.New()}
	whole := io.TeeReader(in, count)
	if f.Format == "csv.gz" {
		if wrong, err = readText(whole, said); err != nil {
			wrong = "it is no compressed CSV of the archive"
		}
	}
	_, err = io.Copy(io.Discard, whole) // what is behind the text, too
	return count.n, hex.EncodeToString(count.sum.Sum(nil)), wrong, err
}

type counter struct {
	n   int64
	sum hash.Hash
}

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return c.sum.Write(b)
}

// month adds up the rows of each gateway.
type month struct {
	said []books.Archived
	sums []hash.Hash
	rows []int64
	// mixed says that rows do not say whose they are, of several gateways: then their
	// digests cannot be told.
	mixed bool
}

// readText reads compressed CSV, a line at a time: no row has two.
func readText(in io.Reader, said []books.Archived) (wrong string, err error) {
	zip, err := gzip.NewReader(in)
	if err != nil {
		return "", err
	}
	r := bufio.NewReaderSize(zip, 64<<10)
	head, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	m := month{said: said, rows: make([]int64, len(said))}
	for range said {
		sum := sha256.New()
		sum.Write([]byte(head))
		m.sums = append(m.sums, sum)
	}
	for {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return m.wrong(), nil
		}
		if err != nil {
			return "", err
		}
		row, err := csv.NewReader(bytes.NewReader(line)).Read()
		if err != nil {
			return "", err
		}
		if len(row) != len(table.Columns) {
			return "", errors.New("a row has other columns")
		}
		if !m.add(row[gatewayColumn], line) {
			return "it has rows of a gateway that has no line of it", nil
		}
	}
}

var gatewayColumn = slices.Index(table.Columns, "gateway")

// add adds a row; false where it is nobody's.
func (m *month) add(gateway string, line []byte) bool {
	if gateway == "" && len(m.said) > 1 {
		m.mixed = true
		return true
	}
	i := slices.IndexFunc(m.said, func(a books.Archived) bool { return gateway == "" || a.Has(gateway) })
	if i < 0 {
		return false
	}
	m.sums[i].Write(line)
	m.rows[i]++
	return true
}

// wrong says what is wrong with the rows; empty for nothing.
func (m *month) wrong() string {
	for i, a := range m.said {
		if !m.mixed && (m.rows[i] != a.Rows || hex.EncodeToString(m.sums[i].Sum(nil)) != a.SHA256) {
			return fmt.Sprintf("its rows are not those of line %d of %s", a.N, books.ArchiveName)
		}
	}
	return ""
}
