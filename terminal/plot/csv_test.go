package plot

import "testing"

func TestCSVHasTheKeywordsAsAskedForWithUnits(t *testing.T) {
	const history = `{"from": 1000, "to": 9000, "gaps": [], "series": [
		{"keyword": "w.wind", "kind": "number", "bucket_ms": 1000, "until": 9000, "t": [500, 3000], "min": [null, 1], "max": [null, 9007199254740993], "last": [4, "NaN"], "count": [0, 2]},
		{"keyword": "w.door", "kind": "state", "until": 9000, "t": [3000, 4000], "value": ["a, \"b\"", null]},
		{"keyword": "w.mixed", "kind": "number", "until": 9000, "t": [1000, 2000], "last": [1, null]},
		{"keyword": "w.mixed", "kind": "state", "until": 9000, "t": [1000, 2000], "value": [null, "off"]},
		{"keyword": "w.none", "kind": null}]}`
	o := Options{Keywords: []string{"w.door", "w.wind", "w.mixed", "w.none", "w.axes.0.torque"}, CSV: true}
	got, _ := run(t, history, o, 80)
	want := `time,w.door,w.wind [m/s],w.mixed,w.none,w.axes.0.torque [Nm]
1970-01-01T00:00:01.000Z,,4,1,,
1970-01-01T00:00:02.000Z,,,off,,
1970-01-01T00:00:03.000Z,"a, ""b""",NaN,,,
1970-01-01T00:00:04.000Z,null,,,,
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
	o.Keywords, o.Extremes = []string{"w.wind"}, true
	got, _ = run(t, history, o, 80)
	want = `time,w.wind [m/s],w.wind [m/s] min,w.wind [m/s] max
1970-01-01T00:00:01.000Z,4,4,4
1970-01-01T00:00:03.000Z,NaN,1,9007199254740993
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}
