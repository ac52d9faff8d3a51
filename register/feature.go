package register

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"

	"sluice/internal/names"
)

// maxName bounds what people call a zone, in bytes.
const maxName = 200

// unmarshal is the library's parser; tests put another in its place.
var unmarshal = geojson.UnmarshalFeature

// file is the part of a FeatureCollection that is read here; the rest of a feature
// is the library's.
type file struct {
	Type     string            `json:"type"`
	Features []json.RawMessage `json:"features"`
}

// read takes the features of a file that was scanned apart.
func read(raw []byte) ([]json.RawMessage, error) {
	var f file
	if err := json.Unmarshal(raw, &f); err != nil || f.Type != "FeatureCollection" || f.Features == nil {
		return nil,
			errors.New(`not a GeoJSON FeatureCollection; it is {"type": "FeatureCollection", "features": [...]}`)
	}
	return f.Features, nil
}

// parse runs the library's parser over one feature. A panic in it is an error: a
// file from a stranger must not end the process.
func parse(raw []byte) (f *geojson.Feature, err error) {
	defer func() {
		if recover() != nil {
			f, err = nil, errors.New("cannot be read; write it anew with a GeoJSON editor")
		}
	}()
	if f, err = unmarshal(raw); err != nil || f.Type != "Feature" {
		return nil, errors.New(`not a GeoJSON Feature; it is {"type": "Feature", "id": ..., "properties": {...}, ` +
			`"geometry": {"type": "Polygon", ...}}`)
	}
	return f, nil
}

// feature is a zone before its outline is looked at.
type feature struct {
	id, name, gateway string
	names             map[string]string // by language; nil for none
	area              orb.MultiPolygon
}

func featureOf(raw []byte) (z feature, err error) {
	f, err := parse(raw)
	if err != nil {
		return z, err
	}
	if z.id, err = idOf(f); err != nil {
		return z, err
	}
	if z.name, err = text(f.Properties, "name"); err != nil {
		return z, err
	}
	if z.names, err = namesOf(f.Properties); err != nil {
		return z, err
	}
	if z.gateway, err = text(f.Properties, "gateway"); err != nil {
		return z, err
	}
	switch {
	case f.Properties["gateway"] != nil && !names.Valid(z.gateway):
		return z, errors.New("gateway needs the name of one: " + names.Form +
			"; leave it out where there is one gateway")
	case !nameable(z.name):
		return z, badName("name")
	}
	switch g := f.Geometry.(type) {
	case orb.Polygon:
		z.area = orb.MultiPolygon{g}
	case orb.MultiPolygon:
		z.area = g
	default:
		return z, errors.New("needs a geometry of type Polygon or MultiPolygon")
	}
	return z, nil
}

// idOf is the feature's id, or its property id; never two different ones.
func idOf(f *geojson.Feature) (string, error) {
	id, atTop := f.ID.(string)
	inside, given := f.Properties["id"]
	other, isText := inside.(string)
	switch {
	case f.ID != nil && !atTop || !atTop && given && !isText:
		return "", errors.New("its id is not text; write it in quotes")
	case !atTop && !given:
		return "", errors.New("needs an id: " + names.Form)
	case atTop && given && other != id:
		return "", errors.New("has an id and a property id that differ; take one out, or make them equal")
	case !atTop:
		id = other
	}
	if !names.Valid(id) {
		return "", fmt.Errorf("the id %s is none; write %s", quote(id), names.Form)
	}
	return id, nil
}

// nameable reports whether people can be told a name.
func nameable(name string) bool { return len(name) <= maxName && names.Visible(name) }

func badName(key string) error {
	return fmt.Errorf("%s is longer than %d bytes, or has control, invisible or direction-changing characters; "+
		"take them out", key, maxName)
}

// languages are those that zones may have names in.
var languages = []string{"ca", "en", "es"}

// namesOf are the names by language: name:ca, name:en, name:es. Those in others are left alone.
func namesOf(p geojson.Properties) (map[string]string, error) {
	var out map[string]string
	for _, lang := range languages {
		name, err := text(p, "name:"+lang)
		if err != nil {
			return nil, err
		}
		if !nameable(name) {
			return nil, badName("name:" + lang)
		}
		if name != "" {
			if out == nil {
				out = make(map[string]string)
			}
			out[lang] = name
		}
	}
	return out, nil
}

// text is a property that is text, or absent.
func text(p geojson.Properties, key string) (string, error) {
	v, given := p[key]
	s, ok := v.(string)
	if given && v != nil && !ok {
		return "", fmt.Errorf("the property %s is not text; write it in quotes", key)
	}
	return s, nil
}
