package amqpx

import (
	"os"
	"path/filepath"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

func TestTheLibraryGetsTheSameURLWithoutTLS(t *testing.T) {
	for url, want := range map[string]string{
		"amqps://u:p%23ss%40@host/a%2Fb?heartbeat=5": "amqp://u:p%23ss%40@host:5671/a%2Fb?heartbeat=5",
		"amqps://[::1]:7/":                           "amqp://[::1]:7/",
		"amqp://u@host/v":                            "amqp://u@host/v",
	} {
		uri, err := amqp.ParseURI(url)
		if err != nil {
			t.Fatal(err)
		}
		if got := withoutTLS(url, uri); got != want {
			t.Errorf("%s becomes %s, want %s", url, got, want)
		}
	}
}

func TestACertificateThatAURLNamesMustBeOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	if _, err := tlsOfURL(amqp.URI{CACertFile: file}); err == nil {
		t.Error("a file that is missing is accepted")
	}
	if err := os.WriteFile(file, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tlsOfURL(amqp.URI{CACertFile: file}); err == nil {
		t.Error("a file without a certificate is accepted")
	}
	cfg, err := tlsOfURL(amqp.URI{ServerName: "other"})
	if err != nil || cfg.ServerName != "other" || cfg.RootCAs != nil {
		t.Errorf("%+v %v", cfg, err)
	}
}
