package books

// Zone holds a feature of zones.geojson without its geometry: the zone's name in the
// register, and the gateway that measures it; empty if zones are not split.
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
