// Package fault is every way in which a reading can be refused, as a closed
// list. A Fault is a code and the number of a field of the sensor's kind; it has
// no room for text, so it cannot quote a message.
package fault

// Code is one reason.
type Code uint8

// The codes of docs/wire.md. None means that the reading is fine.
const (
	None Code = iota
	UnknownTopic
	NotUsable
	Identity
	NotJSON
	NotBeat
	NotBytes
	WrongType
	MissingField
	NoFields
	NotMapped
	NoList
	UnknownField
	DuplicateKey
	TooLarge
	SenML
	UnknownType
	NoDevice
	NotANumber
	TooLong
	OutOfRange
	NoUnit
	BadForm
	BadTime
	NoClock
	Future
	Late
	Duplicate
	Retained
	NoDecision
	Where
	NoZone
	NoCategory
	Gap
	NoKind
	Quota
	Unfit
	Scattered
	Crowded
	First
	count
)

// Codes is how many codes there are; valid codes are below it.
const Codes = int(count)

type text struct{ code, rule, fix string }

var texts = [count]text{
	None:         {"", "", ""},
	UnknownTopic: {"E001", "register", "publish to city/v1/OWNER/SENSOR/up of a registered sensor"},
	NotUsable: {"E002", "register",
		"the sensor is not registered yet, expired or replaced at that time; see its register entry"},
	Identity: {"E003", "register", "connect with the sensor's own credentials"},
	NotJSON:  {"E100", "wire format", "send one JSON object, an array of them, or a SenML pack; or the same in CBOR"},
	NotBeat: {"E100", "wire format", "send a heartbeat as one JSON object of at most 1,024 bytes: {\"ts\": " +
		"\"2026-11-23T10:00:00Z\", \"every\": \"PT60S\"}"},
	NotBytes: {"E100", "profile", "the bytes are none of the lengths that the profile's layout has, or cannot be " +
		"read: look which payload format the device's firmware is set to, and name the profile of that"},
	WrongType:    {"E101", "kind", "send the type that the kind names: numbers as numbers, not as text"},
	MissingField: {"E102", "kind", "send every field that the decision needs"},
	NoFields:     {"E102", "wire format", "put what is measured under fields: {\"fields\": {\"NAME\": VALUE}}"},
	NotMapped: {"E102", "register", "nothing is where the map of the sensor's register entry looks for it; " +
		"compare its pointers with what the sensor sends"},
	NoList: {"E102", "preset", "the preset looks for a list of readings there, and there is none: is it another " +
		"preset's message?"},
	UnknownField: {"E103", "kind", "this field is not of the sensor's kind and is dropped; stop sending it"},
	DuplicateKey: {"E104", "wire format", "send each key once"},
	TooLarge:     {"E105", "wire format", "send at most 10,000 readings and 1 MiB in a message"},
	SenML: {"E106", "RFC 8428",
		"send a valid SenML pack: known version, no unknown label that ends in _, one value a record"},
	UnknownType: {"E107", "preset", "this type of message is none that the preset knows; have it added to the " +
		"preset's type, as a reading or as ignored"},
	NoDevice:   {"E108", "preset", "the message does not say whose it is where the preset looks for the device"},
	NotANumber: {"E200", "kind", "send finite numbers; whole ones for int"},
	TooLong:    {"E201", "wire format", "send texts of at most 256 bytes"},
	OutOfRange: {"E202", "kind", "send values that the kind calls valid; look after the sensor"},
	NoUnit: {"E202", "profile", "where the profile looks for the unit is none that it has a word for: set the device " +
		"to one that it has, or have its word added under unit"},
	BadForm: {"E203", "kind",
		"send the identifier in the form that the kind names, e.g. mac48 as 02:00:5e:00:00:01"},
	BadTime: {"E300", "RFC 3339", "send ts as 2026-11-23T10:00:00Z, or leave it out"},
	NoClock: {"E300", "clock", "set the device's clock, e.g. by NTP: the time that it sends is of no year from 1970 " +
		"to 2261"},
	Future:    {"E301", "clock", "set the sensor's clock: ts is ahead of the gateway's"},
	Late:      {"E302", "clock", "send sooner: the window was closed"},
	Duplicate: {"E303", "sequence", "nothing: this reading, or a later one, was counted before"},
	Retained: {"E304", "clock",
		"send ts, or publish without the retain flag: nobody knows when a retained reading was"},
	Scattered: {"E305", "sequence", "count seq up by one from reading to reading, keep boot until the sensor " +
		"restarts, and send ts; send fewer readings where they are counted by unit"},
	Crowded: {"E306", "window", "look after the sensor: it tells of more different units than can be where it is"},
	First: {"E307", "profile",
		"nothing: the counter or state has no earlier value to be compared with; the next reading has"},
	NoDecision: {"E401", "policy",
		"no decision in force covers this sensor at that time; in a city of several gateways, send to that of " +
			"its zone"},
	Where:      {"E402", "policy", "nothing: the decision does not want readings like this"},
	NoZone:     {"E403", "policy", "the coordinates are in none of the decision's zones"},
	NoCategory: {"E404", "policy", "send one of the values that the decision lists"},
	Gap:        {"E406", "gateway", "nothing: the gateway was down or has lost its keys, and this window is a gap"},
	NoKind: {"E407", "kinds.yaml",
		"the sensor's kind is not in kinds.yaml of the policy in force; see its register entry"},
	Quota: {"E408", "quota", "send less often: the sensor has sent more readings in a minute than its quota"},
	Unfit: {"E409", "register", "the sensor's register entry does not fit its kind, e.g. it maps a field " +
		"that the kind has not; have it mended (sluice register check)"},
}

