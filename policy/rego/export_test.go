package rego

import "os"

// What tests of the child look at.
var (
	Allowed      = allowed
	Capabilities = capabilities
	Raced        = raced
)

const (
	AskTimeout = askTimeout
	ChildStart = childStart
)

// Process is the child's process, which has been asked something.
func (c *Child) Process() *os.Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.p.cmd.Process
}
