package opendata

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"sluice/books/union"
	"sluice/opendata/copies"

	"sluice/internal/pattern"
)

// Books are the public books that a server shows: of one city, of which one or several gateways
// have books or one gateway's have copies, or of several cities.
type Books struct {
	Places Places
	Copies []Copy
	Cities []City
}

// Copy is one of several copies of a gateway's books, where several machines release for it, with
// the store that its machine writes; without one where they have one for all.
type Copy struct {
	Books string `yaml:"books"`
	Store Store  `yaml:"store"`
}

// City is one of several cities, or districts, or whoever else has books.
type City struct {
	// City is its name in addresses: its pages are below /c/NAME.
	City string `yaml:"city"`
	// Books, Streets, StreetsCredit, Store, Archive and MQTT are what they are in Config.
	Books         Books   `yaml:"books"`
	Streets       string  `yaml:"streets"`
	StreetsCredit string  `yaml:"streets_credit"`
	Store         Store   `yaml:"store"`
	Archive       Archive `yaml:"archive"`
	MQTT          struct {
		Listen    string `yaml:"listen"`
		WebSocket bool   `yaml:"websocket"`
	} `yaml:"mqtt"`
}

// MaxCities is how many a server may have.
const MaxCities = 32

// entry is an entry of a list of books: a place, a copy, or a city.
type entry struct {
	place place
	copy  *Copy
	city  *City
}

// UnmarshalYAML reads either form.
func (e *entry) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if unmarshal(&text) == nil {
		return unmarshal(&e.place)
	}
	e.city = new(City)
	if err := unmarshal(e.city); err != nil {
		return err
	}
	if e.city.isCopy() {
		e.copy, e.city = &Copy{e.city.Books.Places[0], e.city.Store}, nil
		if e.copy.Store == (Store{}) {
			return nil
		}
		return e.copy.Store.check()
	}
	one := (&Config{Books: Books{Cities: []City{*e.city}}}).of(0)
	switch {
	case !pathName.MatchString(e.city.City):
		return errors.New("city is the name in addresses, /c/NAME: of small letters a to z, digits and hyphens, " +
			"at most 40")
	case len(e.city.Books.Cities) > 0:
		return errors.New("books of a city are a list of cities; list all cities beside each other")
	case e.city.Books.empty():
		return errors.New("books is missing: " + whichBooks)
	}
	return one.checkOne()
}

var pathName = pattern.New(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// UnmarshalYAML reads one place, a list of places, or a list of cities.
func (b *Books) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if unmarshal(&text) == nil {
		return unmarshal(&b.Places)
	}
	var list []entry
	if err := unmarshal(&list); err != nil {
		return err
	}
	for _, e := range list {
		switch {
		case e.city != nil:
			b.Cities = append(b.Cities, *e.city)
		case e.copy != nil:
			b.Copies = append(b.Copies, *e.copy)
		}
	}
	switch {
	case len(b.Copies) == len(list) && len(list) > 0:
		return b.checkCopies()
	case len(b.Copies) > 0:
		return errors.New("books has copies beside others; a list is of places, of cities as {city: NAME, books: " +
			"DIR or URL, store: ...}, or of the copies of one gateway's books as {books: DIR or URL, store: ...}")
	case len(b.Cities) == 0:
		return unmarshal(&b.Places)
	case len(list) > MaxCities:
		return fmt.Errorf("books has %d cities; a server shows at most %d, so start another", len(list), MaxCities)
	case len(b.Cities) < len(list):
		return errors.New("books has both places and cities: give each city as {city: NAME, books: DIR or URL, " +
			"store: ...}")
	}
	return b.apart()
}

func (b *Books) empty() bool { return len(b.Places)+len(b.Copies)+len(b.Cities) == 0 }

// places are where the books of one city are.
func (b *Books) places() Places {
	list := slices.Clone(b.Places)
	for _, c := range b.Copies {
		list = append(list, c.Books)
	}
	return list
}

// isCopy reports whether an entry has nothing but one place's books, and perhaps a store.
func (c *City) isCopy() bool {
	more := c.City+c.Streets+c.StreetsCredit+c.MQTT.Listen != "" || c.MQTT.WebSocket || c.Archive != (Archive{})
	return len(c.Books.Places) == 1 && !more
}

// checkCopies refuses copies that are no two, or that do not all have a store where one has.
func (b *Books) checkCopies() error {
	n := 0
	for _, c := range b.Copies {
		if c.Store != (Store{}) {
			n++
		}
	}
	switch {
	case len(b.Copies) == 1:
		return errors.New("books has an entry without a city: of several cities give each as {city: NAME, books: DIR " +
			"or URL, store: ...}; of one gateway's books that several machines have, list each machine's as {books: " +
			"DIR or URL, store: ...}")
	case len(b.Copies) > copies.Max:
		return fmt.Errorf("books has %d copies; a server reads at most %d", len(b.Copies), copies.Max)
	case n > 0 && n < len(b.Copies):
		return errors.New("some copies in books have a store and some have not: give each the store that its machine " +
			"writes, or none and the one store for all beside books")
	}
	return b.places().once()
}

