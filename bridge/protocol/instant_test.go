package protocol

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestAnInstantIsReadAsASpanATimeOrMilliseconds(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 38, 40, 0, time.UTC)
	for text, want := range map[string]string{
		`"-6h"`:                              "2026-11-20T21:38:40Z",
		`"-1h30m"`:                           "2026-11-21T02:08:40Z",
		`"-0.5s"`:                            "2026-11-21T03:38:39.5Z",
		`"2026-11-21T03:38:45.500Z"`:         "2026-11-21T03:38:45.5Z",
		`"2026-11-21T03:38:45.500000+00:00"`: "2026-11-21T03:38:45.5Z",
		`1795232325500`:                      "2026-11-21T03:38:45.5Z",
		`1.7952323255e12`:                    "2026-11-21T03:38:45.5Z",
		`null`:                               "2000-01-01T00:00:00Z",
		`"-6d"`:                              `"from" is not a span of time; write it with a unit of h, m or s`,
		`"-"`:                                `"from" is not a span of time`,
		`"6h"`:                               `"from" is not a time; write a span before now such as "-6h"`,
		`"\q"`:                               `"from" is not a time`,
		`true`:                               `"from" is a boolean; write a span`,
		`1e300`:                              `"from" is 1e300, which is no time; write`,
	} {
		at, err := Fields{"from": json.RawMessage(text)}.Instant("from", now, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
		got := at.UTC().Format(time.RFC3339Nano)
		if err != nil {
			got = err.Error()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if at, err := (Fields{}).Instant("from", now, now); !at.Equal(now) || err != nil {
		t.Errorf("without the field it is %v, %v", at, err)
	}
}
