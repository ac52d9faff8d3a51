package register

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
)

// Shape describes a zone's area in one line; different areas give different lines.
type Shape struct {
	// Corners counts the points of all its rings.
	Corners int
	// South, West, North and East are its extent, in degrees (WGS 84).
	South, West, North, East float64
	// Digest is the first 16 hex digits of the SHA-256 over all points in order.
	Digest string
}

// Shape is the zone's; the zero value where there is no such zone.
func (z *Zones) Shape(id string) Shape {
	one, known := z.zone[id]
	if !known {
		return Shape{}
	}
	var s Shape
	var raw []byte
	for _, polygon := range one.area {
		raw = binary.BigEndian.AppendUint64(raw, uint64(len(polygon)))
		for _, ring := range polygon {
			s.Corners += len(ring)
			raw = binary.BigEndian.AppendUint64(raw, uint64(len(ring)))
			for _, p := range ring {
				raw = binary.BigEndian.AppendUint64(raw, math.Float64bits(p[0]))
				raw = binary.BigEndian.AppendUint64(raw, math.Float64bits(p[1]))
			}
		}
	}
	sum := sha256.Sum256(raw)
	s.Digest = hex.EncodeToString(sum[:8])
	if s.Corners > 0 {
		b := one.area.Bound()
		s.South, s.West, s.North, s.East = b.Min[1], b.Min[0], b.Max[1], b.Max[0]
	}
	return s
}
