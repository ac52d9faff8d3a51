package books

// Zone is what zones.geojson says of a zone besides its place: its name in the register,
// and which gateway measures it; empty where the zones are not split.
type Zone struct {
	ID         any `json:"id"` // a number is no name
	Properties struct {
		ID      string `json:"id"`
		Gateway string `json:"gateway"`
	} `json:"properties"`
}

// Name is the feature's id, or that among its properties where it has no text for one.
func (z *Zone) Name() string {
	if id, ok := z.ID.(string); ok {
		return id
	}
	return z.Properties.ID
}