// ownStores reports whether each copy has a store.
func (b *Books) ownStores() bool { return len(b.Copies) > 0 && b.Copies[0].Store != Store{} }

// Places are directories and URLs of mirrors, one for each gateway of the city.
type Places []string

// UnmarshalYAML reads one place or a list of places.
func (p *Places) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if unmarshal(&text) == nil {
		var one place
		err := unmarshal(&one)
		*p = Places{string(one)}
		return err
	}
	var list []place
	if err := unmarshal(&list); err != nil {
		return err
	}
	switch {
	case slices.Contains(list, ""):
		return errors.New("an entry of books is empty: " + whichBooks)
	case len(list) == 0:
		return errors.New("books is an empty list: " + whichBooks)
	case len(list) > union.MaxBooks:
		return fmt.Errorf("books has %d entries; a server shows at most %d gateways", len(list), union.MaxBooks)
	}
	*p = nil
	for _, one := range list {
		*p = append(*p, string(one))
	}
	return p.once()
}

// once refuses duplicates.
func (p Places) once() error {
	seen := make(map[string]bool)
	for _, where := range p {
		where = same(where)
		if seen[where] {
			return fmt.Errorf("books has %s twice; give each gateway's once", where)
		}
		seen[where] = true
	}
	return nil
}

// same is one form of a place.
func same(where string) string {
	where = strings.TrimRight(where, "/")
	if !Remote(where) {
		where = filepath.Clean(where)
	}
	return where
}

// place is a directory or a URL.
type place string

// UnmarshalText reads one place.
func (p *place) UnmarshalText(text []byte) error {
	*p = place(text)
	if *p == "" {
		return errors.New("an entry of books is empty: " + whichBooks)
	}
	if !Remote(string(*p)) {
		return nil
	}
	u, err := url.Parse(string(*p))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return errors.New("books is a directory, or a URL such as https://mirror.example/books, or a list of these")
	}
	return nil
}

const whichBooks = "the gateway's public/ directory, or the URL of a mirror; of several gateways a list: [DIR, URL]; " +
	"of one gateway's that several machines have a list of {books: ..., store: ...}; of several cities a list of " +
	"{city: NAME, books: ..., store: ...}"

// Remote reports whether the books are behind a URL.
func Remote(books string) bool { return strings.Contains(books, "://") }

// of is the configuration of one of several cities.
func (c *Config) of(n int) Config {
	one, city := *c, c.Books.Cities[n]
	one.Books, one.Store, one.Archive = city.Books, city.Store, city.Archive
	one.Streets, one.StreetsCredit, one.MQTT = city.Streets, city.StreetsCredit, city.MQTT
	if one.URL != "" {
		one.URL = strings.TrimSuffix(one.URL, "/") + city.path()
	}
	return one
}

// path is where a city's pages are.
func (c *City) path() string { return cityPath + c.City }

const cityPath = "/c/"

// checkCities checks what is of one city, and that with several cities it stands with each.
func (c *Config) checkCities() error {
	if len(c.Books.Cities) == 0 {
		return c.checkOne()
	}
	for name, given := range map[string]bool{
		"store": c.Store != Store{}, "streets": c.Streets+c.StreetsCredit != "", "archive": c.Archive != Archive{},
		"mqtt": c.MQTT.Listen != "" || c.MQTT.WebSocket,
	} {
		if given {
			return fmt.Errorf("%s is of one city: where books is a list of cities, write it into each one's entry",
				name)
		}
	}
	return nil
}

// apart refuses what two cities have in common: each is answered from what is its own.
func (b *Books) apart() error {
	owner := make(map[string]string)
	for n := range b.Cities {
		city := &b.Cities[n]
		for _, x := range city.own() {
			if of, taken := owner[x]; taken {
				return fmt.Errorf("the cities %s and %s have both %s; give each its own", of, city.City, x)
			}
			owner[x] = city.City
		}
	}
	return nil
}

// own is what no other city may have.
func (c *City) own() []string {
	list := []string{"the name " + c.City}
	for _, where := range c.Books.places() {
		list = append(list, "the books "+same(where))
	}
	stores := []Store{c.Store}
	for _, one := range c.Books.Copies {
		stores = append(stores, one.Store)
	}
	for _, s := range stores {
		if s != (Store{}) {
			list = append(list, "the store "+s.where())
		}
	}
	if c.Archive.Dir != "" {
		list = append(list, "the archive "+filepath.Clean(c.Archive.Dir))
	}
	if c.MQTT.Listen != "" && !strings.HasSuffix(c.MQTT.Listen, ":0") {
		list = append(list, "the mqtt address "+c.MQTT.Listen)
	}
	return list
}
