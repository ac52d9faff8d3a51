package window

// marks is a set of (hash, who) pairs with linear probing: 12 bytes each, at most three
// quarters full. Pairs of different who never meet, so that what is remembered of one unit
// depends on that unit alone; two readings of one unit meet by chance of 2⁻⁶⁴.
type marks struct {
	hash []uint64 // 0 is free
	who  []int32
	n    int
}

// has reports whether the pair is there.
func (m *marks) has(hash uint64, who int32) bool {
	if m.n == 0 {
		return false
	}
	_, there := m.find(max(hash, 1), who)
	return there
}

// add puts the pair in, and reports whether it was not there.
func (m *marks) add(hash uint64, who int32) bool {
	hash = max(hash, 1)
	if 4*(m.n+1) > 3*len(m.hash) {
		m.grow()
	}
	at, there := m.find(hash, who)
	if there {
		return false
	}
	m.hash[at], m.who[at] = hash, who
	m.n++
	return true
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
	old := *m
	size := max(16, 2*len(old.hash))
	*m = marks{hash: make([]uint64, size), who: make([]int32, size), n: old.n}
	for i, hash := range old.hash {
		if hash != 0 {
			at, _ := m.find(hash, old.who[i])
			m.hash[at], m.who[at] = hash, old.who[i]
		}
	}
}
