package site

import "slices"

// Truth is what an expression says.
type Truth int8

// The truths, in the order in which "or" prefers them.
const (
	False Truth = iota
	Unknown
	True
)

// Expr is a compiled expression. It never changes, and may be used by many goroutines.
type Expr struct {
	text string
	refs []string
	root node
}

// String returns the expression as it was written.
func (e *Expr) String() string { return e.text }

// Refs returns the keywords that the expression names, each once, in their order.
func (e *Expr) Refs() []string { return e.refs }

// Eval evaluates the expression. value returns the value of a keyword, by its place in [Expr.Refs],
// as JSON, or nil if it is not known. It does not allocate.
func (e *Expr) Eval(value func(ref int) []byte) Truth { return e.root.eval(value) }

// OnlyBounds reports whether all that the expression tests is that numbers are above or below bounds:
// a measured value may hover about such a bound.
func (e *Expr) OnlyBounds() bool { return e.root.onlyBounds() }

// node is a part of an expression.
type node interface {
	eval(value func(ref int) []byte) Truth
	onlyBounds() bool
	// holding calls add with each test that makes the part true.
	holding(value func(ref int) []byte, add func(*test))
}

// allOf is true if all its parts are, and anyOf if one is.
type (
	allOf []node
	anyOf []node
)

func (a allOf) eval(value func(int) []byte) Truth {
	t := True
	for _, n := range a {
		t = min(t, n.eval(value))
	}
	return t
}

func (a anyOf) eval(value func(int) []byte) Truth {
	t := False
	for _, n := range a {
		t = max(t, n.eval(value))
	}
	return t
}

func (a allOf) onlyBounds() bool { return all(a) }
func (a anyOf) onlyBounds() bool { return all(a) }

func all(nodes []node) bool {
	return !slices.ContainsFunc(nodes, func(n node) bool { return !n.onlyBounds() })
}

// test compares the value of a keyword with a literal.
type test struct {
	ref     int
	op      string
	literal literal
}

func (t *test) onlyBounds() bool { return t.op != "==" && t.op != "!=" }

func (t *test) eval(value func(int) []byte) Truth {
	raw := value(t.ref)
	if raw == nil {
		return Unknown
	}
	switch t.op {
	case "==":
		if isNull(raw) && !isNull(t.literal.raw) {
			return Unknown
		}
		return truth(t.literal.equals(raw))
	case "!=":
		return truth(!t.literal.equals(raw))
	}
	if !isNumber(raw) {
		return Unknown
	}
	c, ok := compareNumbers(raw, t.literal.raw)
	switch {
	case !ok:
		return Unknown
	case t.op == "<":
		return truth(c < 0)
	case t.op == "<=":
		return truth(c <= 0)
	case t.op == ">":
		return truth(c > 0)
	}
	return truth(c >= 0)
}

func truth(is bool) Truth {
	if is {
		return True
	}
	return False
}
