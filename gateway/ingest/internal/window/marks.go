package window

// marks is a set of (hash, who) pairs with linear probing: 12 bytes each, at most three
// quarters full. Pairs of different who never meet, so that what is remembered of one unit
// depends on that unit alone; two readings of one unit meet by chance of 2⁻⁶⁴. A large set
// is in parts, so that none is long in growing.
type marks struct {
	hash  []uint64 // 0 is free
	who   []int32
	n     int
	parts *[64]marks // by the hash's first bits; nil for a small set
}

// large is how many pairs are not kept in one part any more.
const large = 1 << 15

// has reports whether the pair is there.
func (m *marks) has(hash uint64, who int32) bool {
	if m.n == 0 {
		return false
	}
	hash = max(hash, 1)
	if m.parts != nil {
		return m.parts[hash>>58].has(hash, who)
	}
	_, there := m.find(hash, who)
	return there
}

// add puts the pair in, and reports whether it was not there.
func (m *marks) add(hash uint64, who int32) bool {
	hash = max(hash, 1)
	if m.parts == nil && m.n == large {
		m.part()
	}
	if m.parts != nil {
		anew := m.parts[hash>>58].put(hash, who)
		if anew {
			m.n++
		}
		return anew
	}
	return m.put(hash, who)
}

func (m *marks) put(hash uint64, who int32) bool {
	if 4*(m.n+1) > 3*len(m.hash) {
		m.grow()
	}
	at, there := m.find(hash, who)
	if !there {
		m.hash[at], m.who[at] = hash, who
		m.n++
	}
	return !there
}

func (m *marks) find(hash uint64, who int32) (at uint64, there bool) {
	mask := uint64(len(m.hash) - 1)
	for at = (hash ^ uint64(who)*0x9e3779b97f4a7c15) & mask; m.hash[at] != 0; at = (at + 1) & mask {
		if m.hash[at] == hash && m.who[at] == who {
			return at, true
		}
	}
	return at, false
}

func (m *marks) grow() {
	size := max(16, 2*len(m.hash))
	into := marks{hash: make([]uint64, size), who: make([]int32, size)}
	for i, hash := range m.hash {
		if hash != 0 {
			into.put(hash, m.who[i])
		}
	}
	*m = into
}

// part parts the set by the hash.
func (m *marks) part() {
	parts := new([64]marks)
	for i, hash := range m.hash {
		if hash != 0 {
			parts[hash>>58].put(hash, m.who[i])
		}
	}
	*m = marks{n: m.n, parts: parts}
}
