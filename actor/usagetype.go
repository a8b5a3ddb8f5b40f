package actor

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// valueType is the type of an argument or of an option's value, after the colon in a usage line:
//
//	float  int  text  open|closed  float(0..<360)  int(1..)  float(..5)=1.5
//
// Without one, any text will do. It checks values in the words of click.
type valueType struct {
	kind             string // float, int, choice or text
	choices          []string
	min, max         string // as written; "" is no bound
	minOpen, maxOpen bool   // the bound itself is not allowed
	fallback         *string
}

// parseType parses the name of a value with its type and default.
func parseType(word string) (name string, t valueType, err error) {
	name, spec, typed := strings.Cut(word, ":")
	if !typed {
		return word, valueType{kind: "text"}, nil
	}
	spec, fallback, has := strings.Cut(spec, "=")
	if has {
		t.fallback = &fallback
	}
	kind, bounds, ranged := strings.Cut(spec, "(")
	switch {
	case ranged && (kind == "float" || kind == "int"):
		t.kind = kind
		err = t.parseRange(bounds)
	case spec == "float" || spec == "int" || spec == "text":
		t.kind = spec
	case strings.Contains(spec, "|") && !slices.Contains(strings.Split(spec, "|"), ""):
		t.kind, t.choices = "choice", strings.Split(spec, "|")
	default:
		err = fmt.Errorf("has the type %q; write float, int, text, a range such as float(0..<360), or choices such as open|closed", spec)
	}
	if err == nil && has {
		if wrong := t.check(fallback); wrong != "" {
			err = fmt.Errorf("has a default of %s: %s", name, wrong)
		}
	}
	return name, t, err
}

// parseRange parses the bounds after the opening parenthesis: 0..90), 0<..<360), 1..) or ..5).
func (t *valueType) parseRange(text string) error {
	inner, closed := strings.CutSuffix(text, ")")
	low, high, two := strings.Cut(inner, "..")
	low, t.minOpen = strings.CutSuffix(low, "<")
	high, t.maxOpen = strings.CutPrefix(high, "<")
	t.min, t.max = low, high
	for _, bound := range []string{low, high} {
		if _, ok := t.number(bound); bound != "" && !ok {
			closed = false
		}
	}
	if !closed || !two || low == "" && high == "" || low == "" && t.minOpen || high == "" && t.maxOpen {
		return fmt.Errorf("has the range (%s; write (0..90), (0<..<360), (1..) or (..5)", text)
	}
	return nil
}

// ranged reports whether the type is a number with bounds.
func (t *valueType) ranged() bool { return t.min != "" || t.max != "" }

// number returns the number that a text of this type is, and whether it is one. Python also takes
// underscores and NaN, on which no instrument can act, and no hexadecimal numbers.
func (t *valueType) number(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if t.kind == "int" {
		n, err := strconv.ParseInt(text, 10, 64)
		return float64(n), err == nil
	}
	if strings.ContainsAny(text, "xXpP_") {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}

// check returns what is wrong with a value, in click's words, or "".
func (t *valueType) check(value string) string {
	switch t.kind {
	case "choice":
		if slices.Contains(t.choices, value) {
			return ""
		}
		quoted := make([]string, len(t.choices))
		for i, c := range t.choices {
			quoted[i] = pythonRepr(c)
		}
		return pythonRepr(value) + " is not one of " + strings.Join(quoted, ", ") + "."
	case "text":
		return ""
	}
	f, ok := t.number(value)
	if !ok {
		return pythonRepr(value) + " is not a valid " + t.clickName() + "."
	}
	low, _ := t.number(t.min)
	high, _ := t.number(t.max)
	tooLow := t.min != "" && (f < low || t.minOpen && f == low)
	tooHigh := t.max != "" && (f > high || t.maxOpen && f == high)
	if tooLow || tooHigh {
		return t.pythonNumber(value) + " is not in the range " + t.rangeText() + "."
	}
	return ""
}

// pythonNumber returns a valid number as Python prints it.
func (t *valueType) pythonNumber(value string) string {
	if t.kind == "int" {
		n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64) // as a float it would lose digits
		return strconv.FormatInt(n, 10)
	}
	f, _ := t.number(value)
	if abs := math.Abs(f); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// rangeText describes the range as click does: 0<=x<360, x>=1.
func (t *valueType) rangeText() string {
	below, above := "<=", "<="
	if t.minOpen {
		below = "<"
	}
	if t.maxOpen {
		above = "<"
	}
	switch {
	case t.min == "":
		return "x" + above + t.max
	case t.max == "":
		return "x" + strings.Replace(below, "<", ">", 1) + t.min
	}
	return t.min + below + "x" + above + t.max
}

// clickName returns click's name of the type in error texts.
func (t *valueType) clickName() string {
	name := map[string]string{"float": "float", "int": "integer", "choice": "choice"}[t.kind]
	switch {
	case name == "":
		return "text"
	case t.ranged():
		return name + " range"
	}
	return name
}
