package web

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"sluice/books"
	"sluice/opendata/query"
)

// TestFavicon: the container leads to a picture of the size that it says.
func TestFavicon(t *testing.T) {
	out, err := favicon(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := out.Body
	size, at := binary.LittleEndian.Uint32(b[14:]), binary.LittleEndian.Uint32(b[18:])
	img, err := png.Decode(bytes.NewReader(b[at:]))
	if err != nil || int(at+size) != len(b) || img.Bounds().Dx() != int(b[6]) || img.Bounds().Dy() != int(b[7]) {
		t.Fatal(err, size, at, len(b))
	}
	if _, _, _, alpha := img.At(0, 0).RGBA(); alpha != 0 {
		t.Error("the corner is not clear")
	}
}

// TestSitemap: it is well formed, has an address for every page and language, and leaves out
// languages where there are many pages.
func TestSitemap(t *testing.T) {
	for sensors, langs := range map[int]int{3: 3, 2000: 0, 60_000: 0} {
		dir := books.Dir(t.TempDir())
		list := books.Register{Sensors: make([]books.Sensor, sensors)}
		for i := range list.Sensors {
			list.Sensors[i].ID = "s" + strconv.Itoa(i)
		}
		if err := dir.PutJSON("register.json", list); err != nil {
			t.Fatal(err)
		}
		w := &Web{source: &query.Source{Books: books.Reader{Source: dir}}, place: Place{Public: "https://x.example"}}
		out, err := w.sitemap(httptest.NewRequest(http.MethodGet, "/sitemap.xml", nil))
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			URLs []struct {
				Loc   string `xml:"loc"`
				Langs []struct {
					Href string `xml:"href,attr"`
				} `xml:"link"`
			} `xml:"url"`
		}
		if err := xml.Unmarshal(out.Body, &m); err != nil {
			t.Fatal(err)
		}
		if want := min(maxPlaces, 11+sensors); len(m.URLs) != want || m.URLs[0].Loc != "https://x.example/" ||
			len(m.URLs[0].Langs) != langs || len(out.Body) > 50<<20 {
			t.Errorf("%d sensors: %d addresses, %+v", sensors, len(m.URLs), m.URLs[0])
		}
	}
}

// TestRobots: it names the sitemap where the public address is known.
func TestRobots(t *testing.T) {
	for public, want := range map[string]string{"": "User-agent: *\nAllow: /\n",
		"https://x.example": "User-agent: *\nAllow: /\nSitemap: https://x.example/sitemap.xml\n"} {
		out, err := (&Web{place: Place{Public: public}}).robots(nil)
		if err != nil || string(out.Body) != want || !strings.HasPrefix(out.Type, "text/plain") {
			t.Errorf("%q: %s, %v", public, out.Body, err)
		}
	}
}
