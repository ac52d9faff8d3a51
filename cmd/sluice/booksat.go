package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"sluice/books"
	"sluice/books/union"
)

// openBooks opens public books: a state directory, its public/ directory, a copy of that, or the
// URL of an open-data server or of a copy.
func openBooks(where string) (books.Reader, error) {
	if strings.Contains(where, "://") {
		u, err := url.Parse(where)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return books.Reader{}, &usageError{"the books are a directory, or a URL such as https://data.example"}
		}
		return books.Reader{Source: books.NewMirror(booksBase(where))}, nil
	}
	if info, err := os.Stat(filepath.Join(where, "public")); err == nil && info.IsDir() {
		where = filepath.Join(where, "public")
	}
	r := books.Reader{Source: books.Dir(where)}
	if _, err := r.Source.Get("city.json"); err != nil {
		return r, &exitError{exitFailed, fmt.Sprintf("there are no public books in %s: %v; name a gateway's state "+
			"directory, its public/ directory, or a URL", where, err)}
	}
	return r, nil
}

// openAll opens the books of all gateways: those of each place named, and of every gateway that
// an open-data server lists.
func openAll(places []string) ([]books.Reader, error) {
	var out []books.Reader
	for _, where := range places {
		list, err := openServer(where)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	if len(out) > union.MaxBooks {
		return nil, &usageError{"these are the books of more gateways than a city can have"}
	}
	return out, nil
}

// openServer opens the books at one place, which may be those of several gateways. A place without
// books is an error: nothing there could be verified.
func openServer(where string) ([]books.Reader, error) {
	list, err := openEach(where)
	for _, r := range list {
		if err != nil {
			break
		}
		if _, city := r.Source.Get("city.json"); errors.Is(city, fs.ErrNotExist) {
			err = unreachable(fmt.Errorf("there are no public books at %s, so there is nothing to verify; check "+
				"that it is an open-data server, that its opendata.yaml has books:, and that the gateway has "+
				"started; of a server of several cities name one: /c/NAME", where))
		} else if city != nil {
			err = unreachable(city)
		}
	}
	return list, err
}

func openEach(where string) ([]books.Reader, error) {
	r, err := openBooks(where)
	mirror, remote := r.Source.(*books.Mirror)
	if err != nil || !remote || strings.Contains(where, gatewaysPath) {
		return []books.Reader{r}, err
	}
	raw, err := mirror.Get("gateways.json")
	if errors.Is(err, fs.ErrNotExist) {
		return []books.Reader{r}, nil // a copy of one gateway's books, or an older server
	}
	var answer struct {
		Gateways []struct {
			Books string `json:"books"`
		} `json:"gateways"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &answer)
	}
	if err != nil {
		return nil, unreachable(err)
	}
	if len(answer.Gateways) < 2 {
		return []books.Reader{r}, nil
	}
	var out []books.Reader
	for _, g := range answer.Gateways {
		// Only the gateway's name is taken from the answer, never a host or another path.
		above, name, _ := strings.Cut(g.Books, gatewaysPath)
		if name == "" || strings.Contains(name, "/") || above != "" && !strings.HasPrefix(above, "/c/") {
			return nil, unreachable(errors.New("the open-data server's list of gateways cannot be read"))
		}
		at := booksBase(where) + strings.TrimPrefix(gatewaysPath, "/books") + name
		out = append(out, books.Reader{Source: books.NewMirror(at)})
	}
	return out, nil
}

// gatewaysPath is where a server serves each gateway's books.
const gatewaysPath = "/books/gateways/"

// booksBase is the address of a server's books.
func booksBase(where string) string {
	base := strings.TrimSuffix(where, "/")
	u, err := url.Parse(base)
	if err == nil && (strings.HasSuffix(u.Path, "/books") || strings.Contains(u.Path, gatewaysPath)) {
		return base
	}
	return base + "/books"
}

// mergeBooks reads the books of several gateways as one.
func mergeBooks(list []books.Reader) books.Reader {
	if len(list) == 1 {
		return list[0]
	}
	var all []union.Book
	for _, r := range list {
		all = append(all, union.Book{Source: r.Source})
	}
	return books.Reader{Source: union.New(all)}
}
