package configfile

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestAFileMayBeNestedUpToABound(t *testing.T) {
	nested := func(depth int) error {
		return Parse("f", []byte("a: "+strings.Repeat("[", depth)+strings.Repeat("]", depth))).Err()
	}
	if err := nested(maxDepth); err != nil {
		t.Errorf("%d levels: %v", maxDepth, err)
	}
	if err := nested(maxDepth + 1); err == nil || !strings.Contains(err.Error(), "nested too deeply") {
		t.Errorf("%d levels: %v", maxDepth+1, err)
	}
}

func TestNumbersAndTimesAreBounded(t *testing.T) {
	var to struct {
		N int           `json:"n"`
		D time.Duration `json:"d"`
		F float64       `json:"f"`
	}
	for text, want := range map[string]string{
		"{n: 9223372036854775807, d: 0s, f: 1.5}": "{9223372036854775807 0s 1.5}",
		"{n: -5, d: 1h30m, f: 2}":                 "{-5 1h30m0s 2}",
		"{n: 9223372036854775808}":                "x.n: 9223372036854775808 is too large",
		"{n: 1.5}":                                "x.n must be a whole number, and is a number",
		"{n: '1'}":                                "x.n must be a whole number, and is a text",
		"{d: 5}":                                  "x.d must be a time with a unit",
		"{d: -1ns}":                               "x.d must be a time with a unit",
		"{f: yes}":                                "x.f must be a number, and is a text",
		"{f: .nan}":                               "nan is not used here",
	} {
		f := Parse("f", []byte("x: "+text))
		to.N, to.D, to.F = 0, 0, 0
		f.decode(f.root.get("x"), reflect.ValueOf(&to).Elem(), "x")
		got := fmt.Sprint(to)
		if err := f.Err(); err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

func TestATextThatYAMLTakesForSomethingElseIsAdvisedToBeQuoted(t *testing.T) {
	for value, advised := range map[string]bool{"5": true, "1.5": true, "true": true, "null": true, "~": true, "": false, "[]": false, "{}": false} {
		err := Parse("f", []byte("site: {title: "+value+"}")).Err()
		if err == nil || strings.Contains(err.Error(), "write it in quotes") != advised {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func TestTheLongestKeyThatFitsAPathLeadsOn(t *testing.T) {
	f := Parse("f", []byte("a: {c: 1}\na.b: {c: 1}\na.bc: {c: 1}\n"))
	for path, line := range map[string]int{"a.b.c": 2, "a.c": 1, "a.bc.c": 3, "a.bcd": 1} {
		if found, _, _ := f.root.find(path); found.line != line {
			t.Errorf("%s is in line %d", path, found.line)
		}
	}
}

func TestErrorsAtOnePlaceAreToldOnceAndThoseOfTheFileAll(t *testing.T) {
	f := Parse("f", []byte("a: 1\n"))
	for _, at := range [][2]int{{2, 1}, {1, 2}, {1, 1}, {1, 2}, {0, 0}, {0, 0}} {
		f.add(at[0], at[1], "wrong")
	}
	want := []string{"f: wrong", "f: wrong", "f:1:1: wrong", "f:1:2: wrong", "f:2:1: wrong"}
	var got []string
	for line := range strings.Lines(f.Err().Error()) {
		if strings.HasPrefix(line, "f:") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("they are %q", got)
	}
}
