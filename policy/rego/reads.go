package rego

import "github.com/open-policy-agent/opa/v1/ast"

// looksAtOwner reports whether some module may look at who owns a sensor. Where none can,
// owners are no reason to ask twice, and a city with many has as many fewer questions. What
// is not plainly another part of the input counts as a look.
func looksAtOwner(c *ast.Compiler) bool {
	looks := false
	visitor := ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case ast.Ref:
			if len(x) == 0 || !x[0].Equal(ast.InputRootDocument) {
				return false
			}
			looks = looks || !otherInput(x)
			for _, part := range x[1:] { // which may hold others
				looks = looks || holdsInput(part)
			}
			return true
		case ast.Var:
			looks = looks || x.Equal(ast.InputRootDocument.Value)
		}
		return looks
	})
	for _, m := range c.Modules {
		visitor.Walk(m)
	}
	return looks
}

// otherInput reports whether a reference into the input is to some part of it that is
// not the owner.
func otherInput(r ast.Ref) bool {
	if len(r) < 2 {
		return false
	}
	first, ok := r[1].Value.(ast.String)
	if !ok || first != "sensor" {
		return ok
	}
	if len(r) < 3 {
		return false
	}
	second, ok := r[2].Value.(ast.String)
	return ok && second != "owner"
}

// holdsInput reports whether the input is anywhere in a term.
func holdsInput(t *ast.Term) bool {
	found := false
	ast.NewGenericVisitor(func(x any) bool {
		if v, ok := x.(ast.Var); ok {
			found = found || v.Equal(ast.InputRootDocument.Value)
		}
		return found
	}).Walk(t)
	return found
}
