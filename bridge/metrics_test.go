package bridge_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// admin requests a path from the admin handler.
func (r *running) admin(t *testing.T, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r.Admin().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(body)
}

func (r *running) metrics(t *testing.T) string {
	t.Helper()
	code, text := r.admin(t, "/metrics")
	if code != http.StatusOK {
		t.Fatalf("/metrics: %d\n%s", code, text)
	}
	return text
}

func TestMetricsTellWhatHappened(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, withHistory, func(c *bridge.Config) { c.Version, c.Name = "1.2", "bridge" })
	p := newPeer(t, url)
	commands := p.hear("command.x.#")
	plain := dial(t, b.addr)
	v1, _ := dialV1(t, b.addr, "/")
	p.reply(`{"n": 1}`)
	p.reply(`not JSON`)
	p.reply(`{"n": 2}`)
	for range 2 {
		plain.next()
		v1.next()
	}
	plain.say(`{"consumer": "x", "command_string": "go"}`)
	testkit.Await(t, commands)
	plain.say(`{"consumer": "nobody", "command_string": "go"}`)
	plain.next()
	v1.next()
	plain.say(`rubbish`)
	plain.next()
	want := []string{
		`cluws_info{epoch="[0-9a-f]{12}",exchange="sdss_exchange",name="bridge",version="1.2"} 1`,
		`cluws_link_up 1`, `cluws_ready 1`, `cluws_link_blocked 0`, `cluws_link_stalled 0`, `cluws_link_no_replies 0`,
		`cluws_link_changes_total{state="up"} 1`, `cluws_link_changes_total{state="down"} 0`,
		`cluws_replies_total 3`, `cluws_replies_dropped_total{reason="body is not JSON"} 1`,
		`cluws_commands_total{outcome="confirmed"} 1`, `cluws_commands_total{outcome="returned"} 1`, `cluws_commands_total{outcome="unknown"} 0`,
		`cluws_commands_refused_total 1`, `cluws_confirm_seconds_count [0-9]+`,
		`cluws_clients{protocol="clu"} 1`, `cluws_clients{protocol="v1"} 1`, `cluws_clients_accepted_total 2`,
		`cluws_deliveries_total [0-9]+`, `cluws_delivery_bytes_total [0-9.e+]+`, `cluws_delivery_writes_total [0-9]+`, `cluws_messages_received_total 3`,
		`cluws_slow_closes_total 0`, `cluws_publish_waiting 0`, `cluws_publish_unconfirmed 0`,
		`cluws_history_replies 2`, `cluws_groups 1`, `cluws_snapshot_actors [1-9]`, `cluws_snapshot_keywords [1-9]`, `cluws_snapshot_bytes [1-9][0-9.e+]*`, `cluws_snapshot_evicted_total 0`, `cluws_gaps_total 0`, `cluws_seq 3`, `cluws_outbound_bytes [0-9.e+]+`, `cluws_stalls_total [0-9]+`, `cluws_panics_total 0`, `cluws_stall_seconds_total [0-9.e+-]+`, `cluws_loop_lag_seconds_count [0-9]+`,
		`go_goroutines [0-9]+`, `process_resident_memory_bytes [0-9.e+]+`,
	}
	// The confirm of the command comes some time after the actor has it.
	testkit.WaitUntil(t, "the command is confirmed", func() bool { return strings.Contains(b.metrics(t), `cluws_commands_total{outcome="confirmed"} 1`) })
	// The figures of a loop are updated at the end of its turn, after the answers.
	testkit.WaitUntil(t, "the messages are counted", func() bool { return strings.Contains(b.metrics(t), "cluws_messages_received_total 3") })
	text := b.metrics(t)
	for _, line := range want {
		pattern := "(?m)^" + strings.NewReplacer("{", `\{`, "}", `\}`, `[0-9a-f]\{12\}`, `[0-9a-f]{12}`).Replace(line) + "$"
		pattern = strings.ReplaceAll(pattern, `[0-9a-f]\{12\}`, `[0-9a-f]{12}`)
		if !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("no line %s", line)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// Prometheus sees no increase in a counter that appears with its first event.
func TestEveryCounterIsThereBeforeItsFirstEvent(t *testing.T) {
	series := regexp.MustCompile(`(?m)^(cluws_[a-z_]+_total(?:\{.*\})?) (.*)$`)
	url := embeddedBroker(t)
	b := linked(t, url, withHistory, func(c *bridge.Config) {
		c.Presence = "who"
		c.Sources = []rooms.Source{{Exchange: "live"}}
		c.Origins = []string{"https://console.example"}
	})
	first := map[string]bool{}
	for _, line := range series.FindAllStringSubmatch(b.metrics(t), -1) {
		first[line[1]] = true
		if line[2] != "0" && !strings.HasPrefix(line[1], "cluws_link_changes_total") && !strings.HasPrefix(line[1], "cluws_stall") {
			t.Errorf("a new bridge has %s", line[0])
		}
	}
	want := []string{
		`cluws_gaps_total`, `cluws_source_gaps_total{exchange="live"}`, `cluws_presence_total{outcome="refused"}`,
		`cluws_link_changes_total{state="down"}`, `cluws_replies_dropped_total{reason="empty body"}`,
		`cluws_room_messages_dropped_total{reason="body is not in its content encoding"}`,
		`cluws_refused_total{reason="origin"}`, `cluws_refused_total{reason="no TLS"}`, `cluws_refused_total{reason="Service Unavailable"}`,
	}
	for o := range amqpx.Unknown + 1 {
		want = append(want, fmt.Sprintf("cluws_commands_total{outcome=%q}", o))
	}
	for _, name := range want {
		if !first[name] {
			t.Errorf("there is no %s", name)
		}
	}

	p := newPeer(t, url)
	p.reply(`not JSON`)
	p.reply("\xff")
	p.reply("")
	request, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+b.addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "https://elsewhere.example")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	dropped := regexp.MustCompile(`(?m)^cluws_replies_dropped_total\{.*\} 1$`)
	testkit.WaitUntil(t, "what came is counted", func() bool {
		text := b.metrics(t)
		return len(dropped.FindAllString(text, -1)) == 3 && strings.Contains(text, `cluws_refused_total{reason="origin"} 1`)
	})
	for _, line := range series.FindAllStringSubmatch(b.metrics(t), -1) {
		if !first[line[1]] {
			t.Errorf("%s was not there from the start", line[1])
		}
	}
}

func TestMetricsAreWrittenAsPrometheusAsks(t *testing.T) {
	b := linked(t, embeddedBroker(t), withHistory)
	problems, err := promlint.New(strings.NewReader(b.metrics(t))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestTheAdminSeesHealthAndProfiles(t *testing.T) {
	b := linked(t, embeddedBroker(t))
	for path, words := range map[string]string{"/": "/metrics", "/healthz": `"broker":"up"`, "/readyz": `"ready":true`, "/debug/pprof/": "goroutine", "/debug/pprof/goroutine?debug=1": "goroutine profile"} {
		if code, text := b.admin(t, path); code != http.StatusOK || !strings.Contains(text, words) {
			t.Errorf("%s: %d %.200s", path, code, text)
		}
	}
	if code, _ := b.admin(t, "/nothing"); code != http.StatusNotFound {
		t.Errorf("/nothing: %d", code)
	}
	down := startBridge(t, "amqp://127.0.0.1:1/")
	if code, text := down.admin(t, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(text, `"broker":"down"`) {
		t.Errorf("/readyz without a broker: %d %s", code, text)
	}
}
