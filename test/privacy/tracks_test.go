package privacy

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestAracajuTracks puts GPS tracks on a grid of 0.01 degrees: with 28 people
// nothing may show, and with each of them cloned 60 times every cell that is
// above public_from must.
func TestAracajuTracks(t *testing.T) {
	t.Parallel()
	realData(t, "uci_gps_gotrack/go_track_tracks.csv")
	dir := realData(t, "uci_gps_gotrack")
	person := map[string]string{}
	for _, r := range rows(t, filepath.Join(dir, "go_track_tracks.csv")) {
		person[r["id"]] = r["id_android"]
	}
	loc, err := time.LoadLocation("America/Maceio")
	if err != nil {
		t.Fatal(err)
	}
	type point struct {
		TS     time.Time `json:"ts"`
		Sensor string    `json:"sensor"`
		Person string    `json:"person"`
		Lat    float64   `json:"lat"`
		Lon    float64   `json:"lon"`
	}
	var points []point
	zones := map[string]string{}
	cellOf := func(p point) string {
		return fmt.Sprintf("c%d_%d", int(math.Floor(-p.Lat*100)), int(math.Floor(-p.Lon*100)))
	}
	for _, r := range rows(t, filepath.Join(dir, "go_track_trackspoints.csv")) {
		at, err := time.ParseInLocation("1/2/2006 15:04", r["time"], loc)
		if err != nil {
			t.Fatal(err)
		}
		lat, _ := strconv.ParseFloat(r["latitude"], 64)
		lon, _ := strconv.ParseFloat(r["longitude"], 64)
		p := point{at.UTC(), "phones", person[r["track_id"]], lat, lon}
		points = append(points, p)
		id := cellOf(p)
		y, x := math.Floor(-lat*100), math.Floor(-lon*100)
		zones[id] = harness.Square(id, -(x+1)/100, -(y+1)/100, 0.01)
	}
	var names, features []string
	for id, f := range zones {
		names, features = append(names, id), append(features, f)
	}
	for _, clones := range []int{1, 60} {
		t.Run(fmt.Sprintf("clones=%d", clones), func(t *testing.T) {
			t.Parallel()
			truth := map[string]map[string]bool{}
			file := filepath.Join(t.TempDir(), "points.jsonl")
			var lines strings.Builder
			sent := map[string]bool{}
			for _, p := range points {
				day := p.TS.In(loc).Format(time.DateOnly)
				key := cellOf(p) + " " + day
				if clones > 1 && sent[key+p.Person] {
					continue // one point a person, cell and day says as much, and is quicker
				}
				sent[key+p.Person] = true
				if truth[key] == nil {
					truth[key] = map[string]bool{}
				}
				truth[key][p.Person] = true
				for n := range clones {
					q := p
					q.Person = fmt.Sprintf("%s-%d", p.Person, n)
					raw, err := json.Marshal(q)
					if err != nil {
						t.Fatal(err)
					}
					lines.Write(append(raw, '\n'))
				}
			}
			harness.Write(t, file, lines.String())
			c := harness.Found(t, map[string]string{
				"policy/charter.yaml":  charterFor("America/Maceio", "kinds_about_people: [phone]\n"),
				"policy/zones.geojson": harness.Collection(features),
				"policy/kinds.yaml": `kinds:
  phone:
    units: [{field: person, stands_for: person}]
    fields:
      - {name: person, type: string, class: identifier}
      - {name: lat, type: float, class: location}
      - {name: lon, type: float, class: location}
`,
				"policy/decisions/tracks.yaml": `decision: "1"
title: {en: Tracks}
stream: tracks
purpose: test
applies_to: {kinds: [phone], zones: [` + strings.Join(names, ", ") + `]}
unit: {field: person, stands_for: person}
keep: [person, lat, lon]
place: {lat: lat, lon: lon}
publish:
  every: P1D
  by: [zone]
  measures: [{name: people, of: distinct(unit)}]
protect: {min_units: 3, epsilon: 100, delta: 1e-5, max_contributions: 120}
forget_after: P1D
from: 2014-09-01
until: 2016-02-28
`,
				"register.yaml": "sensors: [{id: phones, owner: replay, kind: phone, lat: -10.9, lon: -37, " +
					"registered: 2014-01-01}]\n",
			})
			harness.AppendTo(t, filepath.Join(c.Dir, "gateway.yaml"), "windows: {future: P1D}\n")
			c.Run()
			c.Serve()
			replayed(c, file, "--map", "ts=ts,sensor=sensor,field.person=person:string,field.lat=lat,field.lon=lon",
				"--step", "24h", "--settle", "49h")
			checkTracks(c, truth, loc, clones)
		})
	}
}

func checkTracks(c *harness.City, truth map[string]map[string]bool, loc *time.Location, clones int) {
	t := c.T
	var streams struct {
		Streams []struct {
			Measures []struct {
				PublicFrom int `json:"public_from"`
			}
		}
	}
	harness.GetJSON(t, c.Opendata+"/api/v1/streams", &streams)
	from := streams.Streams[0].Measures[0].PublicFrom
	published, above := 0, 0
	for _, i := range c.Items("tracks", time.Date(2014, 9, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2016, 3, 1, 0, 0, 0, 0, time.UTC)) {
		n := clones * len(truth[i.Cell+" "+i.Start.In(loc).Format(time.DateOnly)])
		if i.Status == "published" {
			published++
			if n < 3 {
				t.Fatalf("%s at %s is published with %d people", i.Cell, i.Start, n)
			}
		}
		if n >= from {
			above++
			if i.Status != "published" {
				t.Errorf("%s at %s has %d people, above public_from %d, and is %s", i.Cell, i.Start, n, from, i.Status)
			}
		}
	}
	if clones > 1 && above < 500 || clones > 1 && published < above {
		t.Errorf("%d cells are published and %d above public_from; the tracks have hundreds", published, above)
	}
	t.Logf("%d published, %d above public_from %d", published, above, from)
}
