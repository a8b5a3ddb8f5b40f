package bridge

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

func TestTheHeadersOfARoomsMessageGiveItItsPlace(t *testing.T) {
	long := strings.Repeat("k", maxPlaceKey+1)
	for _, c := range []struct {
		headers  amqpx.Table
		ordered  bool
		order    int64
		throttle time.Duration
	}{
		{nil, false, 0, 0},
		{amqpx.Table{"order": int32(-3), "order_key": "k"}, true, -3, 0},
		{amqpx.Table{"order": uint64(math.MaxUint64)}, false, 0, 0},
		{amqpx.Table{"order": "3"}, false, 0, 0},
		{amqpx.Table{"order": 2.5}, false, 0, 0},
		{amqpx.Table{"order": int64(1), "order_key": long}, false, 0, 0},
		{amqpx.Table{"throttle": int8(2), "throttle_key": "k"}, false, 0, 2 * time.Second},
		{amqpx.Table{"throttle": 0.25}, false, 0, 250 * time.Millisecond},
		{amqpx.Table{"throttle": float32(0.5)}, false, 0, 500 * time.Millisecond},
		{amqpx.Table{"throttle": amqpx.Decimal{Scale: 1, Value: 15}}, false, 0, 1500 * time.Millisecond},
		{amqpx.Table{"throttle": math.Inf(1)}, false, 0, time.Hour},
		{amqpx.Table{"throttle": math.NaN()}, false, 0, 0},
		{amqpx.Table{"throttle": -1}, false, 0, 0},
		{amqpx.Table{"throttle": "1"}, false, 0, 0},
		{amqpx.Table{"throttle": 1, "throttle_key": long}, false, 0, 0},
	} {
		m := roomMessageOf("/live/x", []byte("a"), c.headers)
		if m.Ordered != c.ordered || m.Ordered && m.Order != c.order || m.Throttle != c.throttle || m.Path != "/live/x" {
			t.Errorf("%.60v: %+v", c.headers, m)
		}
	}
}

func TestThePlaceOfAPublishedMessageIsReadStrictly(t *testing.T) {
	for fields, want := range map[string]string{
		`{}`:              "map[] <nil>",
		`{"order": null}`: "map[] <nil>",
		`{"order": 3, "order_key": "k", "throttle": 0.5, "throttle_key": "l"}`: "map[order:3 order_key:k throttle:0.5 throttle_key:l] <nil>",
		`{"order": "3"}`:     `map[] "order" is`,
		`{"order": 1.5}`:     `map[] "order" is`,
		`{"throttle": -1}`:   `map[] "throttle" is -1 seconds; it may be from 0 to 3600`,
		`{"throttle": 3601}`: `map[] "throttle" is 3601 seconds`,
		`{"throttle": "1"}`:  `map[] "throttle" is`,
		`{"order_key": 1}`:   `map[] "order_key" is`,
		`{"throttle_key": "` + strings.Repeat("k", 256) + `"}`: `map[] "throttle_key" is 256 bytes long`,
	} {
		f, err := protocol.Parse([]byte(fields))
		if err != nil {
			t.Fatal(err)
		}
		headers, err := readPlace(f)
		if got := fmt.Sprint(map[string]any(headers), " ", err); !strings.HasPrefix(got, want) {
			t.Errorf("%.60s: %s, want %s", fields, got, want)
		}
	}
}

// What other programs publish is read without a panic, and gives no message a place beyond the bounds.
func FuzzTheHeadersOfARoomsMessage(f *testing.F) {
	f.Add("k", "l", 1.5, int64(3))
	f.Fuzz(func(t *testing.T, orderKey, throttleKey string, throttle float64, order int64) {
		m := roomMessageOf("/x", nil, amqpx.Table{"order": order, "order_key": orderKey, "throttle": throttle, "throttle_key": throttleKey})
		if m.Throttle < 0 || m.Throttle > time.Hour || m.Ordered && len(m.OrderKey) > maxPlaceKey || m.Throttle > 0 && len(m.ThrottleKey) > maxPlaceKey {
			t.Errorf("%+v", m)
		}
	})
}