// String is the code as published, e.g. E101.
func (c Code) String() string { return texts[c].code }

// Rule names what was broken.
func (c Code) Rule() string { return texts[c].rule }

// Fix says what a vendor can do.
func (c Code) Fix() string { return texts[c].fix }

// Fault is one refusal.
type Fault struct {
	Code Code
	// Field is the field's number in its kind, or one of the keys below; NoField where none
	// is meant.
	Field int8
}

// NoField means the whole message or a field that the kind does not know. The others are
// the wire format's own keys.
const (
	NoField int8 = -1 - iota
	KeyTime
	KeySeq
	KeyBoot
	KeyFields
	KeyEvery
	// Lists that a preset looks for: that of readings, that inside each of its elements, and that of names and values.
	KeyEach
	KeyInner
	KeyPairs
)

// keys has their names, and what to send where it is of another type.
var keys = map[int8]struct{ name, fix string }{
	KeyTime:   {"ts", "send ts as text: 2026-11-23T10:00:00Z"},
	KeySeq:    {"seq", "send seq as a whole number from 0"},
	KeyBoot:   {"boot", "send boot as a whole number or a text"},
	KeyFields: {"fields", "send fields as an object: {\"fields\": {\"NAME\": VALUE}}"},
	KeyEvery:  {"every", "send every as a duration of ISO 8601, such as PT60S"},
	KeyEach:   {"each", noList},
	KeyInner:  {"each inside", noList},
	KeyPairs:  {"pairs", noList},
}

const noList = "the preset looks for a list there, and this is none"

// New is a fault of the whole reading.
func New(code Code) Fault { return Fault{code, NoField} }

// At is a fault of one field of the kind.
func At(code Code, field int) Fault { return Fault{code, int8(field)} }

// AtKey is a fault of one of the wire format's keys.
func AtKey(code Code, key int8) Fault { return Fault{code, key} }

// Key is the name of the wire format's key that it is about; empty where it is about none.
func (f Fault) Key() string { return keys[f.Field].name }

// Rule names what was broken.
func (f Fault) Rule() string {
	if f.Code == WrongType && f.Key() != "" {
		return texts[NotJSON].rule
	}
	return f.Code.Rule()
}

// Fix says what a vendor can do.
func (f Fault) Fix() string {
	switch fix := keys[f.Field].fix; {
	case f.Code == WrongType && fix != "":
		return fix
	case f.Code == BadTime && f.Field >= 0:
		return "send times as 2026-11-23T10:00:00Z, or leave the field out"
	}
	return f.Code.Fix()
}
