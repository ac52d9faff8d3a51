package config

import "fmt"

// Refusal is an error about the configuration or the place to run in: mend it
// and start again.
type Refusal struct{ Err error }

// Error implements error.
func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap is what is wrong.
func (r *Refusal) Unwrap() error { return r.Err }

// Refuse makes a Refusal.
func Refuse(format string, args ...any) error { return &Refusal{fmt.Errorf(format, args...)} }
