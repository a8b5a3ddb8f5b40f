package site

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Bounds of what is said of a condition.
const (
	maxReadings = 3  // tests of one condition
	maxReading  = 60 // bytes of a value, and of a description that takes the place of a name
)

// words are the operators as they are read to people, between a value and its bound.
var words = map[string]string{"<": "below", "<=": "at most", ">": "above", ">=": "at least", "!=": "not"}

// Says returns what is said of the condition in the list of an actor while it holds: "humidity 97 %,
// above 85 %". value is as in [Expr.Eval]. Keywords of that actor are named without it.
func (c *Condition) Says(actor string, value func(ref int) []byte) string {
	spoken := c.Name == "" || c.Text == strings.TrimSpace(c.When.String()) // nobody wrote a text
	var readings []string
	c.When.root.holding(value, func(t *test) {
		if len(readings) < maxReadings && (spoken || t.op != "==") { // what is equal says nothing new
			readings = append(readings, c.nameOf(t.ref, actor)+" "+c.reading(t, value(t.ref)))
		}
	})
	said := strings.Join(readings, "; ")
	switch {
	case said == "" && c.Name == "":
		return c.Said(actor) + ", and is " + shown(value(0)) + " now" // the station lost its sensor
	case said == "":
		return c.Text
	case spoken:
		return said
	}
	return strings.TrimRight(c.Text, ". ") + ": " + said
}

// Said returns what is said of the condition once it has ended: no value of it is true any more.
func (c *Condition) Said(actor string) string {
	if t, ok := c.When.root.(*test); ok && c.Name == "" {
		return c.nameOf(t.ref, actor) + " was " + words[t.op] + " " + c.withUnit(t.ref, t.literal.String())
	}
	return c.Text
}

// reading returns a value and the bound beyond which it is. If a rounded value were not beyond it, it
// is told with all its digits.
func (c *Condition) reading(t *test, raw []byte) string {
	text := shown(raw)
	if t.eval(func(int) []byte { return []byte(text) }) != True {
		text = string(raw[:min(len(raw), maxReading)])
	}
	text = c.withUnit(t.ref, text)
	if t.op == "==" {
		return text
	}
	return text + ", " + words[t.op] + " " + c.withUnit(t.ref, t.literal.String())
}

func (c *Condition) withUnit(ref int, text string) string {
	if unit := c.keywords[ref].Unit; unit != "" && isNumber([]byte(text)) {
		return text + " " + unit
	}
	return text
}

// nameOf returns what a keyword is called: by its description if that is short, else by its name.
func (c *Condition) nameOf(ref int, actor string) string {
	keyword := c.When.refs[ref]
	name, own := strings.CutPrefix(keyword, actor+".")
	if !own {
		return keyword
	}
	if d := strings.TrimRight(c.keywords[ref].Description, ". "); d != "" && len(d) <= maxReading && !strings.ContainsAny(d, "\r\n") {
		return d
	}
	return name
}

// shown returns a value as people read it: a number of six digits, unless it is a whole one.
func shown(raw []byte) string {
	raw = bytes.TrimSpace(raw)
	if f, ok := float(raw); ok && isNumber(raw) && !whole(raw) && !math.IsInf(f, 0) {
		if a := math.Abs(f); a == 0 || a >= 1e-4 && a < 1e6 {
			rounded, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 6, 64), 64)
			return strconv.FormatFloat(rounded, 'f', -1, 64)
		}
		return strconv.FormatFloat(f, 'g', 6, 64)
	}
	if len(raw) > maxReading {
		return strings.ToValidUTF8(string(raw[:maxReading]), "") + "…"
	}
	return string(raw)
}

// String returns the literal as JSON.
func (l *literal) String() string {
	if l.raw != nil {
		return string(l.raw)
	}
	text, err := json.Marshal(l.text)
	if err != nil {
		return strconv.Quote(l.text) // cannot happen: every text can be written
	}
	return string(text)
}

func (a allOf) holding(value func(int) []byte, add func(*test)) {
	for _, n := range a {
		n.holding(value, add)
	}
}

func (a anyOf) holding(value func(int) []byte, add func(*test)) {
	for _, n := range a {
		if n.eval(value) == True {
			n.holding(value, add)
		}
	}
}

func (t *test) holding(value func(int) []byte, add func(*test)) {
	if t.eval(value) == True {
		add(t)
	}
}
