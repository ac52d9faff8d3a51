package opendata

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sluice/books/union"
)

// Books are the public books that a server shows: of one city, or of several.
type Books struct {
	Places Places
	Cities []City
}

// City is one of several cities, or districts, or whoever else has books.
type City struct {
	// City is its name in addresses: its pages are below /c/NAME.
	City string `yaml:"city"`
	// Books, Streets, StreetsCredit, Store, Archive and MQTT are what they are in Config.
	Books         Places  `yaml:"books"`
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

// entry is an entry of a list of books: a place, or a city.
type entry struct {
	place place
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
	one := (&Config{Books: Books{Cities: []City{*e.city}}}).of(0)
	switch {
	case !pathName.MatchString(e.city.City):
		return errors.New("city is the name in addresses, /c/NAME: of small letters a to z, digits and hyphens, " +
			"at most 40")
	case len(e.city.Books) == 0:
		return errors.New("books is missing: " + whichBooks)
	}
	return one.checkOne()
}

var pathName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

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
	switch {
	case !slices.ContainsFunc(list, func(e entry) bool { return e.city != nil }):
		return unmarshal(&b.Places)
	case len(list) > MaxCities:
		return fmt.Errorf("books has %d cities; a server shows at most %d, so start another", len(list), MaxCities)
	}
	for _, e := range list {
		if e.city == nil {
			return errors.New("books has both places and cities: give each city as {city: NAME, books: DIR or URL, " +
				"store: ...}")
		}
		b.Cities = append(b.Cities, *e.city)
	}
	return b.apart()
}

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
	"of several cities a list of {city: NAME, books: ..., store: ...}"

// Remote reports whether the books are behind a URL.
func Remote(books string) bool { return strings.Contains(books, "://") }

// of is the configuration of one of several cities.
func (c *Config) of(n int) Config {
	one, city := *c, c.Books.Cities[n]
	one.Books, one.Store, one.Archive = Books{Places: city.Books}, city.Store, city.Archive
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
	for _, where := range c.Books {
		list = append(list, "the books "+same(where))
	}
	if s := c.Store.SQLite; s != nil {
		list = append(list, "the store "+filepath.Clean(s.Path))
	}
	if s := c.Store.Influx; s != nil {
		at := []string{strings.TrimRight(s.URL, "/"), s.Org, s.Bucket}
		list = append(list, "the store "+strings.Join(at, " "))
	}
	if c.Archive.Dir != "" {
		list = append(list, "the archive "+filepath.Clean(c.Archive.Dir))
	}
	if c.MQTT.Listen != "" && !strings.HasSuffix(c.MQTT.Listen, ":0") {
		list = append(list, "the mqtt address "+c.MQTT.Listen)
	}
	return list
}
