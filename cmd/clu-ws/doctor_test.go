package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/doctor"
	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/terminal"
)

// diagnosis is what clu-ws doctor --json writes.
type diagnosis struct {
	OK                 bool
	Problems, Warnings int
	Findings           []doctor.Finding
}

// diagnose runs clu-ws doctor.
func diagnose(t *testing.T, args ...string) (d diagnosis) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), append([]string{"clu-ws", "doctor", "--json", "--for", "10ms"}, args...), &out, &out)
	if jsonErr := json.Unmarshal(out.Bytes(), &d); jsonErr != nil {
		t.Fatalf("%v, %v: %s", err, jsonErr, &out)
	}
	want := terminal.ExitDone
	if d.Problems > 0 {
		want = terminal.ExitFailed
	}
	if got := terminal.ExitCode(err); got != want || d.OK != (want == terminal.ExitDone) {
		t.Errorf("it exits with %d (%v):\n%s", got, err, &out)
	}
	return d
}

// has checks that there is a finding with a status whose text, or what mends it, contains words.
func (d diagnosis) has(t *testing.T, check string, status doctor.Status, words string) {
	t.Helper()
	if !slices.ContainsFunc(d.Findings, func(f doctor.Finding) bool {
		return f.Check == check && f.Status == status && strings.Contains(f.Text+" -> "+f.Mend, words)
	}) {
		t.Errorf("there is no %s of %s with %q: %+v", status, check, words, d.Findings)
	}
}

// brokerFaults returns what is wrong at the broker, apart from a slow answer: a busy machine makes any broker slow, and
// TestTheDoctorDoesNotTakeASlowBrokerForABrokenOne is about that.
func (d diagnosis) brokerFaults() (texts []string) {
	for _, f := range d.Findings {
		if strings.HasPrefix(f.Check, "broker.") && f.Check != "broker.delay" && f.Status != doctor.OK {
			texts = append(texts, fmt.Sprintf("%s %s: %s", f.Status, f.Check, f.Text))
		}
	}
	return texts
}

// faultAtTheBroker is something that keeps a bridge from working, or may not be meant.
type faultAtTheBroker struct {
	args          []string
	config        string // a file, in which SECRETS stands for a secrets file of baseplate
	check, words  string
	permissions   string // of a user of its own, to configure, write and read; "" is guest
	prepare       func(*testing.T, *amqp.Channel)
	isOnlyWarning bool
}

