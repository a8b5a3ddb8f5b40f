package bridge

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

// values asks for the last values, and returns the answer. Numbers keep their digits.
func (s *bridgeHarness) values(query string) map[string]any {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.Admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, valuesPath+query, nil))
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
		s.t.Fatalf("%s: %d %v %s", query, w.Code, w.Header(), w.Body)
	}
	return parseNumbers(s.t, w.Body.String())
}

func parseNumbers(t testing.TB, text string) (all map[string]any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return all
}

// names returns which keywords an answer has, as "dome.az dome.open".
func names(answer map[string]any) string {
	var all []string
	for actor, keywords := range answer["values"].(map[string]any) {
		for name := range keywords.(map[string]any) {
			all = append(all, actor+"."+name)
		}
	}
	return strings.Join(slices.Sorted(slices.Values(all)), " ")
}

func TestTheValuesHaveTheirTimesAndAges(t *testing.T) {
	h := newHarness(t)
	h.pass(100 * time.Second)
	h.saysAll(filter.Reply{Sender: "dome", Code: "i"}, `{"az": 1.25e2, "big": 5853498713190525696, "text": "a\"b", "none": null, "long": "`+strings.Repeat("x", 70_000)+`"}`, 0)
	h.pass(1500*time.Millisecond + time.Microsecond)
	h.saysAll(filter.Reply{Sender: "dome", Code: "w"}, `{"text": "newer"}`, 0)
	answer := h.values("")
	if answer["broker"] != "down" || answer["epoch"] != h.hub.Epoch || answer["time"] != "1970-01-01T00:01:41.500001+00:00" {
		t.Errorf("the answer is %v", answer)
	}
	dome := answer["values"].(map[string]any)["dome"].(map[string]any)
	for name, want := range map[string]string{
		"az":   `{"age_ms":1501,"code":"i","seq":1,"time":"1970-01-01T00:01:40.000000+00:00","value":1.25e2}`,
		"big":  `{"age_ms":1501,"code":"i","seq":1,"time":"1970-01-01T00:01:40.000000+00:00","value":5853498713190525696}`,
		"none": `{"age_ms":1501,"code":"i","seq":1,"time":"1970-01-01T00:01:40.000000+00:00","value":null}`,
		"text": `{"age_ms":0,"code":"w","seq":2,"time":"1970-01-01T00:01:41.500001+00:00","value":"newer"}`,
		"long": `{"age_ms":1501,"code":"i","seq":1,"time":"1970-01-01T00:01:40.000000+00:00","too_large":70002}`,
	} {
		got, err := json.Marshal(dome[name])
		if err != nil || string(got) != want {
			t.Errorf("%s is %s (%v), want %s", name, got, err, want)
		}
	}
}

func TestTheValuesAreChosenByAFilterAndByAge(t *testing.T) {
	h := newHarness(t)
	h.saysAll(filter.Reply{Sender: "dome", Code: "i"}, `{"az": 1, "open": true}`, 0)
	h.pass(10 * time.Second)
	h.saysAll(filter.Reply{Sender: "dome", Code: "i", Internal: true}, `{"secret": 1, "open": false}`, 0)
	h.saysAll(filter.Reply{Sender: "mirror", Code: "w"}, `{"az": 2}`, 0)
	for query, want := range map[string]string{
		"":                               "dome.az dome.open mirror.az",
		"?sender=dome":                   "dome.az dome.open",
		"?sender=dome,mirror&keyword=a*": "dome.az mirror.az",
		"?keyword=az&keyword=open":       "dome.az dome.open mirror.az",
		"?message_code=w":                "mirror.az",
		"?internal=true":                 "dome.open dome.secret",
		"?sender=nobody":                 "",
		"?max_age_ms=9999":               "mirror.az",
		"?max_age_ms=10000":              "dome.az dome.open mirror.az",
	} {
		if got := names(h.values(query)); got != want {
			t.Errorf("%q has %q, want %q", query, got, want)
		}
	}
	both := h.values("?keyword=open&internal=true,false")["values"].(map[string]any)["dome"].(map[string]any)["open"].(map[string]any)
	if both["value"] != false || both["internal"] != true {
		t.Errorf("of two values the newer one is to be there, got %v", both)
	}
}

