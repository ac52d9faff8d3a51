package dialect

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
)

// identity is a hash that everything about a device is made of.
type identity uint64

func hash(seed uint64, parts ...string) identity {
	h := fnv.New64a()
	_ = binary.Write(h, binary.BigEndian, seed)
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	// FNV's low bits of short texts are alike; a finalizer (splitmix64) spreads them.
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return identity(x ^ x>>31)
}

func (h identity) next() identity { return hash(uint64(h)) }

// eui is a DevEUI in a range that belongs to nobody's product.
func (h identity) eui() string { return fmt.Sprintf("70b3d57ed0%06x", uint64(h)&0xffffff) }

func (h identity) euiDevice() string  { return application + "@ttn/eui-" + h.eui() }
func (h identity) plain() string      { return fmt.Sprintf("02005efffe%06x", uint64(h)&0xffffff) }
func (h identity) token() string      { return fmt.Sprintf("%06x", uint64(h)&0xffffff) }
func (h identity) cesva() string      { return fmt.Sprintf("cesva/TA120-T%06d-N", uint64(h)%1e6) }
func (h identity) asset() string      { return fmt.Sprintf("/Meter %06X", uint64(h)&0xffffff) }
func (h identity) zigbee() string     { return fmt.Sprintf("0x00158d%010x", uint64(h)&0xffffffffff) }
func (h identity) tasmota() string    { return fmt.Sprintf("tasmota_%06X", uint64(h)&0xffffff) }
func (h identity) esphome() string    { return fmt.Sprintf("sound-%06x", uint64(h)&0xffffff) }
func (h identity) beacon() string     { return fmt.Sprintf("OMG_%06X", uint64(h)&0xffffff) }
func (h identity) camera() string     { return fmt.Sprintf("cam_%06x", uint64(h)&0xffffff) }
func (h identity) chip() string       { return fmt.Sprint(uint64(h) % (1 << 24)) }
func (h identity) datastream() string { return fmt.Sprintf("Datastreams(%d)", 1+uint64(h)%1e6) }
func (h identity) meter() string      { return fmt.Sprintf("%08d", uint64(h)%1e8) }

// equipment is a meter's number as the telegram has it: the digits of ASCII, in hex.
func (h identity) equipment() string {
	return fmt.Sprintf("%X", fmt.Sprintf("E%014d", uint64(h)%1e14))
}

// mac is an address with some separator.
func (h identity) mac(sep string) string {
	return fmt.Sprintf("02%[1]s00%[1]s5E%[1]s%02[2]X%[1]s%02[3]X%[1]s%02[4]X", sep, byte(h>>16), byte(h>>8), byte(h))
}

// uuid is one of version 4.
func (h identity) uuid() string {
	l := uint64(h.next())
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", uint64(h)>>32, uint64(h)>>16&0xffff, uint64(h)&0xfff,
		0x8000|l>>50&0x3fff, l&0xffffffffffff)
}
