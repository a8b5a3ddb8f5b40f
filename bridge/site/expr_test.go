package site

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// valuesOf returns the function that Eval takes, for the values of keywords.
func valuesOf(e *Expr, values map[string]string) func(int) []byte {
	return func(ref int) []byte {
		raw, ok := values[e.Refs()[ref]]
		if !ok {
			return nil
		}
		return []byte(raw)
	}
}

const huge = "5853498713190525696"

// evaluations are expressions, the values of their keywords, and what they say of these.
var evaluations = []struct {
	expr, values string
	want         Truth
}{
	{`w.safe == false`, `w.safe=false`, True},
	{`w.safe == false`, `w.safe=true`, False},
	{`w.safe == false`, ``, Unknown},
	{`w.safe == false`, `w.safe=null`, Unknown},
	{`w.n == 0`, `w.n=null`, Unknown},
	{`d.shutter == "open"`, `d.shutter=null`, Unknown},
	{`d.shutter != "closed"`, `d.shutter=null`, True},
	{`w.safe == null`, `w.safe=false`, False},
	{`w.safe != null`, `w.safe=null`, False},
	{`w.safe == null`, `w.safe=null`, True},
	{`w.safe != true`, `w.safe=null`, True},
	{`w.safe != true`, `w.safe="true"`, True},
	{`d.shutter == "open"`, `d.shutter="open"`, True},
	{`d.shutter == "open"`, `d.shutter="Open"`, False},
	{`d.shutter == "öffnen \" \\"`, `d.shutter="\u00f6ffnen \" \\"`, True},
	{`d.shutter == "open"`, `d.shutter=["open"]`, False},
	{`d.shutter != "open"`, `d.shutter={"a":"open"}`, True},
	{`d.x == ""`, `d.x=""`, True},
	{`w.wind > 15`, `w.wind=15.0`, False},
	{`w.wind >= 15`, `w.wind=15.0`, True},
	{`w.wind == 15`, `w.wind=1.5e1`, True},
	{`w.wind < -2.5`, `w.wind=-3`, True},
	{`w.wind <= 0`, `w.wind=-0`, True},
	{`w.wind == 0`, `w.wind=-0`, True},
	{`w.wind > 15`, `w.wind=null`, Unknown},
	{`w.wind > 15`, `w.wind="20"`, Unknown},
	{`w.wind > 15`, `w.wind=1e999`, True},
	{`w.n == ` + huge, `w.n=5853498713190525697`, False},
	{`w.n == ` + huge, `w.n=` + huge, True},
	{`w.n < ` + huge, `w.n=5853498713190525695`, True},
	{`w.n > -` + huge, `w.n=-5853498713190525695`, True},
	{`w.n > 99999999999999999998`, `w.n=99999999999999999999`, True},
	{`w.n < 15`, `w.n=15`, False},
	{`w.n < 15`, `w.n=9`, True},
	{`w.n < 90`, `w.n=100`, False},
	{`w.n < 0`, `w.n=-5`, True},
	{`w.n > -3`, `w.n=5`, True},
	{`w.n < -3`, `w.n=5`, False},
	{`w.n > 3`, `w.n=-5`, False},
	{`w.n > 3`, `w.n=-0`, False},
	{`w.n >= -5`, `w.n=-5`, True},
	{`w.n > 0.5`, `w.n=0.5`, False},
	{strings.Repeat("(a.x == 2) or ", 20) + "(a.x == 1)", `a.x=1`, True},
	{`a.x == 1 and b.y == 2`, `a.x=1,b.y=2`, True},
	{`a.x == 1 and b.y == 2`, `a.x=1`, Unknown},
	{`a.x == 1 and b.y == 2`, `a.x=2`, False},
	{`a.x == 1 or b.y == 2`, `a.x=1`, True},
	{`a.x == 1 or b.y == 2`, `a.x=2`, Unknown},
	{`a.x == 1 or a.x == 2 and b.y == 2`, `a.x=1,b.y=0`, True},
	{`(a.x == 1 or a.x == 2) and b.y == 2`, `a.x=1,b.y=0`, False},
	{`a.b.c.0 > 1`, `a.b.c.0=2`, True},
	{`lvm.sci-foc.x_y==true`, `lvm.sci-foc.x_y=true`, True},
}

func TestAnExpressionIsTrueFalseOrUnknown(t *testing.T) {
	for _, c := range evaluations {
		e, err := parseExpr(c.expr)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		values := map[string]string{}
		for pair := range strings.SplitSeq(c.values, ",") {
			if name, value, ok := strings.Cut(pair, "="); ok {
				values[name] = value
			}
		}
		if got := e.Eval(valuesOf(e, values)); got != c.want {
			t.Errorf("%s with %s is %d, want %d", c.expr, c.values, got, c.want)
		}
	}
}

