package wipe

// How much of a stack Deep holds, and how much of one Below overwrites. Together they take a stack of 256 KiB, since
// stacks double; what is held is more than a quarter of it, which is what the collector asks before it halves one
// (runtime.shrinkstack). The engine has 170 KiB of it for itself, and all tests together have had it use 17.
const (
	held  = 80 << 10
	wiped = 120 << 10
)

// Deep runs f on a stack that is not exchanged while it runs, and overwrites what f leaves on it. Words that a function
// has worked with stay where its frame was, until another one happens to write there; and where a stack grows, or the
// collector halves it, the one before goes back to the runtime with all of them, and clobberfree does not reach it. So
// who handles keys or identifiers does it in Deep: then they stay on one stack, and Below overwrites them.
//
//go:noinline
func Deep(f func() error) error {
	var room [held]byte
	keep(room[:])
	Below() // the stack grows here, before there is anything on it
	err := f()
	Below()
	keep(room[:])
	return err
}

// Below overwrites what is on the stack below its caller's frame. So it is called where nothing secret is in a frame
// that is still in use: in the loop of who runs in Deep.
//
//go:noinline
func Below() {
	var room [wiped]byte
	keep(room[:])
}

// keep has the compiler believe that somebody reads b, so that its zeros are written.
//
//go:noinline
func keep([]byte) {}
