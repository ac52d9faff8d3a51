package web

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"image"
	stdcolor "image/color"
	"image/png"
	"net/http"
	"net/url"
	"strings"

	"sluice/books"
	"sluice/opendata/httpcache"
	"sluice/opendata/i18n"
)

// feedLink is a feed that a page's head names.
type feedLink struct{ Type, Title, Href string }

// feeds are those of the page's subject, and the city's.
func (w *Web) feeds(v locale, city books.City, page any) (out []feedLink) {
	s := w.speak[v.lang]
	add := func(title, path string) {
		for _, form := range [][2]string{{"application/atom+xml", ".atom"}, {"application/feed+json", ".json"}} {
			out = append(out, feedLink{form[0], title, path + form[1] + "?lang=" + v.lang})
		}
	}
	switch p := page.(type) {
	case *streamPage:
		title, _ := s.Title(p.Title)
		add(title, "/feed/streams/"+url.PathEscape(p.ID))
	case zonePage:
		add(p.There.Zone.Name, "/feed/zones/"+url.PathEscape(p.There.Zone.ID))
	case decisionPage:
		title, _ := s.Title(p.Title)
		add(title, "/feed/decisions/"+url.PathEscape(p.ID))
	}
	add(s.Say("What is new in %s", city.Name), "/feed/city")
	return out
}

// maxPlaces is how many addresses a sitemap may have (sitemaps.org).
const maxPlaces = 50_000

type (
	sitemap struct {
		XMLName xml.Name      `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
		XHTML   string        `xml:"xmlns:xhtml,attr"`
		URLs    []sitemapPage `xml:"url"`
	}
	sitemapPage struct {
		Loc   string        `xml:"loc"`
		Langs []sitemapLang `xml:"xhtml:link"`
	}
	sitemapLang struct {
		Rel  string `xml:"rel,attr"`
		Lang string `xml:"hreflang,attr"`
		Href string `xml:"href,attr"`
	}
)

// sitemap lists the pages with their languages, for search engines.
func (w *Web) sitemap(r *http.Request) (*httpcache.Reply, error) {
	streams, err := w.source.Streams(r.Context())
	decisions, err2 := w.source.Books.Decisions()
	register, err3 := w.source.Books.Register()
	m, err4 := w.zoneMap("")
	if err := errors.Join(err, err2, err3, err4); err != nil {
		return nil, err
	}
	paths := []string{"/", "/map", "/news", "/sensors", "/decisions", "/privacy", "/data", "/archive", "/docs",
		"/imprint", "/accessibility"}
	for _, st := range streams {
		paths = append(paths, "/streams/"+url.PathEscape(st.ID))
	}
	for _, d := range decisions {
		paths = append(paths, "/decisions/"+url.PathEscape(d.ID))
	}
	for i := range m.Zones {
		paths = append(paths, "/zones/"+url.PathEscape(m.Zones[i].ID))
	}
	for _, s := range register.Sensors {
		paths = append(paths, "/sensors/"+url.PathEscape(s.ID))
	}
	out := sitemap{XHTML: "http://www.w3.org/1999/xhtml"}
	for _, path := range paths[:min(len(paths), maxPlaces)] {
		p := sitemapPage{Loc: w.place.Base() + path}
		if len(paths) <= 1000 { // a hundred thousand addresses three times over are too much for anybody
			for _, code := range i18n.Codes {
				p.Langs = append(p.Langs, sitemapLang{"alternate", code, p.Loc + "?lang=" + code})
			}
		}
		out.URLs = append(out.URLs, p)
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	err = xml.NewEncoder(&b).Encode(out)
	return &httpcache.Reply{Type: "application/xml; charset=utf-8", Body: append(b.Bytes(), '\n')}, err
}

// robots lets everybody in (RFC 9309): there is nothing here that is not for everybody.
func (w *Web) robots(*http.Request) (*httpcache.Reply, error) {
	text := "User-agent: *\nAllow: /\n"
	if w.place.Public != "" {
		text += "Sitemap: " + w.place.Public + "/sitemap.xml\n"
	}
	return &httpcache.Reply{Type: "text/plain; charset=utf-8", Body: []byte(text)}, nil
}

// iconRows is icon.svg in 32 by 32 pixels, a character for two by two.
var iconRows = strings.Fields(`
	.##############.
	################
	################
	################
	################
	###..........###
	################
	################
	###....##....###
	################
	################
	###..........###
	################
	################
	################
	.##############.`)

// favicon is for programs that ask for /favicon.ico whatever a page says: one PNG in an ICO
// container.
func favicon(*http.Request) (*httpcache.Reply, error) {
	const side = 32
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			c := stdcolor.NRGBA{0x0b, 0x5d, 0x7a, 0xff}
			if iconRows[y/2][x/2] == '.' {
				c = stdcolor.NRGBA{0xff, 0xff, 0xff, 0xff}
				if (y/2 == 0 || y/2 == side/2-1) && (x/2 == 0 || x/2 == side/2-1) {
					c = stdcolor.NRGBA{}
				}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	var picture, out bytes.Buffer
	if err := png.Encode(&picture, img); err != nil {
		return nil, err
	}
	// ICONDIR with one ICONDIRENTRY: width, height, no palette, one plane, 32 bits, size and offset.
	out.Write([]byte{0, 0, 1, 0, 1, 0, side, side, 0, 0, 1, 0, 32, 0})
	length := binary.LittleEndian.AppendUint32(nil, uint32(picture.Len())) //nolint:gosec // some hundred bytes
	out.Write(binary.LittleEndian.AppendUint32(length, 22))
	out.Write(picture.Bytes())
	return &httpcache.Reply{Type: "image/vnd.microsoft.icon", Body: out.Bytes()}, nil
}
