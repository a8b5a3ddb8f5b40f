package bridge

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// exported returns the gauges of /metrics/keywords, by name, actor and keyword, as Prometheus reads
// them.
func exported(t *testing.T, w *httptest.ResponseRecorder) map[string]float64 {
	t.Helper()
	if w.Code != http.StatusOK {
		t.Fatalf("the status is %d: %s", w.Code, w.Body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			key := name
			for _, label := range m.GetLabel() {
				key += " " + label.GetValue()
			}
			all[key] = m.GetGauge().GetValue()
		}
	}
	return all
}

func (s *bridgeHarness) scrape() *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.Admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics/keywords", nil))
	return w
}

func TestTheExportHasNumbersAndBooleansWithTheirTimes(t *testing.T) {
	h := newHarness(t)
	h.pass(100 * time.Second)
	h.saysAll(filter.Reply{Sender: "dome", Code: "i"}, `{"az": 1.25e2, "open": true, "closed": false, "text": "12", "none": null, "big": 5853498713190525696,
		"axes": [{"torque": -0.5}, 7], "deep": {"a": {"b": {"c": {"d": {"e": 1}}}}}}`, 0)
	h.saysAll(filter.Reply{Sender: "dome", Code: "i", Internal: true}, `{"secret": 1}`, 0)
	got := exported(t, h.scrape())
	for key, want := range map[string]float64{
		"cluws_keyword dome az": 125, "cluws_keyword dome open": 1, "cluws_keyword dome closed": 0, "cluws_keyword dome big": 5853498713190525696,
		"cluws_keyword dome axes.0.torque": -0.5, "cluws_keyword dome axes.1": 7, "cluws_keyword_time_seconds dome az": 100, "cluws_keywords_left_out": 0,
	} {
		if value, ok := got[key]; !ok || value != want {
			t.Errorf("%s is %v (%v), want %v", key, value, ok, want)
		}
	}
	if len(got) != 13 {
		t.Errorf("there are %d gauges: %v", len(got), got)
	}
}

func TestTheExportEscapesHostileNames(t *testing.T) {
	h := newHarness(t)
	hostile := "a\"b\\c\nd} 1\n# TYPE x counter\nü"
	h.saysAll(filter.Reply{Sender: hostile, Code: "i"}, `{"k\"} 9\n\\": 1}`, 0)
	got := exported(t, h.scrape())
	if got["cluws_keyword "+hostile+" k\"} 9\n\\"] != 1 || len(got) != 3 {
		t.Errorf("got %v", got)
	}
}

func TestTheExportIsBounded(t *testing.T) {
	h := newHarness(t)
	for a := range 11 {
		var body strings.Builder
		for k := range 1000 {
			fmt.Fprintf(&body, `, "k%d": 1`, k)
		}
		h.saysAll(filter.Reply{Sender: fmt.Sprintf("a%d", a), Code: "i"}, "{"+body.String()[2:]+"}", 0)
	}
	got := exported(t, h.scrape())
	if len(got) != 2*maxExported+1 || got["cluws_keywords_left_out"] != 1000 {
		t.Errorf("%d gauges, and %v left out", len(got), got["cluws_keywords_left_out"])
	}
}

func TestTheExportHasOnlyWhatItsFilterChooses(t *testing.T) {
	f, err := filter.Parse([]byte(`{"sender": ["dome"], "keyword": ["a*"]}`))
	if err != nil {
		t.Fatal(err)
	}
	h := newHarnessWith(t, func(cfg *Config, _ *testkit.Clock) { cfg.Export = f })
	h.saysAll(filter.Reply{Sender: "dome", Code: "i"}, `{"az": 1, "b": 2}`, 0)
	h.saysAll(filter.Reply{Sender: "mirror", Code: "i"}, `{"az": 1}`, 0)
	if got := exported(t, h.scrape()); len(got) != 3 || got["cluws_keyword dome az"] != 1 {
		t.Errorf("got %v", got)
	}
}

func TestTheExportHasOnlyWhatAClientMayHear(t *testing.T) {
	h := newAccessHarness(t)
	h.saysAll(filter.Reply{Sender: "dome", Code: "i"}, `{"az": 1}`, 0)
	h.saysAll(filter.Reply{Sender: "mirror", Code: "i"}, `{"az": 2}`, 0)
	for who, want := range map[string]int{"ana": 3, "eve": 5} {
		if got := exported(t, h.requestAs(h.Admin(), who, "GET /metrics/keywords", "")); len(got) != want {
			t.Errorf("%s gets %v", who, got)
		}
	}
}

func TestWithoutAFilterNothingIsExported(t *testing.T) {
	h := newHarnessWith(t, func(cfg *Config, _ *testkit.Clock) { cfg.Export = nil })
	if w := h.scrape(); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "--export") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestAFilterOfOnesOwnCommandsCannotChooseWhatIsExported(t *testing.T) {
	f, err := filter.Parse([]byte(`{"commander": ["me"]}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{Broker: []string{"amqp://127.0.0.1:1/"}, Export: f}); err == nil || !strings.Contains(err.Error(), "leave it out") {
		t.Errorf("the error is %v", err)
	}
}
