package reddit

import (
	"errors"
	"os"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/internal/limitedlog"
)

// Config is the section reddit of a dialect in the configuration file. The keys are given by the tags.
type Config struct {
	// Secrets is the secrets file of baseplate.
	Secrets string `json:"secrets"`
	// Name is the name of the versioned secret that signs. "" is that of reddit's service.
	Name string `json:"name"`
	// StatusExchange is the topic exchange that is told which clients connect and leave. "" is none.
	StatusExchange string `json:"status-exchange"`
	// AdminToken is the token that may quiesce the bridge, or file:PATH. "" lets nobody.
	AdminToken string `json:"admin-token"`
}

// usualSecret is the name of the secret of reddit's service.
const usualSecret = "secret/websockets/authorization_key"

// New returns the dialect that a configuration describes. Its errors are [*dialect.PathError], joined.
func New(cfg *Config, at dialect.Place, h dialect.Host) (dialect.Dialect, error) {
	d := &service{place: at, host: h, namespaces: newNamespaces(h.NewLog), failures: limitedlog.New(h.Logger, "the status exchange may lack messages about reddit's clients")}
	var wrong []error
	fail := func(key string, err error) {
		if err != nil {
			wrong = append(wrong, &dialect.PathError{Path: key, Err: err})
		}
	}
	name := cfg.Name
	if name == "" {
		name = usualSecret
	}
	var err error
	d.signed, err = access.NewSignedURLs(cfg.Secrets, name, access.Options{Now: h.Now, Logger: h.Logger})
	fail("secrets", err)
	d.token, err = readToken(cfg.AdminToken)
	fail("admin-token", err)
	if cfg.StatusExchange != "" {
		d.publish, err = h.NewPublisher(cfg.StatusExchange)
		fail("status-exchange", err)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return d, nil
}

// readToken returns a token of the configuration: the text itself, or the contents of the file that
// it names, without the line's end.
func readToken(value string) (string, error) {
	path, isFile := strings.CutPrefix(value, "file:")
	if !isFile {
		return value, nil
	}
	text, err := os.ReadFile(path)
	token := strings.TrimRight(string(text), "\r\n")
	if err == nil && token == "" {
		err = errors.New("names an empty file; write the token into it")
	}
	return token, err
}