func TestAnErrorOfAnExpressionNamesItsColumnAndTheRemedy(t *testing.T) {
	for expr, want := range map[string]string{
		``:                                   "column 1: a keyword is missing here, before the end",
		`weather.is_safe`:                    "column 16: weather.is_safe must be compared",
		`weather.is_safe = true`:             `column 17: "=" is not a comparison; write ==`,
		`weather == true`:                    `column 1: "weather" names no actor`,
		`.x == 1`:                            "column 1: \".x\" has an empty part",
		`a.x == open`:                        `column 8: "open" is no value: write a text in double quotes`,
		`a.x == False`:                       `column 8: "False" is no value; write false`,
		`a.x != None`:                        `column 8: "None" is no value; write null`,
		`a.x == no`:                          `column 8: "no" is no value; write false`,
		`a.x == 1 AND a.y == 2`:              `column 10: "AND" is not understood here; write and`,
		`a.x == 'open'`:                      "column 8: write a text in double quotes",
		`a.x == "open`:                       "column 8: the text that begins here has no end",
		`a.x == "\q"`:                        "column 8: the text",
		`a.x < "open"`:                       "column 7: < compares numbers",
		`a.x >= true`:                        "column 8: >= compares numbers",
		`a.x == 01`:                          `column 8: "01" is not a number`,
		`a.x == -`:                           `column 8: "-" is not a number`,
		`a.x == 1 b.y == 2`:                  `column 10: "b.y" is not understood here; join tests`,
		`a.x == 1 && b.y == 2`:               `column 10: "&" is not understood; the words are`,
		`a.x == 1 and`:                       "column 13: a keyword is missing here, before the end",
		`a.x == 1 or or`:                     `column 13: a keyword is missing here, before "or"`,
		`not a.x == 1`:                       `column 1: there is no "not"`,
		`(a.x == 1`:                          `column 10: a ")" is missing here`,
		`a.x == 1)`:                          `column 9: ")" is not understood here`,
		`15 < a.x`:                           "column 1: a test begins with a keyword",
		`a.ü == 1 and a.y == § 2`:            `column 21: "§" is not understood`,
		`a.x == and`:                         `column 8: a value is missing here, before "and"`,
		"a.x == 1\xff":                       "column 1: the expression is not UTF-8",
		strings.Repeat("(", 17) + `a.x == 1`: "column 17: parentheses are nested",
		strings.Repeat("a.x == 1 or ", 32) + `a.x == 1`: "column 385: there are more than 32 tests",
		strings.Repeat("a", 2000):                       "column 1: the expression has 2000 bytes",
	} {
		_, err := parseExpr(expr)
		if _, ok := errors.AsType[*exprError](err); !ok || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s\n%v\nwant %s", expr, err, want)
		}
	}
}

func TestAnExpressionNamesEachKeywordOnce(t *testing.T) {
	e, err := parseExpr(`b.y > 1 or a.x == 1 and b.y < 5`)
	if err != nil || !slices.Equal(e.Refs(), []string{"b.y", "a.x"}) {
		t.Errorf("%v %v", e, err)
	}
}

func TestEvaluatingAllocatesNothing(t *testing.T) {
	e, err := parseExpr(`a.x == "open" and (b.y > 15.5 or c.z != 5853498713190525696)`)
	if err != nil {
		t.Fatal(err)
	}
	values := [][]byte{[]byte(`"open"`), []byte(`12.25`), []byte(`5853498713190525697`)}
	value := func(ref int) []byte { return values[ref] }
	if n := testing.AllocsPerRun(100, func() { e.Eval(value) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzAnExpressionIsCompiledOrRefused(f *testing.F) {
	for _, s := range []string{`a.x == 1`, `(a.x != "é\"" or a.y >= -1.5e3) and b.z == null`, `a.x = 1`, `a..b == true`, `a.x == "`} {
		f.Add(s, `12`)
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		e, err := parseExpr(text)
		if err != nil {
			wrong, ok := errors.AsType[*exprError](err)
			if !ok || wrong.Column < 1 || wrong.Column > len(text)+1 || wrong.Reason == "" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if len(e.Refs()) == 0 || len(e.Refs()) > maxTests {
			t.Fatalf("%q has the keywords %q", text, e.Refs())
		}
		for _, keyword := range e.Refs() {
			if err := checkKeyword(keyword); err != nil {
				t.Fatal(err)
			}
		}
		if got := e.Eval(func(int) []byte { return nil }); got != Unknown {
			t.Fatalf("%q of nothing is %d", text, got)
		}
		e.Eval(func(int) []byte { return []byte(value) })
		again, err := parseExpr(e.String())
		if err != nil || fmt.Sprint(again.Refs()) != fmt.Sprint(e.Refs()) {
			t.Fatalf("%q is not read again: %v", text, err)
		}
	})
}
