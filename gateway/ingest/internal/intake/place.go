package intake

// block is how many places are made at a time.
const block = 128

// place is one message in the queue and the next of its chain.
type place struct {
	m    Message
	came uint64
	next int32
}

// chain is messages in order, by their places.
type chain struct{ first, last int32 }

// places are made when they are first used: most queues never hold more than some hundred
// messages, and all of their places are two megabytes. They do not move, so that no copy of a
// message stays behind.
type places struct {
	blocks [queued / block]*[block]place
	made   int32
	free   int32 // the first of those that are left, by their next; or none
}

func (p *places) at(n int32) *place { return &p.blocks[n/block][n%block] }

// take is a place that is free, of which there must be one.
func (p *places) take() int32 {
	if n := p.free; n != none {
		p.free = p.at(n).next
		return n
	}
	n := p.made
	if n%block == 0 {
		p.blocks[n/block] = new([block]place)
	}
	p.made++
	return n
}

// leave forgets what is in a place.
func (p *places) leave(n int32) {
	*p.at(n) = place{next: p.free}
	p.free = n
}
