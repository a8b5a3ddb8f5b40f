package testkit

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

//go:embed qpid.json
var qpidConfig []byte

// Qpid is an Apache Qpid Broker-J for one test, on 127.0.0.1, with the user guest. It stores nothing on disk.
type Qpid struct {
	*Process
	port int
}

// StartQpid starts a broker, which ends with the test. Its classes are fetched once per machine, to .cache.
func StartQpid(t testing.TB) *Qpid {
	t.Helper()
	need(t, "Qpid Broker-J")
	classPath, err := cache.Qpid()
	if err != nil {
		Missing(t, "Qpid Broker-J", "install Java and Maven, which must reach a repository: "+err.Error())
	}
	config := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(config, qpidConfig, 0o600); err != nil {
		t.Fatal(err)
	}
	q := &Qpid{port: FreePort(t)}
	cmd := exec.Command("java", "-Xmx256m", "-XX:+UseSerialGC", "-cp", classPath, "org.apache.qpid.server.Main",
		"--store-type", "Memory", "--initial-config-path", config,
		"-prop", fmt.Sprintf("qpid.amqp_port=%d", q.port), "-prop", "qpid.work_dir="+filepath.Dir(config))
	q.Process = StartProcess(t, cmd)
	err = poll(startTimeout, q.Done(), func() error {
		conn, err := amqp.DialConfig(q.URL(), amqp.Config{Dial: amqp.DefaultDial(5 * time.Second)})
		if err != nil {
			return err
		}
		return conn.Close()
	})
	if err != nil {
		t.Fatalf("Qpid Broker-J did not start: %v; it wrote:\n%s", err, q.Output.Tail())
	}
	return q
}

// URL returns amqp://guest:guest@127.0.0.1:port/, with the default virtual host.
func (q *Qpid) URL() string { return fmt.Sprintf("amqp://guest:guest@127.0.0.1:%d/", q.port) }
