package protocol

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestExpiresAtIsReadAsANumberOrAsText(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 38, 40, 0, time.UTC)
	for text, want := range map[string]string{
		`1795232325.5`:                        "2026-11-21T03:38:45.5Z",
		`1.7952323255e9`:                      "2026-11-21T03:38:45.5Z",
		`1795232325`:                          "2026-11-21T03:38:45Z",
		`"2026-11-21T03:38:45.500Z"`:          "2026-11-21T03:38:45.5Z",
		`"2026-11-21T03:38:45.500000+00:00"`:  "2026-11-21T03:38:45.5Z",
		`"2026-11-20T23:38:45-04:00"`:         "2026-11-21T03:38:45Z",
		`0`:                                   "1970-01-01T00:00:00Z",
		`-1`:                                  "1969-12-31T23:59:59Z",
		`null`:                                "0001-01-01T00:00:00Z",
		`"\u0032026-11-21T03:38:45Z"`:         "2026-11-21T03:38:45Z",
		`"tomorrow"`:                          `"expires_at" is not a time; write a number of seconds since 1970`,
		`true`:                                `"expires_at" is a boolean, but must be a number of seconds since 1970`,
		`{}`:                                  `"expires_at" is an object, but must be`,
		`1e300`:                               `"expires_at" is 1e300, but must be`,
		`1e400`:                               `"expires_at" is 1e400, but must be`,
		`1795232325500`:                       `more than an hour ahead of the bridge's clock; write a number of seconds`,
		`"2026-11-21T05:00:00Z"`:              `more than an hour ahead`,
		`"2026-11-21T04:38:40Z"`:              "2026-11-21T04:38:40Z",
		`"2026-11-21T04:38:40.000000001Z"`:    `more than an hour ahead`,
		`1e15`:                                `more than an hour ahead`,
		`1000000000000001`:                    `"expires_at" is 1000000000000001, but must be`,
		`-1000000000000001`:                   `"expires_at" is -1000000000000001, but must be`,
		`"\q"`:                                `"expires_at" is a string, but must be a number of seconds since 1970`,
		`"2026-11-21 03:38:45"`:               `is not a time`,
		`"2026-11-21T03:38:45.500Z and more"`: `is not a time`,
	} {
		at, err := Fields{"expires_at": json.RawMessage(text)}.ExpiresAt(now)
		got := at.UTC().Format(time.RFC3339Nano)
		if err != nil {
			got = err.Error()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if at, err := (Fields{}).ExpiresAt(now); !at.IsZero() || err != nil {
		t.Errorf("without the field it is %v, %v", at, err)
	}
}