var faultsAtTheBroker = map[string]faultAtTheBroker{
	"wrong password":  {args: []string{"--password", "wrong"}, check: "broker.login", words: `refused user "guest"; check the user name and the password (see --user and --password)`},
	"no virtual host": {args: []string{"--vhost", "nowhere"}, check: "broker.vhost", words: `no virtual host "nowhere"`},
	"no permission":   {permissions: "^sdss_exchange$ .* .*", check: "broker.link", words: `grant it`},
	"may not bind":    {permissions: ".* .* ^bridge_.*$", check: "broker.link", words: `exchange "sdss_exchange"`},
	"may only listen": {permissions: ".* ^bridge_.*$ .*", check: "broker.link", words: `exchange "sdss_exchange"`, isOnlyWarning: true},
	"exchange of another type": {check: "broker.exchange", words: "exists with another type", prepare: func(t *testing.T, ch *amqp.Channel) {
		if err := ch.ExchangeDeclare("sdss_exchange", "fanout", false, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
	}},
	"name taken": {check: "broker.name", words: `a bridge "bridge" runs already`, isOnlyWarning: true, prepare: func(t *testing.T, ch *amqp.Channel) {
		if _, err := ch.QueueDeclare("bridge_replies", false, false, true, false, nil); err != nil {
			t.Fatal(err)
		}
	}},
	"no actor":     {check: "broker.exchange", words: `there is no exchange "sdss_exchange"`, isOnlyWarning: true},
	"no broker":    {args: []string{"-P", "1"}, check: "broker.tcp", words: "connection refused"},
	"no such host": {args: []string{"-H", "nowhere.invalid"}, check: "broker.dns", words: "is not known"},
	"TLS expected": {args: []string{"--ssl"}, check: "broker.tls", words: "--ssl"},

	"kept with another time": {args: []string{"--durable", "expires=60s"}, check: "broker.kept", words: "was kept with other settings", prepare: declareQueue("bridge_replies_kept", amqp.Table{"x-queue-type": "quorum", "x-expires": 1_000_000})},
	"may not keep":           {args: []string{"--durable", "expires=60s"}, permissions: "^(bridge_doctor.*|sdss_exchange)$ .* .*", check: "broker.kept", words: "grant it"},
	"stream of another age":  {args: []string{"--durable", "stream", "--stream-age", "1h"}, check: "broker.stream", words: "(see --stream-name, --stream-age and --stream-bytes)", prepare: declareQueue("sdss_exchange_stream", amqp.Table{"x-queue-type": "stream", "x-max-age": "3D"})},
	"stream that is a queue": {args: []string{"--durable", "stream"}, check: "broker.stream", words: "exists with another age, size or kind", prepare: declareQueue("sdss_exchange_stream", nil)},
	"may not make a stream":  {args: []string{"--durable", "stream"}, permissions: "^(bridge_.*|sdss_exchange)$ .* .*", check: "broker.stream", words: "grant it"},

	"source without a publisher": {args: []string{"--source", "exchange=live"}, check: "broker.source", words: "start its publisher", isOnlyWarning: true},
	"source may not be read":     {args: []string{"--source", "exchange=live"}, permissions: ".* .* ^(bridge_.*|sdss_exchange)$", check: "broker.source", words: `exchange "live"`, prepare: declareExchange("live")},
	"source may not be made":     {args: []string{"--source", "exchange=live"}, permissions: "^(bridge_.*|sdss_exchange)$ .* .*", check: "broker.source", words: `exchange "live"`},
	"presence may not be sent":   {args: []string{"--presence", "who"}, permissions: ".* ^(bridge_.*|sdss_exchange|amq.default)$ .*", check: "broker.presence", words: `exchange "who"`, prepare: declareExchange("who")},
	"status may not be made":     {config: "source: 'exchange=live,path=/'\ndialects: [{path: /, reddit: {secrets: SECRETS, status-exchange: who}}]\n", permissions: "^(bridge_.*|sdss_exchange|live)$ .* .*", check: "dialect.status", words: `exchange "who"`},
}

// Each fault that an operator met is found at a real RabbitMQ, under its name and with what mends it.
func TestTheDoctorFindsWhatIsWrongAtTheBroker(t *testing.T) {
	t.Parallel()
	n := testkit.RabbitMQ(t)
	for name, c := range faultsAtTheBroker {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(n.NewVHost(t))
			if err != nil {
				t.Fatal(err)
			}
			user, vhost := "guest", strings.TrimPrefix(u.Path, "/")
			if c.permissions != "" {
				user = vhost // as good a name as any
				n.AddUser(t, user, "guest")
				p := strings.Fields(c.permissions)
				n.SetPermissions(t, vhost, user, p[0], p[1], p[2])
			}
			if c.prepare != nil {
				c.prepare(t, amqpChannel(t, u.String()))
			}
			if c.config != "" {
				secrets := writeFile(t, "secrets.json", `{"secrets": {"secret/websockets/authorization_key": {"type": "versioned", "current": "abcdefghijklmnopqrstuvwxyz0123456789"}}}`)
				c.args = append(c.args, "--config", writeFile(t, "clu-ws.yaml", strings.ReplaceAll(c.config, "SECRETS", secrets)))
			}
			d := diagnose(t, append([]string{"--listen", "127.0.0.1:0", "--name", "bridge", "-H", u.Hostname(), "-P", u.Port(), "--vhost", vhost, "--user", user}, c.args...)...)
			status := doctor.Problem
			if c.isOnlyWarning {
				status = doctor.Warning
			}
			d.has(t, c.check, status, c.words)
		})
	}
}

// declareQueue declares a durable queue.
func declareQueue(name string, args amqp.Table) func(*testing.T, *amqp.Channel) {
	return func(t *testing.T, ch *amqp.Channel) {
		t.Helper()
		if _, err := ch.QueueDeclare(name, true, false, false, false, args); err != nil {
			t.Fatal(err)
		}
	}
}

