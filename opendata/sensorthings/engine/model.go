package engine

import "slices"

// Sort is what a property's values are.
type Sort int

// The sorts. JSON is an object or a list, whose parts are of any sort; a Shape is GeoJSON.
const (
	Any Sort = iota
	Text
	Number
	Bool
	Moment // odata.Time
	Length // time.Duration
	Day
	Clock
	Shaped
	JSON
)

// Property is a property of a type.
type Property struct {
	Name string
	Sort Sort
}

// Link leads from entities of a type to those of another, to one or to many. Back is the
// link that leads back.
type Link struct {
	Name, To string // To is the other's name
	Many     bool
	Back     string
}

// Type is one of the standard's entity types.
type Type struct {
	Name, Set  string
	Properties []Property
	Links      []Link
}

// The types of 18-088, section 8.2.
var types = []*Type{
	{"Thing", "Things", named(Property{"properties", JSON}),
		[]Link{
			{"Locations", "Location", true, "Things"}, {"HistoricalLocations", "HistoricalLocation", true, "Thing"},
			{"Datastreams", "Datastream", true, "Thing"},
		}},
	{"Location", "Locations",
		named(Property{"encodingType", Text}, Property{"location", Shaped}, Property{"properties", JSON}),
		[]Link{
			{"Things", "Thing", true, "Locations"}, {"HistoricalLocations", "HistoricalLocation", true, "Locations"},
		}},
	{"HistoricalLocation", "HistoricalLocations", []Property{{"time", Moment}},
		[]Link{
			{"Thing", "Thing", false, "HistoricalLocations"}, {"Locations", "Location", true, "HistoricalLocations"},
		}},
	{"Datastream", "Datastreams",
		named(Property{"observationType", Text}, Property{"unitOfMeasurement", JSON}, Property{"observedArea", Shaped},
			Property{"phenomenonTime", Moment}, Property{"resultTime", Moment}, Property{"properties", JSON}),
		[]Link{
			{"Thing", "Thing", false, "Datastreams"}, {"Sensor", "Sensor", false, "Datastreams"},
			{"ObservedProperty", "ObservedProperty", false, "Datastreams"},
			{"Observations", "Observation", true, "Datastream"},
		}},
	{"Sensor", "Sensors",
		named(Property{"encodingType", Text}, Property{"metadata", Any}, Property{"properties", JSON}),
		[]Link{{"Datastreams", "Datastream", true, "Sensor"}}},
	{"ObservedProperty", "ObservedProperties", named(Property{"definition", Text}, Property{"properties", JSON}),
		[]Link{{"Datastreams", "Datastream", true, "ObservedProperty"}}},
	{"Observation", "Observations",
		[]Property{{"phenomenonTime", Moment}, {"result", Any}, {"resultTime", Moment}, {"resultQuality", JSON},
			{"validTime", Moment}, {"parameters", JSON}},
		[]Link{
			{"Datastream", "Datastream", false, "Observations"},
			{"FeatureOfInterest", "FeatureOfInterest", false, "Observations"},
		}},
	{"FeatureOfInterest", "FeaturesOfInterest",
		named(Property{"encodingType", Text}, Property{"feature", Shaped}, Property{"properties", JSON}),
		[]Link{{"Observations", "Observation", true, "FeatureOfInterest"}}},
}

func named(more ...Property) []Property {
	return append([]Property{{"name", Text}, {"description", Text}}, more...)
}

// Types lists the entity types, in the standard's order.
func Types() []*Type { return slices.Clone(types) }

// TypeOf is a type by its name, such as Thing; nil for none.
func TypeOf(name string) *Type {
	return find(func(t *Type) bool { return t.Name == name })
}

// TypeOfSet is a type by the name of its set, such as Things; nil for none.
func TypeOfSet(set string) *Type {
	return find(func(t *Type) bool { return t.Set == set })
}

func find(is func(*Type) bool) *Type {
	if n := slices.IndexFunc(types, is); n >= 0 {
		return types[n]
	}
	return nil
}

// Link is a link of the type by its name; nil for none.
func (t *Type) Link(name string) *Link {
	for n := range t.Links {
		if t.Links[n].Name == name {
			return &t.Links[n]
		}
	}
	return nil
}

// Property is a property of the type by its name.
func (t *Type) Property(name string) (Property, bool) {
	n := slices.IndexFunc(t.Properties, func(p Property) bool { return p.Name == name })
	if n < 0 {
		return Property{}, false
	}
	return t.Properties[n], true
}

// isID reports whether a name is that of an entity's id.
func isID(name string) bool { return name == "id" || name == "@iot.id" }

// names are what may follow a type in a path, for errors.
func (t *Type) names() (list []string) {
	list = []string{"id"}
	for _, p := range t.Properties {
		list = append(list, p.Name)
	}
	for _, l := range t.Links {
		list = append(list, l.Name)
	}
	return list
}
