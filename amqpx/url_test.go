package amqpx

import (
	"strings"
	"testing"
)

func TestABadURLIsRefusedWithoutRepeatingIt(t *testing.T) {
	for url, words := range map[string]string{
		"http://u:sesame@host/":         `"http:"`,
		"amqp://u:sesame@":              "names no host",
		"amqp://u:sesa#me@host:port/":   "cannot be read",
		"amqp://u:sesame@host:port/":    "cannot be read",
		"amqp://u:sesame@host:99999999": "cannot be read",
		"amqp://u:/sesame@host/":        "percent-encoded",
		"amqp://u:12/sesame@host/":      "percent-encoded",
		"amqp://u:12#sesame@host/":      "percent-encoded",
		"amqp://u:12?sesame@host/":      "percent-encoded",
		"sesame":                        "amqp://",
	} {
		err := CheckURL(url)
		if err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "sesa") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if err := CheckURL("amqps://u:p%23ss%40@host:5671/a%2Fb%40?heartbeat=5"); err != nil {
		t.Error(err)
	}
}

func TestRedactLeavesOnlyTheAddress(t *testing.T) {
	for url, want := range map[string]string{
		"amqp://u:sesame@host/":                   "amqp://host:5672/",
		"amqps://u:sesame@host/obs?cacertfile=/x": "amqps://host:5671/obs",
		"amqp://u:sesame@[::1]:7/%2f":             "amqp://[::1]:7/",
		"nonsense with sesame":                    "(unreadable broker URL)",
	} {
		if got := Redact(url); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}