// declareExchange declares a topic exchange that stays.
func declareExchange(name string) func(*testing.T, *amqp.Channel) {
	return func(t *testing.T, ch *amqp.Channel) {
		t.Helper()
		if err := ch.ExchangeDeclare(name, "topic", true, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// amqpChannel opens a channel, until the test ends.
func amqpChannel(t *testing.T, url string) *amqp.Channel {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// With the permissions that docs/operating.md lists, with those that RabbitMQ 4.3 needs for --check-consumers, nothing is wrong; who replies is named; and nothing is left behind.
func TestTheDoctorFindsNothingWrongWithTheDocumentedPermissions(t *testing.T) {
	t.Parallel()
	n := testkit.RabbitMQ(t)
	for durable, permissions := range map[string][3]string{
		"no":          {`^(bridge_.*|sdss_exchange|live|who|.*_commands)$`, `^(bridge_.*|sdss_exchange|amq\.default|live|who)$`, `^(bridge_.*|sdss_exchange|live)$`},
		"expires=60s": {`^(bridge_.*|sdss_exchange|live|who|.*_commands)$`, `^(bridge_.*|sdss_exchange|amq\.default|live|who)$`, `^(bridge_.*|sdss_exchange|live)$`},
		"stream":      {`^(bridge_.*|sdss_exchange.*|live|who|.*_commands)$`, `^(sdss_exchange.*|amq\.default|bridge_.*|live|who)$`, `^(sdss_exchange.*|bridge_.*|live)$`},
	} {
		t.Run(durable, func(t *testing.T) {
			t.Parallel()
			address := n.NewVHost(t)
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			vhost := strings.TrimPrefix(u.Path, "/")
			n.AddUser(t, vhost, "guest")
			n.SetPermissions(t, vhost, vhost, permissions[0], permissions[1], permissions[2])
			ch := amqpChannel(t, address)
			replyAsActors(t, ch)
			declareExchange("live")(t, ch)
			queues, exchanges := n.Queues(t, vhost), n.Exchanges(t, vhost)
			d := diagnose(t, "--listen", "127.0.0.1:0", "--name", "bridge", "--durable", durable, "-H", u.Hostname(), "-P", u.Port(), "--vhost", vhost, "--user", vhost, "--for", "5s", "--source", "exchange=live", "--presence", "who")
			d.has(t, "broker.link", doctor.OK, "works")
			d.has(t, "broker.source", doctor.OK, "can read it")
			d.has(t, "broker.presence", doctor.OK, "may make it, and publish to it")
			if durable != "no" {
				d.has(t, map[bool]string{true: "broker.stream", false: "broker.kept"}[durable == "stream"], doctor.OK, "the bridge can make it")
			}
			d.has(t, "broker.actors", doctor.OK, "dome")
			d.has(t, "broker.actors", doctor.Warning, "nothing takes their commands: deaf")
			d.has(t, "broker.clock", doctor.Warning, "the clock of deaf differs from this machine's by -1h0m")
			if faults := d.brokerFaults(); len(faults) != 2 {
				t.Errorf("it finds %q", faults)
			}
			testkit.Eventually(t, testkit.Patience, "nothing of the trial is left", func() error {
				if q, e := n.Queues(t, vhost), n.Exchanges(t, vhost); !slices.Equal(q, queues) || !slices.Equal(e, exchanges) {
					return fmt.Errorf("queues %q, exchanges %q; before %q, %q", q, e, queues, exchanges)
				}
				return nil
			})
		})
	}
}

// replyAsActors declares the exchange and publishes replies until the test ends: of dome, which takes commands, and of deaf,
// which does not, and whose clock is an hour late.
func replyAsActors(t *testing.T, ch *amqp.Channel) {
	t.Helper()
	if err := ch.ExchangeDeclare("sdss_exchange", "topic", false, true, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare("dome_commands", false, false, true, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind("dome_commands", "command.dome.#", "sdss_exchange", false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.Consume("dome_commands", "", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() {
		close(stop)
		<-stopped
	})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-stop:
				return
			}
			for sender, at := range map[string]time.Time{"dome": time.Now(), "deaf": time.Now().Add(-time.Hour)} {
				// An error means that the test has ended.
				_ = ch.PublishWithContext(t.Context(), "sdss_exchange", "reply.broadcast", false, false, amqp.Publishing{
					Headers: amqp.Table{"sender": sender, "message_code": ":"}, Timestamp: at, Body: []byte(`{"text": "x"}`)})
			}
		}
	}()
}

// On this machine: who has the port, a bridge that runs already, a configuration that cannot be used.
func TestTheDoctorFindsWhatIsWrongOnThisMachine(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	comm, _ := os.ReadFile("/proc/self/comm")
	d := diagnose(t, "-P", "1", "--listen", taken.Addr().String(), "--admin", "203.0.113.1:9877")
	d.has(t, "listen", doctor.Problem, taken.Addr().String())
	d.has(t, "listen", doctor.Problem, strings.TrimSpace(string(comm)))
	d.has(t, "listen", doctor.Problem, "--listen")
	d.has(t, "admin", doctor.Problem, "this machine has no address")

	file := filepath.Join(t.TempDir(), "clu-ws.yaml")
	if err := os.WriteFile(file, []byte("log-level: loud\nbatch: 1h\nlisten: [127.0.0.1:0]\nrabbitmq-port: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d = diagnose(t, "--config", file)
	if d.Problems != 3 {
		t.Errorf("it finds %+v", d.Findings)
	}
	d.has(t, "config", doctor.Problem, file+":1:12: log-level")
	d.has(t, "config", doctor.Problem, file+":2:8: replies to plain clients cannot wait")
	d.has(t, "broker.tcp", doctor.Problem, "connection refused")

	port := fmt.Sprint(testkit.FreePort(t))
	p := start(t, "websocket", "--name", "night", "--host", "127.0.0.1", "--port", "0", "-P", port, "--embedded-broker", "--admin", "127.0.0.1:0")
	admin := field(p.log.await(t, "serving metrics and health"), "address=")
	p.log.await(t, "linked to the broker")
	d = diagnose(t, "-H", "127.0.0.1", "-P", port, "--listen", "127.0.0.1:0", "--name", "night", "--admin", admin)
	d.has(t, "bridge", doctor.OK, `the bridge "night" runs`)
	d.has(t, "bridge", doctor.OK, "it is ready")
	d.has(t, "broker.name", doctor.OK, "the bridge that runs holds the name")
	diagnose(t, "-P", "1", "--listen", "127.0.0.1:0", "--name", "day", "--admin", admin).has(t, "bridge", doctor.Warning, `is "night", not "day"`)
}

// A broker that is short of memory lets everyone log in, and takes no commands.
func TestTheDoctorFindsABrokerThatBlocks(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	full := broker.New(broker.Config{MaxBytes: 10_000})
	go func() { _ = full.Serve(ln) }() // it ends when the broker is closed
	t.Cleanup(func() { full.Close() })
	ch := amqpChannel(t, "amqp://guest:guest@"+ln.Addr().String()+"/")
	if _, err := ch.QueueDeclare("unread", false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := ch.PublishWithContext(t.Context(), "", "unread", false, false, amqp.Publishing{Body: make([]byte, 9000)}); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	diagnose(t, "--listen", "127.0.0.1:0", "--name", "bridge", "-H", "127.0.0.1", "-P", port, "--for", "10s").has(t, "broker.blocked", doctor.Problem, "takes no commands")
}

// A broker that is far away is called slow, and not broken.
func TestTheDoctorDoesNotTakeASlowBrokerForABrokenOne(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	far := broker.New(broker.Config{})
	go func() { _ = far.Serve(ln) }() // it ends when the broker is closed
	t.Cleanup(func() { far.Close() })
	_, port, _ := net.SplitHostPort(delayed(t, ln.Addr().String(), 300*time.Millisecond))
	d := diagnose(t, "--listen", "127.0.0.1:0", "--name", "bridge", "-H", "127.0.0.1", "-P", port, "--for", "1s")
	d.has(t, "broker.delay", doctor.Warning, "to answer")
	if d.Problems > 0 {
		t.Errorf("it finds %+v", d.Findings)
	}
}

// delayed returns the address of a proxy that holds back what the server says.
func delayed(t *testing.T, server string, by time.Duration) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() {
		ln.Close()
		running.Wait()
	})
	running.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return // the test has ended
			}
			upstream, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			running.Go(func() {
				defer upstream.Close()
				_, _ = io.Copy(upstream, client)
			})
			running.Go(func() {
				defer client.Close()
				for said := make([]byte, 64<<10); ; {
					n, err := upstream.Read(said)
					select {
					case <-time.After(by):
					case <-t.Context().Done():
						return
					}
					if _, failed := client.Write(said[:n]); err != nil || failed != nil {
						return
					}
				}
			})
		}
	})
	return ln.Addr().String()
}
