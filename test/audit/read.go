package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// shown is one number as the interface shows it.
type shown struct {
	Start                     time.Time
	Cell, Measure             string
	Status, Reason            string
	Value, Low, High          *float64
	Scale, Threshold, Epsilon float64
	Mechanism                 string
	cell, units               int // units are those that light has in it
	PublicFrom                int `json:"-"`
}

// read waits until a stream's window is shown and returns its rows by cell.
func (c *city) read(stream string, start time.Time) ([]shown, error) {
	return await(stream, start, pause, c.look)
}

// places is read for a stream without categories.
func (c *city) places(stream string, start time.Time) ([]shown, error) {
	return await(stream, start, pause, c.page)
}

// pause is how long it is waited before a window that is not shown yet is asked for again.
const pause = 30 * time.Millisecond

func await(
	stream string, start time.Time, pause time.Duration, look func(string, time.Time) ([]shown, error),
) ([]shown, error) {
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(pause) {
		list, err := look(stream, start)
		if errors.Is(err, errUnknown) {
			err = nil // the books do not name it yet
		}
		if err != nil || len(list) > 0 {
			return list, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%s at %s is not shown", stream, start)
		}
	}
}

// look reads a window as it is shown now, and finds each row's cell.
func (c *city) look(stream string, start time.Time) ([]shown, error) {
	all, err := c.page(stream, start)
	for i := range all {
		var zone, value int
		if _, err := fmt.Sscanf(all[i].Cell, "z%02d/k%03d", &zone, &value); err != nil {
			return nil, err
		}
		all[i].cell = zone*values + value
		all[i].units = unitsIn(all[i].cell, c.large)
	}
	return all, err
}

// page reads a window as it is shown now, by JSON, and notes every value.
func (c *city) page(stream string, start time.Time) ([]shown, error) {
	var all []shown
	next := fmt.Sprintf("/api/v1/streams/%s/observations?limit=1000&%s", stream, span(start))
	for next != "" {
		var page struct {
			Items []shown
			Next  *string
		}
		body, err := c.get(next)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if next = ""; page.Next != nil {
			next = *page.Next
		}
	}
	for _, o := range all {
		c.note(stream, o.Start.Format(time.RFC3339), o.Cell, o.Measure, o.Status, number(o.Value), number(o.Low),
			number(o.High))
	}
	return all, nil
}

func span(start time.Time) string {
	return url.Values{"from": {start.Format(time.RFC3339)},
		"to": {start.Add(time.Second).Format(time.RFC3339)}}.Encode()
}

func number(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

// lookCSV reads the same by CSV.
func (c *city) lookCSV(stream string, start time.Time) error {
	body, err := c.get(fmt.Sprintf("/api/v1/streams/%s/observations?format=csv&limit=1000&%s", stream, span(start)))
	if err != nil {
		return err
	}
	rows, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
	if err != nil {
		return err
	}
	for _, r := range rows[1:] {
		c.note(stream, r[0], r[3], r[4], r[6], r[5], r[7], r[8])
	}
	return nil
}

func (c *city) note(stream, start, cell, measure string, say ...string) {
	key := strings.Join([]string{stream, start, cell, measure}, " ")
	text := strings.Join(say, " ")
	if old, known := c.seen[key]; known && old != text {
		c.twice = append(c.twice, key+": "+old+", then "+text)
	}
	c.seen[key] = text
}

var errUnknown = errors.New("there is no such stream")

func (c *city) get(path string) ([]byte, error) {
	resp, err := http.Get(c.api + path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode == http.StatusNotFound {
		return nil, errUnknown
	}
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %d %.200s", path, resp.StatusCode, body)
	}
	return body, err
}

// taken makes sure that the gateway refused nothing that was sent as misshapen,
// early or late: otherwise nothing that is seen here means anything.
func (c *city) taken() error {
	resp, err := http.Get("http://" + c.admin + "/metrics")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	for s := bufio.NewScanner(resp.Body); s.Scan(); {
		if m := refused.FindStringSubmatch(s.Text()); m != nil && m[2] != "0" {
			return fmt.Errorf("%s readings were refused with %s", m[2], m[1])
		}
	}
	return nil
}

var refused = regexp.MustCompile(`^sluice_readings_total\{code="(E[1-3]\d\d)",state="[a-z]+"\} (\S+)`)

// listed waits until the interface lists a stream.
func (c *city) listed(stream string) (err error) {
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(pause) {
		if _, err = c.publicFrom(stream, "n"); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// publicFrom is what the interface says of a stream's measure.
func (c *city) publicFrom(stream, measure string) (int, error) {
	var list struct {
		Streams []struct {
			ID       string
			Measures []struct {
				Name       string
				PublicFrom int `json:"public_from"`
			}
		}
	}
	body, err := c.get("/api/v1/streams")
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return 0, err
	}
	for _, s := range list.Streams {
		for _, m := range s.Measures {
			if s.ID == stream && m.Name == measure {
				return m.PublicFrom, nil
			}
		}
	}
	return 0, fmt.Errorf("stream %s is not listed", stream)
}