func TestARequestForValuesThatIsWrongIsExplained(t *testing.T) {
	h := newHarness(t)
	for query, words := range map[string]string{
		"?actor=dome":                     "there is no parameter",
		"?sender=":                        "is empty",
		"?message_code=z":                 "message_code",
		"?commander=me":                   "for WebSockets",
		"?max_age_ms=0":                   "from 1 to",
		"?max_age_ms=x":                   "from 1 to",
		"?max_age_ms=1&max_age_ms=2":      "write it once",
		"?max_age_ms=9223372036854775807": "from 1 to",
		"?sender=a;keyword=b":             "not understood",
	} {
		w := httptest.NewRecorder()
		h.Admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, valuesPath+query, nil))
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), words) {
			t.Errorf("%s: %d %s, want words of %q", query, w.Code, w.Body, words)
		}
	}
	w := httptest.NewRecorder()
	h.Admin().ServeHTTP(w, httptest.NewRequest(http.MethodPost, valuesPath, nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != http.MethodGet {
		t.Errorf("POST: %d %v", w.Code, w.Header())
	}
}

func TestTheValuesAreThoseThatAClientMayHear(t *testing.T) {
	h := newAccessHarness(t)
	h.saysAll(filter.Reply{Sender: "dome", Code: "i"}, `{"az": 1}`, 0)
	h.saysAll(filter.Reply{Sender: "mirror", Code: "i"}, `{"az": 2}`, 0)
	for who, want := range map[string]string{"ana": "dome.az", "eve": "dome.az mirror.az"} {
		if got := names(parseNumbers(t, h.requestAs(h.Admin(), who, "GET "+valuesPath, "").Body.String())); got != want {
			t.Errorf("%s gets %q, want %q", who, got, want)
		}
	}
}

// The example has the form of an answer.
func TestTheExampleOfValuesInTheDocumentationIsAnAnswer(t *testing.T) {
	page, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "### GET "+valuesPath+"\n")
	_, example, _ := strings.Cut(section, valuesPath)
	query, example, _ := strings.Cut(example, "'\n")
	example, _, _ = strings.Cut(example, "\n\n")
	h := newHarness(t)
	h.pass(time.Second)
	h.saysAll(filter.Reply{Sender: "weather", Code: "i"}, `{"wind_speed_ms": 3.8, "temperature_c": 9}`, 0)
	h.pass(412 * time.Millisecond)
	forms := func(answer map[string]any) any {
		answer["time"], answer["epoch"], answer["broker"] = "", "", ""
		wind := answer["values"].(map[string]any)["weather"].(map[string]any)["wind_speed_ms"].(map[string]any)
		wind["time"], wind["seq"] = "", ""
		return answer
	}
	if want, got := forms(parseNumbers(t, example)), forms(h.values(query)); !reflect.DeepEqual(got, want) {
		t.Errorf("%s is answered with %v, and the example is %v", query, got, want)
	}
}

func TestAValueFromBeforeAGapIsOutdatedUntilItIsHeardAgain(t *testing.T) {
	h := newHarness(t)
	h.saysAll(filter.Reply{Sender: "dome", Code: "i"}, `{"az": 1, "open": true}`, 0)
	h.missed(amqpx.Gap{From: h.hub.Time(), To: h.hub.Time()})
	h.saysAll(filter.Reply{Sender: "dome", Code: "i"}, `{"az": 1}`, 0)
	dome := h.values("")["values"].(map[string]any)["dome"].(map[string]any)
	if az, open := dome["az"].(map[string]any)["outdated"], dome["open"].(map[string]any)["outdated"]; az != nil || open != true {
		t.Errorf("outdated: az %v, open %v", az, open)
	}
}

func TestTheClientsAddressSaysWhereTheAPIIs(t *testing.T) {
	h := newHarness(t)
	for _, page := range []http.Handler{nil, http.NotFoundHandler()} {
		w := httptest.NewRecorder()
		h.clientRoutes(page).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/values?sender=weather", nil))
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `"error":"the HTTP API is not at this address, but at that of the admin server (--admin)"`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}
