package bridge_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A Redis that is down holds up neither the start nor anything else, and what was lost is a gap of its
// source only. What was lost before the first link is one, as clients may have been there.
func TestRoomsGetWhatIsPublishedByRedis(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t)
	redis.Stop()
	at := "redis=" + redis.URL()
	var log logged
	b := linked(t, embeddedBroker(t), log.config, withSources(
		at+",path=/live,channel=live.*,prefix=live.", at+",path=/jj,format=jararaca,channel=jj:send,broadcast=jj:all", at+",path=/shark,format=socketshark,channel=*.t", "exchange=amqp"))
	b.awaitSources(t, 1)
	redis.Restart()
	b.awaitSources(t, 4)
	room, all := dialWith(t, b.addr, "/live/x"), dialWith(t, b.addr, "/jj/a")
	c, _ := dialV1(t, b.addr, "/")
	if got := c.ask(`{"op": "subscribe", "id": "r", "rooms": ["/shark/simple.t"]}`); got["op"] != "ok" {
		t.Fatal(got)
	}
	publish := func() {
		redis.Do("PUBLISH", "live.x", "raw")
		redis.Do("PUBLISH", "jj:send", "b\x00for b")
		redis.Do("PUBLISH", "jj:send", "a,b\x00for a")
		redis.Do("PUBLISH", "jj:all", "for all")
		redis.Do("PUBLISH", "simple.t", "not JSON")
		redis.Do("PUBLISH", "simple.t", `{"subscription": "simple.t", "data": {"n":1}}`)
		room.expect("raw")
		for _, want := range []string{"for a", "for all"} {
			if got, op, err := wsutil.ReadServerData(all); string(got) != want || op != ws.OpBinary {
				t.Errorf("got %q, %v, %v, want %q", got, op, err, want)
			}
		}
		c.expect(`{"n":1}`)
	}
	publish()
	redis.Do("PUBLISH", "live.x", strings.Repeat("x", actor.MaxBody+1))
	redis.Do("PUBLISH", "live.x", "behind the one that is dropped")
	room.expect("behind the one that is dropped")
	redis.Stop()
	b.awaitSources(t, 1)
	if status, says := b.health(t, "/readyz"); status != http.StatusOK || !strings.Contains(b.metrics(t), `cluws_source_up{exchange="redis:/shark"} 0`) {
		t.Errorf("without Redis, ready is %d, %v; commands get through", status, says)
	}
	redis.Restart()
	testkit.WaitUntil(t, "the gaps are counted", func() bool {
		n := 0
		for _, path := range []string{"/live", "/jj", "/shark"} {
			n += strings.Count(b.metrics(t), `cluws_source_gaps_total{exchange="redis:`+path+`"} 2`)
		}
		return n == 3
	})
	publish()
	toldOfRedis(t, b, &log)
}

// toldOfRedis checks what an operator hears of the messages and the outages of that test.
func toldOfRedis(t *testing.T, b *running, log *logged) {
	t.Helper()
	m := b.metrics(t)
	for _, want := range []string{`source_gaps_total{exchange="amqp"} 0`, `room_messages_dropped_total{reason="body is not JSON"} 2`, `room_messages_dropped_total{reason="` + actor.ErrTooLong.Error() + `"} 1`} {
		if !strings.Contains(m, want) {
			t.Errorf("the metrics have no %s", want)
		}
	}
	for _, want := range []string{`"not linked to Redis; trying again" source=redis:/jj `, `"linked to Redis" source=redis:/shark `} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %s", want)
		}
	}
}
