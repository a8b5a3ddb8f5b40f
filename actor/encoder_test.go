package actor

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math"
	"strings"
	"testing"
)

func TestNumbersThatAreNotFiniteBecomeNullAtAnyDepth(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct {
		keywords Keywords
		want     string
	}{
		{nil, `{}`},
		{Keywords{"b": 1, "a": "</b>&"}, `{"a":"</b>&","b":1}`},
		{Keywords{"a": nan, "b": 2.5}, `{"a":null,"b":2.5}`},
		{Keywords{"a": float32(math.Inf(-1))}, `{"a":null}`},
		{Keywords{"a": []float64{1, math.Inf(1), 3}}, `{"a":[1,null,3]}`},
		{Keywords{"a": [2][]float64{{nan}, {1}}}, `{"a":[[null],[1]]}`},
		{Keywords{"a": map[string]any{"x": nan, "y": []any{"z", &nan}}}, `{"a":{"x":null,"y":["z",null]}}`},
		{Keywords{"a": map[int]float64{1: nan, 2: 2}}, `{"a":{"1":null,"2":2}}`},
		{Keywords{"a": struct{ X float64 }{nan}}, `{"a":null}`},
		{Keywords{"a": []string{"x"}, "b": nil}, `{"a":["x"],"b":null}`},
	} {
		got, err := newEncoder(slog.New(slog.DiscardHandler)).encode(test.keywords)
		if err != nil || string(got) != test.want {
			t.Errorf("got %s, %v; want %s", got, err, test.want)
		}
	}
}

func TestNumbersThatAreNotFiniteAreWrittenAsByPythonIfAsked(t *testing.T) {
	var log bytes.Buffer
	e := newEncoder(slog.New(slog.NewTextHandler(&log, nil)))
	e.nan = true
	got, err := e.encode(Keywords{"a": math.NaN(), "b": []any{math.Inf(1), map[string]float32{"x": float32(math.Inf(-1))}}, "c": "NaN", "d": 1})
	if want := `{"a":NaN,"b":[Infinity,{"x":-Infinity}],"c":"NaN","d":1}`; err != nil || string(got) != want || log.Len() > 0 {
		t.Errorf("got %s, %v; want %s\n%s", got, err, want, log.String())
	}
}

func TestAKeywordThatIsNotFiniteIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	e := newEncoder(slog.New(slog.NewTextHandler(&log, nil)))
	for range 3 {
		for _, name := range []string{"alt_deg", "az_deg"} {
			if _, err := e.encode(Keywords{name: math.NaN()}, "command_id", "id-7"); err != nil {
				t.Error(err)
			}
		}
	}
	for _, name := range []string{"alt_deg", "az_deg"} {
		if got := strings.Count(log.String(), "keyword="+name); got != 1 {
			t.Errorf("%s is logged %d times", name, got)
		}
	}
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "command_id=id-7") {
		t.Errorf("the log is\n%s", log.String())
	}
}

func TestAValueWithoutAFormInJSONIsAnErrorAndLeavesTheOthers(t *testing.T) {
	type loop struct{ Next *loop }
	cycle := &loop{}
	cycle.Next = cycle
	for name, value := range map[string]any{
		"function": func() {}, "channel": make(chan int), "complex": 1i, "broken": json.RawMessage(`{"x": <}`),
		"cycle": cycle, "mixed": []any{math.NaN(), func() {}},
	} {
		var log bytes.Buffer
		e := newEncoder(slog.New(slog.NewTextHandler(&log, nil)))
		got, err := e.encode(Keywords{name: value, "ok": 1}, "command_id", "id-7")
		if err == nil || !strings.HasPrefix(err.Error(), "keyword "+name+": ") || string(got) != `{"ok":1}` {
			t.Errorf("%s: %s, %v", name, got, err)
		}
		if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "keyword="+name) || !strings.Contains(log.String(), "command_id=id-7") {
			t.Errorf("%s: the log is\n%s", name, log.String())
		}
	}
}
