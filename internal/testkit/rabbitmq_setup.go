package testkit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A RabbitOption changes what [StartRabbitMQ] starts.
type RabbitOption func(*rabbitOptions)

type rabbitOptions struct {
	tls         bool
	clientCerts bool
	plugins     []string
	config      []string
}

// WithTLS adds a TLS listener: see [Node.TLS] and [Node.TLSURL].
func WithTLS() RabbitOption { return func(o *rabbitOptions) { o.tls = true } }

// WithClientCertificates adds a TLS listener that rejects clients without a certificate of the node's own authority.
func WithClientCertificates() RabbitOption {
	return func(o *rabbitOptions) { o.tls, o.clientCerts = true, true }
}

// WithPlugins enables plugins by name, such as "rabbitmq_management". None are enabled without it.
func WithPlugins(names ...string) RabbitOption {
	return func(o *rabbitOptions) { o.plugins = append(o.plugins, names...) }
}

// WithConfig adds lines to rabbitmq.conf, such as "heartbeat = 1".
func WithConfig(lines ...string) RabbitOption {
	return func(o *rabbitOptions) { o.config = append(o.config, lines...) }
}

// errNoRabbitMQ says how to get RabbitMQ.
var errNoRabbitMQ = errors.New("run scripts/setup-test.sh, or install rabbitmq-server")

// rabbitFolder is the environment variable that names the folder of rabbitmq-server and rabbitmqctl, if the tests are to
// use another RabbitMQ than the installed one.
const rabbitFolder = "CLU_WS_TEST_RABBITMQ"

// findRabbitMQ finds the folder of RabbitMQ's own scripts. The rabbitmq-server in Debian's PATH does not serve: it is a
// wrapper that switches to another user.
func findRabbitMQ() (dir string, err error) {
	if dir := os.Getenv(rabbitFolder); dir != "" {
		if _, err := os.Stat(filepath.Join(dir, "rabbitmq-server")); err != nil {
			return "", fmt.Errorf("%s names %s, where there is no rabbitmq-server", rabbitFolder, dir)
		}
		return filepath.Abs(dir)
	}
	for _, dir := range []string{
		"/usr/lib/rabbitmq/bin",           // Debian, Ubuntu, Fedora
		"/opt/homebrew/opt/rabbitmq/sbin", // macOS on ARM
		"/usr/local/opt/rabbitmq/sbin",    // macOS on Intel
		"/opt/rabbitmq/sbin",              // the official container
	} {
		if _, err := os.Stat(filepath.Join(dir, "rabbitmq-server")); err == nil {
			return dir, nil
		}
	}
	return "", errNoRabbitMQ
}

// rabbitBin returns that folder for a test.
func rabbitBin(t testing.TB) string {
	t.Helper()
	need(t, "RabbitMQ")
	noteBrokerTest(t)
	dir, err := findRabbitMQ()
	if err != nil {
		Missing(t, "RabbitMQ", err.Error())
	}
	return dir
}

// The default limit of memory, as a share of the machine's.
const memoryWatermark = "0.4"

func (n *Node) writeConfig() error {
	lines := []string{
		fmt.Sprintf("listeners.tcp.default = %s:%d", n.host, n.ports.amqp),
		"log.console = true",
		"log.console.level = info",
		"log.file = false",
		"vm_memory_high_watermark.relative = " + memoryWatermark,
		"disk_free_limit.absolute = 1MB", // the tests run on a nearly full disk, too
	}
	if n.opts.tls {
		lines = append(lines,
			fmt.Sprintf("listeners.ssl.default = %s:%d", n.host, n.ports.tls),
			"ssl_options.cacertfile = "+n.TLS.CA,
			"ssl_options.certfile = "+n.TLS.ServerCert,
			"ssl_options.keyfile = "+n.TLS.ServerKey,
			"ssl_options.verify = verify_peer",
			fmt.Sprintf("ssl_options.fail_if_no_peer_cert = %t", n.opts.clientCerts))
	}
	lines = append(lines, n.opts.config...)
	files := map[string]string{
		"rabbitmq.conf":   strings.Join(lines, "\n") + "\n",
		"enabled_plugins": "[" + strings.Join(n.opts.plugins, ",") + "].\n",
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(n.dir, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	return n.writeEval()
}

// The cookie protects nothing: every node listens on the loopback only and holds no valuable data.
const erlangCookie = "clu-ws-tests"

// serverCommand runs the server in the foreground, without epmd. By default RabbitMQ starts epmd to look for a node of
// the same name, and that daemon outlives it. A node whose Erlang distribution already runs under the right name (-sname)
// skips that, and -erl_epmd_port says where it listens.
func (n *Node) serverCommand() *exec.Cmd {
	naming := "-sname"
	if n.long {
		naming = "-name"
	}
	erl := fmt.Sprintf("%s %s -setcookie %s -start_epmd false -erl_epmd_port %d"+
		" -kernel inet_dist_use_interface {%s} inet_dist_listen_min %d inet_dist_listen_max %d"+
		" -eval file:script(%s)",
		naming, n.name, erlangCookie, n.ports.dist,
		strings.ReplaceAll(n.host, ".", ","), n.ports.dist, n.ports.dist,
		erlangString(n.path("eval.erl")))
	cmd := exec.Command(filepath.Join(n.bin, "rabbitmq-server"))
	cmd.Dir = n.dir
	cmd.Env = append(n.baseEnv(),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+erl,
		// The script then becomes the server (exec) instead of its parent: signals reach the server.
		"RUNNING_UNDER_SYSTEMD=true",
		fmt.Sprintf("RABBITMQ_DIST_PORT=%d", n.ports.dist),
		"RABBITMQ_CONFIG_FILE="+n.path("rabbitmq.conf"),
		"RABBITMQ_CONFIG_FILES="+n.path("conf.d"),
		"RABBITMQ_ADVANCED_CONFIG_FILE="+n.path("advanced.config"),
		"RABBITMQ_ENABLED_PLUGINS_FILE="+n.path("enabled_plugins"),
		"RABBITMQ_MNESIA_BASE="+n.path("data"),
		"RABBITMQ_LOG_BASE="+n.path("log"),
		"RABBITMQ_PID_FILE="+n.path("pid"),
	)
	return cmd
}

// ctlCommand runs rabbitmqctl, which finds the node by its port, and does not listen itself.
func (n *Node) ctlCommand(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(n.bin, "rabbitmqctl"), append([]string{"-q"}, args...)...)
	cmd.Dir = n.dir
	erl := fmt.Sprintf("-setcookie %s -start_epmd false -erl_epmd_port %d -dist_listen false", erlangCookie, n.ports.dist)
	// Not ERL_FLAGS, which RabbitMQ 4 sets itself.
	cmd.Env = append(n.baseEnv(), "RABBITMQ_CTL_ERL_ARGS="+erl)
	return cmd
}

// baseEnv is the whole environment, so that the machine's own RabbitMQ settings have no effect.
func (n *Node) baseEnv() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"LANG=C.UTF-8",
		"HOME=" + n.dir, // Erlang keeps its cookie there
		"RABBITMQ_NODENAME=" + n.name,
		fmt.Sprintf("RABBITMQ_USE_LONGNAME=%t", n.long),
		"RABBITMQ_CONF_ENV_FILE=" + n.path("rabbitmq-env.conf"),
		"ERL_CRASH_DUMP_BYTES=0",
	}
}

func (n *Node) path(name string) string { return filepath.Join(n.dir, name) }
