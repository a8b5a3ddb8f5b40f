package dialect

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func TestADialectIsCountedByItsName(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	all := NewMetrics(registry)
	m, other, none := all.For("a"), all.For("a"), (*Metrics)(nil)
	for _, status := range []int{200, 302, 401, 403, 404, 500} {
		m.Asked()(OutcomeOf(status))
		none.Asked()(OutcomeOf(status))
	}
	m.Asked()(Abandoned)
	m.Asked() // is not answered
	other.Subscriptions(3)
	m.Subscriptions(-1)
	none.Subscriptions(1)
	m.Publishing("confirmed")
	none.Publishing("confirmed")
	none.Published("confirmed")
	none.Message()
	none.Dropped()
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	for _, want := range []string{
		`callbacks_in_flight{dialect="a"} 1`,
		`callbacks_total{dialect="a",outcome="abandoned"} 1`,
		`callbacks_total{dialect="a",outcome="answered"} 2`,
		`callbacks_total{dialect="a",outcome="failed"} 2`,
		`callbacks_total{dialect="a",outcome="refused"} 2`,
		`callback_seconds_count{dialect="a"} 6`,
		`published_total{dialect="a",outcome="confirmed"} 0`,
		`subscriptions{dialect="a"} 2`,
	} {
		if !strings.Contains(w.Body.String(), "\ncluws_dialect_"+want+"\n") {
			t.Errorf("there is no %s in\n%s", want, w.Body)
		}
	}
}
