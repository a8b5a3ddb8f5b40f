package amqpx

import (
	"errors"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

func TestAMissingPermissionIsNamed(t *testing.T) {
	for reason, want := range map[string]string{
		// RabbitMQ 3.10
		"ACCESS_REFUSED - access to queue 'bridge_replies' in vhost '/' refused for user 'me'":                  `user "me" lacks a permission for the queue "bridge_replies": the link needs configure, write, read`,
		"ACCESS_REFUSED - access to exchange 'test' in vhost '/' refused for user 'me'":                         `user "me" lacks a permission for the exchange "test": the link needs configure, write, read`,
		"ACCESS_REFUSED - access to exchange 'bridge_replies_sentinel' in vhost '/' refused for user 'me'":      `user "me" lacks a permission for the exchange "bridge_replies_sentinel": the link needs configure, read`,
		"ACCESS_REFUSED - access to exchange 'amq.default' in vhost '/' refused for user 'me'":                  `user "me" may not write to the default exchange (amq.default)`,
		"ACCESS_REFUSED - access to topic 'command.it's' in exchange 'test' in vhost '/' refused for user 'me'": `user "me" may not write to the exchange "test" with the routing key "command.it's"`,
		// RabbitMQ 4
		"ACCESS_REFUSED - configure access to queue 'bridge_replies' in vhost '/' refused for user 'me'":           `user "me" may not configure the queue "bridge_replies": the link needs configure, write, read`,
		"ACCESS_REFUSED - read access to exchange 'test' in vhost 'a' refused for user 'it's me'":                  `user "it's me" may not read from the exchange "test": the link needs configure, write, read`,
		"ACCESS_REFUSED - write access to exchange 'amq.default' in vhost '/' refused for user 'me'":               `user "me" may not write to the default exchange (amq.default)`,
		"ACCESS_REFUSED - write access to topic 'command.x' in exchange 'test' in vhost '/' refused for user 'me'": `user "me" may not write to the exchange "test" with the routing key "command.x"`,
	} {
		denied := &amqp.Error{Code: amqp.AccessRefused, Reason: reason, Server: true}
		if got := withoutPermission(denied, "test").Error(); got != want {
			t.Errorf("%s is explained as %s, want %s", reason, got, want)
		}
		for _, err := range []error{&topologyError{"queue", "bridge_replies", denied}, denied} {
			explained := explain(err, "amqp://me:sesame@host/", Config{Exchange: "test"}).Error()
			if !strings.Contains(explained, want) || !strings.Contains(explained, "amqp://host:5672/") {
				t.Errorf("%s: the link says %s", reason, explained)
			}
		}
	}
	other := &amqp.Error{Code: amqp.AccessRefused, Reason: "ACCESS_REFUSED - something else", Server: true}
	if got := withoutPermission(other, "test"); !errors.Is(got, other) {
		t.Errorf("%v became %v", other, got)
	}
}

// The texts of RabbitMQ 3.10, 4.0 and 4.3.
func TestAQueueThatIsUnavailableIsNoPermanentError(t *testing.T) {
	for _, c := range []struct {
		code          int
		reason, words string
	}{
		{amqp.PreconditionFailed, "PRECONDITION_FAILED - stream queue 's' in vhost '/' does not have a running replica on the local node", "no running replica"},
		{amqp.PreconditionFailed, "PRECONDITION_FAILED - queue 's' in vhost '/' does not have a running local replica", "no running replica"},
		{amqp.PreconditionFailed, "PRECONDITION_FAILED - queue 's' in vhost '/' does not have a replica on the local node", "no running replica"},
		{amqp.NotFound, "NOT_FOUND - home node 'rabbit@b' of durable queue 's' in vhost '/' is down or inaccessible", "start that node, or use a queue that several nodes keep"},
		{amqp.NotFound, "NOT_FOUND - queue 's' in vhost '/' process is stopped by supervisor", "or delete the queue if the broker's log names it as broken"},
		{amqp.NotFound, "NOT_FOUND - failed to perform operation on queue 's' in vhost '/': its leader <0.1.0> may be stopping or being demoted", "changing its leader"},
		{amqp.InternalError, "INTERNAL_ERROR - Stream coordinator unavailable for queue 's' in vhost '/'", "more than half of the cluster's nodes"},
		{amqp.InternalError, "INTERNAL_ERROR - Could not declare stream queue 's' in vhost '/' on node 'rabbit@a' because the metadata store operation timed out", "more than half of the cluster's nodes"},
		{amqp.InternalError, "INTERNAL_ERROR - failed to declare queue 's' in vhost '/' because the operation timed out", "more than half of the cluster's nodes"},
		{amqp.InternalError, "INTERNAL_ERROR - Cannot declare quorum queue 's' in vhost '/' on node 'rabbit@a' with leader on node 'rabbit@b': noproc", "its own log says why"},
		{amqp.InternalError, "INTERNAL_ERROR", "its own log says why"},
		{amqp.PreconditionFailed, "PRECONDITION_FAILED - cannot declare queue 's': queue limit in vhost '/' (3) is reached", "takes no more queues"},
	} {
		for _, what := range []string{"queue", "stream"} {
			err := &topologyError{what, "s", &amqp.Error{Code: c.code, Reason: c.reason, Server: true}}
			got := explain(err, "amqp://host/", Config{})
			if misconfigured(got) || !strings.Contains(got.Error(), c.words) || !strings.HasSuffix(got.Error(), c.reason) {
				t.Errorf("of a %s, %q is explained as %q", what, c.reason, got)
			}
		}
	}
	lacking := &topologyError{"stream", "s", &amqp.Error{Code: amqp.PreconditionFailed, Reason: "PRECONDITION_FAILED - invalid arg 'x-queue-type'", Server: true}}
	if got := explain(lacking, "amqp://host/", Config{}); !misconfigured(got) || !strings.Contains(got.Error(), "has no streams") {
		t.Errorf("a broker without streams is explained as %q", got)
	}
}
