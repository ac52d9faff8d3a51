package preset

// Named says where in the names of a pack of SenML the device is, where one topic is for many. The
// base name, where Device is bn; the name of a record is then what it measures. Or what stands
// before the last Split of base name and name together; what it measures is after it.
type Named struct {
	Device string `yaml:"device"`
	Split  string `yaml:"split"`
}

// maxSplit is how many bytes a separator may have.
const maxSplit = 8

func (p *Preset) checkNamed() error {
	n := p.SenML
	switch {
	case n == nil:
		return nil
	case p.Format != SenML && p.Format != SenMLCBOR:
		return wrong("it is of messages whose format is senml or senml-cbor")
	case (n.Device == "") == (n.Split == "") || n.Device != "" && n.Device != "bn" || len(n.Split) > maxSplit:
		return wrong("it is {device: bn}, or {split: SEPARATOR}, such as {split: /}")
	case p.Device != "":
		return wrong("it says whose a record is, and so does device; take one of them out")
	}
	for i := range p.Topics {
		if t := &p.Topics[i]; t.pattern.Identifies() && t.Role != Ignore {
			return wrong("it says whose a record is, and so does {device} of " + t.Pattern + "; take one of them out")
		}
	}
	return nil
}
