package rego

import (
	"errors"

	"github.com/open-policy-agent/opa/v1/topdown"

	"sluice/brief"
)

// Code is why a policy, or an answer of its rules, cannot be used: a closed
// list, listed in docs/policy.md. Whatever the code, nothing flows by it.
type Code string

// The codes.
const (
	NoPolicy     Code = "R01" // there is no policy at all
	HalfBundle   Code = "R02" // a file that every policy has is missing
	Unreadable   Code = "R03" // a file does not say what it must
	BadRules     Code = "R04" // the rules do not compile
	Undefined    Code = "R10" // the rules gave no answer, or null
	WrongType    Code = "R11" // the answer is outside the vocabulary
	Conflict     Code = "R12" // two rules answer differently
	BuiltinError Code = "R13" // a builtin failed
	Timeout      Code = "R14" // the answer did not come in time
	Died         Code = "R15" // the rules' process died
	UnknownZone  Code = "R16" // a plan or a blackout is for a zone that the decision has not
	Changed      Code = "R17" // a decision came back from the rules changed
	Unfit        Code = "R18" // a plan does not fit what its sensor sends
	Other        Code = "R99"
)

// Problem is an error with its code.
type Problem struct {
	Code Code
	Err  error
}

// Error has at most brief.MaxReport bytes: a builtin that fails quotes what it was
// given, and a parser its file.
func (p *Problem) Error() string { return brief.Report(string(p.Code) + ": " + p.Err.Error()) }

// Unwrap is the error without its code.
func (p *Problem) Unwrap() error { return p.Err }

// CodeOf is the code of an error; Other where it has none.
func CodeOf(err error) Code {
	var p *Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return Other
}

// WithCode gives an error its code, where it has none yet; nil stays nil.
func WithCode(code Code, err error) error {
	if err == nil || CodeOf(err) != Other {
		return err
	}
	return &Problem{code, err}
}

// evalCode classifies what OPA says.
func evalCode(err error) Code {
	var e *topdown.Error
	if !errors.As(err, &e) {
		return Other
	}
	switch e.Code {
	case topdown.ConflictErr:
		return Conflict
	case topdown.CancelErr:
		return Timeout
	case topdown.BuiltinErr, topdown.TypeErr:
		return BuiltinError
	}
	return Other
}
