package site

import (
	"strings"
	"testing"
)

func TestAConditionSaysTheValueThatMakesItTrue(t *testing.T) {
	high, low := 85.0, -20.5
	s, err := Compile(&Config{
		Keywords: map[string]Keyword{
			"dome.humidity": {Unit: "%", Description: "Relative humidity.", High: &high},
			"dome.temp":     {Unit: "°C", Low: &low},
			"dome.text":     {Description: "A description that is too long to take the place of a name, and is not read at a glance"},
		},
		Conditions: []ConditionConfig{
			{Name: "unsafe", When: "dome.safe == false", Text: "Not safe."},
			{Name: "wet", When: "dome.humidity >= 80 and weather.rain > 0.1", Text: "Wet."},
			{Name: "either", When: "dome.temp < 0 or weather.rain > 5", Text: "Bad"},
			{Name: "groups", When: "(dome.a > 5 and dome.b > 5) or dome.c > 5", Text: "Bad"},
			{Name: "suffix", When: `dome.wind_speed_ms > 10 and dome.mode_s != "a"`, Text: "Bad"},
			{Name: "bare", When: `dome.safe == true and dome.text != "a"`},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	byKey := map[string]*Condition{}
	for _, c := range s.Conditions() {
		byKey[c.Key] = c
	}
	for _, c := range []struct{ key, actor, values, says, said string }{
		{"limit:dome.humidity:high", "dome", "97", "Relative humidity 97 %, above 85 %", "Relative humidity was above 85 %"},
		{"limit:dome.humidity:high", "other", "97", "dome.humidity 97 %, above 85 %", "dome.humidity was above 85 %"},
		{"limit:dome.humidity:high", "dome", "85.000000001", "Relative humidity 85.000000001 %, above 85 %", "Relative humidity was above 85 %"},
		{"limit:dome.humidity:high", "dome", "97.123456789", "Relative humidity 97.1235 %, above 85 %", "Relative humidity was above 85 %"},
		{"limit:dome.humidity:high", "dome", "5853498713190525696", "Relative humidity 5853498713190525696 %, above 85 %", "Relative humidity was above 85 %"},
		{"limit:dome.humidity:high", "dome", "1.23456789e30", "Relative humidity 1.23457e+30 %, above 85 %", "Relative humidity was above 85 %"},
		{"limit:dome.humidity:high", "dome", "null", "Relative humidity was above 85 %, and is null now", "Relative humidity was above 85 %"},
		{"limit:dome.temp:low", "dome", "-123456.75", "temp -123457 °C, below -20.5 °C", "temp was below -20.5 °C"},
		{"condition:unsafe", "dome", "false", "Not safe.", "Not safe."},
		{"condition:wet", "dome", "80 0.25", "Wet: Relative humidity 80 %, at least 80 %; weather.rain 0.25, above 0.1", "Wet."},
		{"condition:either", "dome", "-1 0", "Bad: temp -1 °C, below 0 °C", "Bad"},
		{"condition:either", "dome", "null null", "Bad", "Bad"},
		{"condition:groups", "dome", "9 0 9", "Bad: c 9, above 5", "Bad"},
		{"condition:suffix", "dome", "12.5 8", "Bad: wind_speed_ms 12.5 m/s, above 10 m/s; mode_s 8 s, not \"a\"", "Bad"},
		{"condition:bare", "dome", `true "shut"`, `safe true; text "shut", not "a"`, `dome.safe == true and dome.text != "a"`},
	} {
		values := fieldsOf(c.values)
		if got := byKey[c.key].Says(c.actor, func(ref int) []byte { return values[ref] }); got != c.says {
			t.Errorf("%s with %s says %q, want %q", c.key, c.values, got, c.says)
		}
		if got := byKey[c.key].Said(c.actor); got != c.said {
			t.Errorf("%s has ended and says %q, want %q", c.key, got, c.said)
		}
	}
}

func fieldsOf(text string) (values [][]byte) {
	for _, v := range strings.Fields(text) {
		values = append(values, []byte(v))
	}
	return values
}

func TestWhatIsSaidOfAConditionIsBounded(t *testing.T) {
	s, err := Compile(&Config{Conditions: []ConditionConfig{{Name: "x", When: strings.Repeat(`a.b != "c" and `, 20) + `a.d != "e"`, Text: "Wrong"}}})
	if err != nil {
		t.Fatal(err)
	}
	long := []byte(`"` + strings.Repeat("é", 500) + `"`)
	if got := s.Conditions()[0].Says("a", func(int) []byte { return long }); len(got) > 4*maxReading+100 || !strings.HasSuffix(got, `…, not "c"`) {
		t.Errorf("it says %q", got)
	}
}
