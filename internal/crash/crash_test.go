package crash

import (
	"errors"
	"strings"
	"testing"
)

//go:noinline
func deep(secret string, n uint64) error {
	if n > 0 {
		panic(secret)
	}
	return errors.New(secret)
}

func TestAPanicSaysWhereAndNotWhat(t *testing.T) {
	const secret = "02:00:5e:77:77:77"
	err := Guard(func() error { return deep(secret, 0x777777777777) })
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v; want a caught panic", err)
	}
	if text := err.Error(); strings.Contains(text, secret) || strings.Contains(text, "0x777777777777") ||
		!strings.Contains(text, "crash.deep(...)") {
		t.Errorf("it says\n%s", text)
	}
	if err := Guard(func() error { return nil }); err != nil {
		t.Errorf("without a panic it says %v", err)
	}
}

func TestStacksHaveNoArguments(t *testing.T) {
	stop := make(chan string)
	started := make(chan bool)
	go wait(stop, started, "02:00:5e:77:77:78", 0x777777777778)
	<-started
	text := Stacks()
	stop <- ""
	if strings.Contains(text, "0x") || !strings.Contains(text, "crash.wait(...)") {
		t.Errorf("it says\n%s", text)
	}
}

//go:noinline
func wait(stop chan string, started chan bool, secret string, n uint64) {
	started <- n > 0
	if secret == <-stop {
		panic(n)
	}
}
