package broadcast

import (
	"cmp"
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"sluice/books"
	"sluice/opendata/api"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

// newest is what each cell's newest window says, by topic.
func newest(all []query.Last) map[string]string {
	out := make(map[string]string)
	for _, l := range all {
		for from := 0; from < len(l.Items); {
			to := from + 1
			for to < len(l.Items) && l.Items[to].Cell == l.Items[from].Cell {
				to++
			}
			if topic, ok := topicOf(l.Stream.ID, l.Items[from].Cell); ok {
				out[topic] = payload(l, from, to)
			}
			from = to
		}
	}
	return out
}

// topicOf is a cell's topic; none where its id would be a wildcard.
func topicOf(stream, cell string) (string, bool) {
	topic := "open/v1/" + stream + "/" + cell
	return topic, !strings.ContainsAny(topic, "+#\x00") && strings.Count(topic, "/") < maxDepth
}

func payload(l query.Last, from, to int) string {
	first := &l.Items[from]
	b := api.AppendText([]byte(`{"stream":`), l.Stream.ID)
	b = api.AppendText(append(b, `,"cell":`...), first.Cell)
	b = first.Start.AppendFormat(append(b, `,"start":"`...), time.RFC3339Nano)
	b = first.End.AppendFormat(append(b, `","end":"`...), time.RFC3339Nano)
	b = append(b, `","numbers":{`...)
	for i := from; i < to; i++ {
		if i > from {
			b = append(b, ',')
		}
		b = append(api.AppendText(b, l.Items[i].Measure), ':')
		if v := l.Items[i].Value; v != nil {
			b = strconv.AppendFloat(b, *v, 'f', -1, 64)
		} else {
			b = append(b, "null"...)
		}
	}
	b = append(b, `},"items":[`...)
	for i := from; i < to; i++ {
		if i > from {
			b = append(b, ',')
		}
		b = api.AppendItem(b, &l.Items[i])
	}
	return string(append(b, "]}"...))
}

// entity is a sensor of Home Assistant's MQTT discovery.
type entity struct {
	Name       string `json:"name"`
	UniqueID   string `json:"unique_id"`
	StateTopic string `json:"state_topic"`
	Template   string `json:"value_template"`
	Attributes string `json:"json_attributes_topic"`
	Unit       string `json:"unit_of_measurement,omitempty"`
	State      string `json:"state_class"`
	Device     device `json:"device"`
	Origin     origin `json:"origin"`
}

type device struct {
	Identifiers []string `json:"identifiers"`
	Name        string   `json:"name"`
	URL         string   `json:"configuration_url,omitempty"`
}

type origin struct {
	Name string `json:"name"`
}

// discovery is what Home Assistant shall know, by topic: each measure of each cell, in the
// city's first language.
func (b *Broker) discovery(ctx context.Context) (map[string]string, error) {
	city, err := b.source.Books.City()
	if err != nil {
		return nil, err
	}
	streams, err := b.source.Streams(ctx)
	if err != nil {
		return nil, err
	}
	language := "en"
	for _, code := range city.Languages {
		if i18n.Localizers()[code] != nil {
			language = code
			break
		}
	}
	words, out := i18n.In(language).Words(city.Names), make(map[string]string)
	of := device{[]string{"sluice-" + plain(city.ID)}, cmp.Or(city.Name, city.ID), b.cfg.URL}
	for _, st := range streams {
		for _, c := range st.Cells {
			for _, m := range st.Measures {
				state, ok := topicOf(st.ID, c.ID)
				if !ok {
					continue
				}
				id := plain(city.ID) + "_" + plain(st.ID) + "_" + plain(c.ID) + "_" + plain(m.Name)
				name := b.name(words, language, st.Stream, c, m)
				raw, err := json.Marshal(entity{Name: name, UniqueID: "sluice_" + id,
					StateTopic: state, Attributes: state, Template: "{{ value_json.numbers[" + quoted(m.Name) + "] }}",
					Unit: words.Unit(m.Unit, 2), State: "measurement", Device: of, Origin: origin{"Sluice"}})
				if err != nil {
					return nil, err
				}
				out["homeassistant/sensor/"+id+"/config"] = string(raw)
			}
		}
	}
	return out, nil
}

// name is what somebody reads in a list of sensors.
func (b *Broker) name(words i18n.Words, lang string, st books.Stream, c books.Cell, m books.Measure) string {
	zone := c.Zone
	if b.cfg.Zone != nil {
		if name, known := b.cfg.Zone(c.Zone, lang); known {
			zone = name
		}
	}
	name := zone + ": " + words.MeasureName(m)
	if c.Category != "" {
		name += ", " + words.Category(st.CategoryField, c.Category)
	}
	return name
}

// plain is an id of which every byte may be in an id of Home Assistant. Different ids stay
// different.
func plain(id string) string {
	var b strings.Builder
	for i := range len(id) {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-':
			b.WriteByte(c)
		case c == '_':
			b.WriteString("__")
		default:
			b.WriteString("_" + strconv.FormatUint(uint64(c), 16))
		}
	}
	return b.String()
}

// quoted is a text of Jinja.
func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
