package testkit

import (
	"crypto/tls"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
)

// Redis is a redis-server for one test, on 127.0.0.1, which keeps nothing on disk. It takes a few
// mebibytes and a few milliseconds.
type Redis struct {
	*Process
	t    testing.TB
	args []string
	port int
	tls  *tls.Config
}

// StartRedis starts a server, which ends with the test. Its further arguments are options of
// redis-server, such as --requirepass and a password.
func StartRedis(t testing.TB, options ...string) *Redis {
	t.Helper()
	return startRedis(t, nil, options...)
}

// NeedRedis fails the test unless there is a redis-server.
func NeedRedis(t testing.TB) {
	t.Helper()
	need(t, "redis-server")
	if _, err := exec.LookPath("redis-server"); err != nil {
		Missing(t, "redis-server", "install Debian's package redis-server: "+err.Error())
	}
}

// StartRedisTLS starts a server that speaks TLS only.
func StartRedisTLS(t testing.TB, certs *Certificates, options ...string) *Redis {
	t.Helper()
	return startRedis(t, certs, options...)
}

func startRedis(t testing.TB, certs *Certificates, options ...string) *Redis {
	t.Helper()
	NeedRedis(t)
	r := &Redis{t: t, port: FreePort(t)}
	r.args = []string{"--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir()}
	if certs == nil {
		r.args = append(r.args, "--port", fmt.Sprint(r.port))
	} else {
		r.tls = certs.ClientConfig(t)
		r.args = append(r.args, "--port", "0", "--tls-port", fmt.Sprint(r.port), "--tls-auth-clients", "no",
			"--tls-cert-file", certs.ServerCert, "--tls-key-file", certs.ServerKey, "--tls-ca-cert-file", certs.CA)
	}
	r.args = append(r.args, options...)
	r.start()
	return r
}

// start starts the server, and waits until it takes connections.
func (r *Redis) start() {
	r.t.Helper()
	r.Process = StartProcess(r.t, exec.Command("redis-server", r.args...))
	err := poll(startTimeout, r.Done(), func() error { return r.try("PING") })
	if err != nil {
		r.t.Fatalf("redis-server did not start: %v; it wrote:\n%s", err, r.Output.Tail())
	}
}

// Stop stops the server.
func (r *Redis) Stop() {
	r.t.Helper()
	r.Process.Stop(r.t, startTimeout)
}

// Restart starts the server again on its port, without anything that it had.
func (r *Redis) Restart() {
	r.t.Helper()
	r.Kill()
	r.start()
}

// Pause stops the server from doing anything, though its connections stay.
func (r *Redis) Pause() {
	r.t.Helper()
	if err := r.Signal(pauseSignal); err != nil {
		r.t.Fatal(err)
	}
}

// Resume ends a pause.
func (r *Redis) Resume() {
	r.t.Helper()
	if err := r.Signal(resumeSignal); err != nil {
		r.t.Fatal(err)
	}
}

// Addr returns its address, and URL redis:// with that.
func (r *Redis) Addr() string { return fmt.Sprintf("127.0.0.1:%d", r.port) }
func (r *Redis) URL() string  { return "redis://" + r.Addr() + "/0" }

// password returns the password of the option --requirepass.
func (r *Redis) password() string {
	for i, option := range r.args {
		if option == "--requirepass" {
			return r.args[i+1]
		}
	}
	return ""
}

// Do sends a command, such as PUBLISH with a channel and a message, and returns the answer.
func (r *Redis) Do(args ...any) any {
	r.t.Helper()
	answer, err := r.do(args...)
	if err != nil {
		r.t.Fatalf("%v: %v", args[0], err)
	}
	return answer
}

func (r *Redis) try(args ...any) error {
	_, err := r.do(args...)
	return err
}

func (r *Redis) do(args ...any) (any, error) {
	conn, err := redis.Dial("tcp", r.Addr(), redis.DialPassword(r.password()), redis.DialReadTimeout(time.Minute),
		redis.DialUseTLS(r.tls != nil), redis.DialTLSConfig(r.tls))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.Do(args[0].(string), args[1:]...)
}
